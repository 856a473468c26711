"""A run folder: everything needed to trust a result, score it again, or go on with it.

config.json        what was asked for, resolved; the run's identity and the hashes of the next two
protocol.json      the question: classes, folds, and which clip is tested where
manifest.json      where it came from: revision, versions, seed, hashes of protocol and store
folds/K/           config.json, model.safetensors, metrics.jsonl (a checkpoint while training)
metrics.jsonl      the training log of all folds
predictions.csv    path, fold, label, predicted, a probability per class, speaker, corpus
dev_predictions.csv, calibration.json   the same of development parts, and what follows (dev.py)
seal.json          the hashes of these, and whose they are
numbers.json       the numbers of predictions.csv
"""

import csv
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from gensr.estimator.errors import RunError
from gensr.estimator.files import make_folder, read_whole, why, write_whole
from gensr.features.card import facts_card
from gensr.features.same_encoder import named
from gensr.features.store.where import Location, local
from gensr.pipeline.protocols import protocol as protocols
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.config import RunConfig
from gensr.pipeline.runs.files import MOST, check_hash, plain_bytes, read_plain
from gensr.pipeline.runs.lock import LOCK, busy, idle
from gensr.pipeline.runs.predictions import Prediction, from_csv, to_csv
from gensr.pipeline.runs.provenance import Manifest

FIRST = ("protocol.json", "manifest.json", "config.json")
"""What a run begins with, in this order."""
REPLACED = "replaced.json"
"""The config of the run that is being replaced."""
CHECKS = "checks.json"
"""What was found of the clips and their split before the training."""
SET = "set.json"
"""What makes a folder a set of runs (sets.py)."""


