"""A second extraction into a store: new, moved, changed and relabelled clips."""

import csv

import numpy as np
import pytest

from gensr.features.hearing.decode import read_audio
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from support import stub
from support.trees import tree


@pytest.fixture
def out_zarr(tmp_path):
    return tmp_path / "s.zarr"


def expect_own_vectors(path, root, missing=()):
    """Every row holds what its own audio gives."""
    with open_store(path) as store:
        vectors = store.vectors()
        for row, clip in enumerate(store.table["path"].tolist()):
            if clip not in missing:
                wave = read_audio(root / clip)
                assert store.table["audio_sha256"][row] == wave.sha256
                expected = stub.StubEncoder().expected(wave.samples)
                np.testing.assert_array_equal(vectors[row, 1:], expected[1:])


def paths(out):
    with open_store(out) as store:
        return store.table["path"].tolist()


def test_the_same_call_again_does_nothing(run, out):
    run(out)
    before = tree(out)
    encoder = stub.StubEncoder()
    report = run(out, encoder)
    assert (encoder.batches, report.encoded, report.skipped, report.clips) == ([], 0, 20, 20)
    assert tree(out) == before
    assert not out.with_name(out.name + ".work").exists()


def test_new_clips_are_appended_in_path_order(run, out, corpus):
    run(out)
    before = paths(out)
    for number, name in enumerate(("zoo/1.wav", "angry/0.wav", "sad/x.wav")):
        stub.write_clip(corpus / name, seed=100 + number)
    encoder = stub.StubEncoder()
    report = run(out, encoder)
    assert (encoder.clips, report.encoded, report.skipped) == (3, 3, 20)
    assert paths(out) == [*before, "angry/0.wav", "sad/x.wav", "zoo/1.wav"]
    expect_own_vectors(out, corpus)


def test_only_the_shards_that_change_are_written(run, tmp_path, corpus):
    out = tmp_path / "s.zarr"
    for number in range(2):  # 22 clips: the last shard of four is half full
        stub.write_clip(corpus / f"sad/y{number}.wav", seed=50 + number)
    run(out)
    inode = {i: (out / f"vectors/c/{i}/0/0").stat().st_ino for i in range(6)}
    stub.write_clip(corpus / "sad/z.wav", seed=60)
    run(out)
    now = {i: (out / f"vectors/c/{i}/0/0").stat().st_ino for i in range(6)}
    assert [i for i in range(6) if now[i] != inode[i]] == [5]
    expect_own_vectors(out, corpus)


def test_adding_where_the_file_system_has_no_links(run, tmp_path, corpus, monkeypatch):
    def no_links(source, target):
        raise PermissionError("not here")

    monkeypatch.setattr("os.link", no_links)
    run(tmp_path / "s.zarr")
    stub.write_clip(corpus / "zoo/z.wav", seed=61)
    assert run(tmp_path / "s.zarr").encoded == 1
    expect_own_vectors(tmp_path / "s.zarr", corpus)


def test_identical_audio_is_encoded_once(run, out, corpus):
    data = (corpus / "angry/000.wav").read_bytes()
    for name in ("angry/000b.wav", "sad/zz.wav"):  # in the same shard, and in another
        (corpus / name).write_bytes(data)
    encoder = stub.StubEncoder()
    report = run(out, encoder)
    assert (encoder.clips, report.encoded, report.copied, report.clips) == (20, 20, 2, 22)
    expect_own_vectors(out, corpus)
    with open_store(out) as store:
        assert store.attributes["audios"] == 20


def test_a_moved_file_is_copied_not_encoded(run, out, corpus):
    run(out)
    (corpus / "moved").mkdir()
    (corpus / "happy/001.wav").rename(corpus / "moved/new.wav")
    encoder = stub.StubEncoder()
    report = run(out, encoder)
    assert (encoder.clips, report.copied, report.skipped, report.clips) == (0, 1, 20, 21)
    assert paths(out)[-1] == "moved/new.wav"
    expect_own_vectors(out, corpus, missing=["happy/001.wav"])


def test_a_changed_file_never_keeps_its_old_vector(run, out, corpus):
    run(out)
    before = paths(out)
    stub.write_clip(corpus / "happy/004.wav", seed=999, seconds=0.3)
    encoder = stub.StubEncoder()
    report = run(out, encoder)
    assert (encoder.clips, report.encoded, report.skipped, report.clips) == (1, 1, 19, 20)
    assert paths(out) == before
    expect_own_vectors(out, corpus)


def test_two_files_that_change_places(run, out_zarr, corpus):
    run(out_zarr)
    a, b = corpus / "happy/004.wav", corpus / "sad/017.wav"
    a_bytes, b_bytes = a.read_bytes(), b.read_bytes()
    a.write_bytes(b_bytes)
    b.write_bytes(a_bytes)
    encoder = stub.StubEncoder()
    report = run(out_zarr, encoder)
    assert (encoder.clips, report.copied) == (0, 2)
    expect_own_vectors(out_zarr, corpus)


