"""Where a run came from: versions, revision, hashes of its stores, the machine."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gensr.estimator.registry import Registry
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs import kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRead:
    """A store whose vectors a run learnt from."""

    path: str
    """As it was given."""
    hash: str
    """Its fingerprint, by which it is known wherever it is now."""
    perturb: str = ""
    """What was done to its clips before they were encoded, as `noise:20dB`; empty for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Where a run came from, in the order of its file."""

    created: str
    """ISO 8601, UTC."""
    gensr: str
    """Version of gensr."""
    git_revision: str | None
    """Of the checkout it ran from; None: it was installed."""
    seed: int
    """Of every draw."""
    protocol: str
    """Name of the question."""
    protocol_hash: str
    """`Protocol.hash`, with every label and split in it."""
    spellings_joined: tuple[str, ...] = ()
    """A line for each label whose spellings were made one; version 0.1.0 joined none."""
    stores: tuple[StoreRead, ...]
    """In the order they were given."""
    python: str
    """Version of Python."""
    libraries: Mapping[str, str]
    """Versions by name."""
    machine: str
    """Its architecture."""
    cpus: int | None
    """How many it has, if it says."""
    device: str
    """What it trained on."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """What other packages brought: package and version, by kind and name."""

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], path: Path) -> "Manifest":
        """A manifest from the JSON object of its file.

        Raises:
            RunError: something is missing or of the wrong kind.
        """
        values = kinds.values_of(cls, plain, path, _KINDS)
        names = ("path", "hash", "perturb")
        stores = [
            StoreRead(**{name: one[name] for name in names if name in one})
            for one in values["stores"]
        ]
        return cls(**{**values, "stores": tuple(stores)})

    @property
    def perturbed(self) -> str:
        """What was done to the clips that were learnt from, in one line; empty for nothing."""
        return perturbed_line([(store.path, store.perturb) for store in self.stores])

    @property
    def perturbations(self) -> tuple[str, ...]:
        """What was done to clips, each once; empty where all are as they were recorded."""
        return tuple(sorted({store.perturb for store in self.stores} - {""}))

    @property
    def store_hashes(self) -> list[str]:
        """The stores' fingerprints, in order."""
        return [store.hash for store in self.stores]


def perturbed_line(stores: Iterable[tuple[str, str]]) -> str:
    """Say which stores hold perturbed clips.

    >>> perturbed_line([("a.zarr", ""), ("b.zarr", "noise:20dB")])
    'perturbed clips: b.zarr by noise:20dB'

    Args:
        stores: path, and what was done to the clips, of each.
    """
    told = [f"{path} by {done}" for path, done in stores if done]
    return f"perturbed clips: {', '.join(told)}" if told else ""


def _stores(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_store, value))


def _store(value: Any) -> bool:
    if not kinds.table(value) or not kinds.text(value.get("perturb", "")):
        return False
    return all(kinds.text(value.get(key)) for key in ("path", "hash"))


_KINDS = {"spellings_joined": kinds.texts, "stores": _stores}


def provenance(
    seed: int,
    protocol: Protocol,
    stores: Sequence[StoreRead],
    *,
    device: str,
    parts: Iterable[tuple[Registry[Any], str]],
    joined: Sequence[str] = (),
) -> Manifest:
    """The manifest of a run that begins now.

    Args:
        seed: of every draw.
        protocol: its question.
        stores: those that it learns from.
        device: that it trains on.
        parts: what was chosen by name, and where it is known.
        joined: one line for each label whose spellings were made one.
    """
    return Manifest(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        gensr=version("gensr"),
        git_revision=_git_revision(),
        seed=seed,
        protocol=protocol.name,
        protocol_hash=protocol.hash,
        spellings_joined=tuple(joined),
        stores=tuple(stores),
        python=platform.python_version(),
        libraries={name: version(name) for name in ("torch", "numpy", "safetensors")},
        machine=platform.machine(),
        cpus=os.cpu_count(),
        device=device,
        packages=_brought(parts),
    )


def _brought(parts: Iterable[tuple[Registry[Any], str]]) -> dict[str, str]:
    """Which other packages brought what was chosen: by kind and name, package and version."""
    return {
        f"{registry.kind} {name}": registry.origin(name)
        for registry, name in parts
        if name in registry.foreign()
    }


def _git_revision() -> str | None:
    """Revision of the checkout that gensr runs from, `+dirty` where it was changed."""
    here = Path(__file__).resolve().parents[2]
    if not (here / "pyproject.toml").is_file():
        return None  # installed from a wheel: a surrounding checkout is someone else's
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+dirty", "--exclude=*"],  # noqa: S607
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
