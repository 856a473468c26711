"""Stores of parts of files: rows of their own, cut where a store of saved cuts would cut."""

import numpy as np
import pytest
import soundfile

from gensr.features.store import merge as merging
from gensr.features.store import open_store
from gensr.features.store.verify import verify
from support import stub
from support.trees import tree

TALKS = {"a.wav": 1, "b.flac": 2, "c.ogg": 1}
SECONDS = 1.2


@pytest.fixture
def out(tmp_path):
    """The container matters to none of this."""
    return tmp_path / "s.zarr"


@pytest.fixture
def talks(tmp_path):
    """Three recordings of one sound each, and a manifest with eight parts of each."""
    root = tmp_path / "talks"
    root.mkdir()
    for seed, (name, channels) in enumerate(TALKS.items()):
        noise = np.random.default_rng(seed).normal(0, 0.1, (round(SECONDS * 16_000), channels))
        soundfile.write(root / name, noise, 16_000)
    lines = [f"{name},{k / 8},{(k + 1) / 8},sad,0" for name in TALKS for k in range(8)]
    write_manifest(root, lines)
    return root


def write_manifest(root, lines):
    (root / "manifest.csv").write_text("file,start,end,emotion,channel\n" + "\n".join(lines))


def saved_apart(root, folder):
    """Every part as a file of its own, and a manifest that names those."""
    folder.mkdir()
    lines = []
    for line in (root / "manifest.csv").read_text().splitlines()[1:]:
        name, start, end, emotion, channel = line.split(",")
        samples, rate = soundfile.read(root / name, dtype="float32", always_2d=True)
        cut = samples[round(float(start) * rate) : round(float(end) * rate), int(channel)]
        # Sorts as the part's name does.
        alone = f"{name}#t={float(start):g},{float(end):g}&channel={channel}.wav"
        soundfile.write(folder / alone, cut, rate, subtype="FLOAT")
        lines.append(f'"{alone}",{emotion}')
    (folder / "manifest.csv").write_text("file,emotion\n" + "\n".join(lines))
    return folder


def test_parts_are_rows_as_files_are(run, talks, tmp_path, out):
    apart = out.with_stem("apart")
    assert (
        run(out, root=talks).encoded == run(apart, root=saved_apart(talks, tmp_path / "x")).encoded
    )
    with open_store(out) as store, open_store(apart) as other:
        assert len(store) == 24
        assert [f"{path}.wav" for path in store.table["path"]] == other.table["path"].tolist()
        for name in ("audio_sha256", "samples", "seconds", "emotion"):
            np.testing.assert_array_equal(store.table[name], other.table[name])
        np.testing.assert_array_equal(store.vectors(), other.vectors())
        assert len(set(store.table["file_sha256"].tolist())) == 3
        assert list(store.table) == list(other.table)


@pytest.mark.parametrize("name", ["s.zarr", pytest.param("s.h5", marks=pytest.mark.slow)])
def test_killed_and_resumed(run, talks, tmp_path, name):
    out = tmp_path / name
    run(out.with_stem("whole"), root=talks)
    with pytest.raises(RuntimeError, match="broke"):
        run(out, stub.StubEncoder(fail_at=6), root=talks)
    report = run(out, root=talks)
    assert report.skipped > 0
    assert tree(out) == tree(out.with_stem("whole"))
    again = run(out, root=talks)
    assert (again.encoded, again.skipped) == (0, 24)


def test_a_survey_goes_on_where_it_was(run, talks, monkeypatch, tmp_path, out):
    """Killed after it listened: what was heard of a part is not decoded again."""
    heard = []

    class Breaks:
        def stage(self, name, clips, seconds=0.0):
            if name == "encode":
                raise KeyboardInterrupt

        def advance(self, clips, seconds=0.0):
            pass

    with pytest.raises(KeyboardInterrupt):
        run(out, root=talks, progress=Breaks())
    monkeypatch.setattr(
        "gensr.features.hearing.decoders.Decoders.hear", lambda self, path: heard.append(path)
    )
    assert run(out, root=talks).clips == 24
    assert heard == []


