"""A store from anywhere: what is not in it is not read, and what it promises is not believed."""

import json
import resource
import shutil
from pathlib import Path

import pytest
import zarr

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.features.store.verify import verify
from support import hostile
from support import synthetic as made

EVERY = [pytest.param(*case, id=f"{case[0]}-{case[1].__name__}") for case in hostile.EVERY]
_MORE = 4 * 2**30
"""Bytes of address space that reading a store of some kilobytes may take."""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    for name in ("s.zarr", "s.h5"):
        made.make(folder / name, made.clips("abcdefghij", emotion="angry"))
    return folder


@pytest.fixture
def spoiled(built, tmp_path):
    """spoiled(name, change) -> a store that is a hostile one now."""

    def spoiled(name, change):
        out = Path(
            (shutil.copytree if name == "s.zarr" else shutil.copy)(built / name, tmp_path / name)
        )
        hostile.spoil(out, change)
        return out

    return spoiled


@pytest.fixture
def _little_memory():
    """Let an array of gigabytes fail at once."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MORE, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def read(path):
    """Read all that a training would."""
    with open_store(path) as store:
        return store.table, store.vectors([3])


@pytest.mark.usefixtures("_little_memory")
@pytest.mark.parametrize(("name", "change"), EVERY)
def test_a_hostile_store_is_refused(spoiled, built, name, change, tmp_path):
    out = spoiled(name, change)
    target = tmp_path / ("t.zarr" if name == "s.h5" else "t.h5")
    for attempt in (
        lambda: read(out),
        lambda: convert(out, target),
        lambda: merge([out, built / "s.zarr"], target),
    ):
        with pytest.raises(StoreError) as told:
            attempt()
        assert "\n" not in str(told.value)
        assert hostile.SECRET not in str(told.value)
        assert not target.exists()


@pytest.mark.usefixtures("_little_memory")
@pytest.mark.parametrize(("name", "change"), EVERY)
def test_it_is_told_by_verify(spoiled, name, change):
    told = verify(spoiled(name, change)).faults
    assert 0 < len(told) < 50
    assert not any("\n" in fault or hostile.SECRET in fault for fault in told)


@pytest.mark.filterwarnings("ignore:Combining a .sharding_indexed. codec")
def test_what_is_refused_is_said(spoiled):
    """A link is refused as a link, not for what it leads to."""
    for change, said in (
        ("external_link", r"no array 'clips/emotion' .*emotion is a link to elsewhere"),
        ("external_group", r"no array 'clips/path' .*clips is a link to elsewhere"),
        ("soft_link", r"no array 'clips/emotion' .*emotion is a link to elsewhere"),
        ("virtual", r"no array 'vectors' .*its data are elsewhere"),
        ("external_storage", r"no array 'clips/emotion' .*its data are elsewhere"),
        ("group_for_array", r"no array 'clips/emotion' .*it is no array"),
        ("array_for_group", r"no array 'clips/path' .*/clips is no group"),
        ("compressed", r"no array 'clips/emotion' .*it is compressed"),
        ("huge_text", r"column clips/emotion cannot be read \(it holds 0 bytes of 10737418240\)"),
        ("long_column", r"column clips/seconds has 10000000000 rows, the header says 10; the st"),
    ):
        out = spoiled("s.h5", getattr(hostile, change))
        with pytest.raises(StoreError, match=said):
            read(out)
    for change, said in (
        ("zarr_long_column", "column clips/seconds has 10000000000 rows, the header says 10; the"),
        ("zarr_long_vectors", r"vectors are float32 \(10000000000, 2, 3\), the header says float"),
        ("zarr_group_for_array", "'clips/emotion' is no array"),
        ("zarr_wide_chunk", "column clips/seconds is not one plain chunk"),
        ("zarr_nested_column", "column clips/seconds is not one plain chunk"),
        ("zarr_compressed_vectors", "vectors are compressed, or cut up"),
        ("zarr_nested_vectors", "vectors are compressed, or cut up"),
        ("zarr_other_chunks", "vectors are compressed, or cut up"),
    ):
        out = spoiled("s.zarr", getattr(hostile, change))
        with pytest.raises(StoreError, match=said):
            read(out)
        shutil.rmtree(out)


@pytest.mark.parametrize(
    "change", [{"shard_clips": 0}, {"width": -1}, {"clips": -3}, {"clips": 1.5}, {"failed": "9"}]
)
@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_counts_that_cannot_be(spoiled, name, change):
    def edit(path):
        attributes = zarr.open_group(path, mode="r+").attrs
        attributes["gensr"] = hostile.seal({**attributes["gensr"], **change})

    def edit_file(file, path):
        header = {**json.loads(file.attrs["gensr"]), **change}
        file.attrs["gensr"] = json.dumps(hostile.seal(header))

    out = spoiled(name, edit if name == "s.zarr" else edit_file)
    with pytest.raises(StoreError, match=r"the store's header is damaged \(.* is no count\)"):
        open_store(out)
