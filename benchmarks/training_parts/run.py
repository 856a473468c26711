"""Part `run`: the paper's full run, projected from its steady steps; host syncs, counted."""

import time
import warnings
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from statistics import median

import torch

from gensr.estimator.fitting import LogEntry
from gensr.estimator.training import fit
from training_parts.loops import Ours
from training_parts.networks import SIZES, Sizes, native_bfloat16
from training_parts.tables import Table, spread

_COLUMNS = (
    *("precision", "clips", "steps measured", "ms a step", "clips/s"),
    *("the whole run, min", "bar", "host syncs a step", "bar", "GPU memory, GiB"),
)


def measure(asked: Namespace, device: torch.device) -> list[Table]:
    """A row for each precision."""
    sizes = SIZES[asked.run_network]
    table = Table(f"The full run of the {sizes.name} network", _COLUMNS)
    for precision in asked.precisions.split(","):
        if precision == "bfloat16" and not native_bfloat16(device):
            table.notes.append("bfloat16 is not timed: this CPU does not compute it natively")
            continue
        _row(table, sizes, precision, asked, device)
    table.notes.append(
        "`fit` as `gensr train` calls it, looks included, without a dev part; ms: median of the "
        "stretches between looks, the first left out, with the least and the most"
    )
    return [table]


def _row(
    table: Table, sizes: Sizes, precision: str, asked: Namespace, device: torch.device
) -> None:
    budget = replace(sizes.budget, precision=precision)
    stop = min(asked.run_steps, budget.steps)
    budget = replace(budget, evaluate_every=min(budget.evaluate_every, max(1, stop // 3)))
    told: list[tuple[int, float]] = []

    def look(entry: LogEntry) -> None:  # the loss was waited for
        told.append((entry.step, time.perf_counter()))

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    clips = sizes.clips(asked.run_clips, device)
    fit(sizes.model(device), clips, budget, seed=0, stop=stop, report=look)
    each = [(then - before) / (b - a) for (a, before), (b, then) in pairwise(told)]
    syncs = _syncs(sizes, budget.precision, asked, device)
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else 0.0
    per_step = median(each)
    table.rows.append(
        (
            *(precision, f"{asked.run_clips:,}", f"{told[-1][0] - told[0][0]:,}"),
            *(spread([1000 * s for s in each], ".4g"), f"{budget.batch_size / per_step:,.0f}"),
            *(f"{per_step * budget.steps / 60:.1f} of {budget.steps:,} steps", "< 10 on an H200"),
            *(syncs, "0", f"{memory:.1f}" if memory else "-"),
        )
    )
    table.raw.append({"precision": precision, "looks": told, "syncs": syncs, "memory": memory})


def _syncs(sizes: Sizes, precision: str, asked: Namespace, device: torch.device) -> str:
    """How often the host waited for the device in a step; steps over several windows."""
    if device.type != "cuda":
        return "-"
    budget = replace(sizes.budget, precision=precision, evaluate_every=10**6)
    window = budget.window // budget.batch_size
    loop = Ours(sizes.model(device), sizes.clips(2 * budget.window, device), budget)
    loop(window // 2)  # warm, and captured
    steps = 3 * window
    try:
        with _on_sync("error"):
            loop(steps)
        return "0"
    except RuntimeError as error:
        first = " ".join(str(error).split())[:80]
    with _on_sync("warn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop = Ours(sizes.model(device), sizes.clips(2 * budget.window, device), budget)
        loop(window // 2)
        before = len(caught)
        loop(steps)
        return f"{(len(caught) - before) / steps:.3g} ({first})"


@contextmanager
def _on_sync(what: str) -> Iterator[None]:
    torch.cuda.set_sync_debug_mode(what)
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")
