"""Interrupted anywhere, resumed, and byte for byte what an uninterrupted run writes."""

import errno
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gensr.features.store import files, open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.zarr_store import ZarrWriter
from support import stub
from support.steps import At, Killed, Steps, every, killed, of, of_store, refuse, status_of
from support.trees import tree

STUB = stub.__file__


@pytest.fixture
def expected(run, out):
    """What an uninterrupted run writes."""
    run(out.with_stem("uninterrupted"))
    return tree(out.with_stem("uninterrupted"))


@pytest.mark.parametrize("batch", [0, 6])
def test_an_encoder_that_breaks(run, out, expected, batch):
    with pytest.raises(RuntimeError, match="broke"):
        run(out, stub.StubEncoder(fail_at=batch))
    with pytest.raises(StoreError, match=rf"{out.name} is not finished.*again resumes it"):
        open_store(out)
    encoder = stub.StubEncoder()
    report = run(out, encoder)
    assert report.encoded == encoder.clips == 20 - report.skipped
    assert report.skipped % 4 == 0
    assert report.skipped > 0 or batch == 0
    assert tree(out) == expected
    assert not out.with_name(out.name + ".work").exists()


def every_step(first, stride, attempt):
    """Die at every so many of a run's flushes, until one gets through."""

    def ended(step):
        with Steps(of_store("sync"), At(step, killed)):
            return status_of(attempt)

    return every(itertools.count(first, stride), ended, least=first)


