"""Shards written from anywhere: zarr's bytes, whole files, and nothing after the end."""

import json
import pickle
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.zarr_shard import ShardFormat
from gensr.features.store.zarr_store import ZarrReader, ZarrWriter
from support import synthetic as made
from support.trees import tree

NAMES = "abcdefghij"  # shards of 4, 4 and 2 rows


@pytest.fixture
def rows():
    return made.clips(NAMES)


def work(out):
    return out.with_name(out.name + ".work")


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("value", ["normal", "zero"])
def test_the_bytes_are_those_that_zarr_writes(rows, tmp_path, dtype, value):
    header = made.plan(rows, dtype=dtype).header
    ours, theirs = tmp_path / "ours.zarr", tmp_path / "theirs.zarr"
    writer = ZarrWriter.create(ours, header)
    ZarrWriter.create(theirs, header)
    vectors = np.stack([made.vector(row["audio"]) for row in rows]).astype(dtype)
    vectors *= value != "zero"
    for start in (8, 0, 4):
        writer.write(start, vectors[start : start + 4])
    # A folder of zarr's own, told as ours is to write zeros too.
    array = zarr.open_array(
        LocalStore(theirs / "vectors"), mode="r+", config={"write_empty_chunks": True}
    )
    array[:] = vectors
    assert len(tree(ours)) == 5
    assert tree(ours) == tree(theirs)


