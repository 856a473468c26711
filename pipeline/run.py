"""A run folder: everything needed to trust a result, score it again, or go on with it.

config.json        what was asked for, resolved
protocol.json      the question: classes, folds, and which clip is tested where
manifest.json      where it came from: revision, versions, seed, hashes of protocol and store
folds/K/           config.json, model.safetensors, metrics.jsonl (a checkpoint while training)
metrics.jsonl      the training log of all folds
predictions.csv    path, fold, label, predicted, a probability per class
numbers.json       the numbers of predictions.csv
"""

import csv
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gensr.estimator.errors import RunError
from gensr.pipeline import protocol as protocols
from gensr.pipeline.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one tested clip."""

    path: str
    fold: str
    label: str
    predicted: str
    probabilities: tuple[float, ...]
    """One per class, in the protocol's order, summing to one."""


class Run:
    """A run folder by its path; reads what is there, writes each file whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """A folder that holds a run.

        Raises:
            RunError: it does not.
        """
        if not (folder / "config.json").is_file() or not (folder / "protocol.json").is_file():
            raise RunError(f"{folder} is no run; `gensr train STORE --run {folder}` makes one")
        return cls(folder)

    def fold(self, name: str) -> Path:
        """Folder of one fold's model."""
        return self.folder / "folds" / name

    @property
    def config(self) -> dict[str, Any]:
        """What was asked for."""
        return self._read("config.json")

    @property
    def manifest(self) -> dict[str, Any]:
        """Where it came from."""
        return self._read("manifest.json")

    @property
    def protocol(self) -> Protocol:
        """The question, as far as scoring needs it."""
        kept = self._read("protocol.json")
        try:
            return protocols.from_plain(kept["protocol"], kept["clips"])
        except (KeyError, TypeError, IndexError) as error:
            path = self.folder / "protocol.json"
            raise RunError(f"{path} cannot be read (it lacks {error}); train again") from error

    def write_question(
        self, config: Mapping[str, Any], protocol: Protocol, manifest: Mapping[str, Any]
    ) -> None:
        """Keep what is known before training; `config.json` last, it makes the folder a run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        clips = protocol.assignment()
        self._write(
            "protocol.json",
            {"hash": protocol.hash, "protocol": protocol.describe(), "clips": clips},
        )
        self._write("manifest.json", manifest)
        self._write("config.json", config)

    def write_log(self, folds: Iterable[str]) -> None:
        """Write `metrics.jsonl`: the folds' logs, one after the other."""
        parts = [self.fold(name) / "metrics.jsonl" for name in folds]
        self._text("metrics.jsonl", "".join(part.read_text() for part in parts))

    def write_predictions(self, classes: Sequence[str], rows: Sequence[Prediction]) -> None:
        """Write `predictions.csv`, in path order."""
        aside = self.folder / "predictions.csv.new"
        with aside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["path", "fold", "label", "predicted", *(f"p_{c}" for c in classes)])
            for row in sorted(rows, key=lambda row: (row.path, row.fold)):
                p = (f"{value:.6f}" for value in row.probabilities)
                writer.writerow([row.path, row.fold, row.label, row.predicted, *p])
        aside.replace(self.folder / "predictions.csv")

    def predictions(self) -> list[Prediction]:
        """Read `predictions.csv`.

        Raises:
            RunError: it is missing (the training did not finish) or damaged.
        """
        path = self.folder / "predictions.csv"
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))[1:]
            return [
                Prediction(r[0], r[1], r[2], r[3], tuple(float(p) for p in r[4:])) for r in rows
            ]
        except FileNotFoundError:
            raise RunError(
                f"{path} is missing: the training did not finish; "
                f"`gensr train ... --run {self.folder} --resume` goes on with it"
            ) from None
        except (ValueError, IndexError, csv.Error) as error:
            raise RunError(f"{path} is damaged ({error}); train again") from error

    def write_numbers(self, numbers: Mapping[str, Any], name: str = "numbers.json") -> None:
        """Write the numbers, whole or not at all."""
        self._write(name, numbers)

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read ({error}); train again") from error
        if not isinstance(plain, dict):
            raise RunError(f"{path} cannot be read (it is no JSON object); train again")
        return plain

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        self._text(name, json.dumps(value, indent=2, sort_keys=False, ensure_ascii=False) + "\n")

    def _text(self, name: str, text: str) -> None:
        aside = self.folder / f"{name}.new"
        aside.write_text(text, encoding="utf-8")
        aside.replace(self.folder / name)


def new_folder(root: Path, model: str) -> Path:
    """`runs/<time>-<model>`, unused."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    folder = root / f"{stamp}-{model}"
    number = 1
    while folder.exists():
        number += 1
        folder = root / f"{stamp}-{model}-{number}"
    return folder


def stillborn(folder: Path) -> bool:
    """Whether a folder is empty, or a run that was killed before it was one: nothing is lost."""
    first = {"protocol.json", "manifest.json", "config.json"}
    allowed = {*first, *(f"{name}.new" for name in first)} - {"config.json"}
    return {path.name for path in folder.iterdir()} <= allowed


def newest(root: Path) -> Path:
    """The run that was started last under `root`.

    Raises:
        RunError: there is none.
    """
    runs = [path.parent for path in root.glob("*/config.json")]
    if not runs:
        raise RunError(f"no run under {root}/; `gensr train STORE` makes one, or name a RUN")
    return max(runs, key=lambda run: (run / "config.json").stat().st_mtime_ns)


def provenance(
    seed: int, protocol: Protocol, stores: Sequence[tuple[str, str]], device: str
) -> dict[str, Any]:
    """The manifest of a run.

    Args:
        seed: of every draw.
        protocol: its question.
        stores: path and fingerprint of each store.
        device: that it trains on.
    """
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "gensr": version("gensr"),
        "git_revision": _git_revision(),
        "seed": seed,
        "protocol": protocol.name,
        "protocol_hash": protocol.hash,
        "stores": [{"path": path, "hash": digest} for path, digest in stores],
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in ("torch", "numpy", "safetensors")},
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "device": device,
    }


def _git_revision() -> str | None:
    """Revision of the checkout that gensr runs from, `+dirty` where it was changed."""
    here = Path(__file__).resolve().parent.parent
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
