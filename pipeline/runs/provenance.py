"""Where a run came from: versions, revision, hashes of its stores, the machine."""

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gensr.estimator.registry import Registry
from gensr.pipeline.protocols.protocol import Protocol


def provenance(
    seed: int,
    protocol: Protocol,
    stores: Sequence[tuple[str, str]],
    device: str,
    joined: Sequence[str] = (),
) -> dict[str, Any]:
    """The manifest of a run.

    Args:
        seed: of every draw.
        protocol: its question.
        stores: path and fingerprint of each store.
        device: that it trains on.
        joined: one line for each label whose spellings were made one.
    """
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "gensr": version("gensr"),
        "git_revision": _git_revision(),
        "seed": seed,
        "protocol": protocol.name,
        "protocol_hash": protocol.hash,
        "spellings_joined": list(joined),
        "stores": [{"path": path, "hash": digest} for path, digest in stores],
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in ("torch", "numpy", "safetensors")},
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "device": device,
    }


def packages(chosen: Iterable[tuple[Registry[Any], str]]) -> dict[str, str]:
    """Which other packages brought what was chosen: by kind and name, package and version."""
    return {
        f"{registry.kind} {name}": registry.origin(name)
        for registry, name in chosen
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
