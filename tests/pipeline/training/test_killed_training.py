"""Killed at any step of `train --overwrite`: the old run whole, or one that the next call takes."""

import shutil
from pathlib import Path

import pytest

from gensr.estimator.errors import RunError
from gensr.pipeline.runs import lock as run_lock
from gensr.pipeline.runs.models import load_fold
from gensr.pipeline.runs.run import FIRST, REPLACED, Run, is_run
from gensr.pipeline.use.describe import describe
from support.forking import forking
from support.steps import NEVER, every, spread

MINE = {"thesis.txt": b"years of work", "figures-of-mine/one.png": b"drawn by hand"}
NEW = {"steps": 2, "seed": 7, "fold": "1"}


@pytest.fixture(scope="module")
def call():
    """call(step, store, folder, **options) -> how it ended: up to a step, or through."""
    with forking("training_works") as calls:

        def call(step, store, folder, **options):
            return calls.call("train", store, folder, NEW, options, how={"kill": step})

        yield call


def content(run):
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def whole(run):
    """Every answer and every model is the run's own."""
    opened = Run.open(run)
    opened.predictions()
    for name in opened.config.folds:
        load_fold(opened, name)


FEW = {"ends": 1, "stride": 30}
MANY = {"ends": 4, "stride": 12}
AMOUNTS = [
    pytest.param(FEW, id="few"),
    pytest.param(MANY, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
]


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize(("again", "offset"), [("--resume", 1), ("--overwrite", 6)])
def test_a_kill_while_a_run_is_replaced(amount, again, offset, linear, store, fit, call, tmp_path):
    """Each of the two ways on after kills at steps of its own."""
    old, run, left = content(linear), tmp_path / "run", set()
    new = content(fit(tmp_path / "new", model="linear", settings=None, **NEW).run.folder)

    def attempt(step):
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(linear, run)
        (run / "thesis.txt").write_text("years of work")
        (run / "figures-of-mine").mkdir()
        (run / "figures-of-mine/one.png").write_text("drawn by hand")
        return call(step, store, run, overwrite=True)

    count = attempt(NEVER).taken
    assert count > 20  # it has something to die of
    steps = spread(count, offset=offset, **amount)
    for _ in every(steps, lambda step: attempt(step).status, least=count):
        started = is_run(run) and Run.open(run).config.seed == 7
        if is_run(run) and not started:
            left.add("old")
            assert content(run) == {**old, **MINE}
        if again == "--resume" and not started:
            before = content(run)
            refused = call(None, store, run, resume=True)  # other settings, or no run
            assert refused.status == 1
            assert content(run) == before
            assert call(None, store, run, overwrite=True).status == 0
        else:
            left.add("new" if started else "beginning")
            option = {"resume": started} if again == "--resume" else {"overwrite": True}
            assert call(None, store, run, **option).status == 0
        whole(run)
        found = content(run)
        for name in ("predictions.csv", *(n for n in new if n.endswith(".safetensors"))):
            assert found[name] == new[name]
        assert MINE.items() <= found.items()
        assert not {"lock", REPLACED} & {path.name for path in run.iterdir()}
    assert {"new"} <= left


def test_a_plain_training_takes_a_beginning(linear, store, fit, tmp_path):
    run = Path(shutil.copytree(linear, tmp_path / "run"))
    (run / "config.json").rename(run / REPLACED)
    for ask in (Run.open, describe):
        with pytest.raises(
            RunError, match=r"is no run; .* anew: a `train --overwrite` was stopped"
        ):
            ask(run)
    with pytest.raises(RunError, match="holds no run to resume"):
        fit(run, model="linear", settings=None, resume=True)
    fit(run, model="linear", settings=None, steps=1)
    whole(run)


@pytest.mark.parametrize("left", [{"lock"}, {*FIRST[:1]}, {*FIRST[:2], "config.json.new", "lock"}])
def test_a_beginning_is_told_as_what_it_is(left, fit, tmp_path):
    for name in left:
        (tmp_path / name).write_text("{}")
    for ask in (Run.open, describe):
        with pytest.raises(
            RunError, match=r"is no run; .* anew: its training was stopped in the beg"
        ):
            ask(tmp_path)
    fit(tmp_path, steps=1, fold="1")
    with run_lock.held(tmp_path):
        (tmp_path / "config.json").unlink()
        (tmp_path / REPLACED).write_text("{}")
        with pytest.raises(RunError, match="is being trained by another process"):
            describe(tmp_path)


def test_what_a_kill_of_version_0_1_0_left_is_taken_by_overwrite(linear, fit, tmp_path):
    run = Path(shutil.copytree(linear, tmp_path / "run"))
    (run / "config.json").unlink()
    with pytest.raises(
        RunError, match=r"config\.json is missing; put it back, or .*--overwrite` beg"
    ):
        describe(run)
    with pytest.raises(RunError, match="is no run, and not empty"):
        fit(run, model="linear", settings=None)
    fit(run, model="linear", settings=None, steps=1, overwrite=True)
    whole(run)
