"""SIGKILL while tables, header and HDF5 are written, and while the store takes its place."""

import random
import re
import shutil
import signal

import pytest

from gensr.features.store import files, open_store
from gensr.features.store.container import read_header
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.open import work_folder
from support import synthetic as made
from support.forking import forking
from support.trees import tree

CLIPS = 60
_LONGEST = 0.002
"""A step takes about half of this, s: most kills land in it, and not at its end."""
FEW = [1, pytest.param(8, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def calls():
    with forking("store_works") as calls:
        yield calls


@pytest.fixture
def half(out):
    """A store whose shards are all finished, and nothing more: its folder, and its work folder."""
    rows = made.clips(f"{number:03}" for number in range(CLIPS))
    made.make(out.with_stem("expected"), rows)
    with made.started(out, rows) as (job, _):
        for shard in job.pending:
            job.writer.write(shard, made.encoded(rows, shard))
    found = [path for path in (out, work_folder(out)) if path.exists()]
    return [shutil.copytree(path, path.with_name(f"half-{path.name}")) for path in found]


def chosen(steps, parts, rng):
    """Choose one step at random from each of some equal parts of those given, at most all."""
    parts = min(parts, len(steps))
    return [rng.choice(steps[i * len(steps) // parts : (i + 1) * len(steps) // parts])
            for i in range(parts)]  # fmt: skip


def sort_steps(steps):
    """Return the numbers of the steps, by what they are part of.

    A call that is killed after it went on from a step comes to the next one at most, where it
    waits: whatever the machine is busy with, the kill lands between the two.
    """
    (header,) = (
        number
        for number, step in enumerate(steps)
        if re.fullmatch(r"write_atomic .*\.zarr/zarr\.json", step)
    )
    (tables,) = (n for n, step in enumerate(steps) if re.fullmatch(r"remove .*\.zarr/failed", step))
    hdf5 = [number for number, step in enumerate(steps) if step == "advance"]
    return {
        "tables": list(range(tables, header)),  # the other table is written by then
        "header": [header],
        "hdf5": hdf5,
        "ends": list(range(max([header, *hdf5]) + 1, len(steps))),
    }


def landed(out, kind):
    """Show by what lies there that a kill has hit what it was to hit."""
    work = work_folder(out)
    written = out if out.suffix == ".zarr" else work / "store.zarr"
    if kind == "tables":
        assert (work / "plan.json").exists()
        assert len(list((work / "done").iterdir())) == CLIPS // 4
        assert (written / "clips").exists()
        assert not (work / "publish").exists()
        assert read_header(written).clips == 0
    elif kind == "header":
        assert (work / "plan.json").exists()
        assert read_header(written).clips in (0, CLIPS)  # written whole, or not yet
    elif kind == "hdf5":
        assert (work / "publish").exists()
        assert (work / "store.h5").exists()
        assert read_header(written).clips == CLIPS
    if kind in ("tables", "hdf5"):
        with pytest.raises(StoreError, match="not finished"):
            open_store(out)


@pytest.mark.parametrize("kills", FEW)
def test_killed_in_the_commit(calls, half, out, kills):
    """Whatever was being written: the same call goes on, encodes nothing, and is byte-equal."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    expected = tree(out.with_stem("expected"))

    def put_back():
        for path in (out, work_folder(out), work_folder(out).with_suffix(".work.done")):
            files.remove(path)
        for path in half:
            shutil.copytree(path, path.with_name(path.name.removeprefix("half-")))

    put_back()
    whole = calls.call("finish", out, CLIPS)
    assert whole.status == 0
    assert tree(out) == expected
    kinds = sort_steps(whole.steps)
    assert bool(kinds["hdf5"]) == (out.suffix == ".h5")
    for kind in [kind for kind, numbers in kinds.items() if numbers]:
        for number in chosen(kinds[kind], kills, rng):
            put_back()
            pause = rng.uniform(0, _LONGEST)
            pid = calls.begin("finish", out, CLIPS)
            status = calls.end(
                lambda n, _, at=number, pause=pause: pause if n == at else None, pid
            ).status
            assert status == -signal.SIGKILL or (kind == "ends" and status == 0), (kind, number)
            landed(out, kind)
            assert calls.call("finish", out, CLIPS).status == 0
            assert tree(out) == expected, (kind, whole.steps[number])
            assert not work_folder(out).exists()


@pytest.mark.parametrize("kills", FEW)
@pytest.mark.parametrize("replaced", [False, True])
def test_a_conversion_that_is_killed_leaves_no_half_file(calls, tmp_path, kills, replaced):
    """What stood there stands, or nothing does."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    source = made.make(tmp_path / "a.zarr", made.clips(f"{number:03}" for number in range(CLIPS)))
    target = tmp_path / "t.h5"
    convert(source, tmp_path / "expected.h5")
    expected = (tmp_path / "expected.h5").read_bytes()
    old = made.make(tmp_path / "old.h5", made.clips("xyz")).read_bytes()
    for number in chosen(range(CLIPS // 4), kills, rng):
        files.remove(target)
        if replaced:
            target.write_bytes(old)
        count, pause = iter(range(CLIPS)), rng.uniform(0, _LONGEST)

        def kill(_, step, at=number, count=count, pause=pause):
            return pause if step == "advance" and next(count) == at else None

        pid = calls.begin("convert stepwise", source, target)
        assert calls.end(kill, pid).status == -signal.SIGKILL
        assert (work_folder(target) / "store.h5").stat().st_size > 0
        if replaced:
            assert target.read_bytes() == old
        else:
            assert not target.exists()
            with pytest.raises(StoreError, match="not finished"):
                open_store(target)
        convert(source, target, overwrite=replaced)
        assert target.read_bytes() == expected
        assert not work_folder(target).exists()
