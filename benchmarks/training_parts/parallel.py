"""Part `parallel`: two processes on one machine against one, by torchrun and gloo."""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from statistics import median

import torch

from training_parts.tables import Table, ratios, spread

_CHILD = Path(__file__).with_name("process.py")
_PROCESSES = (1, 2)


def measure(asked: Namespace, device: torch.device) -> list[Table]:
    """A step on one thread each, by number of processes."""
    seconds: dict[int, list[float]] = {count: [] for count in _PROCESSES}
    given = [asked.parallel_network, str(asked.parallel_steps)]
    for _ in range(asked.parallel_rounds):
        for count in _PROCESSES:
            seconds[count].append(_seconds(count, given))
    columns = ("processes of one thread", "ms a step", "of one process", "bar")
    table = Table(f"Data parallel, the {asked.parallel_network} network", columns)
    for count in _PROCESSES:
        told = spread(ratios(seconds[count], seconds[1]))
        table.rows.append((str(count), f"{1000 * median(seconds[count]):.3g}", told, "none"))
    table.raw.append({"seconds": {str(count): each for count, each in seconds.items()}})
    table.notes.append("float32; each process computes its part of every batch")
    return [table]


def _seconds(count: int, given: list[str]) -> float:
    """Of a step, as the first process had it."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command = [sys.executable, *launcher, str(_CHILD), *given]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    found: float = json.loads(line)["seconds"]
    return found
