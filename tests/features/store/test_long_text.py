"""One long cell among many: memory and disk follow the texts, not rows x the longest."""

import resource
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.features.store import hdf5_columns, open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.table import as_column, is_even
from gensr.features.store.verify import verify
from support import synthetic as made
from support.loaded import load_vectors
from support.trees import tree

ROWS, LONG = 2000, 200_000


def rows(count=ROWS):
    """Rows with one long transcript."""
    found = [made.clip(f"{number:05}.wav", note="hello") for number in range(count)]
    found[-1]["note"] = "\u6f22" * LONG
    return found


def test_a_long_cell_costs_its_own_room(tmp_path):
    """Room of the longest for each would be 400 MB in UTF-8, 1.6 GB in memory."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, before[1]))
    try:
        out = made.make(tmp_path / "s.zarr", rows(), shard_clips=1000)
        convert(out, tmp_path / "s.h5")
        convert(tmp_path / "s.h5", tmp_path / "back.zarr")
        convert(tmp_path / "back.zarr", tmp_path / "back.h5")
        loaded = load_vectors([tmp_path / "s.h5"])
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert loaded.table["note"][-1] == "\u6f22" * LONG
    assert loaded.table["speaker"].dtype.kind == "O"
    assert (tmp_path / "s.h5").stat().st_size < 8e6
    assert tree(tmp_path / "back.zarr") == tree(out)
    assert tree(tmp_path / "back.h5") == tree(tmp_path / "s.h5")
    assert verify(tmp_path / "s.h5").faults == ()
    with h5py.File(tmp_path / "s.h5") as file:  # as docs/store.md says that others may
        text, ends = file["clips/note/text"][:].tobytes(), file["clips/note/ends"][:]
        assert text[ends[-2] : ends[-1]].decode() == "\u6f22" * LONG
        assert file["clips/path"].asstr()[0] == "00000.wav"


TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(TEXTS.filter(len), st.booleans())
def test_either_layout_gives_the_texts_back(tmp_path, monkeypatch, texts, even):
    with monkeypatch.context() as patch, h5py.File.in_memory() as file:
        patch.setattr(hdf5_columns, "is_even", lambda lengths: even)
        hdf5_columns.write_column(file, "clips/x", as_column(texts, "string"))
        found = file["clips/x"]
        if even:
            read = hdf5_columns.read_text(found)
        else:
            long = found["text"], found["ends"]
            read = hdf5_columns.read_long_text(*long, len(texts), "here", "clips/x")
        assert read.tolist() == texts


@given(st.lists(st.integers(0, 2000)), st.integers(1, 3000))
def test_what_is_even_takes_a_few_times_its_room(lengths, times):
    many = lengths * times
    if is_even(many):
        room = len(many) * max(many, default=0)
        assert room <= max(2**20, 4 * (sum(many) + 8 * len(many)))


@pytest.fixture(scope="module")
def long_store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    return made.make(folder / "s.h5", rows(20), shard_clips=20)


def _ends(change):
    def spoil(group):
        ends = group["ends"][:]
        group["ends"][:] = change(ends)

    return spoil


def _other(name, data):
    def spoil(group):
        del group[name]
        group[name] = data

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _ends(lambda ends: ends[::-1]),
        _ends(lambda ends: ends - 10),
        _ends(lambda ends: ends * 1000),
        _ends(lambda ends: np.where(ends == ends[-1], ends, ends + 2**62)),
        _other("ends", np.arange(20.0)),
        _other("ends", np.arange(3)),
        _other("ends", h5py.Empty("i8")),
        _other("ends", h5py.SoftLink("/clips/row")),
        _other("text", np.zeros((2, 2), np.uint8)),
        _other("text", np.full(60_095, 255, np.uint8)),
        _other("text", h5py.ExternalLink("other.h5", "/x")),
    ],
)
def test_texts_that_do_not_fit_are_one_line(long_store, tmp_path, spoil):
    path = Path(shutil.copy(long_store, tmp_path))
    with h5py.File(path, "r+") as file:
        spoil(file["clips/note"])
    with open_store(path) as store, pytest.raises(StoreError) as told:
        _ = store.table
    assert "\n" not in str(told.value)
    assert verify(path).faults
