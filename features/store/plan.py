"""Where every row's vectors come from, shard by shard, before anything is encoded.

A shard is the unit of encoding, writing and resuming. Its members and the order of its clips
follow from the table and the settings alone. Audio that is already somewhere is never encoded
again: it is taken from the store that is added to, or from the first row that has it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from gensr.features.store.schema import Header, sha256_of
from gensr.features.store.settings import Settings
from gensr.features.store.table import Columns, content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Consecutive rows that are written together. Every row is in one of three places."""

    index: int
    start: int
    """First row."""
    stop: int
    """One past the last row."""
    encode: tuple[int, ...]
    """Rows whose audio is nowhere yet."""
    base: Mapping[int, int]
    """Row here -> row of the store that is added to, with the same audio."""
    copies: Mapping[int, int]
    """Row here -> an earlier row here with the same audio."""
    paths: tuple[str, ...]
    """Audio file of every row, from `start` on."""
    key: str
    """Hash of all that decides the vectors, beside the settings and the store that is added to.

    Paths do not: a file that was renamed in between costs nothing where its row stays.
    """

    @property
    def after(self) -> frozenset[int]:
        """Earlier shards that rows are copied from: those must be finished first."""
        # All shards but the last are of one size, and only one that is not the first copies.
        size = self.start // self.index if self.index else 1
        sources = (source for source in self.copies.values() if source < self.start)
        return frozenset(source // size for source in sources)

    @property
    def unchanged(self) -> bool:
        """Whether the shard is, row for row, one of the store that is added to."""
        return all(self.base.get(row) == row for row in range(self.start, self.stop))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One extraction, decided."""

    header: Header
    """As it will be committed."""
    columns: Columns
    """The clip table."""
    failed: Columns
    """The table of unusable files."""
    shards: tuple[Shard, ...]
    settings: Settings
    """All that decides the vectors and their batches; what a resumed run must share."""

    @property
    def clips_hash(self) -> str:
        """Which rows hold which audio."""
        return content_hash(self.columns)


class Mode(StrEnum):
    """Which way leads to the finished store."""

    FRESH = "fresh"
    """There is none: Zarr is made in its place, HDF5 in the work folder."""
    ADD = "add"
    """One is added to: made in the work folder, and exchanged for the old one at the end."""
    REPLACE = "replace"
    """One is given up for another: the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNote:
    """What is written down of a plan before anything is done for it: enough to know it again."""

    id: str
    """Hash of all the rest, by which writers elsewhere know the plan."""
    mode: Mode
    settings: Mapping[str, Any]
    """The plan's, plain: another version of gensr may have written others."""
    base: str
    """Fingerprint of the store that is added to, or nothing."""
    clips: int
    clips_hash: str

    @classmethod
    def of(cls, plan: Plan, mode: Mode, base: str) -> "PlanNote":
        """Note a plan.

        Args:
            plan: which.
            mode: how it is carried out.
            base: fingerprint of the store that is added to, or nothing.
        """
        note = cls(
            id="",
            mode=mode,
            settings=plan.settings.as_plain(),
            base=base,
            clips=plan.header.clips,
            clips_hash=plan.clips_hash,
        )
        plain = note.as_plain()
        del plain["id"]
        return replace(note, id=sha256_of(plain))

    def as_plain(self) -> dict[str, Any]:
        """Return it as it is written down, JSON types only."""
        return asdict(self)

    @classmethod
    def from_plain(cls, found: Any) -> "PlanNote":
        """Read a note back.

        Raises:
            KeyError: something is missing.
            TypeError: it is no note.
            ValueError: it is none of ours.
        """
        return cls(
            id=str(found["id"]),
            mode=Mode(found["mode"]),
            settings=dict(found["settings"]),
            base=str(found["base"]),
            clips=found["clips"],
            clips_hash=str(found["clips_hash"]),
        )


def plan_of(
    settings: Settings, columns: Columns, failed: Columns, base: Columns | None = None
) -> Plan:
    """Decide everything of a store: its header, and where each row is from.

    Args:
        settings: what all rows share.
        columns: the clip table as it will be.
        failed: the table of what could not be used.
        base: the clip table of the store that is added to.
    """
    header = Header(
        clips=len(columns["path"]),
        failed=len(failed["path"]),
        audios=len(set(columns["audio_sha256"].tolist())),
        layers=settings.layers,
        width=settings.width,
        dtype=settings.dtype,
        shard_clips=settings.shard_clips,
        columns=tuple(columns),
        encoder=settings.encoder,
        preprocessing=settings.preprocessing,
    )
    shards = plan_shards(columns, base, settings.shard_clips)
    return Plan(header=header, columns=columns, failed=failed, shards=shards, settings=settings)


def plan_shards(columns: Columns, base: Columns | None, shard_clips: int) -> tuple[Shard, ...]:
    """Divide the rows into shards and decide where each row comes from.

    Args:
        columns: the clip table as it will be.
        base: the clip table of the store that is added to.
        shard_clips: rows a shard.
    """
    old = [] if base is None else base["audio_sha256"].tolist()
    stored: dict[str, int] = {}
    for row, audio in enumerate(old):
        stored.setdefault(audio, row)
    first: dict[str, int] = {}
    keys: list[str] = []
    audios, paths = columns["audio_sha256"].tolist(), columns["path"].tolist()
    shards = []
    for start in range(0, len(audios), shard_clips):
        stop = min(start + shard_clips, len(audios))
        encode, from_base, copies = [], {}, {}
        for row in range(start, stop):
            audio = audios[row]
            if audio in stored:
                from_base[row] = row if row < len(old) and old[row] == audio else stored[audio]
            elif audio in first:
                copies[row] = first[audio]
            else:
                first[audio] = row
                encode.append(row)
        # A copy is what its source is, so the source's whole shard decides it too.
        origin = {row: [row, keys[row // shard_clips]] for row in copies.values() if row < start}
        parts = [audios[start:stop], encode, [*from_base.items()]]
        told = [start, *parts, [*copies.items()], [*origin.values()]]
        keys.append(hashlib.sha256(json.dumps(told).encode()).hexdigest())
        shards.append(
            Shard(
                index=start // shard_clips,
                start=start,
                stop=stop,
                encode=tuple(encode),
                base=from_base,
                copies=copies,
                paths=tuple(paths[start:stop]),
                key=keys[-1],
            )
        )
    return tuple(shards)
