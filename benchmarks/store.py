"""What do the store's guarantees cost? `verify` and `convert` against a plain read and copy.

Against: zarr or h5py itself, one shard after the other, with the checksums that the library keeps
of its own accord, into the same layout, flushed to the disk at the end. By turns in one process,
medians; a ratio is the median of the turns' ratios. Then the memory that reading all vectors
takes, in a process of its own, over what they take themselves.

    python benchmarks/store.py
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import h5py
import numpy as np
import zarr
from extraction_parts.report import machine
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec

from gensr.features.store import open_store, schema, transfer
from gensr.features.store.convert import convert
from gensr.features.store.table import Columns, as_column, tables_sha256
from gensr.features.store.verify import verify

NAMES = ("zarr", "h5")


class Noise:
    """A store to be written, of no audio; see `transfer.Source`."""

    def __init__(self, clips: int, layers: int, width: int, shard: int) -> None:
        columns: Columns = {"path": as_column([f"{n:07}.wav" for n in range(clips)], "string")}
        for name, kind in schema.COLUMN_DTYPES.items():
            values: list[Any] = [""] * clips if kind == "string" else list(range(clips))
            columns.setdefault(name, as_column(values, kind))
        columns["audio_sha256"] = as_column([f"{n:064x}" for n in range(clips)], "string")
        self.table = {name: columns[name] for name in schema.COLUMN_DTYPES}
        self.failed = dict.fromkeys(schema.FAILED_COLUMNS, columns["path"][:0])
        self.header = schema.Header(
            clips=clips,
            failed=0,
            audios=clips,
            layers=(*map(str, range(layers - 1)), "x1"),
            width=width,
            shard_clips=shard,
            columns=tuple(self.table),
            encoder={"name": "noise"},
            preprocessing={},
            table_sha256=tables_sha256(self.table, self.failed),
        )

    def confirm(self) -> None:
        """Nobody else writes here."""

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """See `transfer.Source`."""
        rng, header = np.random.default_rng(0), self.header
        for start in range(0, header.clips, header.shard_clips):
            rows = slice(start, min(start + header.shard_clips, header.clips))
            size = rows.stop - start, len(header.layers), header.width
            yield rows, rng.standard_normal(size, dtype=np.float32)


def opened(path: Path, stack: ExitStack) -> Any:
    """Return the vectors of a store as its library gives them."""
    if path.suffix == ".zarr":
        return zarr.open_group(path, mode="r")["vectors"]
    return stack.enter_context(h5py.File(path))["vectors"]


def created(path: Path, like: Any, shard: int, stack: ExitStack) -> Any:
    """Return an array of the same layout, nothing in it yet."""
    shape, chunks = like.shape, (shard, 1, like.shape[2])
    if path.suffix == ".zarr":
        return zarr.create_group(path).create_array(
            "vectors",
            shape=shape,
            dtype="float32",
            chunks=chunks,
            shards=(shard, *shape[1:]),
            compressors=Crc32cCodec(),
        )
    file = stack.enter_context(h5py.File(path, "w", libver=("v110", "v110")))
    growing = (None, *shape[1:])
    return file.create_dataset(
        "vectors", shape=shape, maxshape=growing, dtype="<f4", chunks=chunks, fletcher32=True
    )


def plain_read(path: Path, shard: int) -> None:
    """Read all vectors."""
    with ExitStack() as stack:
        vectors = opened(path, stack)
        for start in range(0, vectors.shape[0], shard):
            vectors[start : start + shard]


def plain_copy(source: Path, target: Path, shard: int) -> None:
    """Copy all vectors, and wait until they are on the disk."""
    with ExitStack() as stack:
        vectors = opened(source, stack)
        copy = created(target, vectors, shard, stack)
        for start in range(0, vectors.shape[0], shard):
            copy[start : start + shard] = vectors[start : start + shard]
    for file in [target] if target.is_file() else target.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def seconds(work: Callable[[], object]) -> float:
    """Time one call; what earlier ones have left for the disk is waited for first."""
    os.sync()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def row(what: str, bar: str, turns: list[tuple[float, float]]) -> None:
    """Print one comparison."""
    plain, ours = (median(column) for column in zip(*turns, strict=True))
    ratio = median(own / other for other, own in turns)
    print(f"| {what} | {plain:.2f} | {ours:.2f} | {ratio:.2f} | {bar} |", flush=True)


def peak(path: Path) -> tuple[int, int]:
    """Return (bytes that reading all vectors takes at most, their own), of this process."""

    def told(key: str) -> int:
        found = re.search(rf"{key}:\s+(\d+)", Path("/proc/self/status").read_text())
        assert found is not None
        return 1024 * int(found[1])

    with open_store(path) as store:
        store.vectors([0])
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = told("VmRSS")
        vectors = store.vectors()
        return told("VmHWM") - before, vectors.nbytes


def main(noise: Noise, repeats: int, folder: Path) -> None:
    """Print a row for each comparison."""
    shard, stores = noise.header.shard_clips, {name: folder / f"a.{name}" for name in NAMES}
    transfer.write_zarr(noise, stores["zarr"])
    transfer.write_hdf5(noise, stores["h5"])
    shape = noise.header.clips, len(noise.header.layers), noise.header.width
    print(f"vectors {shape}, {4 * np.prod(shape) / 2**20:.0f} MiB, shards of {shard} rows\n")
    print("| what | plain, s | gensr, s | ratio | bar |\n|---|---|---|---|---|")
    for name, path in stores.items():
        turns = [
            (seconds(lambda: plain_read(path, shard)), seconds(lambda: verify(path)))  # noqa: B023
            for _ in range(repeats)
        ]
        row(f"verify, {name}", "1.3", turns)
    for name, path in stores.items():
        for other in NAMES:
            turns = []
            for turn in range(repeats):
                one, two = folder / f"p{turn}.{other}", folder / f"g{turn}.{other}"
                plain = seconds(lambda: plain_copy(path, one, shard))  # noqa: B023
                turns.append((plain, seconds(lambda: convert(path, two))))  # noqa: B023
                for done in (one, two):
                    shutil.rmtree(done) if done.is_dir() else done.unlink()
            row(f"convert, {name} to {other}", "1.3", turns)
    print("\n| all vectors in memory | peak / their bytes |\n|---|---|")
    for name, path in stores.items():
        command = [sys.executable, __file__, "--peak", str(path)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        most, own = map(int, answer.split())
        print(f"| {name} | {most / own:.3f} |", flush=True)
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--clips", type=int, default=6144)
    add("--layers", type=int, default=25)
    add("--width", type=int, default=1024)
    add("--shard-clips", type=int, default=256)
    add("--repeats", type=int, default=5, help="turns")
    add("--folder", type=Path, help="for the stores; default: temporary")
    add("--peak", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        print(*peak(given.peak))
    else:
        with tempfile.TemporaryDirectory(dir=given.folder) as made:
            size = given.clips, given.layers, given.width, given.shard_clips
            main(Noise(*size), given.repeats, Path(made))