def manifest(corpus, **columns):
    """List the corpus's files, one value for all in each further column."""
    files = sorted(path.relative_to(corpus).as_posix() for path in corpus.rglob("*.wav"))
    with (corpus / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", *columns])
        writer.writerows([name, *columns.values()] for name in files)


def test_relabelling_encodes_nothing(run, out, corpus):
    manifest(corpus, speaker="one", emotion="happy", mood="bright")
    run(out)
    with open_store(out) as store:
        before = store.vectors()
        assert set(store.table["mood"]) == {"bright"}
        fingerprint = store.fingerprint()
    manifest(corpus, speaker="two", emotion="sad", room="small")
    encoder = stub.StubEncoder()
    report = run(out, encoder)
    assert (encoder.batches, report.encoded, report.skipped) == ([], 0, 20)
    with open_store(out) as store:
        assert set(store.table["speaker"]) == {"two"}
        assert set(store.table["emotion"]) == {"sad"}
        assert set(store.table["room"]) == {"small"}
        assert set(store.table["mood"]) == {""}
        np.testing.assert_array_equal(store.vectors(), before)
        assert store.fingerprint() == fingerprint


def test_a_second_root_is_added_and_the_first_stays(run, out_zarr, corpus, tmp_path):
    run(out_zarr)
    other = tmp_path / "other"
    for number in range(3):
        stub.write_clip(other / f"calm/{number}.wav", seed=200 + number)
    assert run(out_zarr, root=other).clips == 23
    with open_store(out_zarr) as store:
        assert store.table["path"].tolist()[20:] == ["calm/0.wav", "calm/1.wav", "calm/2.wav"]
        assert store.table["corpus"].tolist() == ["corpus"] * 20 + ["other"] * 3


def test_the_same_path_in_another_corpus_is_refused(run, out_zarr, corpus, tmp_path):
    run(out_zarr)
    before = tree(out_zarr)
    stub.write_clip(tmp_path / "other/angry/000.wav", seed=300)
    with pytest.raises(StoreError, match=r"angry/000.wav .* corpus 'corpus' .* 'other'"):
        run(out_zarr, root=tmp_path / "other")
    assert tree(out_zarr) == before


def test_another_encoder_is_refused(run, out_zarr):
    run(out_zarr)
    before = tree(out_zarr)
    with pytest.raises(StoreError, match=r"encoder.revision: 'r1' there, 'r2' here"):
        run(out_zarr, stub.StubEncoder(revision="r2"))
    with pytest.raises(StoreError, match=r"shard_clips: 4 there, 5 here"):
        run(out_zarr, shard_clips=5)
    assert tree(out_zarr) == before


def test_overwrite_begins_anew(run, out):
    run(out)
    report = run(out, stub.StubEncoder(revision="r2"), overwrite=True, shard_clips=5)
    assert report.encoded == 20
    with open_store(out) as store:
        assert store.attributes["encoder"]["revision"] == "r2"
        assert store.header.shard_clips == 5


def test_only_stores_are_overwritten(run, tmp_path):
    precious = tmp_path / "precious.zarr"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    (tmp_path / "text.h5").write_text("years")
    for out in (precious, tmp_path / "text.h5"):
        with pytest.raises(StoreError, match=r"not a gensr store.*Nothing is replaced"):
            run(out, overwrite=True)
        assert not out.with_name(out.name + ".work").exists()
    assert (precious / "thesis.txt").read_text() == "years"
    in_the_way = tmp_path / "new.zarr.work"
    in_the_way.mkdir()
    (in_the_way / "thesis.txt").write_text("years")
    with pytest.raises(StoreError, match="in the way"):
        run(tmp_path / "new.zarr", overwrite=True)
    assert (in_the_way / "thesis.txt").read_text() == "years"
    run(tmp_path / "s.zarr")
    (tmp_path / "s.zarr").rename(tmp_path / "s.h5")
    with pytest.raises(StoreError, match="wrong suffix"):
        run(tmp_path / "s.h5")


def test_a_stored_clip_that_breaks_is_named(run, out_zarr, corpus):
    run(out_zarr)
    before = tree(out_zarr)
    (corpus / "sad/005.wav").write_bytes(b"")
    with pytest.raises(StoreError, match=r"sad/005.wav is in the store, but now: empty"):
        run(out_zarr)
    assert tree(out_zarr) == before


def test_failures_are_kept_until_they_are_mended(run, out_zarr, corpus):
    (corpus / "sad/bad.wav").write_bytes(b"no audio")
    (corpus / "sad/empty.wav").write_bytes(b"")
    report = run(out_zarr, allow_errors=2)
    assert report.ok
    assert len(report.failed) == 2
    with open_store(out_zarr) as store:
        assert len(store) == 20
        assert store.attributes["failed"] == 2
        assert store.failed["path"].tolist() == ["sad/bad.wav", "sad/empty.wav"]
        assert "empty" in store.failed["reason"][1]
    stub.write_clip(corpus / "sad/bad.wav", seed=400)
    report = run(out_zarr, allow_errors=0)
    assert not report.ok
    assert (report.encoded, report.clips) == (1, 21)
    with open_store(out_zarr) as store:
        assert store.failed["path"].tolist() == ["sad/empty.wav"]
        assert store.table["path"].tolist()[-1] == "sad/bad.wav"


def test_columns_that_cannot_be_stored_are_named(run, tmp_path, corpus):
    for name in ("samples", "a/b", "__x"):
        manifest(corpus, emotion="sad", **{name: "1"})
        with pytest.raises(StoreError, match=f"column '{name}'"):
            run(tmp_path / "s.zarr")
    assert not (tmp_path / "s.zarr.work").exists()  # nothing was heard for it
