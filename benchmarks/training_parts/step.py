"""Part `step`: one optimizer step of gensr, of the plain eager loop, and of the hardware."""

import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch

from gensr.estimator.device import threads_for
from training_parts.limit import Products, Triad, weight_traffic
from training_parts.loops import Ours, Plain
from training_parts.networks import SIZES, Sizes, native_bfloat16
from training_parts.tables import Table, ratios, spread
from training_parts.turns import by_turns, wait

Loop = Callable[[int], object]
"""Takes so many steps."""

_BARS = {
    ("paper", "float32"): "/ limit <= 1.15; / plain <= 0.85",
    ("small", "float32"): "/ plain <= 0.8",
    ("paper", "bfloat16"): "/ plain in float32 <= 0.5",
}
_COLUMNS = (
    *("network", "precision", "gensr, ms", "plain loop, ms", "products, ms", "memory, ms"),
    *("gensr / limit", "gensr / plain", "gensr / plain in float32", "bar"),
)


def measure(asked: Namespace, device: torch.device) -> list[Table]:
    """A row for every network and precision."""
    table = Table("The step", _COLUMNS)
    for name in asked.networks.split(","):
        sizes = SIZES[name]
        for precision in asked.precisions.split(","):
            if precision == "bfloat16" and not native_bfloat16(device):
                why = "this CPU has neither AVX512-BF16 nor AMX: bfloat16 is not timed"
                table.rows.append((name, precision, *["-"] * 7, "not this CPU's"))
                if why not in table.notes:
                    table.notes.append(why)
                continue
            _row(table, sizes, precision, asked, device)
    table.notes += [
        "medians of rounds, each ratio within its round; the limit is the larger of products "
        "(every `torch.mm` of the pass and its gradient at the network's own shapes, in the row's "
        "precision) and memory (what the weights, their moments and average must move, at the "
        "bandwidth of a sum of two large arrays), on as many threads as gensr takes",
        "the plain loop has torch's own number of threads; of a small network also one, and the "
        "faster counts",
    ]
    return [table]


def _row(
    table: Table, sizes: Sizes, precision: str, asked: Namespace, device: torch.device
) -> None:
    budget = replace(sizes.budget, precision=precision)
    clips = sizes.clips(max(asked.clips, 4 * budget.batch_size), device)
    model = sizes.model(device)
    size, traffic = model.size, weight_traffic(model)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    ours = Ours(model, clips, budget)
    products, triad = Products(sizes.model(device), budget.batch_size, dtype), Triad(device)
    eager: dict[str, Loop] = {"plain": Plain(sizes.model(device), clips, budget)}
    if precision != "float32":
        eager["plain in float32"] = Plain(sizes.model(device), clips, sizes.budget)
    if device.type == "cuda":
        eager["plain, rows"] = Plain(sizes.model(device), clips, budget, indexed=True)
    loops: dict[str, Loop] = {
        "gensr": _as_gensr(size, ours),
        "products": _as_gensr(size, lambda steps: _repeat(products.step, steps)),
        "triad": _as_gensr(size, lambda steps: _repeat(triad, steps)),
        **eager,
    }
    if _takes_fewer_threads(size):
        loops |= {f"{name}, one thread": _as_gensr(size, loop) for name, loop in eager.items()}
    turns = {name: _turn(loop, asked.turn_seconds, device) for name, loop in loops.items()}
    ways = {name: lambda loop=loop, n=turns[name]: loop(n) for name, loop in loops.items()}
    seconds = by_turns(ways, asked.rounds, device)
    each = {name: [s / turns[name] for s in times] for name, times in seconds.items()}
    each["memory"] = [traffic * s / triad.bytes for s in each["triad"]]
    _tell(table, sizes, precision, each)


def _repeat(way: Callable[[], object], times: int) -> None:
    for _ in range(times):
        way()


def _as_gensr(size: int, loop: Loop) -> Loop:
    """On as many threads as gensr takes for a model of so many parameters."""

    def run(steps: int) -> None:
        with threads_for(size):
            loop(steps)

    return run


def _takes_fewer_threads(size: int) -> bool:
    """Whether gensr takes fewer threads than torch would."""
    with threads_for(size):
        taken = torch.get_num_threads()
    return taken < torch.get_num_threads()


def _turn(loop: Loop, seconds: float, device: torch.device) -> int:
    """How many steps take so long; the first ones, which choose and capture, are not timed."""
    loop(4)
    wait(device)
    began = time.perf_counter()
    loop(4)
    wait(device)
    return max(1, round(4 * seconds / (time.perf_counter() - began)))


def _tell(table: Table, sizes: Sizes, precision: str, each: dict[str, list[float]]) -> None:
    """The row of one network and precision."""
    plain = _fastest(each, "plain", "plain, one thread")
    exact = _fastest(each, "plain in float32", "plain in float32, one thread") or plain
    limit = [max(pair) for pair in zip(each["products"], each["memory"], strict=True)]

    def ms(name: str) -> str:
        return f"{1000 * median(each[name]):.3g}"

    assert plain is not None
    assert exact is not None
    table.rows.append(
        (
            *(sizes.name, precision, ms("gensr"), ms(plain), ms("products"), ms("memory")),
            spread(ratios(each["gensr"], limit)),
            spread(ratios(each["gensr"], each[plain])),
            spread(ratios(each["gensr"], each[exact])),
            _BARS.get((sizes.name, precision), "-"),
        )
    )
    table.raw.append({"network": sizes.name, "precision": precision, "seconds": each})
    if "plain, rows" in each:
        told = spread(ratios(each["gensr"], each["plain, rows"]))
        table.notes.append(
            f"{sizes.name}, {precision}: against an eager loop that takes its batches out of the "
            f"device's array by rows ({ms('plain, rows')} ms), gensr takes {told}"
        )


def _fastest(each: dict[str, list[float]], *names: str) -> str | None:
    """Which of these took least in the median."""
    there = [name for name in names if name in each]
    return min(there, key=lambda name: median(each[name])) if there else None