def test_parts_are_added_beside_the_whole_and_each_other(run, talks, out):
    lines = (talks / "manifest.csv").read_text().splitlines()[1:]
    write_manifest(talks, lines[:9])
    run(out, root=talks)
    write_manifest(talks, [*lines, "a.wav,,,joy,", "a.wav,0.0625,0.3,joy,", "b.flac,0,0.125,sad,"])
    report = run(out, root=talks)
    assert (report.encoded, report.copied, report.skipped) == (18, 0, 9)
    with open_store(out) as store:
        paths = store.table["path"].tolist()
        assert paths[9:11] == ["a.wav", "a.wav#t=0.0625,0.3"]
        assert store.table["seconds"][9] == pytest.approx(SECONDS)
        whole = store.table["audio_sha256"][9]
        assert whole not in store.table["audio_sha256"][:9]
        # one channel of two is not their mean
        two = [paths.index(f"b.flac#t=0,0.125{more}") for more in ("", "&channel=0")]
        assert len({store.table["audio_sha256"][row] for row in two}) == 2
    before = tree(out)
    write_manifest(talks, [*lines, "a.wav,,,joy,", "a.wav,0.0625,0.3,joy,", "b.flac,0,0.125,sad,"])
    assert run(out, root=talks).encoded == 0
    assert tree(out) == before


def test_stores_of_parts_of_one_file_are_merged(run, talks, tmp_path, out):
    lines = (talks / "manifest.csv").read_text().splitlines()[1:]
    one, two, both = (out.with_stem(name) for name in ("one", "two", "both"))
    write_manifest(talks, lines[:14])
    run(one, root=talks)
    write_manifest(talks, lines[10:])
    run(two, root=talks)
    merging.merge([one, two], both)
    write_manifest(talks, lines)
    run(out, root=talks)
    with open_store(both) as merged, open_store(out) as store:
        np.testing.assert_array_equal(merged.table["path"], store.table["path"])
        np.testing.assert_array_equal(merged.vectors()[:, 1:], store.vectors()[:, 1:])


def test_verify_hashes_a_file_once_and_tells_it_once(run, talks, out, monkeypatch):
    run(out, root=talks)
    hashed = []
    real = verify.__globals__["hash_file"]
    monkeypatch.setitem(
        verify.__globals__,
        "hash_file",
        lambda path, *to: hashed.append(path.name) or real(path, *to),
    )
    found = verify(out, audio=talks)
    assert (found.faults, found.heard) == ((), 3)
    assert sorted(hashed) == sorted(TALKS)
    (talks / "a.wav").write_bytes(b"other")
    (talks / "b.flac").unlink()
    (talks / "c.ogg#t=0,0.125&channel=0").touch()
    faults = verify(out, audio=talks).faults
    assert faults[0] == "a.wav has changed since it was extracted; extract again"
    assert faults[1] == f"b.flac is missing under {talks}"
    assert faults[2].startswith("c.ogg#t=0,0.125&channel=0 names a part of c.ogg, and a file too")
    assert len(faults) == 3


def test_a_changed_file_changes_its_parts(run, talks, out):
    run(out, root=talks)
    noise = np.random.default_rng(9).normal(0, 0.1, round(SECONDS * 16_000))
    soundfile.write(talks / "a.wav", noise, 16_000)
    assert run(out, root=talks).encoded == 8
    noise[round(0.5 * 16_000) :] *= 0.5
    soundfile.write(talks / "a.wav", noise, 16_000)
    assert run(out, root=talks).encoded == 4
    assert verify(out, audio=talks).faults == ()


def test_parts_that_are_not_there_are_named(run, talks, out):
    write_manifest(
        talks, ["a.wav,0,1,sad,0", "a.wav,1,9,sad,0", "a.wav,0,1,sad,3", "a.wav,2,3,joy,"]
    )
    report = run(out, root=talks)
    assert report.clips == 1
    reasons = {problem.path: problem.reason for problem in report.failed}
    assert "ends at 9 s" in reasons["a.wav#t=1,9&channel=0"]
    assert "channel 3 is none of its 1" in reasons["a.wav#t=0,1&channel=3"]
    assert "ends at 3 s" in reasons["a.wav#t=2,3"]
    with open_store(out) as store:
        assert set(store.failed["path"].tolist()) == set(reasons)


def test_a_length_alone_is_checked(run, talks, out):
    text = "file,duration,emotion\na.wav,1.2,sad\nb.flac,0.5,joy\n"
    (talks / "manifest.csv").write_text(text)
    report = run(out, root=talks)
    assert report.clips == 1
    (problem,) = report.failed
    assert problem.path == "b.flac"
    assert "lasts 1.20 s, but its row says 0.5 s" in problem.reason
    assert run(out, root=talks).failed == report.failed