class Run:
    """A run folder by its path; reads what is there, writes each file whole or not at all.

    What was asked is read once: a run that is replaced meanwhile is another one, and noticed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, run: "Run | Location") -> "Run":
        """A run, given itself or by its folder.

        Raises:
            RunError: the folder holds none.
        """
        return run if isinstance(run, cls) else cls.open(run)  # type: ignore[arg-type]

    @classmethod
    def open(cls, folder: Location) -> "Run":
        """A folder that holds a run.

        Raises:
            RunError: it does not, or cannot be looked into.
        """
        folder = local(folder)
        if not is_run(folder):
            raise RunError(_no_run(folder))
        return cls(folder)

    def __repr__(self) -> str:
        try:
            told = f"{self.config.model}, {self.protocol.name}"
        except RunError:
            told = "unfinished or damaged"
        return f"Run({str(self.folder)!r}: {told})"

    def _repr_html_(self) -> str:
        return facts_card(f"run {self.folder}", self.facts())

    def facts(self) -> list[tuple[str, str]]:
        """What was asked for, and where it came from: names and values, a model first.

        Raises:
            RunError: the run is damaged.
        """
        config, manifest, protocol = self.config, self.manifest, self.protocol
        folds = ", ".join(f"{fold.name}: {fold.held_out}" for fold in protocol.folds)
        apart = ", ".join(protocol.disjoint) or "nothing"
        return [
            ("model", f"{config.model}, preset {config.preset}"),
            ("protocol", f"{protocol.name} ({protocol.hash})"),
            *([] if config.deployed else [("keeps apart", apart)]),
            ("label", f"{protocol.label}: {', '.join(protocol.classes)}"),
            ("clips", str(len(protocol.paths))),
            *([] if config.deployed else [("folds", folds)]),
            ("encoder", named(config.encoder)),
            *([("steps", str(config.training["steps"]))] if config.training else []),
            ("seed", str(config.seed)),
            ("stores", ", ".join(config.stores)),
            *([("perturbed", manifest.perturbed)] if manifest.perturbed else []),
            *([("enrolled by clips", str(config.enrol_clips))] if config.enrol_clips else []),
            ("made by", f"gensr {manifest.gensr}, {manifest.git_revision}"),
            *((f"{what} of", package) for what, package in manifest.packages.items()),
            ("created", manifest.created),
            ("identity", self.identity or "none: of version 0.1.0"),
        ]

    def fold(self, name: str) -> Path:
        """Folder of one fold's model."""
        return self.folder / "folds" / name

    @cached_property
    def config(self) -> RunConfig:
        """What was asked for."""
        path = self.folder / "config.json"
        return RunConfig.from_plain(read_plain(path), path)

    @property
    def identity(self) -> str | None:
        """Identity of the run, which its models and predictions name; None in version 0.1.0."""
        return self.config.run

    @cached_property
    def manifest(self) -> Manifest:
        """Where it came from."""
        path = self.folder / "manifest.json"
        return Manifest.from_plain(read_plain(path, self._hash("manifest.json")), path)

    @property
    def joined(self) -> str:
        """Which spellings of labels were made one class, in one line; empty where none were."""
        return "; ".join(self.manifest.spellings_joined)

    @cached_property
    def protocol(self) -> Protocol:
        """The question, as far as scoring needs it."""
        path = self.folder / "protocol.json"
        kept = read_plain(path, self._hash("protocol.json"))
        try:
            return protocols.from_plain(kept["protocol"], kept["clips"], kept.get("columns"))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{path} cannot be read (it lacks {error}); train again") from error

    def write_request(self, config: RunConfig, protocol: Protocol, manifest: Manifest) -> None:
        """Keep what is known before training; `config.json` last, it makes the folder a run."""
        make_folder(self.folder)
        asked = protocol.as_kept()
        hashes = {}
        for name, value in (("protocol.json", asked), ("manifest.json", asdict(manifest))):
            data = plain_bytes(value)
            write_whole(self.folder / name, data)
            hashes[name] = hashlib.sha256(data).hexdigest()
        self._write("config.json", config.bound(hashes).to_plain())

    def write_checks(self, found: Mapping[str, Any]) -> bytes:
        """Write `checks.json`: what was found of leaks and shortcuts before the training.

        Returns:
            Its content, to be sealed with the predictions.
        """
        data = plain_bytes(found)
        write_whole(self.folder / CHECKS, data)
        return data

    def checks(self) -> dict[str, Any] | None:
        """What `checks.json` says; None where nobody looked.

        Raises:
            RunError: it was changed since the run was made, or cannot be read.
        """
        path = self.folder / CHECKS
        if not os.path.lexists(path):
            return None
        known = self._seal().get(CHECKS)
        if known is not None:
            check_hash(path, read_whole(path, MOST), str(known))
        return read_plain(path)

    def write_log(self, folds: Iterable[str]) -> None:
        """Write `metrics.jsonl`: the folds' logs, one after the other."""
        parts = []
        for name in folds:
            path = self.fold(name) / "metrics.jsonl"
            try:
                parts.append(read_whole(path, MOST))
            except FileNotFoundError:
                raise RunError(
                    f"{path} is missing; remove {path.parent}, and --resume trains its fold again"
                ) from None
        write_whole(self.folder / "metrics.jsonl", b"".join(parts))

    def write_predictions(
        self,
        classes: Sequence[str],
        rows: Sequence[Prediction],
        beside: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write `predictions.csv`, and whose it is; with it the run is finished.

        Args:
            classes: see `to_csv`.
            rows: see `to_csv`.
            beside: further files that are sealed with it, by name.
        """
        data = to_csv(classes, rows)
        path = self.folder / "predictions.csv"
        sealed = {**(beside or {}), "predictions.csv": data}
        if (self.folder / "config.json").exists() and self.identity is not None:
            self._unfinish()  # a seal and predictions that differ are never together
            for name, content in (beside or {}).items():
                write_whole(self.folder / name, content)
            hashes = {name: hashlib.sha256(each).hexdigest() for name, each in sealed.items()}
            self._write("seal.json", {"run": self.identity, **hashes})
        write_whole(path, data)

    def predictions(self) -> list[Prediction]:
        """Read `predictions.csv`, checked by its seal.

        Raises:
            RunError: it is missing (the training did not finish), damaged, or not this run's.
        """
        path = self.folder / "predictions.csv"
        try:
            data = read_whole(path, MOST)
        except FileNotFoundError:
            raise RunError(
                f"{path} is missing: the training did not finish; "
                f"`gensr train ... --run {self.folder} --resume` goes on with it"
            ) from None
        try:
            found = from_csv(data)
        except (ValueError, IndexError, csv.Error) as error:
            raise RunError(f"{path} is damaged ({error}); train again") from error
        self._check_seal(path, data)
        return found

    def sealed(self, name: str) -> bytes | None:
        """A file that was sealed beside the predictions; None where this run has none.

        Raises:
            RunError: it is missing, damaged, or not this run's.
        """
        path = self.folder / name
        try:
            data = read_whole(path, MOST)
        except FileNotFoundError:
            if name in self._seal():
                raise RunError(
                    f"{path} is missing; put it back, or `gensr train ... --resume`"
                ) from None
            return None
        if (self.folder / "config.json").exists():
            self._check_seal(path, data)
        return data

    def write_numbers(self, numbers: Mapping[str, Any], name: str = "numbers.json") -> None:
        """Write the numbers, whole or not at all.

        Raises:
            RunError: the run was replaced since it was read, or the folder cannot be written.
        """
        if "config" in self.__dict__ and Run(self.folder).config != self.config:
            raise RunError(f"{self.folder} was replaced by another run meanwhile; evaluate it anew")
        self._write(name, numbers)

    def _hash(self, name: str) -> str | None:
        """The hash of a file as `config.json` has it; None where there is no config to ask."""
        if not (self.folder / "config.json").exists():
            return None
        return (self.config.hashes or {}).get(name)

    def _check_seal(self, path: Path, data: bytes) -> None:
        """Refuse predictions that this run's training did not write."""
        if not (self.folder / "config.json").exists():
            return  # predictions and a protocol alone are enough to score
        if self.identity is None and not (self.folder / "seal.json").exists():
            return  # version 0.1.0 wrote none
        seal = self._seal()
        if seal.get("run") != self.identity:
            raise RunError(
                f"{path} is damaged (it is of run {seal.get('run')}, not of this one, "
                f"{self.identity}); train again"
            )
        check_hash(path, data, str(seal.get(path.name)))

    def _seal(self) -> dict[str, Any]:
        """What `seal.json` says; nothing where nothing was sealed."""
        path = self.folder / "seal.json"
        bound = (self.folder / "config.json").exists() and self.identity is not None
        return read_plain(path) if bound or path.exists() else {}

    def _unfinish(self) -> None:
        path = self.folder / "predictions.csv"
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RunError(f"{path} cannot be replaced: {why(error)}") from error

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        write_whole(self.folder / name, plain_bytes(value))


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run.

    Raises:
        RunError: nobody may look.
    """
    try:
        return all((folder / name).is_file() for name in ("config.json", "protocol.json"))
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {why(error)}") from error


def is_set(folder: Path) -> bool:
    """Whether a folder holds a set of runs.

    Raises:
        RunError: nobody may look.
    """
    try:
        return (folder / SET).is_file()
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {why(error)}") from error


def seed_folder(folder: Path, seed: int) -> Path:
    """Where the run of a seed is in a set."""
    return folder / f"seed-{seed}"


def is_beginning(folder: Path) -> bool:
    """Whether a kill left a folder before it was a run: it holds no predictions, and no model."""
    if os.path.lexists(folder / "config.json"):
        return False
    try:
        found = {path.name for path in folder.iterdir()}
    except OSError:  # none, a file, or one that nobody may look into
        return False
    first = {name + end for name in FIRST for end in ("", ".new")}
    return REPLACED in found or (bool(found) and found <= {*first, LOCK})


def _no_run(folder: Path) -> str:
    """What a folder is that holds no run, and what to do about it."""
    again = f"`gensr train STORE --run {folder}"
    if is_set(folder):
        return (
            f"{folder} holds runs of several seeds; name one of them, as {seed_folder(folder, 0)}"
        )
    if is_beginning(folder):
        if not idle(folder):
            return busy(folder)
        stopped = "its training was stopped in the beginning"
        if os.path.lexists(folder / REPLACED):
            stopped = "a `train --overwrite` was stopped while it replaced the run that was there"
        return f"{folder} is no run; {again}` begins anew: {stopped}"
    if os.path.lexists(folder / "protocol.json") and not os.path.lexists(folder / "config.json"):
        return (
            f"{folder} is no run: its config.json is missing; put it back, or {again} --overwrite` "
            "begins anew"
        )
    return f"{folder} is no run; {again}` makes one"


def new_folder(root: Path, model: str) -> Path:
    """`runs/<time>-<model>`, unused."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    folder = root / f"{stamp}-{model}"
    number = 1
    while folder.exists():
        number += 1
        folder = root / f"{stamp}-{model}-{number}"
    return folder


def newest(root: Path) -> Path:
    """The run, or the set of runs, that was started last under `root`.

    Raises:
        RunError: there is none.
    """
    files = [*root.glob("*/config.json"), *root.glob(f"*/{SET}")]
    if not files:
        raise RunError(f"no run under {root}/; `gensr train STORE` makes one, or name a RUN")
    return max(files, key=lambda path: path.stat().st_mtime_ns).parent
