"""A store that another takes the place of while it is read: noticed, nothing is mixed."""

import json
import pickle
import shutil
from pathlib import Path

import h5py
import pytest
import zarr

from gensr.features.store import files, open_store
from gensr.features.store.container import open_container
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.features.store.schema import HASH, sha256_of
from gensr.features.store.verify import verify
from support import synthetic as made
from support.loaded import load_vectors
from support.trees import tree

FEW, MANY = (2, 19), (0, 2, 15, 16, 17, 18, 20, 21, 22, 24)
"""Readings before the exchange: of the tables' 17 columns, of the 5 shards."""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two stores of the same clips, of which each has other audio; a third of other clips."""
    folder = tmp_path_factory.mktemp("built")
    rows = made.clips("abcdefghij")
    for name in ("s.zarr", "s.h5"):
        made.make(folder / "old" / name, rows, shard_clips=2)
        again = [made.clip(row["path"], audio=f"new {row['path']}") for row in rows]
        made.make(folder / "new" / name, again, shard_clips=2)
    made.make(folder / "third.zarr", made.clips("xyz"))
    return folder


@pytest.fixture(params=["s.zarr", "s.h5"])
def store(request, built, tmp_path, monkeypatch):
    """store(reads, version) -> a store that is exchanged after so many readings."""
    name = request.param

    def store(reads: int, version: int = 2) -> Path:
        path, new = tmp_path / name, tmp_path / "new" / name
        files.remove(path.with_name(f"old {name}"))
        for source, target in ((built / "old" / name, path), (built / "new" / name, new)):
            if target.is_dir():
                shutil.rmtree(target)
            target.parent.mkdir(exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
            if version == 1:
                made_older(target)
        count_down(path, new, reads, monkeypatch)
        return path

    return store


def made_older(path: Path) -> None:
    """Give a store the header of format 1."""
    with open_store(path) as store:
        header = {**store.attributes, "version": 1}
    del header["shards_sha256"], header[HASH]
    header[HASH] = sha256_of(header)
    if path.is_dir():
        zarr.open_group(path, mode="r+").attrs["gensr"] = header
    else:
        with h5py.File(path, "r+") as file:
            file.attrs["gensr"] = json.dumps(header)


def count_down(path: Path, new: Path, reads: int, monkeypatch) -> None:
    """Exchange the store after so many readings of it, as `extract --overwrite` does."""
    kind = type(open_container(path))
    monkeypatch.undo()
    left = [reads]

    def counted(name):
        do = getattr(kind, name)

        def reading(self, *rest):
            if self.path == path:
                if left[0] == 0:
                    path.rename(path.with_name(f"old {path.name}"))
                    new.rename(path)
                left[0] -= 1
            return do(self, *rest)

        return reading

    for name in ("read", "column"):
        monkeypatch.setattr(kind, name, counted(name))


def told_or_old(attempt, path: Path) -> bool:
    """Whether the exchange was told in one line; else there was none before the end."""
    aside = path.with_name(f"old {path.name}")
    told = ""
    try:
        attempt()
    except StoreError as error:
        told = str(error)
    exchanged = aside.exists()
    assert exchanged == ("changed while it was read" in told), told
    assert "\n" not in told
    return exchanged


@pytest.mark.parametrize(
    ("version", "steps"),
    [(2, FEW), *(pytest.param(v, MANY, marks=pytest.mark.slow) for v in (1, 2))],
)
@pytest.mark.parametrize(
    "attempt",
    [
        lambda path, target, third: convert(path, target),
        lambda path, target, third: merge([path, third], target),
        lambda path, target, third: merge([third, path], target),
        lambda path, target, third: verify(path),
        lambda path, target, third: load_vectors([path]),
        lambda path, target, third: load_vectors([path], layers=[]),  # x1 alone
    ],
    ids=["convert", "merge first", "merge second", "verify", "all layers", "one layer"],
)
def test_whoever_reads_it_says_so(store, built, tmp_path, attempt, version, steps):
    told = []
    for reads in steps:
        path = store(reads, version)
        target = tmp_path / f"t{reads}.h5"
        told.append(told_or_old(lambda p=path, t=target: attempt(p, t, built / "third.zarr"), path))
        assert not (told[-1] and target.exists())
        assert not list(tmp_path.glob("t*.work"))
    assert told[0]
    assert told == sorted(told, reverse=True)


def test_a_target_that_is_there_stays(store, built, tmp_path):
    for target in (tmp_path / "t.zarr", tmp_path / "t.h5"):
        convert(built / "third.zarr", target)
        before = tree(target)
        path = store(18)
        with pytest.raises(StoreError, match=r"changed while it was read: .* run again"):
            convert(path, target, overwrite=True)
        assert tree(target) == before


def test_a_store_that_is_opened_again_elsewhere(store, tmp_path):
    """As by the workers of a cluster that a lazy array is sent to."""
    path = store(-1)
    with open_store(path) as opened:
        sent = pickle.dumps(opened)
        assert pickle.loads(sent).fingerprint() == opened.fingerprint()
        path.rename(tmp_path / f"aside{path.suffix}")
        (tmp_path / "new" / path.name).rename(path)
        with pytest.raises(StoreError, match="changed while it was read"):
            pickle.loads(sent)
        with pytest.raises(StoreError, match="changed while it was read"):
            opened.mean_std(layers=["x1"])


def test_the_store_that_is_added_to(built, tmp_path):
    """No gensr can take its place, since it is locked; a hand can."""
    for name in ("s.zarr", "s.h5"):
        shutil.copytree(built / "old", tmp_path / "old")
        shutil.copytree(built / "new", tmp_path / "new")
        path = tmp_path / "old" / name
        rows = made.clips("kl")
        with made.started(path, rows, shard_clips=2) as (job, _):
            for shard in job.pending:
                job.writer.write(shard, made.encoded(rows, shard, before=10))
            path.rename(tmp_path / name)
            (tmp_path / "new" / name).rename(path)
            with pytest.raises(StoreError, match="changed while it was read"):
                job.commit()
        shutil.rmtree(tmp_path / "old")
        shutil.rmtree(tmp_path / "new")
