"""The beginning of a training: a new run folder, one to go on with, or one to replace.

Whatever is killed at whatever step, the folder holds one of three things:

    a run               `config.json` is there: it was written last, and is the first to go
    a beginning         `replaced.json`, the config that was, or nothing but what comes before a
                        config: the next training of any kind takes it and clears what is left
    something else      never touched

A folder with the files of a run and no config, as a kill left it in version 0.1.0, is taken by
`--overwrite`. Files that gensr did not write are left where they are.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensr.estimator.config import to_plain
from gensr.estimator.errors import RunError
from gensr.estimator.files import make_folder, sync, why
from gensr.estimator.samplers.registry import SAMPLERS
from gensr.features.same_encoder import first_difference
from gensr.features.store.files import remove
from gensr.features.store.place import store_around
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.asides import asides
from gensr.pipeline.runs.config import RunConfig
from gensr.pipeline.runs.dev import CALIBRATION, DEV
from gensr.pipeline.runs.lock import LOCK, busy, held, idle
from gensr.pipeline.runs.models import expected_of
from gensr.pipeline.runs.provenance import Manifest
from gensr.pipeline.runs.run import CHECKS, FIRST, REPLACED, Run, is_beginning, is_run, new_folder

_REST = (CHECKS, "seal.json", "predictions.csv", DEV, CALIBRATION, "metrics.jsonl", "folds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a training asks for: what its run is begun with, or must have been."""

    config: RunConfig
    protocol: Protocol
    manifest: Manifest


@contextmanager
def begun(folder: Path | None, request: Request, *, resume: bool, overwrite: bool) -> Iterator[Run]:
    """The run to train, locked until the training ends.

    Args:
        folder: of the run; None makes `runs/<time>-<model>`.
        request: what is asked for now.
        resume: go on with the run that is there.
        overwrite: replace the run that is there.

    Raises:
        RunError: the folder is something else, another process trains it, it cannot be written,
            or the run in it does not fit the request.
    """
    folder = _unused(request.config.model) if folder is None else folder
    if not idle(folder):
        raise RunError(busy(folder))
    _check_place(folder, request, resume=resume, overwrite=overwrite)
    make_folder(folder)
    with held(folder):
        # Again: somebody else may have had it meanwhile.
        _check_place(folder, request, resume=resume, overwrite=overwrite)
        run = Run(folder)
        if not (resume and is_run(folder)):
            _clear(folder)
            run.write_request(request.config, request.protocol, request.manifest)
        _check_writable(folder)
        with suppress(FileNotFoundError):
            (folder / REPLACED).unlink()
        yield run


def _unused(model: str) -> Path:
    """A folder that nobody else has: made, so that two trainings never take the same name."""
    while True:
        folder = new_folder(Path("runs"), model)
        make_folder(folder.parent)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise RunError(f"{folder} cannot be made: {why(error)}") from error
        return folder


def _check_place(folder: Path, request: Request, *, resume: bool, overwrite: bool) -> None:
    """Refuse a folder that this training may not have; nothing is changed."""
    if around := store_around(folder):
        raise RunError(
            f"{folder} would be within the store {around}, which is exchanged as a whole when it is"
            " added to or replaced: pass another --run"
        )
    try:
        there = folder.exists() and not (is_beginning(folder) or _is_empty(folder))
        run_there = there and folder.is_dir() and is_run(folder)
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {why(error)}; pass another --run") from error
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; a run is a folder, pass another --run")
    if resume:
        if not there:
            raise RunError(f"{folder} holds no run to resume; train without --resume")
        if run_there:
            _check_same(Run(folder), request)
            return
    if there and not run_there and not (overwrite and _is_ours(folder)):
        raise RunError(f"{folder} is no run, and not empty; pass another --run")
    if run_there and not overwrite:
        raise RunError(
            f"{folder} holds a run already; pass --resume to go on with it, --overwrite to "
            "replace it, or another --run"
        )


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _is_ours(folder: Path) -> bool:
    """Whether gensr wrote all that is in a folder."""
    return {path.name for path in folder.iterdir()} <= {
        LOCK,
        REPLACED,
        *(path.name for path in _written(folder)),
    }


def _written(folder: Path) -> Iterator[Path]:
    """What trainings and evaluations write into a run folder, by name."""
    looks = ("", *(f"-{sampler}" for sampler in SAMPLERS))  # another than the run's own
    numbers = [f"numbers{look}.json" for look in looks]
    names = [*FIRST, *_REST, *numbers]
    halves = [f"{name}.new" for name in names]  # of version 0.1.0, killed while it wrote
    figures = [f"figures{look}" for look in looks]
    for name in (*names, *halves, *figures):
        if os.path.lexists(folder / name):
            yield folder / name
    yield from asides(folder)


def _clear(folder: Path) -> None:
    """Remove what gensr wrote; from the first step on the folder is no run, but a beginning."""
    config = folder / "config.json"
    try:
        if os.path.lexists(config):
            config.replace(folder / REPLACED)
            sync(folder)
        for path in list(_written(folder)):
            remove(path)
    except OSError as error:
        raise RunError(f"{error.filename or folder} cannot be replaced: {why(error)}") from error


def _check_writable(folder: Path) -> None:
    """Refuse to begin work that could not be kept."""
    folds = folder / "folds"
    for path in (folder, folds, *(folds.iterdir() if folds.is_dir() else ())):
        if os.path.lexists(path) and not path.is_dir():
            raise RunError(f"{path} is no folder; remove it, and go on with --resume")
        if path.is_dir() and not os.access(path, os.W_OK | os.X_OK):
            raise RunError(f"{path} cannot be written: see to its permissions")


def _check_same(run: Run, request: Request) -> None:
    """Refuse to go on with what another training asked for, naming the first difference."""
    before, now = (
        {"calibrate": False, "enrol_clips": 0, **config.to_plain()}
        for config in (run.config, request.config)
    )
    # A store may move; folds follow. A setting that is new since the run was begun had no say.
    keys = sorted(set(before) - {"stores", "folds", "run", "hashes", "encoder"})
    for about, known in ((before, run.manifest), (now, request.manifest)):
        about["store hashes"] = known.store_hashes
        about["labels or splits"] = known.protocol_hash
    if told := first_difference(run.config.encoder, request.config.encoder):
        raise RunError(
            f"{run.folder} was started on vectors of another encoder ({told}); resume with the "
            "stores it was started with, or pass another --run"
        )
    if set(now["training"] or ()) - set(before["training"] or ()):
        raise RunError(
            f"{run.folder} was begun by an earlier version, whose training steps were others: "
            "finish it with that version, or train anew with --overwrite"
        )
    before["options"] = to_plain(expected_of(run).spec.options)  # 0.1 wrote some for short
    for key in (*keys, "store hashes", "labels or splits"):
        if before.get(key) != now.get(key):
            name, was, asked = _first(key, before.get(key), now.get(key))
            raise RunError(
                f"{run.folder} was started with {name} = {was}, now it is {asked}; resume with the "
                "same settings, or pass another --run"
            )


def _first(name: str, was: Any, asked: Any) -> tuple[str, Any, Any]:
    """The first of nested settings that differs, by its whole name, with both values."""
    while isinstance(was, dict) and isinstance(asked, dict):
        both = ((key, was.get(key, "absent"), asked.get(key, "absent")) for key in {**was, **asked})
        key, was, asked = next(each for each in both if each[1] != each[2])
        name = f"{name}.{key}"
    return name, was, asked
