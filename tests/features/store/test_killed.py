"""Killed while a whole store takes its place, at any step: no store is lost, none is in the way."""

import errno
import os
import shutil

import pytest

from gensr.features.store import files, open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.job import open_job
from gensr.features.store.journal import Journal
from gensr.features.store.merge import merge
from gensr.features.store.open import work_folder as work
from support import synthetic as made
from support.forking import forking
from support.steps import FLUSHES, NEVER, At, Killed, Steps, every, killed, of_store, refuse, spread
from support.trees import tree

FEW = {"ends": 2, "stride": 43}
MANY = {"ends": 8, "stride": 4}
"""Between the ends, files of one folder are removed: each call begins there at another place."""
AMOUNTS = [
    pytest.param(FEW, id="few"),
    pytest.param(MANY, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
]


@pytest.fixture(scope="module")
def calls():
    with forking("store_works") as calls:
        yield calls


def killed_at(step):
    """Counted from where a store is whole, and about to take its place."""
    return {"kill": step, "since": ["publish"]}


def deaths(attempt, *, offset, ends, stride):
    """Die at steps that are spread over the whole of a call; yield each."""
    count = attempt(NEVER).taken
    assert count > 60  # it has something to die of
    steps = spread(count, ends=ends, stride=stride, offset=offset)
    return every(steps, lambda step: attempt(step).status, least=count)


def put_in_place(old, current):
    for path in (current, work(current), current.with_name(current.name + ".work.done")):
        files.remove(path)
    (shutil.copytree if old.is_dir() else shutil.copy)(old, current)


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize(("name", "offset"), [("convert", 0), ("merge", 1)])
def test_a_rewrite_loses_neither_store(tmp_path, calls, name, offset, amount):
    """Whatever calls next: here one that is refused, since a store is there."""
    a, b = (made.make(tmp_path / f"{rows}.h5", made.clips(rows)) for rows in ("abcdef", "ghi"))
    old = made.make(tmp_path / "old.zarr", made.clips("xyz"))
    out, new = tmp_path / "s.zarr", tmp_path / "new.zarr"
    again = {
        "convert": lambda target, **options: convert(a, target, **options),
        "merge": lambda target, **options: merge([a, b], target, **options),
    }[name]
    again(new)
    sources = a if name == "convert" else [str(a), str(b)]

    def attempt(step):
        put_in_place(old, out)
        return calls.call(name, sources, out, how=killed_at(step))

    for step in deaths(attempt, offset=offset, **amount):
        if not out.exists():  # between two renames
            with pytest.raises(StoreError, match="not finished"):
                open_store(out)
        with pytest.raises(StoreError, match="exists: pass --overwrite"):
            again(out)
        assert tree(out) == tree(new if step else old)
        assert not work(out).exists()
        again(out, overwrite=True)
        assert tree(out) == tree(new)
    assert tree(out) == tree(new)


@pytest.mark.parametrize("amount", AMOUNTS)
def test_what_was_published_is_not_in_the_way(out, tmp_path, calls, amount):
    """Killed while an addition takes its place, or is forgotten; then other clips are added."""
    old = made.make(out.with_stem("old"), made.clips("abcde"))

    def attempt(step):
        put_in_place(old, out)
        return calls.call("make", out, "fghijk", how=killed_at(step))

    for step in deaths(attempt, offset=3 if out.suffix == ".h5" else 2, **amount):
        if not step:  # it had not been decided yet: the same call goes on
            made.make(out, made.clips("fghijk"))
        made.make(out, made.clips("lm"))
        with open_store(out) as store:
            assert store.table["path"].tolist() == [f"{name}.wav" for name in "abcdefghijklm"]
            for row, name in enumerate("abcdefghijklm"):
                assert (store.vectors([row])[0] == made.vector(f"{name}.wav")).all()
        assert not work(out).exists()


def test_a_file_at_a_url_is_not_made_of_half_a_store(memory, tmp_path):
    """Killed after the upload, while what it was made from goes object by object."""
    rows = made.clips("abcdefghij")
    expected = made.make(tmp_path / "whole.h5", rows).read_bytes()

    def published(step):
        return any(name.endswith(".work/publish") for name in memory())

    for step in range(20):
        url = f"memory://some/where/{step}.h5"
        try:
            with made.started(url, rows) as (job, _):
                for shard in job.pending:
                    job.writer.write(shard, made.encoded(rows, shard))
                with Steps(of_store("remove"), At(step, killed, since=published)):
                    job.commit()
        except Killed:
            pass
        else:
            assert step > 3
            break
        with open_job(url, overwrite=False) as job:
            assert job.base is not None
        assert memory()[f"/some/where/{step}.h5"] == expected
        assert not [name for name in memory() if ".work" in name]


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize("end", [interrupt, refuse(errno.ENOSPC)], ids=["Ctrl-C", "full disk"])
@pytest.mark.parametrize("refused", ["old.zarr", "s.zarr", "s.zarr.work.done"])
def test_a_rewrite_that_breaks_off(tmp_path, refused, end):
    """An exception, after which the lock is given back in order, and the folder cleared."""
    source = made.make(tmp_path / "a.h5", made.clips("abcdef"))
    out = made.make(tmp_path / "s.zarr", made.clips("xyz"))
    convert(source, tmp_path / "new.zarr")
    with Steps(of_store("move"), At(0, end, counts=lambda step: step.arguments[1].name == refused)):
        try:
            convert(source, out, overwrite=True)
        except (KeyboardInterrupt, StoreError):
            pass
        else:  # all was done by then
            assert refused == "s.zarr.work.done"
            assert end is not interrupt
    with open_job(out, overwrite=False):
        pass
    assert tree(out) == tree(tmp_path / "new.zarr")
    assert not work(out).exists()


def test_a_store_lasts_before_it_takes_its_place(tmp_path):
    """Every file is flushed before the renaming: a power cut leaves none of them empty."""
    out, rows = tmp_path / "s.zarr", made.clips("abcdef")
    flushed, seen = set(), []

    def before(step):
        if step.function == "fsync":
            flushed.add(os.fstat(step.arguments[0]).st_ino)
        elif step.arguments[1] == out:
            seen.append({path.stat().st_ino for path in step.arguments[0].rglob("*")})
            assert seen[-1] <= flushed

    with Steps((*FLUSHES, *of_store("move")), before):
        made.make(out, rows)
        made.make(out, made.clips("gh"))
        convert(made.make(tmp_path / "a.h5", rows), out, overwrite=True)
    assert len(seen) == 3
    assert min(map(len, seen)) > 1


@pytest.mark.parametrize("name", ["s.zarr.work", "s.zarr.work.done"])
def test_folders_of_others_are_not_removed(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "thesis.txt").write_text("years")
    with pytest.raises(StoreError, match=f"{name} is in the way, and not gensr's: move it"):
        made.make(tmp_path / "s.zarr", made.clips("abc"))
    assert (folder / "thesis.txt").read_text() == "years"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_what_a_kill_leaves_aside_is_removed(tmp_path):
    """Killed within the removal, wherever: what is left still says whose it is."""
    out = made.make(tmp_path / "s.zarr", made.clips("abc"))
    aside = tmp_path / "s.zarr.work.done"
    for name in ("done", "survey.jsonl", "publish"):
        (aside / name).mkdir(parents=True)
    (aside / "lock").touch()
    for removed in range(3):
        with (
            Steps(of_store("remove"), At(removed, interrupt)),
            pytest.raises(KeyboardInterrupt),
            Journal(out).locked(),
        ):
            pass
        assert (aside / "lock").exists()
    made.make(out, made.clips("d"))
    assert not aside.exists()


@pytest.mark.parametrize("damage", [b"", b'{"id": "x"', b"[]", b'{"id": "x"}', b"\xff\xfe"])
def test_a_damaged_plan_is_one_line(tmp_path, damage):
    out, rows = tmp_path / "s.zarr", made.clips("abcdef")
    made.make(tmp_path / "expected.zarr", rows)
    with made.started(out, rows):
        pass
    (work(out) / "plan.json").write_bytes(damage)
    with pytest.raises(StoreError, match=r"plan\.json is damaged: begin anew by --overwrite, or r"):
        made.make(out, rows)
    with pytest.raises(StoreError, match=r"or remove \S+\.work, then call again"):
        convert(tmp_path / "expected.zarr", out)
    shutil.copytree(work(out), tmp_path / "kept")
    made.make(out, rows, overwrite=True)
    assert tree(out) == tree(tmp_path / "expected.zarr")
    shutil.copytree(tmp_path / "kept", work(out))
    convert(tmp_path / "expected.zarr", out, overwrite=True)
    assert tree(out) == tree(tmp_path / "expected.zarr")
    assert not work(out).exists()
