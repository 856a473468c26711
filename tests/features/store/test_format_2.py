"""Stores of an earlier gensr 0.2.0, kept in tests/fixtures: read, added to, resumed as they are."""

import pytest

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.job import open_job
from gensr.features.store.verify import verify
from support import kept, stub
from support.kept import CLIPS
from support.trees import tree


@pytest.fixture
def stores(tmp_path):
    """The stores as they were left, and their corpus."""
    return kept.stores("0.2.0", tmp_path)


@pytest.mark.parametrize("name", ["fbank.zarr", "fbank.h5", "stub.zarr", "stub.h5"])
def test_it_opens_and_verifies(stores, name):
    found = verify(stores / name, audio=stores / "corpus")
    assert (found.faults, found.notes, found.clips, found.heard) == ((), (), CLIPS, CLIPS)


def test_a_store_made_now_is_the_same_to_the_bit(stores, again):
    for name in ("stub.zarr", "stub.h5"):
        report, _ = again(stores / f"new-{name}", stores / "corpus")
        assert report.clips == CLIPS
        assert tree(stores / f"new-{name}") == tree(stores / name)


@pytest.mark.parametrize("name", ["half.zarr", "half.h5"])
def test_an_interrupted_extraction_goes_on(stores, again, name):
    """By the plan that was written then: what was finished is kept, and the end is the same."""
    out = stores / name
    report, encoder = again(out, stores / "corpus")
    assert (report.clips, report.encoded, encoder.clips) == (CLIPS, 14, 14)
    assert not out.with_name(f"{name}.work").exists()
    assert tree(out) == tree(stores / f"stub.{name.rpartition('.')[2]}")


def test_a_publication_is_carried_out(stores):
    with open_job(stores / "publishing.h5", overwrite=False):
        pass
    convert(stores / "stub.h5", stores / "t.h5")
    assert tree(stores / "publishing.h5") == tree(stores / "t.h5")


@pytest.mark.parametrize("name", ["stub.zarr", "stub.h5"])
def test_it_is_added_to(stores, again, name):
    out = stores / name
    report, encoder = again(out, stores / "corpus")
    assert (report.encoded, encoder.clips) == (0, 0)
    before = open_store(out).vectors()
    stub.write_clip(stores / "corpus/s3/more.wav", seed=99)
    with (stores / "corpus/manifest.csv").open("a") as manifest:
        manifest.write("s3/more.wav,s3,f,sad,\n")
    report, encoder = again(out, stores / "corpus")
    assert (report.clips, report.encoded, encoder.clips) == (CLIPS + 1, 1, 1)
    assert verify(out).faults == ()
    assert open_store(out).vectors(slice(0, CLIPS)).tobytes() == before.tobytes()