@pytest.mark.parametrize("stride", [41, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_between_any_two_steps(run, tmp_path, out, expected, stride):
    outs = (tmp_path / f"{number}{out.suffix}" for number in range(1000))
    current = [next(outs)]
    first = 5 if out.suffix == ".h5" else 3  # each of the containers at steps of its own
    for _ in every_step(first, stride, lambda: run(current[0])):
        run(current[0])
        assert tree(current[0]) == expected
        assert not current[0].with_name(current[0].name + ".work").exists()
        current[0] = next(outs)


@pytest.mark.parametrize("stride", [61, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_while_adding(run, tmp_path, out, corpus, stride):
    """The old store stands until the new one does; both hold what they say."""
    more = tmp_path / "more"
    stub.write_clip(more / "calm/1.wav", seed=70)
    stub.write_clip(more / "calm/2.wav", seed=71)

    run(out)

    def fresh(number):
        path = tmp_path / f"{number}{out.suffix}"
        return Path((shutil.copytree if out.is_dir() else shutil.copy)(out, path))

    whole = fresh("whole")
    old = tree(whole)
    run(whole, root=more)
    new = tree(whole)
    current = [fresh(0)]
    first = 4 if out.suffix == ".h5" else 2
    for step in every_step(first, stride, lambda: run(current[0], root=more)):
        if current[0].exists():
            assert tree(current[0]) in (old, new)
        else:  # between two renames
            with pytest.raises(StoreError, match="not finished"):
                open_store(current[0])
        run(current[0], root=more)
        assert tree(current[0]) == new
        current[0] = fresh(step)


@pytest.mark.parametrize("killed_before", ["old.zarr", "s.zarr", "s.zarr.work.done"])
def test_killed_in_the_exchange(run, tmp_path, corpus, killed_before):
    """Each rename that puts a longer store in the place of a shorter one."""
    out = tmp_path / "s.zarr"
    run(out)
    stub.write_clip(corpus / "sad/z.wav", seed=80)
    shutil.copytree(out, tmp_path / "expected.zarr")
    run(tmp_path / "expected.zarr")
    replaces = At(0, killed, since=lambda step: step.arguments[1].name == killed_before)
    with Steps(of_store("move"), replaces), pytest.raises(Killed):
        run(out)
    if killed_before == "s.zarr":
        with pytest.raises(StoreError, match="not finished"):
            open_store(out)
    encoder = stub.StubEncoder()
    report = run(out, encoder)
    assert (encoder.clips, report.skipped) == (0, 21)
    assert tree(out) == tree(tmp_path / "expected.zarr")
    assert not (tmp_path / "s.zarr.work").exists()


def interrupt(run, out, batch=5, **config):
    """Break an extraction off; return which shards are finished."""
    with pytest.raises(RuntimeError, match="broke"):
        run(out, stub.StubEncoder(fail_at=batch), **config)
    return {int(path.name) for path in (out.parent / f"{out.name}.work/done").iterdir()}


def test_other_settings_do_not_resume(run, out, expected):
    interrupt(run, out, shard_clips=5)
    with pytest.raises(StoreError, match=r"half done .*shard_clips: 5 there, 4 here.*--overwrite"):
        run(out)
    with pytest.raises(StoreError, match=r"encoder\.revision: 'r1' there, 'r2' here"):
        run(out, stub.StubEncoder(revision="r2"), shard_clips=5)
    run(out, overwrite=True)
    assert tree(out) == expected


def appears_at_the_end(corpus):
    for number in range(5):
        stub.write_clip(corpus / f"sad/new{number}.wav", seed=500 + number)


def vanishes_at_the_end(corpus):
    for path in sorted(corpus.rglob("*.wav"))[-5:]:
        path.unlink()


def changes_in_the_middle(corpus):
    stub.write_clip(sorted(corpus.rglob("*.wav"))[5], seed=500, seconds=0.3)


def vanishes_in_the_middle(corpus):
    sorted(corpus.rglob("*.wav"))[5].unlink()


@pytest.mark.parametrize(
    ("happens", "same"),
    [
        (appears_at_the_end, {0, 1, 2, 3, 4}),
        (vanishes_at_the_end, {0, 1, 2}),
        (changes_in_the_middle, {0, 2, 3, 4}),
        (vanishes_in_the_middle, {0}),  # every later row is another
    ],
)
def test_shards_that_are_the_same_are_kept(run, out, corpus, happens, same):
    """A file that changes while a run is broken off costs its own shard, and those that shift."""
    done = interrupt(run, out, batch=14)
    assert {0, 1, 2} <= done
    happens(corpus)
    run(out.with_stem("whole"))
    report = run(out)
    assert report.skipped == 4 * len(done & same)
    assert tree(out) == tree(out.with_stem("whole"))


def test_a_copy_is_made_again_with_its_source(run, out, corpus):
    """The source's vectors may be others, in the last bits, in another batch."""
    files = sorted(corpus.rglob("*.wav"))
    shutil.copy(files[1], files[9])
    done = interrupt(run, out, batch=10)
    assert {0, 1, 2} <= done
    stub.write_clip(files[2], seed=500, seconds=0.3)
    run(out.with_stem("whole"))
    assert run(out).skipped == 4 * len(done - {0, 2})
    assert tree(out) == tree(out.with_stem("whole"))


def test_a_file_that_was_renamed_in_its_place_costs_nothing(run, out, corpus):
    """Vectors do not depend on paths, as long as the rows stay."""
    done = interrupt(run, out, batch=14)
    assert {0, 1, 2} <= done
    renamed = corpus / "angry/000-again.wav"
    (corpus / "angry/000.wav").rename(renamed)
    run(out.with_stem("whole"))
    assert run(out).skipped == 4 * len(done)
    assert tree(out) == tree(out.with_stem("whole"))
    with open_store(out) as store:
        assert store.table["path"][0] == "angry/000-again.wav"


def test_a_file_that_was_renamed_to_another_row_costs_the_rows_between(run, out, corpus):
    done = interrupt(run, out, batch=14)
    assert {0, 1, 2} <= done
    files = sorted(corpus.rglob("*.wav"))
    files[5].rename(files[10].with_stem(f"{files[10].stem}-b"))  # from shard 1 to shard 2
    run(out.with_stem("whole"))
    assert run(out).skipped == 4 * len(done - {1, 2})
    assert tree(out) == tree(out.with_stem("whole"))


@pytest.mark.parametrize("stride", [11, pytest.param(3, marks=pytest.mark.slow)])
def test_killed_while_shards_are_kept(run, tmp_path, corpus, stride):
    out = tmp_path / "s.zarr"
    interrupt(run, out)
    shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-half"))
    half = tmp_path.with_name(f"{tmp_path.name}-half")
    vanishes_at_the_end(corpus)
    run(tmp_path / "whole.zarr")
    for _ in every_step(0, stride, lambda: run(out)):
        assert run(out).clips == 15
        assert tree(out) == tree(tmp_path / "whole.zarr")
        for name in ("s.zarr", "s.zarr.work"):
            files.remove(tmp_path / name)
            shutil.copytree(half / name, tmp_path / name)


def test_other_clips_do_not_resume(run, tmp_path, corpus):
    """Nothing that is finished could be kept, so it is not thrown away unasked."""
    out = tmp_path / "s.zarr"
    interrupt(run, out)
    stub.write_clip(corpus / "angry/00.wav", seed=500)  # the first of all
    with pytest.raises(StoreError, match=r"other clips \(20 then, 21 now"):
        run(out)
    (corpus / "angry/00.wav").unlink()
    assert run(out).skipped > 0


def test_an_interrupted_overwrite_resumes_as_one(run, out):
    run(out)
    changed = stub.StubEncoder(revision="r2", fail_at=5)
    with pytest.raises(RuntimeError, match="broke"):
        run(out, changed, overwrite=True)
    with open_store(out) as store:  # the old one stands
        assert store.attributes["encoder"]["revision"] == "r1"
    with pytest.raises(StoreError, match="--overwrite there, not here"):
        run(out)
    report = run(out, stub.StubEncoder(revision="r2"), overwrite=True)
    assert report.skipped > 0
    with open_store(out) as store:
        assert store.attributes["encoder"]["revision"] == "r2"


def test_a_finished_shard_that_was_damaged_is_made_again(run, tmp_path):
    out = tmp_path / "s.zarr"
    run(tmp_path / "expected.zarr")
    interrupt(run, out)
    shards = sorted((out / "vectors/c").glob("*/0/0"))
    shards[0].write_bytes(shards[0].read_bytes()[:-1] + b"?")
    (shards[0].parent / "0.abc.partial").write_bytes(b"half")  # a writer's, killed in between
    done = len(list((tmp_path / "s.zarr.work/done").iterdir()))
    assert run(out).skipped == 4 * (done - 1)
    assert tree(out) == tree(tmp_path / "expected.zarr")


def test_a_survey_is_not_repeated(run, tmp_path, monkeypatch):
    interrupt(run, tmp_path / "s.zarr")

    def by_heart(paths, known):
        for path in paths:
            sha = hashlib.sha256(path.read_bytes()).hexdigest()
            yield sha, known[sha]

    monkeypatch.setattr("gensr.pipeline.extraction.local.hear_in_children", by_heart)
    assert run(tmp_path / "s.zarr").clips == 20


def test_a_full_disk_is_one_line_and_the_finished_part_is_kept(run, out, expected):
    full = At(0, refuse(errno.ENOSPC), counts=lambda step: step.arguments[1] == 12)
    with (
        Steps(of(ZarrWriter, "write"), full),
        pytest.raises(StoreError, match=r"No space left on device; what was finished") as told,
    ):
        run(out)
    assert "\n" not in str(told.value)
    assert run(out).skipped >= 12
    assert tree(out) == expected


def test_a_limit_of_the_system_is_one_line(corpus, tmp_path):
    code = (
        "import resource, runpy, sys; from gensr.features.store.errors import StoreError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except StoreError as error: print(error)"
    )
    script = f"import sys; sys.argv = sys.argv[1:]; exec({code!r})"
    command = [sys.executable, "-c", script, STUB, str(corpus), str(tmp_path / "s.zarr")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "s.zarr cannot be written or read: File too large" in result.stdout
    assert result.stdout.count("\n") == 1


def test_places_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"s\.zarr cannot be written or read: (Not a dir|File ex)"):
        run(tmp_path / "file/s.zarr")
    with pytest.raises(StoreError, match=r"ends in one of \.zarr, \.h5, \.hdf5"):
        run(tmp_path / "s.npz")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(run, tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    with pytest.raises(StoreError, match="Permission denied"):
        run(folder / "s.zarr")


def test_batches_and_shards_do_not_change_the_vectors(run, tmp_path):
    stores = []
    for number, config in enumerate(({}, {"shard_clips": 100, "batch_seconds": 100.0})):
        run(tmp_path / f"{number}.zarr", **config)
        with open_store(tmp_path / f"{number}.zarr") as store:
            stores.append(store.vectors())
    np.testing.assert_array_equal(*(vectors[:, 1:] for vectors in stores))
    # The oracle of all tests that compare bytes: the stub tells batches apart.
    assert (stores[0][:, 0] != stores[1][:, 0]).any(axis=1).all()


def test_a_commit_that_was_killed_leaves_no_columns(run, out, corpus, monkeypatch):
    """Resumed after the corpus was labelled otherwise: the store has the new columns alone."""

    def label(column):
        files = sorted(path.relative_to(corpus).as_posix() for path in corpus.rglob("*.wav"))
        rows = [f"file,emotion,{column}", *(f"{name},sad,1" for name in files)]
        (corpus / "manifest.csv").write_text("\n".join(rows))

    label("new")
    run(out.with_stem("expected"))
    label("old")
    with monkeypatch.context() as patch:
        patch.setattr("gensr.features.store.zarr_store.check_written", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(out)
    label("new")
    assert run(out).skipped == 20
    assert tree(out) == tree(out.with_stem("expected"))
