"""A publication that cannot be carried out: what stood there stands, and there is a way on."""

import os
import shutil

import h5py.h5t
import pytest

from gensr.features.store import commit, files, open_store, zarr_layout
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.job import open_job
from gensr.features.store.journal import Journal
from support import synthetic as made
from support.steps import At, Killed, Steps, killed, of, of_store
from support.trees import tree


def lose_column(staged):
    shutil.rmtree(staged / "clips/emotion")


def lose_shard(staged):
    os.truncate(staged / "vectors/c/0/0/0", 0)


def lose_header(staged):
    os.truncate(staged / "zarr.json", 0)


def lose_all(staged):
    (staged / "zarr.json").unlink()


@pytest.fixture(params=[lose_column, lose_shard, lose_header, lose_all])
def broken(request, out):
    """A store of abc, and the publication of abcdef that was killed and then damaged."""

    made.make(out, made.clips("abc"))
    takes = (*of_store("move"), *of(commit, "write_hdf5"))
    first = At(
        0, killed, counts=lambda step: step.function == "write_hdf5" or step.path == str(out)
    )
    with Steps(takes, first), pytest.raises(Killed):
        made.make(out, made.clips("def"))
    work = Journal(out).folder
    assert (work / "publish").exists()
    request.param(work / "store.zarr")
    return out


def test_a_damaged_publication_is_one_line(broken, tmp_path):
    """For every call that writes there, until the user says to begin anew."""
    found = tree(broken)
    source = made.make(tmp_path / "b.h5", made.clips("xyz"))
    lost = not (Journal(broken).staged / "zarr.json").exists()
    if lost:  # as after a publication: what stood there is gone on from
        made.make(broken, made.clips("def"))
        assert len(open_store(broken)) == 6
        return
    for attempt in (lambda: made.make(broken, made.clips("g")), lambda: convert(source, broken)):
        with pytest.raises(StoreError, match=r"cannot become .*Begin anew by --overwrite, or re"):
            attempt()
        assert tree(broken) == found
    kept = broken.with_name("kept")
    shutil.copytree(Journal(broken).folder, kept)
    convert(source, broken, overwrite=True)
    assert tree(broken) == tree(made.make(broken.with_stem("xyz"), made.clips("xyz")))
    shutil.copytree(kept, Journal(broken).folder)
    made.make(broken, made.clips("abc"), overwrite=True)
    assert tree(broken) == found
    shutil.copytree(kept, Journal(broken).folder)
    files.remove(Journal(broken).folder)
    made.make(broken, made.clips("def"))
    assert len(open_store(broken)) == 6


@pytest.mark.parametrize("lose", [lose_column, lose_shard, lose_all])
def test_between_the_renames_the_old_one_comes_back(tmp_path, lose):
    out = made.make(tmp_path / "s.zarr", made.clips("abc"))
    found = tree(out)

    def interrupt():
        raise KeyboardInterrupt

    second = At(0, interrupt, counts=lambda step: step.arguments[1] == out)
    with Steps(of_store("move"), second), pytest.raises(KeyboardInterrupt):
        made.make(out, made.clips("def"))
    assert not out.exists()
    lose(Journal(out).staged)
    if lose is not lose_all:
        with pytest.raises(StoreError, match="what stood there stands"):
            made.make(out, made.clips("g"))
        assert tree(out) == found
        files.remove(Journal(out).folder)
    made.make(out, made.clips("g"))
    assert open_store(out).table["path"].tolist() == ["a.wav", "b.wav", "c.wav", "g.wav"]


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_tables_are_read_back_before_they_are_published(tmp_path, monkeypatch, name):
    """Whatever below takes a name or a text for another: here zarr itself, or HDF5."""
    out = made.make(tmp_path / name, made.clips("abc", emotion="sad"))
    found = tree(out)
    with monkeypatch.context() as patch:
        if name == "s.zarr":
            make = zarr_layout.create_column
            patch.setattr(
                zarr_layout,
                "create_column",
                lambda group, table, name, *rest: make(
                    group, table, name.replace("sentence", "sentence2"), *rest
                ),
            )
        else:
            patch.setattr("h5py.string_dtype", _shorter)
        with pytest.raises(StoreError, match=r"reads back otherwise .*what stood there stands"):
            made.make(out, made.clips("def", emotion="angry"))
    assert tree(out) == found
    if name == "s.zarr":
        made.make(out, made.clips("def", emotion="angry"))
    else:  # the store in the making is whole, and takes its place when HDF5 writes it well
        with open_job(out, overwrite=False) as job:
            job.drop()
    assert len(open_store(out)) == 6


def _shorter(kind, size):
    return h5py.h5t.string_dtype(kind, min(size, 4) if size < 100 else size)
