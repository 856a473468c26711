"""What the disk does to a run: umask rules, refusals are one line, a full disk loses nothing."""

import errno
import os
import re
import shutil
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from gensr.estimator import files
from gensr.estimator.checkpoint import read_state
from gensr.estimator.errors import RunError
from gensr.pipeline.runs.lock import held
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.scoring.figures import draw
from gensr.pipeline.use.predict import predict
from support.steps import DIED, FLUSHES, At, Steps, every, of, refuse
from support.told import Told


@pytest.fixture
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("umask", [0o027, 0o077, 0o002], indirect=True)
def test_everything_of_a_run_and_a_store_follows_the_umask(umask, corpus, fit, fbank, tmp_path):
    store = fbank(corpus, tmp_path / "s.zarr")
    fbank(corpus, tmp_path / "s.h5")
    run = fit(tmp_path / "run", store, steps=4, fold="1").run
    found = evaluate(run, steps=(1,), device="cpu")
    draw(found, run.folder / "figures")
    run.write_numbers(found.as_json())
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "half", store, fold="1", progress=Told("fold 1: learn"))
    assert list(tmp_path.glob("half/folds/1/*.checkpoint"))
    for path in (
        path for top in ("s.zarr", "s.h5", "run", "half") for path in within(tmp_path / top)
    ):
        full = 0o777 if path.is_dir() else 0o666
        assert stat.S_IMODE(path.stat().st_mode) == full & ~umask, path
    with held(tmp_path / "run"):
        mode = stat.S_IMODE((tmp_path / "run/lock").stat().st_mode)
        assert mode & ~umask == mode


def within(path):
    return [path, *path.rglob("*")]


OPENS = of(os, "open", "mkdir", "fsync")


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "protocol.json",
        "predictions.csv",
        "seal.json",
        "manifest.json",
        "folds/all/config.json",
        "folds/all/model.safetensors",
    ],
)
def test_a_file_that_may_not_be_read_says_so(name, deployed, copied, corpus):
    run = copied(deployed)

    def read():
        if name == "manifest.json":
            return Run.open(run).manifest
        return predict([corpus], Run.open(run), device="cpu")

    refused = At(0, refuse(errno.EACCES), counts=lambda step: step.path == str(run / name))
    with (
        Steps(OPENS, refused),
        pytest.raises(RunError, match=rf"{name} cannot be read: Permission denied") as error,
    ):
        read()
    assert "train again" not in str(error.value)
    assert "see to the permissions" in str(error.value)


@pytest.mark.parametrize(
    ("code", "first"), [(errno.ENOSPC, 0), (errno.EDQUOT, 1), (errno.EROFS, 2), (errno.EACCES, 3)]
)
def test_a_disk_that_is_full_loses_nothing(code, first, fit, tmp_path):
    """At every write of a training, by one reason or another; then there is room again."""
    run, config = tmp_path / "run", {"model": "linear", "settings": None, "steps": 2, "fold": "1"}
    whole = fit(tmp_path / "whole", **config).run.folder

    def concerns(step):
        return str(run) in step.path and not step.path.endswith("lock")

    def attempt(step):
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir()
        full = At(step, refuse(code), counts=concerns)
        with Steps(OPENS, full):
            failed = fails(lambda: fit(run, **config))
        assert failed == bool(full.ended)
        return DIED if failed else 0

    for _ in every(range(first, 44, 4), attempt, least=3):
        if (run / "config.json").exists():
            fit(run, resume=True, **config)
        else:
            fit(run, **config)
        for name in ("predictions.csv", "folds/1/model.safetensors"):
            assert (run / name).read_bytes() == (whole / name).read_bytes()


def test_a_disk_that_fills_up_leaves_the_checkpoint_that_is_there(fit, tmp_path):
    """Of a later look: the training can go on from the one before, to the same model."""
    run, config = tmp_path / "run", {"model": "gen-ser", "fold": "1"}
    whole = fit(tmp_path / "whole", **config).run.folder

    def of_checkpoint(step):
        return step.path.endswith(".checkpoint.new")

    with (
        Steps(FLUSHES, At(1, refuse(errno.ENOSPC), counts=of_checkpoint)),
        pytest.raises(RunError, match=r"checkpoint cannot be written: No space left .* is kept"),
    ):
        fit(run, **config)
    (kept,) = run.glob("folds/1/*.checkpoint")
    state = read_state(kept)
    assert [entry[0] for entry in state["log"]] == [4]
    assert not list(run.rglob("*.new"))
    fit(run, resume=True, **config)
    for name in ("predictions.csv", "folds/1/model.safetensors"):
        assert (run / name).read_bytes() == (whole / name).read_bytes()


def fails(attempt):
    try:
        attempt()
    except RunError as error:
        said = str(error)
    else:
        return False
    assert "train again" not in said
    assert "\n" not in said
    return True


def test_half_a_file_does_not_replace_a_whole_one(tmp_path):
    path = tmp_path / "x.json"
    files.write_whole(path, b"old")

    with (
        Steps(FLUSHES, At(0, refuse(errno.ENOSPC))),
        pytest.raises(RunError, match=r"x\.json cannot be written: No space left on device"),
    ):
        files.write_whole(path, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_written_is_known_before_the_training(
    finished, copied, fit, monkeypatch, tmp_path
):
    run, hears = copied(finished), Told()
    (run / "predictions.csv").unlink()
    shutil.rmtree(run / "folds/4")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "3")
    with pytest.raises(RunError, match="folds/3 cannot be written: see to its permissions"):
        fit(run, resume=True, progress=hears)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file/run cannot be made: Not a directory"):
        fit(tmp_path / "file/run", progress=hears)
    assert hears.stages == []


@pytest.mark.parametrize(
    ("name", "scored", "resumed"),
    [
        ("config.json", "is no run; `gensr train", "is no run, and not empty; pass another"),
        ("predictions.csv", "predictions.csv is no file; put back", ""),  # written anew
        # A linear model's answers are kept: what they are scored by is all that is read.
        ("folds/1/model.safetensors", "", "model.safetensors is no file; put back"),
    ],
)
def test_what_has_no_end_is_not_read(name, scored, resumed, linear, copied, fit):
    run, settings = copied(linear), linear.parent.parent / "linear.toml"
    (run / name).unlink()
    (run / name).symlink_to("/dev/zero")
    for _ in range(2):
        for attempt, said in (
            (lambda: evaluate(Run.open(run), device="cpu"), scored),
            (lambda: fit(run, model="linear", settings=settings, resume=True), resumed),
        ):
            with pytest.raises(RunError, match=re.escape(said)) if said else nullcontext():
                attempt()
        kept = (run / name).is_file() and not (run / name).is_symlink()
        assert kept == (name == "predictions.csv")
        (run / name).unlink()
        os.mkfifo(run / name)


@pytest.mark.parametrize("name", ["run", "a/run"])
def test_no_run_is_made_within_a_store(name, store, copied, fit):
    outer, hears = copied(store), Told()
    inner = outer.rename(outer.with_suffix(".zarr")) / name
    with pytest.raises(RunError, match=r"within the store .*[.]zarr.*: pass another --run"):
        fit(inner, progress=hears)
    assert not inner.parent.joinpath("run").exists()
    assert hears.stages == []
