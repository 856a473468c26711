"""Stores of gensr 0.1.0: killed while they are added to or resumed, brought over all the same."""

import shutil

import pytest

from gensr.features.store import files, open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.features.store.verify import verify
from support import kept, stub
from support.forking import forking
from support.kept import CLIPS, SHARD
from support.steps import DIED

ADDED, HALF = ("stub.zarr", "stub.h5"), ("half.zarr", "half.h5")
STEPS = [
    pytest.param([3], id="3"),
    pytest.param([0, 1, 2, 5, 8, 13, 21, 34, 55, 89, 144], id="many", marks=pytest.mark.slow),
]


@pytest.fixture
def stores(tmp_path):
    """Unpack the stores as they were left; their corpus, with a clip that was not there then."""

    def unpack():
        files.remove(tmp_path / "stores")
        return kept.unpack("0.1.0", "stores", tmp_path / "stores")

    for name in ("then", "more"):  # a corpus is called by its folder
        shutil.copytree(kept.CORPUS, tmp_path / name / "corpus")
    stub.write_clip(tmp_path / "more/corpus/s3/more.wav", seed=99)
    with (tmp_path / "more/corpus/manifest.csv").open("a") as manifest:
        manifest.write("s3/more.wav,s3,f,sad,\n")
    return unpack


@pytest.fixture(scope="module")
def calls():
    with forking("store_works") as calls:
        yield calls


def assert_sound(path):
    found = verify(path)
    assert (found.faults, found.notes) == ((), ())
    with open_store(path) as store:
        assert store.header.version == 2


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", [*ADDED, *HALF])
def test_killed_on_the_way_over(stores, calls, tmp_path, name, steps):
    """The old store can be read until the new one can; the same call goes on; vectors stay."""
    corpus = tmp_path / ("more" if name in ADDED else "then") / "corpus"
    died = 0
    for step in steps:
        out = stores() / name
        with open_store(out.with_stem("stub")) as old:
            before = old.vectors()
        how = {"kill": step, "since": ["plan.json", "done"]}
        status = calls.call("again", corpus, out, how=how).status
        assert status in (0, DIED)
        died += status == DIED
        if name in ADDED and out.exists():
            with open_store(out) as there:
                assert there.vectors(slice(0, CLIPS)).tobytes() == before.tobytes()
        elif status:
            try:
                assert_sound(out)  # only the clearing up was left
            except StoreError as error:
                assert "not finished" in str(error)  # noqa: PT017  either will do
        assert calls.call("again", corpus, out).status == 0
        assert_sound(out)
        assert not out.with_name(out.name + ".work").exists()
        with open_store(out) as found:
            assert len(found) == CLIPS + (name in ADDED)
            done = slice(0, CLIPS if name in ADDED else 2 * SHARD)
            assert found.vectors(done).tobytes() == before[done].tobytes()
    assert died > len(steps) // 2


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("name", ADDED)
def test_merged_with_a_store_of_today(stores, calls, tmp_path, name, order):
    """One of each format, in either order, of either container; each is verified on its way."""
    folder = stores()
    old, new, out = folder / name, folder / "new.zarr", folder / "merged.h5"
    convert(folder / "stub.h5", folder / "today.zarr")
    shutil.copytree(folder / "today.zarr", new)
    assert calls.call("again", tmp_path / "more/corpus", new).status == 0  # one clip more
    for path, notes in ((old, 1), (new, 0)):
        found = verify(path)
        assert (found.faults, len(found.notes)) == ((), notes)
    merge([old, new][::order], out)
    assert_sound(out)
    with open_store(out) as merged, open_store(old) as before:
        assert len(merged) == CLIPS + 1
        rows = {path: row for row, path in enumerate(merged.table["path"].tolist())}
        place = [rows[path] for path in before.table["path"].tolist()]
        assert merged.vectors(place).tobytes() == before.vectors().tobytes()
    for target in (folder / "again.zarr", folder / "again.h5"):
        convert(out, target)
        assert_sound(target)
        with open_store(target) as one, open_store(out) as other:
            assert one.fingerprint() == other.fingerprint()
