"""Time by turns: what is compared takes turns, so that a busy spell of the machine hits all."""

import time
from collections.abc import Callable, Mapping

import torch


def by_turns(
    ways: Mapping[str, Callable[[], object]], rounds: int, device: torch.device
) -> dict[str, list[float]]:
    """Seconds of every way in every round.

    A first round is not counted: libraries choose and allocate in it. Every other round goes
    backwards, so that nothing always comes after the same.

    Args:
        ways: what is called, by name.
        rounds: at least 1.
        device: waited for before a clock is read.
    """
    names = list(ways)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names if number % 2 else reversed(names):
            wait(device)
            began = time.perf_counter()
            ways[name]()
            wait(device)
            if number:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def wait(device: torch.device) -> None:
    """Until a GPU has done what was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
