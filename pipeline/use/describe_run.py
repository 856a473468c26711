"""What a run folder is, in a few lines: what was asked, what came of it, where it came from."""

from collections.abc import Iterator
from pathlib import Path

from gensr.estimator.errors import RunError
from gensr.pipeline.runs.dev import temperatures, told_temperatures
from gensr.pipeline.runs.lock import idle
from gensr.pipeline.runs.run import Run

UNTESTED = "learnt from every clip, never tested: it has no numbers"
"""What there is to say of the quality of a deployed model."""
LAYERS = 5
"""Layers that are named with their scores."""


def run_facts(path: Path) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Named facts of a run, and further lines.

    Raises:
        RunError: it is damaged.
    """
    run = Run.open(path)
    model, *others = run.facts()
    found = (*_numbers(run), *_temperature(run), *_layers(run))
    facts = (model, ("state", _state(run)), *found, *others)
    protocol = run.protocol
    notes = [f"left out: {count} clips, {why}" for why, count in protocol.left_out.items()]
    return facts, (*notes, run.joined) if run.joined else tuple(notes)


def _state(run: Run) -> str:
    if not idle(run.folder):
        return "being trained by another process"
    if not _finished(run):
        return "unfinished; --resume goes on with it"
    return "finished"


def _finished(run: Run) -> bool:
    try:
        run.predictions()
    except RunError:
        if (run.folder / "predictions.csv").exists():
            raise
        return False
    return True


def _temperature(run: Run) -> Iterator[tuple[str, str]]:
    """By what the probabilities are divided, where development parts were answered."""
    fitted = temperatures(run) if idle(run.folder) and _finished(run) else {}
    if fitted:
        clips = sum(one.clips for one in fitted.values())
        folds = ", by fold" if len(fitted) > 1 else ""
        yield "temperature", f"{told_temperatures(fitted.values())}{folds}, by {clips} dev answers"


def _layers(run: Run) -> Iterator[tuple[str, str]]:
    """How much each layer counts, the mean over folds, where inner folds have scored them."""
    if not idle(run.folder) or not _finished(run):
        return
    from gensr.pipeline.runs.models import layer_scores  # brings torch

    found = layer_scores(run)
    if found:
        best = sorted(found, key=lambda name: -found[name])
        told = ", ".join(f"{name} {found[name]:.2f}" for name in best[:LAYERS])
        rest = sum(found[name] for name in best[LAYERS:])
        others = f", {len(best) - LAYERS} others {rest:.2f}" if len(best) > LAYERS else ""
        yield "layer scores", f"{told}{others}; mean of {len(run.config.folds)} folds"


def _numbers(run: Run) -> Iterator[tuple[str, str]]:
    """The numbers, from the predictions: those are what a run has answered."""
    if run.config.deployed:
        yield "tested", UNTESTED
        return
    if not idle(run.folder) or not _finished(run):
        return
    from gensr.pipeline.scoring.evaluate import (
        score,  # brings torch, which stores and corpora do without
    )

    numbers = score(run.predictions(), run.protocol)
    for name, metric in (("WA", "accuracy"), ("UAR", "uar")):
        span = numbers.intervals[metric]
        told = f" [{100 * span[0]:.1f}, {100 * span[1]:.1f}]" if span else ", no interval"
        yield name, f"{100 * numbers.values[metric]:.1f} %{told}"
    majority = 100 * numbers.values["majority_baseline"]
    yield "n", f"{numbers.n}, {numbers.clusters} {run.protocol.cluster}s"
    yield "majority", f"{majority:.1f} %"
