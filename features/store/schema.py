"""What a store is made of: the names of its arrays, the columns of its table, its header.

The same names hold in Zarr and in HDF5; docs/store.md describes them for other tools. The
header is one JSON object, kept under one attribute of the root, and it is the commit point:
it says how many clips may be read, and is written after everything it speaks of.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from gensr.features.store.errors import StoreError

FORMAT = "gensr-store"
VERSION = 2
"""The format that is written."""
VERSIONS = (1, 2)
"""Formats that are read; 1, of gensr 0.1, does not bind vectors to their rows."""
ATTRIBUTE = "gensr"
"""The one attribute of the root: the header."""
VECTORS = "vectors"
CLIPS = "clips"
FAILED = "failed"
HASH = "header_sha256"
"""Key of the header that vouches for all its other keys."""
DIMENSIONS = ("clip", "layer", "width")

ZARR_SUFFIXES = (".zarr",)
HDF5_SUFFIXES = (".h5", ".hdf5")

LABEL_COLUMNS = (
    "corpus",
    "speaker",
    "gender",
    "sentence",
    "dialogue",
    "emotion",
    "canonical",
    "split",
)
"""What a corpus says of a clip; rewritten by every extraction, never a reason to encode again."""

COLUMN_DTYPES: Mapping[str, str] = {
    "path": "string",
    "row": "int64",
    **dict.fromkeys(LABEL_COLUMNS, "string"),
    "seconds": "float64",
    "samples": "int64",
    "audio_sha256": "string",
    "file_sha256": "string",
}
"""Columns every store has, in this order; a corpus's own columns follow, all strings."""

FAILED_COLUMNS = ("path", "reason")

_MOST = 2**40
"""No count of a store is larger."""

