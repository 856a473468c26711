"""An addition to a damaged store never makes the damage sound: right hashes, right vectors."""

import shutil

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensr.features.store import open_store
from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from support import synthetic as made

NAMES, SHARD = "abcdefghij", 4
SHARDS = -(-len(NAMES) // SHARD)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    for name in ("s.zarr", "s.h5"):
        made.make(folder / name, made.clips(NAMES), shard_clips=SHARD)
    return folder


def pieces(path):
    """Every chunk of the vectors, one a layer of a shard: (file, first byte, size)."""
    if path.is_dir():
        size = SHARD * made.WIDTH * 4 + 4
        files = [path / f"vectors/c/{shard}/0/0" for shard in range(SHARDS)]
        return [(file, layer * size, size) for file in files for layer in range(len(made.LAYERS))]
    with h5py.File(path) as file:
        found = file["vectors"].id
        chunks = [found.get_chunk_info(number) for number in range(found.get_num_chunks())]
    return [(path, chunk.byte_offset, chunk.size) for chunk in chunks]


def damage(found, how, one, other, place):
    """Damage one chunk, or make two change places, or double one of them."""
    file, start, size = found[one % len(found)]
    data = bytearray(file.read_bytes())
    if how in ("flipped", "zeroed"):
        end = start + size if how == "zeroed" else start + place % size + 1
        begin = start if how == "zeroed" else end - 1
        data[begin:end] = bytes(byte ^ 0x41 if how == "flipped" else 0 for byte in data[begin:end])
        file.write_bytes(data)
        return
    theirs, begin, _ = found[other % len(found)]
    mine, yours = bytes(data[start : start + size]), theirs.read_bytes()[begin : begin + size]
    for target, at, new in ((file, start, yours), (theirs, begin, mine)):
        if target is theirs and at == begin and how == "doubled":
            continue
        whole = bytearray(target.read_bytes())
        whole[at : at + size] = new
        target.write_bytes(whole)


HOW = st.sampled_from(["flipped", "zeroed", "exchanged", "doubled"])
NUMBER = st.integers(0, 1000)
DAMAGE = st.lists(st.tuples(HOW, NUMBER, NUMBER, NUMBER), min_size=1, max_size=3)
AUDIOS = st.lists(st.sampled_from([*NAMES, "new", "newer", "newest"]), min_size=1, max_size=6)


@pytest.mark.parametrize("examples", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_what_is_readable_with_right_hashes_is_right(built, tmp_path_factory, examples):
    @settings(max_examples=examples, deadline=None)
    @given(name=st.sampled_from(["s.zarr", "s.h5"]), damages=DAMAGE, audios=AUDIOS)
    def launder(name, damages, audios):
        launders_nothing(built, tmp_path_factory.mktemp("laundry"), name, damages, audios)

    launder()


def launders_nothing(built, folder, name, damages, audios):
    """Added to, copied from, merged and converted: every shard is true, or is refused."""
    out = folder / name
    (shutil.copytree if name == "s.zarr" else shutil.copy)(built / name, out)
    for how in damages:
        damage(pieces(out), *how)
    added = [made.clip(f"{n}.wav", f"{audio}.wav") for n, audio in enumerate(audios)]
    attempts = {
        "t.h5": lambda: convert(out, folder / "t.h5"),
        "m.zarr": lambda: merge([built / name, out], folder / "m.zarr", shard_clips=3),
        name: lambda: made.make(out, added, shard_clips=SHARD),
    }
    for target, attempt in attempts.items():
        try:
            attempt()
        except StoreError:
            assert target == name or not (folder / target).exists()
        if (folder / target).exists():
            check(folder / target, audios)


def check(path, audios):
    """Every shard that reads with its hash holds what its rows' recordings give."""
    audio = {f"{name}.wav": f"{name}.wav" for name in NAMES}
    audio |= {f"{number}.wav": f"{name}.wav" for number, name in enumerate(audios)}
    with open_store(path) as store:
        assert store.header.shards_sha256
        paths = store.table["path"].tolist()
        for start in range(0, len(store), store.header.shard_clips):
            rows = slice(start, min(start + store.header.shard_clips, len(store)))
            try:
                found = store.vectors(rows)
            except StoreError:
                continue
            wanted = np.stack([made.vector(audio[path]) for path in paths[rows]])
            np.testing.assert_array_equal(found, wanted)
