"""The states that a killed writer leaves, told by the files alone, and the one way out of them."""

import shutil

import pytest

from gensr.features.store import files, open_store
from gensr.features.store.commit import State, recover, state
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.journal import Journal
from gensr.features.store.local_disk import LocalDisk
from gensr.features.store.open import work_folder

STEPS = ("write_atomic", "move", "remove", "sync")
STRIDES = [17, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
IN_PLACE = [State.IDLE, State.PLANNED, State.COMMITTED]
EXCHANGED = [State.IDLE, State.PLANNED, State.PUBLISHING, State.PUBLISHED]
REWRITTEN = [State.IDLE, State.PUBLISHING, State.PUBLISHED]


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.fixture
def killed_at(monkeypatch):
    """killed_at(step, call) -> whether the call died before its step of that number."""

    def run(step, call):
        taken = 0

        def dying(do):
            def once_more(*args):
                nonlocal taken
                if taken == step:  # and whatever is tried while it dies
                    raise Killed
                taken += 1
                return do(*args)

            return once_more

        with monkeypatch.context() as patch:
            for name in STEPS:
                patch.setattr(LocalDisk, name, dying(getattr(LocalDisk, name)))
            try:
                call()
            except Killed:
                return True
        return False

    return run


def check_states(killed_at, out, old, call, states, stride):
    """Kill a call before its steps: these states are left, at every step each, in this order."""
    seen = []
    for step in range(stride - 1, 10_000, stride):
        for path in (out, work_folder(out), work_folder(out).with_suffix(".work.done")):
            files.remove(path)
        if old is not None:
            (shutil.copytree if old.is_dir() else shutil.copy)(old, out)
        if not killed_at(step, call):
            break
        with Journal(out).locked() as journal:
            seen.append(state(journal))
            recover(journal, overwrite=False)
            left = State.PLANNED if seen[-1] is State.PLANNED else State.IDLE
            assert state(journal) is left
        if old is not None:
            assert len(open_store(out)) in (3, 6)
    if stride == 1:
        assert list(dict.fromkeys(seen)) == states
    assert len(seen) > 2
    assert {*seen} <= {*states}


@pytest.mark.parametrize("stride", STRIDES)
def test_a_fresh_extraction(made, out, killed_at, stride):
    states = IN_PLACE if out.suffix == ".zarr" else EXCHANGED
    check_states(killed_at, out, None, lambda: made.make(out, made.clips("abcdef")), states, stride)


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_addition_and_a_replacement(made, tmp_path, killed_at, overwrite, stride):
    old, out = made.make(tmp_path / "old.zarr", made.clips("abc")), tmp_path / "s.zarr"
    rows = made.clips("abcdef" if overwrite else "def")
    check_states(
        killed_at,
        out,
        old,
        lambda: made.make(out, rows, overwrite=overwrite),
        EXCHANGED,
        stride,
    )


@pytest.mark.parametrize("stride", STRIDES)
def test_a_rewrite(made, tmp_path, killed_at, stride):
    source = made.make(tmp_path / "source.h5", made.clips("abcdef"))
    old, out = made.make(tmp_path / "old.zarr", made.clips("xyz")), tmp_path / "s.zarr"
    check_states(
        killed_at, out, old, lambda: convert(source, out, overwrite=True), REWRITTEN, stride
    )


def test_a_finished_store_under_a_plan_is_in_nobodys_way(made, tmp_path, monkeypatch):
    """Killed when its header was in its place: a rewrite finds a store, and not an extraction."""
    source = made.make(tmp_path / "source.h5", made.clips("abcdef"))
    out, remove = tmp_path / "s.zarr", files.remove

    def dying(path):
        if path.name == "plan.json" and open_store(out):
            raise Killed
        remove(path)

    with made.started(out, made.clips("xyz")) as (job, _):
        job.writer.write(job.pending[0], made.encoded(made.clips("xyz"), job.pending[0]))
        with monkeypatch.context() as patch:
            patch.setattr(files, "remove", dying)
            with pytest.raises(Killed):
                job.commit()
    assert (work_folder(out) / "plan.json").exists()
    with pytest.raises(StoreError, match="exists: pass --overwrite"):
        convert(source, out)
    assert not work_folder(out).exists()
    convert(source, out, overwrite=True)
    assert len(open_store(out)) == 6
