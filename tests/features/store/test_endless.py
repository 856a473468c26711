"""Files of a store that never end, or never begin, hold nobody; see also test_bound.py."""

import os
from pathlib import Path

import h5py
import pytest

from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.verify import verify
from support import synthetic as made

ENDLESS = Path("/dev/zero"), Path("/proc/self/pagemap")


def put(path: Path, kind: str) -> None:
    """Replace a file by a pipe, a hole of 8 TB, or a link to a file that never ends."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "hole":
        with path.open("wb") as file:
            file.truncate(2**43)
    else:
        target = ENDLESS[kind == "pagemap"]
        if not target.exists():
            pytest.skip(f"{target} is not there")
        path.symlink_to(target)


@pytest.mark.parametrize("kind", ["pipe", "hole", "zero", "pagemap"])
def test_such_a_file_is_one_line(tmp_path, kind):
    store = made.make(tmp_path / "s.zarr", made.clips("abcd"))
    for name in ("clips/emotion/zarr.json", "clips/zarr.json", "vectors/zarr.json"):
        kept = (store / name).read_bytes()
        put(store / name, kind)
        assert any(Path(name).parent.name in fault for fault in verify(store).faults)
        (store / name).unlink()
        (store / name).write_bytes(kept)
    assert not verify(store).faults
    for path in (store / "zarr.json", tmp_path / "s.h5"):
        put(path, kind)
        with pytest.raises(StoreError, match=r"is not a gensr store|cannot be read|not finished"):
            open_store(path.parent if path.name == "zarr.json" else path)


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_a_text_that_is_a_hole_is_not_read(tmp_path, name):
    """2 TB of it: nothing that a memory holds."""
    rows = [
        made.clip(f"{clip}.wav", note="x" * (2**21 if clip == "a" else 1)) for clip in "abcdefgh"
    ]
    store = made.make(tmp_path / name, rows)
    if store.is_dir():
        (chunk,) = (store / "clips/note/c").iterdir()
        with chunk.open("r+b") as file:
            file.truncate(2**41)
    else:
        plain = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plain.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        plain.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        with h5py.File(store, "r+") as file:
            del file["clips/note/text"]
            space = h5py.h5s.create_simple((2**41,))
            group = file["clips/note"].id
            h5py.h5d.create(group, b"text", h5py.h5t.STD_U8LE, space, plain)
    with open_store(store) as opened, pytest.raises(StoreError, match="the rest is a hole"):
        opened.column("note")
