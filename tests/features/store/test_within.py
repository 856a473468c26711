"""What lies within a store's folder goes when that is exchanged: nothing of others gets there."""

import pytest

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from support import stub
from support.trees import tree


@pytest.fixture
def made(run, tmp_path):
    run(tmp_path / "s.zarr")
    return tmp_path / "s.zarr"


@pytest.mark.parametrize("name", ["run/config.json", "other.zarr/zarr.json", "notes.txt", "a/b"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_store_that_holds_more_is_not_exchanged(made, run, corpus, name, overwrite):
    (made / name).parent.mkdir(exist_ok=True)
    (made / name).write_text("a year of work")
    stub.write_clip(corpus / "new/1.wav", seed=9)
    first = name.split("/", maxsplit=1)[0]
    with pytest.raises(StoreError, match=f"holds {first}, which is no part of a store.*move it"):
        run(made, overwrite=overwrite)
    assert (made / name).read_text() == "a year of work"
    with open_store(made) as store:
        assert len(store) == 20


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db"])
def test_what_systems_leave_everywhere_hinders_nothing(made, run, name):
    (made / name).write_text("")
    assert run(made, overwrite=True).clips == 20


@pytest.mark.parametrize("name", ["inner.zarr", "inner.h5", "a/b/inner.zarr"])
def test_no_store_is_made_within_another(made, run, name):
    before = tree(made)
    with pytest.raises(StoreError, match=r"within the store .*s.zarr.*: write beside it"):
        run(made / name)
    with pytest.raises(StoreError, match=r"within the store .*s.zarr.*: write beside it"):
        convert(made, made / name)
    assert tree(made) == before
