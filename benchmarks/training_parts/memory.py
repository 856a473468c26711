"""Part `memory`: how much memory training and evaluation take, by the size of the store.

Every figure is the peak (VmHWM) of a process of its own, at two sizes of the store; what counts
is how much more the larger one takes, over how many more bytes its vectors have.
"""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import torch

from training_parts.stores import Noise
from training_parts.tables import Table

_CHILD = Path(__file__).with_name("peak.py")
_MIB = 2**20
_COLUMNS = ("what runs", "clips", "vectors, MiB", "peak, MiB", "slope", "bar")


def measure(asked: Namespace, device: torch.device) -> list[Table]:
    """Vectors held in memory, and vectors streamed."""
    suffix = asked.container
    return [
        _table("Memory, vectors held", asked.resident, "resident", suffix, asked),
        _table("Memory, vectors streamed", asked.streamed, "streamed", suffix, asked),
    ]


def _table(title: str, shape: str, way: str, suffix: str, asked: Namespace) -> Table:
    """One way to have vectors; `shape` is "clips,clips:layers x width"."""
    counts, _, size = shape.partition(":")
    layers, width = map(int, size.split("x"))
    stores = [Noise(int(clips), layers, width) for clips in counts.split(",")]
    peaks: dict[str, list[int]] = {}
    for store in stores:
        place = asked.work / f"{store.clips}x{layers}x{width}{suffix}"
        if not place.exists():
            store.write(place)
        for folds in asked.memory_folds.split(","):
            run = asked.work / f"run-{store.clips}-{way}-{folds}"
            steps = str(asked.memory_steps)
            given = ("train", str(place), str(run), steps, way, folds)
            name = "train, one fold" if folds == "one" else "train, all folds"
            peaks.setdefault(name, []).append(_peak(*given))
        if way == "resident":  # of the last of them
            peaks.setdefault("eval", []).append(_peak("eval", str(run)))
    table = Table(f"{title}: {layers} x {width}", _COLUMNS)
    for name, found in peaks.items():
        _rows(table, name, way, stores, found)
    return table


def _rows(table: Table, name: str, way: str, stores: list[Noise], peaks: list[int]) -> None:
    """A line a size, the slope in the last."""
    more = stores[-1].nbytes - stores[0].nbytes
    clips = stores[-1].clips - stores[0].clips
    rise = peaks[-1] - peaks[0]
    slope = (
        f"{rise / more:.2f} of the vectors" if way == "resident" else f"{rise / clips:.0f} B/clip"
    )
    bar = "<= 1.2" if way == "resident" else "flat"
    for store, peak in zip(stores, peaks, strict=True):
        last = store is stores[-1]
        cells = (f"{store.clips:,}", f"{store.nbytes / _MIB:,.0f}", f"{peak / _MIB:,.0f}")
        table.rows.append((name, *cells, slope if last else "", bar if last else ""))
        table.raw.append({"what": name, "clips": store.clips, "nbytes": store.nbytes, "peak": peak})


def _peak(*given: str) -> int:
    """Bytes that a process took."""
    command = [sys.executable, str(_CHILD), *given]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    found: int = json.loads(done.stdout.splitlines()[-1])["peak"]
    print(f"{' '.join(given)}: {found / _MIB:,.0f} MiB", file=sys.stderr, flush=True)
    return found
