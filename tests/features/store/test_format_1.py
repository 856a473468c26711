"""Stores of gensr 0.1.0, kept in tests/fixtures: read, resumed, brought over."""

import numpy as np
import pytest

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.job import open_job
from gensr.features.store.merge import merge
from gensr.features.store.shard_hashes import hash_rows
from gensr.features.store.verify import verify
from support import kept, stub
from support.kept import CLIPS, SHARD
from support.loaded import load_vectors
from support.trees import tree

FINISHED = ("fbank.zarr", "fbank.h5", "stub.zarr", "stub.h5")


@pytest.fixture
def stores(tmp_path):
    """The stores as they were left, and their corpus."""
    return kept.stores("0.1.0", tmp_path)


def assert_bound(path):
    """The store is of today's format, and sound."""
    found = verify(path)
    assert (found.faults, found.notes) == ((), ())
    with open_store(path) as store:
        assert store.header.version == 2
        hashes = [hash_rows(block, store.header.dtype) for _, block in store.blocks()]
        assert store.header.shards_sha256 == tuple(hashes)


@pytest.mark.parametrize("name", FINISHED)
def test_it_opens_and_verifies(stores, name):
    found = verify(stores / name, audio=stores / "corpus")
    assert (found.faults, found.clips, found.heard) == ((), CLIPS, CLIPS)
    (note,) = found.notes
    assert "format 1 has no hashes of its shards" in note
    with open_store(stores / name) as store:
        assert store.header.version == 1
        assert store.attributes["version"] == 1
        assert "shards_sha256" not in store.attributes
        assert store.failed["path"].tolist() == ["s0/empty.wav"]
    assert len(load_vectors([stores / name]).x) == CLIPS


def test_damage_is_told_as_before(stores):
    file = stores / "stub.zarr/vectors/c/1/0/0"
    data = bytearray(file.read_bytes())
    data[7] ^= 1
    file.write_bytes(data)
    assert any(
        "rows 5 to 9 cannot be read" in fault for fault in verify(stores / "stub.zarr").faults
    )
    with pytest.raises(StoreError, match="rows 5 to 9 cannot be read"):
        convert(stores / "stub.zarr", stores / "t.zarr")
    assert not (stores / "t.zarr").exists()


@pytest.mark.parametrize("kind", ["fbank", "stub"])
def test_converting_brings_it_over(stores, kind):
    """Into the same container under another name, too; its fingerprint stays."""
    from_zarr, from_hdf5 = stores / "zarr", stores / "hdf5"
    for source, folder in ((f"{kind}.zarr", from_zarr), (f"{kind}.h5", from_hdf5)):
        folder.mkdir()
        for target in (folder / "t.zarr", folder / "t.h5"):
            convert(stores / source, target)
            assert_bound(target)
            with open_store(stores / source) as old, open_store(target) as new:
                assert old.fingerprint() == new.fingerprint()
                assert old.vectors().tobytes() == new.vectors().tobytes()
                assert old.attributes.keys() < new.attributes.keys()
    for name in ("t.zarr", "t.h5"):
        assert tree(from_zarr / name) == tree(from_hdf5 / name)


def test_several_are_merged(stores):
    merge([stores / "stub.zarr", stores / "stub.h5"], stores / "t.h5")
    assert_bound(stores / "t.h5")
    with open_store(stores / "t.h5") as new, open_store(stores / "stub.zarr") as old:
        assert new.fingerprint() == old.fingerprint()


@pytest.mark.parametrize("name", ["half.zarr", "half.h5"])
def test_an_interrupted_extraction_goes_on(stores, again, name):
    """What was finished is kept to the bit; audio and vectors of the rest are as they were."""
    out = stores / name
    with pytest.raises(StoreError, match="not finished"):
        open_store(out)
    report, encoder = again(out, stores / "corpus")
    assert (report.clips, report.encoded, encoder.clips) == (CLIPS, 14, 14)
    assert_bound(out)
    assert not out.with_name(f"{name}.work").exists()
    with open_store(stores / "stub.zarr") as whole, open_store(out) as resumed:
        assert resumed.fingerprint() == whole.fingerprint()
        done = slice(0, 2 * SHARD)
        assert resumed.vectors(done).tobytes() == whole.vectors(done).tobytes()
        np.testing.assert_allclose(resumed.vectors(), whole.vectors(), rtol=1e-5, atol=1e-7)


def test_a_publication_is_carried_out(stores):
    """Killed when only the writing as HDF5 was left: what was made is all there is."""
    with open_job(stores / "publishing.h5", overwrite=False):
        pass
    assert_bound(stores / "publishing.h5")
    convert(stores / "stub.h5", stores / "t.h5")
    assert tree(stores / "publishing.h5") == tree(stores / "t.h5")


@pytest.mark.parametrize("name", ["stub.zarr", "stub.h5"])
def test_it_is_added_to(stores, again, name):
    out = stores / name
    before = open_store(out).vectors()
    report, encoder = again(out, stores / "corpus")
    assert (report.encoded, encoder.clips) == (0, 0)
    assert open_store(out).header.version == 1  # nothing was to be done
    stub.write_clip(stores / "corpus/s3/more.wav", seed=99)
    with (stores / "corpus/manifest.csv").open("a") as manifest:
        manifest.write("s3/more.wav,s3,f,sad,\n")
    report, encoder = again(out, stores / "corpus")
    assert (report.clips, report.encoded, encoder.clips) == (CLIPS + 1, 1, 1)
    assert_bound(out)
    assert open_store(out).vectors(slice(0, CLIPS)).tobytes() == before.tobytes()


def test_relabelling_brings_it_over(stores, again):
    manifest = stores / "corpus/manifest.csv"
    manifest.write_text(manifest.read_text().replace(",loud", ",quiet"))
    report, _ = again(stores / "stub.zarr", stores / "corpus")
    assert report.encoded == 0
    assert_bound(stores / "stub.zarr")


def test_shards_that_changed_places_stay_as_they_are(stores):
    """Of them format 1 knows nothing: hence the note of `verify`, and format 2."""
    chunks = stores / "stub.zarr/vectors/c"
    (chunks / "0").rename(chunks / "t")
    (chunks / "1").rename(chunks / "0")
    (chunks / "t").rename(chunks / "1")
    found = verify(stores / "stub.zarr")
    assert found.faults == ()
    assert "shards that changed places would not be noticed" in found.notes[0]