def test_a_pickled_writer_works_in_a_process_of_its_own(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made.make(tmp_path / "expected.zarr", rows)
    code = (
        "import pickle, sys\n"
        "writer, shard, encoded = pickle.load(sys.stdin.buffer)\n"
        "writer.write(shard, encoded)"
    )
    (tmp_path / "elsewhere").mkdir()
    with made.started(Path("s.zarr"), rows) as (job, _):  # told relative to this folder
        for shard in reversed(job.pending):
            told = pickle.dumps((job.writer, shard, made.encoded(rows, shard)))
            assert len(told) < 5000
            subprocess.run(
                [sys.executable, "-c", code], input=told, cwd=tmp_path / "elsewhere", check=True
            )
        job.commit()
    assert tree(tmp_path / "s.zarr") == tree(tmp_path / "expected.zarr")
    assert not work(tmp_path / "s.zarr").exists()


def test_nothing_is_committed_before_every_shard_is_finished(rows, out):
    with made.started(out, rows) as (job, _):
        job.writer.write(job.pending[1], made.encoded(rows, job.pending[1]))
        with pytest.raises(StoreError, match="2 shards are not finished, the first of them 0"):
            job.commit()
    with pytest.raises(StoreError, match="not finished"):
        open_store(out)
    with made.started(out, rows) as (job, _):
        assert [shard.index for shard in job.finished] == [1]


def test_a_copy_waits_for_the_shard_it_is_taken_from(rows, out):
    rows = [*rows, made.clip("k.wav", audio="a.wav"), made.clip("l.wav", audio="l.wav")]
    with made.started(out, rows) as (job, _):
        first, second, third = job.pending
        assert (first.after, second.after, third.after) == (frozenset(), frozenset(), {0})
        with pytest.raises(StoreError, match="shard 2 copies rows of shard 0, which is not fin"):
            job.writer.write(third, made.encoded(rows, third))
        for shard in (second, first, third):
            job.writer.write(shard, made.encoded(rows, shard))
        np.testing.assert_array_equal(job.stored([10, 3])[0], made.vector("a.wav"))
        job.commit()
    with open_store(out) as store:
        for row, clip in enumerate(rows):
            np.testing.assert_array_equal(store.vectors([row])[0], made.vector(clip["audio"]))


def zombie(rows, out):
    """A writer and a shard of a run that is then killed."""
    with made.started(out, rows) as (job, _):
        for shard in job.pending[:2]:
            job.writer.write(shard, made.encoded(rows, shard))
        return pickle.loads(pickle.dumps(job.writer)), job.pending[2], job.pending[0]


def test_a_writer_of_an_extraction_that_ended_writes_nothing(rows, out):
    writer, shard, _ = zombie(rows, out)
    made.make(out, rows)
    before = tree(out)
    with pytest.raises(StoreError, match="has ended; nothing was written"):
        writer.write(shard, made.encoded(rows, shard, scale=2))
    assert tree(out) == before
    assert not work(out).exists()


def test_a_writer_of_an_extraction_begun_anew_writes_nothing(rows, out):
    writer, shard, _ = zombie(rows, out)
    with made.started(out, rows, encoder="other", overwrite=True) as (job, _):
        assert len(job.pending) == 3  # nothing of the first run counts
        with pytest.raises(StoreError, match="was begun anew; nothing was written"):
            writer.write(shard, made.encoded(rows, shard))
        assert not list(work(out).rglob("*.partial"))
        with pytest.raises(StoreError, match="3 shards are not finished"):
            job.commit()


@pytest.mark.parametrize("moment", ["data", "marker"])
def test_the_plan_is_looked_up_right_before_each_renaming(rows, out, monkeypatch, moment):
    writer, shard, _ = zombie(rows, out)
    plan = work(out) / "plan.json"
    text = plan.read_text()
    encode, mark = ShardFormat.encode, writer._journal.mark

    def anew():
        plan.write_text(json.dumps({**json.loads(text), "id": "other"}))

    def late_encode(self, vectors):
        anew()
        return encode(self, vectors)

    def late_mark(*args):
        anew()
        mark(*args)

    if moment == "data":
        monkeypatch.setattr(ShardFormat, "encode", late_encode)
    else:
        monkeypatch.setattr(writer._journal, "mark", late_mark)
    with pytest.raises(StoreError, match="begun anew"):
        writer.write(shard, made.encoded(rows, shard))
    data = list(writer.target.glob("vectors/c/2/0/0*"))
    assert len(data) == (moment == "marker")
    assert sorted(path.name for path in (work(out) / "done").iterdir()) == ["0", "1"]


def test_a_marker_of_another_plan_is_not_believed(rows, out):
    *_, first = zombie(rows, out)
    marker = work(out) / "done" / str(first.index)
    marker.write_text(f"{'0' * 64} {marker.read_text().split()[1]}\n")
    with made.started(out, rows) as (job, _):
        assert [shard.index for shard in job.finished] == [1]


def test_equal_plans_have_equal_ids(rows, tmp_path):
    ids = []
    for name, shard_clips in (("a.zarr", 4), ("b.h5", 4), ("c.zarr", 5)):
        with made.started(tmp_path / name, rows, shard_clips=shard_clips) as (job, _):
            ids.append(job.writer.plan_id)
    assert ids[0] == ids[1] != ids[2]


def test_two_writers_of_one_shard_never_leave_half_a_file(rows, tmp_path):
    """A reader meanwhile sees one writer's shard or the other's, whole."""
    out = tmp_path / "s.zarr"
    with made.started(out, rows) as (job, plan):
        shard = job.pending[0]
        both = [made.encoded(rows, shard), made.encoded(rows, shard, scale=2)]
        job.writer.write(shard, both[0])
        writers = [pickle.loads(pickle.dumps(job.writer)) for _ in both]

        def repeat(writer, encoded):
            for _ in range(40):
                writer.write(shard, encoded)

        threads = [
            threading.Thread(target=repeat, args=pair) for pair in zip(writers, both, strict=True)
        ]
        for thread in threads:
            thread.start()
        possible = [np.stack([found[row] for row in range(4)]) for found in both]
        reader, reads = ZarrReader(out), 0
        reader.header = plan.header
        while any(thread.is_alive() for thread in threads):
            seen = reader.read(slice(0, 4), [slice(0, 2)])
            assert any(np.array_equal(seen, one) for one in possible)
            reads += 1
        assert reads > 10
        assert not list(tmp_path.rglob("*.partial"))


def test_what_killed_writers_left_is_removed(rows, out):
    zombie(rows, out)
    target = out if out.suffix == ".zarr" else work(out) / "store.zarr"
    (target / "vectors/c/0/0/0.17-abc.partial").write_bytes(b"half")
    (work(out) / "done/1.17-abc.partial").write_bytes(b"half")
    with made.started(out, rows) as (job, _):
        assert len(job.finished) == 2
        assert not list(out.parent.rglob("*.partial"))


def test_a_lost_folder_is_one_line(rows, tmp_path):
    writer, shard, _ = zombie(rows, tmp_path / "s.zarr")
    shutil.rmtree(tmp_path / "s.zarr/vectors")
    with pytest.raises(StoreError, match=r"s\.zarr cannot be written or read: No such file"):
        writer.write(shard, made.encoded(rows, shard))


def test_the_verification_is_kept_until_something_is_encoded(rows, out):
    told = {"clips": 4, "batches": 2, "error": 1e-7, "bound": 1e-5, "layer": "x1"}
    made.make(out, rows, verification=told)
    with open_store(out) as store:
        assert store.header.verification == told
    copied = [made.clip("moved.wav", audio="a.wav")]
    made.make(out, copied)
    with open_store(out) as store:
        assert store.header.verification == told
    made.make(out, made.clips("z"))
    with open_store(out) as store:
        assert store.header.verification is None
        assert len(store) == 12
    made.make(out, made.clips("y"), verification=told)
    with open_store(out) as store:
        assert store.header.verification == told


def test_the_hash_of_the_tables_is_of_their_content(tmp_path):
    hashes = []
    for name, rows in (
        ("a.zarr", made.clips("ab", speaker="1")),
        ("b.h5", made.clips("ab", speaker="1")),
        ("c.zarr", made.clips("ab", speaker="2")),
        ("d.zarr", made.clips("ab", speaker="1", mood="x")),
    ):
        made.make(tmp_path / name, rows)
        with open_store(tmp_path / name) as store:
            hashes.append(store.header.table_sha256)
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_shards_say_which_files_they_are_of(rows):
    shards = made.plan(rows).shards
    assert shards[2].paths == ("i.wav", "j.wav")
    assert pickle.loads(pickle.dumps(shards[2])) == shards[2] == replace(shards[2])
