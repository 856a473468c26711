"""Stores of vectors that nobody computed: a table said outright, noise around a place a class.

Shapes: N clips, K conditioning layers, L width.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensr.features.store import schema
from gensr.features.store.plan import plan_of
from gensr.features.store.schema import Header
from gensr.features.store.settings import Settings
from gensr.features.store.table import Columns, as_column, tables_sha256
from gensr.features.store.transfer import write_hdf5, write_zarr

EMOTIONS = ("anger", "happiness", "neutral", "sadness")
_SPEAKERS = 40
_SHARD_BYTES = 2**25


@dataclass(frozen=True)
class Noise:
    """What is written as a store; see `gensr.features.store.transfer.Source`."""

    clips: int
    """N."""
    layers: int
    """K+1."""
    width: int
    """L."""

    @cached_property
    def table(self) -> Columns:
        """Of forty speakers, whose clips lie together; every other of their clips is a class on."""
        numbers = range(self.clips)
        text = {
            "path": [f"{number:07}.wav" for number in numbers],
            "corpus": ["made"] * self.clips,
            "speaker": [f"{number * _SPEAKERS // self.clips:02}" for number in numbers],
            "emotion": [EMOTIONS[number % len(EMOTIONS)] for number in numbers],
            "audio_sha256": [_sha256(f"audio {number}") for number in numbers],
            "file_sha256": [_sha256(f"file {number}") for number in numbers],
        }
        plain: dict[str, list[object]] = {
            "row": list(numbers),
            "seconds": [1.0] * self.clips,
            "samples": [16_000] * self.clips,
        }
        return {
            name: as_column(text.get(name) or plain.get(name) or [""] * self.clips, kind)
            for name, kind in schema.COLUMN_DTYPES.items()
        }

    @property
    def failed(self) -> Columns:
        """Nothing failed."""
        return {name: as_column([], "string") for name in schema.FAILED_COLUMNS}

    @cached_property
    def header(self) -> Header:
        """As it will be committed."""
        settings = Settings(
            encoder={"name": "made"},
            layers=(*(f"layer_{number}" for number in range(self.layers - 1)), "x1"),
            width=self.width,
            dtype="float32",
            preprocessing={"sample_rate": 16_000},
            shard_clips=max(1, _SHARD_BYTES // (4 * self.layers * self.width)),
        )
        header = plan_of(settings, self.table, self.failed).header
        return replace(header, table_sha256=tables_sha256(self.table, self.failed))

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """The shards."""
        drawn = np.random.default_rng(0)
        shape = self.layers, self.width
        means = drawn.standard_normal((len(EMOTIONS), *shape), np.float32) / 5
        for start in range(0, self.clips, self.header.shard_clips):
            rows = slice(start, min(start + self.header.shard_clips, self.clips))
            noise = drawn.standard_normal((rows.stop - rows.start, *shape), np.float32)
            yield rows, noise + means[np.arange(rows.start, rows.stop) % len(EMOTIONS)]

    def confirm(self) -> None:
        """Nobody can have exchanged it."""

    @property
    def nbytes(self) -> int:
        """Bytes of all vectors."""
        return 4 * self.clips * self.layers * self.width

    def write(self, path: Path) -> None:
        """Write it as a Zarr group, or as an HDF5 file where the name says so."""
        (write_hdf5 if path.suffix in schema.HDF5_SUFFIXES else write_zarr)(self, path)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
