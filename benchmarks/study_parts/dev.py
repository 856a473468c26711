"""How well each candidate answers the development parts: models that have not learnt from them.

A job is a store, a seed, and candidates that differ in nothing but what they draw; their folds are
trained as one program, one thread to a process.
"""

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gensr.estimator import inputs
from gensr.estimator.config import from_plain
from gensr.estimator.fitting import Fitting, TrainingConfig
from gensr.estimator.learner import Learner
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.spec import ModelSpec, build
from gensr.estimator.seeds import mix_seed
from gensr.estimator.source import Source
from gensr.estimator.stack import Member
from gensr.estimator.together import fit_together
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.training.clips import labelled
from gensr.pipeline.training.vectors import open_vectors
from study_parts.candidates import Candidate

LOT = 10
"""Most models of one program."""
COLUMNS = ("store", "candidate", "N", "seed", "right", "clips")
Key = tuple[str, str, str, str]
"""The first four columns of a row."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one process does at a time."""

    store: Path
    seed: int
    candidates: tuple[Candidate, ...]
    steps: int | None
    """In place of the candidates' own."""


def read(file: Path) -> dict[Key, tuple[int, int]]:
    """Answers that were right, and all, of every row that a file holds."""
    if not file.is_file():
        return {}
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {
        (row["store"], row["candidate"], row["N"], row["seed"]): (
            int(row["right"]),
            int(row["clips"]),
        )
        for row in rows
    }


def scores(
    found: dict[Key, tuple[int, int]],
    candidate: Candidate,
    stores: Sequence[str],
    seeds: Sequence[int],
) -> Iterator[tuple[int | None, float, list[float]]]:
    """N, the mean over stores, and each store's mean over seeds; only where all are there."""
    for N in candidate.steps:
        each = []
        for store in stores:
            keys = [(store, candidate.name, _said(N), str(seed)) for seed in seeds]
            if candidate.training is None:
                keys = keys[:1]
            if not all(key in found for key in keys):
                break
            each.append(sum(found[key][0] / found[key][1] for key in keys) / len(keys))
        else:
            yield N, sum(each) / len(each), each


def run(
    stores: Sequence[Path],
    candidates: Sequence[Candidate],
    seeds: Sequence[int],
    file: Path,
    processes: int,
    steps: int | None = None,
) -> None:
    """Do what the file does not hold yet, and add it, row by row."""
    done = read(file)
    jobs = [job for job in _jobs(stores, candidates, seeds, steps) if not _is_done(job, done)]
    print(f"{len(jobs)} jobs", flush=True)
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(",".join(COLUMNS) + "\n")
    with ProcessPoolExecutor(processes, get_context("spawn"), _alone) as pool:
        for job, rows in zip(jobs, pool.map(_work, jobs), strict=True):
            with file.open("a", newline="") as lines:
                csv.writer(lines, lineterminator="\n").writerows(rows)
            print(job.store.stem, job.seed, [each.name for each in job.candidates], flush=True)


def _said(N: int | None) -> str:
    return "" if N is None else str(N)


def _is_done(job: Job, done: dict[Key, Any]) -> bool:
    return all(
        (job.store.stem, each.name, _said(N), str(job.seed)) in done
        for each in job.candidates
        for N in each.steps
    )


def _jobs(
    stores: Sequence[Path],
    candidates: Sequence[Candidate],
    seeds: Sequence[int],
    steps: int | None,
) -> Iterator[Job]:
    """By store and seed, what may be one program together."""
    groups: dict[Any, list[Candidate]] = {}
    for each in candidates:
        like = (each.model, each.inputs, each.state, each.budget, each.members)
        # A target is no draw, and a program has one budget; several members train by themselves.
        budget = each.rate is not None or each.length is not None
        alone = each.name if each.own or budget or each.members > 1 else ""
        groups.setdefault((*like, alone), []).append(each)
    for seed in seeds:
        for store in stores:
            for group in groups.values():
                if group[0].training is not None or seed == seeds[0]:
                    yield Job(store, seed, tuple(group), steps)


def _alone() -> None:
    torch.set_num_threads(1)
    _remember()


def _remember() -> None:
    """Score the layers of a training part once, not once for each model that learns from it."""
    score: Callable[..., Tensor] = inputs.layer_scores
    kept: dict[tuple[Any, ...], Tensor] = {}

    def layer_scores(train: Source, codes: Tensor, seed: int) -> Tensor:
        first = next(iter(train.blocks()))
        told = b"".join(
            each.contiguous().numpy().tobytes() for each in (train.y, train.groups, first)
        )
        key = hashlib.sha256(told).digest(), train.shape, len(codes), seed
        if key not in kept:
            kept[key] = score(train, codes, seed)
        return kept[key].clone()

    inputs.layer_scores = layer_scores  # type: ignore[assignment]


def _work(job: Job) -> list[tuple[str, str, str, int, int, int]]:
    with open_vectors([job.store]) as vectors:
        protocol = make_protocol(vectors.table, seed=0)
        clips = labelled(vectors, protocol, torch.device("cpu"), stream=False)
    parts = [clips.take(torch.from_numpy(fold.train)) for fold in protocol.folds]
    devs = [torch.from_numpy(fold.dev) for fold in protocol.folds]
    seeds = [mix_seed(job.seed, "fold", fold.name) for fold in protocol.folds]

    def fresh(candidate: Candidate, fold: int) -> Classifier:
        config = MODELS[candidate.model].Config
        spec = ModelSpec(
            model=candidate.model,
            classes=protocol.classes,
            layers=vectors.layers,
            width=vectors.shape[1],
            options=from_plain(config, candidate.options, candidate.name),
        )
        torch.manual_seed(mix_seed(seeds[fold], "weights", ""))
        return build(spec)

    wanted = [(each, fold) for each in job.candidates for fold in range(len(parts))]
    models = [fresh(*each) for each in wanted]
    _fit(models, wanted, parts, seeds, job.steps)
    right: dict[tuple[str, str], int] = {}
    for model, (candidate, fold) in zip(models, wanted, strict=True):
        x, y = clips.batch(devs[fold]), clips.y[devs[fold]]
        for N in candidate.steps:
            way = {} if N is None else {"N": N}
            answers = model.predict(x, **way).argmax(-1)
            key = candidate.name, _said(N)
            right[key] = right.get(key, 0) + int((answers == y).sum())
    asked = sum(map(len, devs))
    return [(job.store.stem, name, N, job.seed, n, asked) for (name, N), n in right.items()]


def _fit(
    models: Sequence[Classifier],
    wanted: Sequence[tuple[Candidate, int]],
    parts: Sequence[Source],
    seeds: Sequence[int],
    steps: int | None,
) -> None:
    """Train each on its fold's training part."""
    budget = wanted[0][0].training
    if budget is not None and steps is not None:
        budget["steps"] = steps
    config = None if budget is None else TrainingConfig(**budget, evaluate_every=budget["steps"])
    if not isinstance(models[0], Learner) or not models[0].stacks:
        for model, (_, fold) in zip(models, wanted, strict=True):
            model.fit(parts[fold], Fitting(seed=seeds[fold], budget=config))
        return
    assert config is not None  # of what is trained by steps
    members = [
        Member(model=model, train=parts[fold], config=config, seed=seeds[fold])
        for model, (_, fold) in zip(models, wanted, strict=True)
    ]
    for start in range(0, len(members), LOT):
        fit_together(members[start : start + LOT])