DTYPES = ("float32", "float16")
"""Types a store may keep its vectors in; readers get float32 from either."""

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The root attribute: what the vectors are, and how many of them are committed."""

    clips: int
    """Committed rows; 0 while the first extraction is under way."""
    failed: int
    """Files that could not be used; as many rows in the failed table."""
    audios: int
    """Distinct recordings among the rows, by the hash of their samples."""
    layers: tuple[str, ...]
    """Names along axis 1 of `vectors`; x1, the encoder's output, is last."""
    width: int
    """Length of one vector."""
    shard_clips: int
    """Rows of one shard: the unit of encoding, writing and resuming."""
    columns: tuple[str, ...]
    """Columns of the clip table, in order."""
    encoder: Mapping[str, Any]
    """Which encoder made the vectors: name, revision, hash of the weights, versions."""
    preprocessing: Mapping[str, Any]
    """How a file became 16 kHz mono samples."""
    dtype: str = "float32"
    """Type of the stored vectors, one of `DTYPES`."""
    verification: Mapping[str, Any] | None = None
    """What comparing batches with single clips gave: clips, batches, error, layer, bound."""
    table_sha256: str = ""
    """Hash of both tables' content, whatever the container; see `table.tables_sha256`."""
    version: int = VERSION
    """Format of the store, one of `VERSIONS`."""
    shards_sha256: tuple[str, ...] = ()
    """Hash of every shard's rows, see shard_hashes.py; none before the commit, or in format 1."""

    @property
    def shards(self) -> int:
        """How many shards the rows take."""
        return -(-self.clips // self.shard_clips)

    def as_json(self) -> dict[str, Any]:
        """Return the header as it is stored, JSON types only, with a hash of all the rest."""
        plain = {
            "format": FORMAT,
            "version": self.version,
            **asdict(self),
            "layers": list(self.layers),
            "columns": list(self.columns),
            "shards_sha256": list(self.shards_sha256),
        }
        if self.version == 1:
            del plain["shards_sha256"]
        return {**plain, HASH: sha256_of(plain)}

    def uncommitted(self) -> "Header":
        """Return the header of a store in the making: nothing may be read yet."""
        nothing = replace(self, clips=0, failed=0, audios=0, verification=None, table_sha256="")
        return replace(nothing, version=VERSION, shards_sha256=())

    @classmethod
    def from_json(cls, found: object, where: object) -> "Header":
        """Read a header back.

        Args:
            found: value of the root attribute, or None where there is none.
            where: the store, for the message.

        Raises:
            StoreError: it is no header, or one of another version.
        """
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise StoreError(f"{where} is not a gensr store; `gensr extract` makes one")
        version = found.get("version")
        if type(version) is not int or version not in VERSIONS:
            raise StoreError(
                f"{where} has store format {version!r}, this gensr reads "
                f"{' and '.join(map(str, VERSIONS))}: update gensr, or extract again"
            )
        told = found.get(HASH)
        if told != sha256_of({key: value for key, value in found.items() if key != HASH}):
            raise _damaged(where, "its hash is another" if told else f"{HASH} is missing")
        try:
            header = cls(
                clips=_count(found["clips"], 0),
                failed=_count(found["failed"], 0),
                audios=_count(found["audios"], 0),
                layers=tuple(found["layers"]),
                width=_count(found["width"], 1),
                shard_clips=_count(found["shard_clips"], 1),
                columns=_columns(found["columns"]),
                encoder=found["encoder"],
                preprocessing=found["preprocessing"],
                dtype=DTYPES[DTYPES.index(found["dtype"])],
                verification=found["verification"],
                table_sha256=str(found["table_sha256"]),
                version=version,
                shards_sha256=() if version == 1 else _hashes(found["shards_sha256"]),
            )
            if version > 1 and len(header.shards_sha256) != header.shards:
                raise ValueError(f"{len(header.shards_sha256)} hashes of {header.shards} shards")
            return header
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(where, str(error)) from None


def check_column(name: str) -> None:
    """Refuse a header's column that could never have been an array of that name beside ours.

    What may be written is less: see names.py.

    Raises:
        StoreError: the name is taken, empty, or not possible in Zarr or HDF5.
    """
    if name in COLUMN_DTYPES:
        raise StoreError(f"the column {name!r} has the name of one of the store's own: rename it")
    impossible = (
        not name.strip()
        or name in {".", "..", "zarr.json", "c"}
        or name.startswith("__")
        or "/" in name
        or not name.isprintable()
    )
    if impossible:
        raise StoreError(f"the column {name!r} cannot be the name of an array: rename it")


def _count(found: object, least: int) -> int:
    if type(found) is not int or not least <= found <= _MOST:
        raise ValueError(f"{str(found)[:40]} is no count")
    return found


def _hashes(found: Iterable[object]) -> tuple[str, ...]:
    """Return the shards' hashes; what is none raises `ValueError`."""
    for each in found:
        if not isinstance(each, str) or not _SHA256.fullmatch(each):
            raise ValueError(f"a shard's hash is {str(each)[:80]!r}")
    return tuple(str(each) for each in found)


def _columns(found: Iterable[object]) -> tuple[str, ...]:
    """Return a header's columns; a name that no array can have raises `ValueError`."""
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"the column {name!r} has no name")
        if name not in COLUMN_DTYPES:
            try:
                check_column(name)
            except StoreError as error:
                raise ValueError(str(error)) from None
    return tuple(str(name) for name in found)


class TornError(StoreError):
    """What says of a store what it is, is empty or torn: a power cut came while it was written."""


def torn(path: object) -> TornError:
    """Return the error for a store that has lost its header, or has none yet."""
    return TornError(
        f"{path} is not finished: its header is empty or torn, as a power cut leaves it; the same "
        "`gensr extract` call again resumes it, or begins anew with --overwrite"
    )


def incomplete(path: object) -> StoreError:
    """Return the error for a store whose extraction was not finished."""
    return StoreError(
        f"{path} is not finished: its extraction is running or was interrupted; "
        "the same `gensr extract` call again resumes it"
    )


def _damaged(where: object, reason: str) -> StoreError:
    return StoreError(f"{where}: the store's header is damaged ({reason}); extract again")


def sha256_of(plain: Mapping[str, Any]) -> str:
    """SHA-256 of plain content, whatever the order of its keys, as docs/store.md writes it."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
