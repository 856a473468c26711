"""Part `together`: the folds and seeds of a small corpus, as few programs and one by one."""

import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from statistics import median

import torch

from gensr.estimator.device import threads_for
from gensr.estimator.models.gen_ser import GenSER
from gensr.estimator.resident import Resident
from gensr.estimator.stack import Member
from gensr.estimator.together import fit_together
from gensr.estimator.training import fit
from gensr.features.cores import usable_cores
from training_parts.networks import SIZES, Sizes
from training_parts.tables import Table, ratios, spread
from training_parts.turns import wait

_LOT = 6
"""Models a program, as `gensr train` has it."""
_ENCODERS = {
    "fbank": Sizes(name="fbank", layers=11, width=80, classes=7),
    "whisper-base": Sizes(name="whisper-base", layers=7, width=512, classes=7),
    "tiny": SIZES["tiny"],
}
_COLUMNS = (
    *("vectors", "models", "steps", "one by one, s", "together, s"),
    *("together / one by one", "bar", "largest difference of weights", "bar"),
)


def measure(asked: Namespace, device: torch.device) -> list[Table]:
    """A row for every encoder."""
    table = Table("Folds and seeds together", _COLUMNS)
    for name in asked.encoders.split(","):
        _row(table, _ENCODERS[name], asked, device)
    cores = usable_cores() if device.type == "cpu" else 1
    table.notes.append(
        f"{asked.folds} folds x {asked.seeds} seeds, {asked.together_clips} clips, lots of up to "
        f"{_LOT} models, {cores} at a time; alone each model is trained by `fit` on one thread; "
        "the difference is over every weight of every model after the last round"
    )
    return [table]


def _row(table: Table, sizes: Sizes, asked: Namespace, device: torch.device) -> None:
    steps, rounds = asked.together_steps, asked.together_rounds
    clips = sizes.clips(asked.together_clips, device)
    budget = replace(sizes.budget, steps=steps)
    parts = _parts(clips, asked.folds)
    jobs = [(part, seed) for seed in range(asked.seeds) for part in parts]

    def members() -> list[Member]:
        return [
            Member(model=sizes.model(device, seed), train=part, config=budget, seed=100 * seed + k)
            for k, (part, seed) in enumerate(jobs)
        ]

    warm = [replace(each, config=replace(budget, steps=1)) for each in members()[:2]]
    _in_lots(warm, device)  # what batches over models is imported by its first use
    alone: list[float] = []
    together: list[float] = []
    for number in range(rounds):
        one, many = members(), members()
        ways = [(alone, _one_by_one, one), (together, _in_lots, many)]
        for kept, way, given in ways if number % 2 else reversed(ways):
            wait(device)
            began = time.perf_counter()
            way(given, device)
            wait(device)
            kept.append(time.perf_counter() - began)
    differ = max(_difference(a.model, b.model) for a, b in zip(one, many, strict=True))
    table.rows.append(
        (
            *(f"{sizes.name}, {sizes.layers} x {sizes.width}", str(len(jobs)), str(steps)),
            *(f"{median(alone):.1f}", f"{median(together):.1f}"),
            *(spread(ratios(together, alone)), "<= 1/3", f"{differ:.1e}", "<= 1e-5"),
        )
    )
    raw = {"vectors": sizes.name, "alone": alone, "together": together, "difference": differ}
    table.raw.append(raw)


def _parts(clips: Resident, folds: int) -> list[Resident]:
    """What each fold learns from: all clips but its own."""
    held_out = torch.arange(len(clips)) % folds
    return [clips.take(torch.nonzero(held_out != fold)[:, 0]) for fold in range(folds)]


def _one_by_one(members: list[Member], device: torch.device) -> None:
    for each in members:
        with threads_for(each.model.size):  # type: ignore[operator]
            fit(each.model, each.train, each.config, seed=each.seed)


def _in_lots(members: list[Member], device: torch.device) -> None:
    count = -(-len(members) // _LOT)
    cuts = [i * len(members) // count for i in range(count + 1)]
    lots = [members[a:b] for a, b in pairwise(cuts)]
    workers = usable_cores() if device.type == "cpu" else 1
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(_lot, lots))


def _lot(members: list[Member]) -> None:
    torch.set_num_threads(1)  # of this thread
    fit_together(members)


def _difference(one: GenSER, other: GenSER) -> float:
    """Largest difference of any weight."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)
