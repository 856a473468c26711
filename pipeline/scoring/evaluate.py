"""The numbers of a run: from its predictions and its protocol alone, and against N.

`score` needs no model and no store, so that predictions from anywhere can be scored by it. The
sweep over N (Table 3) and the mean trajectory (Fig. 1) go back to the models and the vectors.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.metrics import Numbers
from gensr.estimator.models.model import Generative
from gensr.estimator.models.registry import MODELS
from gensr.features.store.where import Location, each
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.dev import temperatures
from gensr.pipeline.runs.lock import check_idle
from gensr.pipeline.runs.models import expected_of
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.answered import Answered, count
from gensr.pipeline.scoring.evaluation import Evaluation, check_asked, evaluation
from gensr.pipeline.scoring.replay import Replay

SWEEP = (1, 2, 4, 10, 20)
"""N of the paper's Table 3."""


def score(predictions: Sequence[Prediction], protocol: Protocol) -> Numbers:
    """The numbers of any predictions, given the protocol.

    Raises:
        RunError: a prediction for a clip that the protocol does not test in that fold, two for
            one clip, none for a clip of a fold that has others, another label than the
            protocol's, or a class that it does not know.
    """
    return count([predictions], protocol).numbers()


def evaluate(
    run: Run | Location,
    *,
    sampler: str | None = None,
    steps: Sequence[int] = SWEEP,
    stores: Location | Iterable[Location] | None = None,
    trajectory_of: str | None = None,
    by: Sequence[str] = (),
    reject_below: float | None = None,
    device: str = "auto",
    progress: Listener | None = None,
) -> Evaluation:
    """Score a run; a generative model also at every N of `steps`.

    Args:
        run: a finished run that tests something, or its folder.
        sampler: name of one, in place of the one it was trained to use.
        steps: N to sweep; empty for none.
        stores: where the vectors are now, if they were moved; one or several.
        trajectory_of: class whose mean way is drawn; default: the first that is tested.
        by: columns to tell the numbers by, beside the usual ones.
        reject_below: confidence below which a clip counts as refused, from 0 to 1.
        device: for the sweep.
        progress: told how far the sweep is.

    Raises:
        RunError: the run is unfinished, being trained, damaged, tests nothing, or does not fit
            the stores.
        ConfigError: `trajectory_of` is no tested class, `by` no column, `reject_below` no share.
    """
    run = Run.of(run)
    predictions = answered(run, trajectory_of=trajectory_of)
    fitted = [temperatures(run)]
    config, protocol = run.config, run.protocol
    answers = count([predictions], protocol)
    check_asked(answers, by, reject_below)  # before any work
    swept: dict[int, Answered] = {}
    trajectory = None
    used = own = config.options.get("sampler")  # a generative model need not have any
    expected_of(run)  # what other packages brought is still here
    if issubclass(MODELS[config.model], Generative):
        used = sampler or own
        listener = progress or Silent()
        with Replay(run, stores, device) as replay:
            listener.stage("sampling", sum(steps))
            for N in steps:
                swept[N] = count([replay.predictions(sampler=used, N=N)], protocol)
                listener.advance(N)
            trajectory = replay.trajectory(used, of=trajectory_of)
            if used != own:
                answers = count([replay.predictions(sampler=used)], protocol)
                fitted = []  # a temperature is of what the run's own sampler answers
    return evaluation(
        run,
        answers,
        swept,
        fitted,
        sampler=used,
        own=used == own,
        trajectory=trajectory,
        by=by,
        reject_below=reject_below,
    )


def evaluate_all(
    runs: Iterable[Run | Location], *, trajectory_of: str | None = None, **options: Any
) -> list[Evaluation]:
    """Score runs, none before all were found fit for it.

    Args:
        runs: which, or their folders.
        trajectory_of: see `evaluate`.
        options: of `evaluate`.

    Raises:
        RunError, ConfigError: see `evaluate`.
    """
    found = [Run.of(run) for run in each(runs)]
    for run in found:
        answered(run, trajectory_of=trajectory_of)
    return [evaluate(run, trajectory_of=trajectory_of, **options) for run in found]


def answered(run: Run, *, trajectory_of: str | None = None) -> list[Prediction]:
    """The predictions of a run that can be evaluated; what cannot is refused before any work.

    Raises:
        RunError: see `evaluate`.
        ConfigError: `trajectory_of` is no class.
    """
    check_idle(run.folder)
    config, protocol = run.config, run.protocol
    if config.deployed:
        raise RunError(
            f"{run.folder} learnt from every clip, never tested: nothing is left to test; "
            "train without --fold none to evaluate"
        )
    if trajectory_of is not None and trajectory_of not in protocol.classes:
        raise ConfigError(
            f"{run.folder} has no class {trajectory_of!r}; it has {', '.join(protocol.classes)}"
        )
    predictions = run.predictions()
    lacking = {*config.folds} & {*_tested(protocol)} - {given.fold for given in predictions}
    if lacking:
        raise RunError(
            f"{run.folder}: its predictions.csv has none of fold {', '.join(sorted(lacking))}; "
            "train again"
        )
    return predictions


def _tested(protocol: Protocol) -> list[str]:
    return [fold.name for fold in protocol.folds if len(fold.test)]
