"""The states that a killed writer leaves, told by the files alone, and the one way out of them."""

import shutil

import pytest

from gensr.features.store import files, open_store
from gensr.features.store.commit import State, recover, state
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.journal import Journal
from gensr.features.store.open import work_folder
from support import synthetic as made
from support.steps import DIED, At, Killed, Steps, killed, of_store, status_of

STEPS = ("write_atomic", "move", "remove", "sync")
STRIDES = [17, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
IN_PLACE = [State.IDLE, State.PLANNED, State.COMMITTED]
EXCHANGED = [State.IDLE, State.PLANNED, State.PUBLISHING, State.PUBLISHED]
REWRITTEN = [State.IDLE, State.PUBLISHING, State.PUBLISHED]


def killed_at(step, call):
    """Whether a call died before its step of that number."""
    with Steps(of_store(*STEPS), At(step, killed)):
        return status_of(call) == DIED


def check_states(out, old, call, states, stride):
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
def test_a_fresh_extraction(out, stride):
    states = IN_PLACE if out.suffix == ".zarr" else EXCHANGED
    check_states(out, None, lambda: made.make(out, made.clips("abcdef")), states, stride)


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_addition_and_a_replacement(tmp_path, overwrite, stride):
    old, out = made.make(tmp_path / "old.zarr", made.clips("abc")), tmp_path / "s.zarr"
    rows = made.clips("abcdef" if overwrite else "def")
    check_states(
        out,
        old,
        lambda: made.make(out, rows, overwrite=overwrite),
        EXCHANGED,
        stride,
    )


@pytest.mark.parametrize("stride", STRIDES)
def test_a_rewrite(tmp_path, stride):
    source = made.make(tmp_path / "source.h5", made.clips("abcdef"))
    old, out = made.make(tmp_path / "old.zarr", made.clips("xyz")), tmp_path / "s.zarr"
    check_states(out, old, lambda: convert(source, out, overwrite=True), REWRITTEN, stride)


def test_a_finished_store_under_a_plan_is_in_nobodys_way(tmp_path):
    """Killed when its header was in its place: a rewrite finds a store, and not an extraction."""
    source = made.make(tmp_path / "source.h5", made.clips("abcdef"))
    out = tmp_path / "s.zarr"
    last = At(0, killed, counts=lambda step: step.path.endswith("plan.json") and open_store(out))
    with made.started(out, made.clips("xyz")) as (job, _):
        job.writer.write(job.pending[0], made.encoded(made.clips("xyz"), job.pending[0]))
        with Steps(of_store("remove"), last), pytest.raises(Killed):
            job.commit()
    assert (work_folder(out) / "plan.json").exists()
    with pytest.raises(StoreError, match="exists: pass --overwrite"):
        convert(source, out)
    assert not work_folder(out).exists()
    convert(source, out, overwrite=True)
    assert len(open_store(out)) == 6
