"""`gensr store`: verify, convert and merge, as a user calls them."""

import shutil
from pathlib import Path

import pytest

from gensr.features.store import open_store
from support import hostile, kept


@pytest.fixture
def here(home, tmp_path, monkeypatch):
    """A working folder with a store and its corpus, both to be changed at will."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(home / "tones.zarr", "tones.zarr")
    shutil.copytree(home / "corpus", "corpus")
    return tmp_path


def content(path):
    with open_store(Path(path)) as store:
        return store.attributes, store.fingerprint(), store.vectors().tobytes()


def test_help_names_the_commands_and_shows_examples(gensr, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    said = gensr("store", "--help").ok()
    for name in ("verify", "merge", "convert"):
        assert f" {name} " in said.out
        shown = gensr("store", name, "-h").ok().out
        assert "Examples" in shown
        assert f"gensr store {name} " in shown
    assert "store" in gensr("--help").ok().out


def test_no_command_shows_the_help(gensr):
    said = gensr("store")
    assert said.status == 2
    assert "Usage: gensr store" in said.out + said.err


def test_a_sound_store_is_one_line(gensr, here):
    said = gensr("store", "verify", "tones.zarr").ok()
    assert said.out == "tones.zarr: sound; 36 clips in 1 shards, 17 columns\n"
    assert said.err == ""
    said = gensr("store", "verify", "tones.zarr", "--audio", "corpus").ok()
    assert said.out == "tones.zarr: sound; 36 clips in 1 shards, 17 columns, 36 audio files\n"


def test_a_store_of_an_older_format_is_said_to_be_one(gensr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept.unpack("0.1.0", "stores", tmp_path)
    said = gensr("store", "verify", "stub.h5").ok()
    assert said.out == "stub.h5: sound; 24 clips in 5 shards, 17 columns\n"
    (note,) = said.err.splitlines()
    assert note.startswith("stub.h5: a store of format 1 has no hashes of its shards")
    gensr("store", "convert", "stub.h5", "new.h5").ok()
    assert gensr("store", "verify", "new.h5").ok().err == ""


def test_damage_is_a_line_each(gensr, here):
    shard = Path("tones.zarr/vectors/c/0/0/0")
    data = shard.read_bytes()
    shard.write_bytes(data[:9] + bytes([data[9] ^ 1]) + data[10:])
    Path("tones.zarr/clips/speaker/c/0").unlink()
    said = gensr("store", "verify", "tones.zarr")
    assert (said.status, said.out) == (1, "")
    lost, damaged, column = said.err.splitlines()
    assert lost.startswith("tones.zarr: array clips/speaker has lost its data")
    assert damaged.startswith("tones.zarr: rows 0 to 35 cannot be read")
    assert column.startswith("tones.zarr: column clips/speaker cannot be read (its data are lost)")


def test_audio_that_changed_is_a_line_each(gensr, here):
    first, second, *_ = sorted(Path("corpus").rglob("*.wav"))
    first.write_bytes(b"other")
    second.unlink()
    said = gensr("store", "verify", "tones.zarr", "--audio", "corpus")
    assert (said.status, said.out) == (1, "")
    names = [path.relative_to("corpus").as_posix() for path in (first, second)]
    assert said.err.splitlines() == [
        f"{names[0]} has changed since it was extracted; extract again",
        f"{names[1]} is missing under corpus",
    ]
    assert "no such folder" in gensr("store", "verify", "tones.zarr", "--audio", "gone").usage


def test_there_and_back(gensr, here):
    assert gensr("store", "convert", "tones.zarr", "t.h5").ok().out == "t.h5: 36 clips\n"
    gensr("store", "verify", "t.h5").ok()
    assert "exists: pass --overwrite" in gensr("store", "convert", "tones.zarr", "t.h5").complaint
    gensr("store", "convert", "tones.zarr", "t.h5", "--overwrite").ok()
    gensr("store", "convert", "t.h5", "back.zarr").ok()
    assert content("back.zarr") == content("tones.zarr")
    for file in Path("tones.zarr").rglob("*"):
        if file.is_file():
            again = Path("back.zarr", file.relative_to("tones.zarr"))
            assert again.read_bytes() == file.read_bytes()


def test_two_corpora_become_one_store(gensr, here):
    """Halves that were extracted apart, merged, and then added to."""
    speakers = sorted({path.parent for path in Path("corpus").rglob("*.wav")})
    for number, part in enumerate((speakers[:1], speakers[1:])):
        for folder in part:
            shutil.copytree(folder, f"part{number}/{folder.relative_to('corpus')}")
        call = ("extract", f"part{number}", "--encoder", "fbank", "--out", f"part{number}.zarr")
        gensr(*call).ok()
    gensr("store", "convert", "part1.zarr", "part1.h5").ok()
    said = gensr("store", "merge", "part0.zarr", "part1.h5", "--out", "both.zarr").ok()
    assert said.out == "both.zarr: 36 clips of 2 stores, 0 unusable\n"
    gensr("store", "verify", "both.zarr").ok()
    call = ("store", "merge", "part1.h5", "part0.zarr", "--out", "both.zarr")
    assert "exists: pass --overwrite" in gensr(*call).complaint
    gensr(*call, "--overwrite", "--shard-clips", 10).ok()
    with open_store(Path("both.zarr")) as store:
        assert store.header.shard_clips == 10


def test_what_cannot_be_meant_and_what_cannot_be_done(gensr, here):
    gensr("extract", "corpus", "--encoder", "fbank", "--out", "half.zarr", "--store-dtype",
          "float16").ok()  # fmt: skip
    merge = ("store", "merge", "tones.zarr")
    assert "two stores or more" in gensr(*merge, "--out", "m.zarr").usage
    call = (*merge, "tones.zarr", "--out", "m.zarr", "--shard-clips", 0)
    assert "shard_clips is 0" in gensr(*call).usage
    said = gensr(*merge, "half.zarr", "--out", "m.zarr").complaint
    assert "tones.zarr and half.zarr cannot be one store (dtype: 'float32' in " in said
    assert "gone.zarr does not exist" in gensr(*merge, "gone.zarr", "--out", "m.zarr").complaint
    assert "same store" in gensr("store", "convert", "half.zarr", "half.zarr").complaint
    assert "ends in one of" in gensr("store", "convert", "half.zarr", "half.npz").complaint
    assert "not a gensr store" in gensr("store", "verify", "corpus").complaint
    assert not Path("m.zarr").exists()


@pytest.mark.parametrize(
    ("name", "change"),
    [pytest.param(*case, id=case[1].__name__) for case in hostile.EVERY],
)
def test_a_hostile_store_is_told_and_not_converted(gensr, here, name, change):
    """What lies elsewhere on the reader's disk never comes out; a kilobyte becomes no 80 GB."""
    store, target = Path("tones.zarr"), Path("t.zarr")
    if name == "s.h5":
        gensr("store", "convert", "tones.zarr", "tones.h5").ok()
        store = Path("tones.h5")
    hostile.spoil(store, change)
    said = gensr("store", "verify", store)
    assert (said.status, said.out) == (1, "")
    assert hostile.SECRET not in said.err
    assert all(str(store) in line for line in said.err.splitlines())
    complaint = gensr("store", "convert", store, target).complaint
    assert str(store) in complaint
    assert hostile.SECRET not in complaint
    assert not target.exists()
