"""A power cut at any step: the same call goes on, what stood there stands, no data are others."""

import itertools
import shutil

import pytest

from gensr.features.store import files, open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.job import open_job
from gensr.features.store.merge import merge
from gensr.features.store.open import work_folder
from gensr.features.store.verify import verify
from support import synthetic as made
from support.forking import forking
from support.steps import PowerCut, every
from support.trees import tree

MANY = pytest.param(7, marks=pytest.mark.slow)
"""Steps between two cuts; 7 and the three ways to be torn have no common part."""


@pytest.fixture(scope="module")
def calls():
    with forking("store_works") as calls:
        yield calls


def cut_steps(stride, attempt):
    """Cut at every `stride`th step, in one way after the other, until a call gets through."""
    ways = itertools.cycle(PowerCut.TEARS)
    return every(
        itertools.count(stride // 2, stride), lambda step: attempt(step, next(ways)), least=10
    )


def cut(step, tear, folder):
    return {"cut": step, "tear": tear, "folder": folder}


def go_on(out, names, count):
    """Make the same call again: it does nothing where the store already is as it is to be."""
    with open_job(out, overwrite=False) as job:
        whole = job.base is not None and len(job.base) == count
        if whole:
            job.drop()
    if not whole:
        made.make(out, made.clips(names))


def fresh(folder, *stores):
    """Make the folder anew, with copies of these stores in it."""
    files.remove(folder)
    folder.mkdir()
    for store in stores:
        (shutil.copytree if store.is_dir() else shutil.copy)(store, folder / store.name)


@pytest.mark.parametrize("stride", [41, MANY])
def test_a_first_extraction(out, tmp_path, calls, stride):
    expected = tree(made.make(out.with_stem("expected"), made.clips("abcdef")))
    folder = tmp_path / "disk"
    out = folder / out.name

    def attempt(step, tear):
        fresh(folder)
        return calls.call("make", out, "abcdef", how=cut(step, tear, folder)).status

    for _ in cut_steps(stride, attempt):
        go_on(out, "abcdef", 6)
        assert tree(out) == expected
        assert [path.name for path in folder.iterdir()] == [out.name]


@pytest.mark.parametrize("stride", [67, MANY])
def test_an_addition(out, tmp_path, calls, stride):
    """The old store can be read after each cut, but between two renames; the same call goes on."""
    made.make(out, made.clips("abcde"))
    folder, old = tmp_path / "disk", out
    out = folder / out.name

    def attempt(step, tear):
        fresh(folder, old)
        return calls.call("make", out, "fgh", how=cut(step, tear, folder)).status

    for _ in cut_steps(stride, attempt):
        try:
            assert len(open_store(out)) in (5, 8)
        except StoreError as error:
            assert "is not finished" in str(error)  # noqa: PT017  either may be
        go_on(out, "fgh", 8)
        assert verify(out).faults == ()
        with open_store(out) as store:
            assert store.table["path"].tolist() == [f"{name}.wav" for name in "abcdefgh"]
            for row, name in enumerate("abcdefgh"):
                assert (store.vectors([row])[0] == made.vector(f"{name}.wav")).all()
        assert [path.name for path in folder.iterdir()] == [out.name]


@pytest.mark.parametrize("stride", [71, MANY])
@pytest.mark.parametrize("name", ["convert", pytest.param("merge", marks=pytest.mark.slow)])
def test_a_rewrite(out, tmp_path, calls, name, stride):
    a, b = (made.make(tmp_path / f"{rows}.h5", made.clips(rows)) for rows in ("abcdef", "ghi"))
    again = {
        "convert": lambda target: convert(a, target, overwrite=True),
        "merge": lambda target: merge([a, b], target, overwrite=True),
    }[name]
    again(out.with_stem("expected"))
    expected = tree(out.with_stem("expected"))
    old = made.make(out, made.clips("xyz"))
    folder = tmp_path / "disk"
    out = folder / out.name

    def attempt(step, tear):
        fresh(folder, old)
        sources = a if name == "convert" else [str(a), str(b)]
        return calls.call(name, sources, out, how=cut(step, tear, folder)).status

    for _ in cut_steps(stride, attempt):
        again(out)
        assert tree(out) == expected
        assert [path.name for path in folder.iterdir()] == [out.name]


@pytest.mark.parametrize("left", [b"", b"\0" * 300, b'{"attributes": {"ge'])
def test_a_lost_header_is_an_unfinished_store(tmp_path, left):
    """As an earlier gensr could leave it: with its work folder it is gone on from."""
    out, rows = tmp_path / "s.zarr", made.clips("abcdef")
    expected = tree(made.make(tmp_path / "expected.zarr", rows))
    for lost in (["zarr.json"], ["zarr.json", "vectors/zarr.json"]):
        with made.started(out, rows) as (job, plan):
            job.writer.write(plan.shards[0], made.encoded(rows, plan.shards[0]))
        for name in lost:
            (out / name).write_bytes(left)
        with pytest.raises(StoreError, match="not finished: its header is empty or torn"):
            open_store(out)
        with made.started(out, rows) as (job, plan):
            assert [shard.index for shard in job.finished] == [0]
            job.writer.write(plan.shards[1], made.encoded(rows, plan.shards[1]))
            job.commit()
        assert tree(out) == expected
        files.remove(out)


@pytest.mark.parametrize("left", [b"", b"\0" * 300])
def test_a_lost_header_without_a_plan(out, tmp_path, left):
    """It may be all that is left of a finished store: only --overwrite gives it up."""
    rows = made.clips("abcdef")
    expected = tree(made.make(out, rows))
    header = out / "zarr.json" if out.is_dir() else out
    header.write_bytes(left)
    found = tree(out)
    for attempt in (
        lambda: made.make(out, rows),
        lambda: convert(made.make(tmp_path / "b.zarr", rows), out),
    ):
        with pytest.raises(StoreError, match=r"replace it by --overwrite|pass --overwrite"):
            attempt()
        assert tree(out) == found
    made.make(out, rows, overwrite=True)
    assert tree(out) == expected
    header.write_bytes(left)
    convert(tmp_path / "b.zarr", out, overwrite=True)
    assert tree(out) == expected


@pytest.mark.parametrize("left", [b"", b"\0" * 70, b"half"])
def test_lost_files_of_the_work_folder(out, left):
    rows = made.clips("abcdef")
    expected = tree(made.make(out.with_stem("expected"), rows))
    with made.started(out, rows) as (job, plan):
        job.writer.write(plan.shards[0], made.encoded(rows, plan.shards[0]))
        work = work_folder(out)
    (work / "done/0").write_bytes(left)
    (work / "survey.jsonl").write_bytes(left)
    with made.started(out, rows) as (job, plan):
        assert len(job.pending) == 2
    (work / "plan.json").write_bytes(left)
    with pytest.raises(StoreError, match=r"plan\.json is damaged: begin anew by --overwrite"):
        made.make(out, rows)
    made.make(out, rows, overwrite=True)
    assert tree(out) == expected
    assert not work.exists()


def test_a_file_of_someone_else_is_no_torn_store(tmp_path):
    for name, text in (("s.zarr", "{}"), ("s.zarr", ""), ("t.h5", "thesis")):
        place = tmp_path / name
        files.remove(place)
        if name == "s.zarr":
            place.mkdir()
            (place / "vectors").mkdir()
            (place / "vectors/zarr.json").write_text('{"dimension_names": ["x"]}')
            (place / "zarr.json").write_text(text)
        else:
            place.write_text(text)
        with pytest.raises(StoreError, match="Nothing is replaced: move it"):
            made.make(place, made.clips("abc"), overwrite=True)
