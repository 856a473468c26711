"""One reader for both containers: whole, in part, by blocks, lazily."""

import hashlib
import json
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr

from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from support import stub


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """One corpus, both containers, made once: tests that change a store take a copy."""
    from gensr.pipeline.extraction.extract import ExtractConfig, extract

    folder = tmp_path_factory.mktemp("built")
    root = stub.write_corpus(folder / "corpus")
    config = ExtractConfig(encoder="stub", shard_clips=4, batch_seconds=0.2)
    for name in ("s.zarr", "s.h5"):
        extract(root, folder / name, config, encoder=stub.StubEncoder())
    return folder


@pytest.fixture(params=["s.zarr", "s.h5"])
def store(built, request):
    with open_store(built / request.param) as store:
        yield store


@pytest.fixture
def copy(built, tmp_path):
    def copy(name):
        if (built / name).is_dir():
            return shutil.copytree(built / name, tmp_path / name)
        return shutil.copy(built / name, tmp_path / name)

    return copy


def test_rows_are_in_path_order_and_hold_their_own_clip(store, built):
    from gensr.features.hearing.decode import read_audio

    table = store.table
    assert table["path"].tolist() == sorted(table["path"].tolist())
    assert table["row"].tolist() == list(range(20)) == list(range(len(store)))
    assert table["emotion"].tolist() == [path.split("/")[0] for path in table["path"].tolist()]
    vectors = store.vectors()
    assert vectors.dtype == np.float32
    for row, path in enumerate(table["path"]):
        wave = read_audio(built / "corpus" / path)
        own = stub.StubEncoder().expected(wave.samples)
        np.testing.assert_array_equal(vectors[row, 1:], own[1:])
        assert table["audio_sha256"][row] == wave.sha256
        assert table["samples"][row] == len(wave.samples)
        assert table["seconds"][row] == pytest.approx(wave.seconds)


@pytest.mark.parametrize(
    "rows",
    [
        slice(3, 11),
        slice(None, None, 3),
        slice(0, 0),
        [17, 2, 2, 9],
        [],
        np.arange(20) % 3 == 0,
        -1,
        [-2, 0],
    ],
)
@pytest.mark.parametrize("layers", [None, ["x1"], ["x1", "layer_0"], ["layer_1", "x1"], []])
def test_a_part_is_what_numpy_would_cut_out(store, rows, layers):
    every = store.vectors()
    index = [store.layers.index(name) for name in (store.layers if layers is None else layers)]
    chosen = np.asarray(rows, dtype=int) if isinstance(rows, list) else rows
    expected = np.atleast_3d(every[chosen]) if not np.isscalar(rows) else every[[rows]]
    np.testing.assert_array_equal(store.vectors(rows, layers), expected[:, index])


def test_blocks_are_shards(store):
    blocks = list(store.blocks(["x1"]))
    assert [(rows.start, rows.stop) for rows, _ in blocks] == [(i, i + 4) for i in range(0, 20, 4)]
    np.testing.assert_array_equal(
        np.concatenate([block for _, block in blocks]), store.vectors(layers=["x1"])
    )


def test_dask_reads_it_lazily(store):
    lazy = store.lazy()
    assert lazy.shape == (20, 3, 4)
    assert lazy.chunks[0] == (4,) * 5
    np.testing.assert_array_equal(lazy[3:9, -1].compute(), store.vectors(slice(3, 9), ["x1"])[:, 0])
    np.testing.assert_array_equal(lazy[5].compute(), store.vectors([5])[0])
    np.testing.assert_array_equal(
        lazy[[9, 2, 2]][:, [2, 0], 1:].compute(),
        store.vectors([9, 2, 2], ["x1", "layer_0"])[:, :, 1:],
    )
    np.testing.assert_array_equal(store.lazy(["x1"]).compute(), store.vectors(layers=["x1"]))


def test_statistics_equal_numpy(store):
    every = store.vectors().astype(np.float64)
    mean, std = store.mean_std()
    np.testing.assert_allclose(mean, every.mean(axis=0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(std, every.std(axis=0), rtol=1e-12)
    rows = np.array([1, 5, 6, 19])
    mean, std = store.mean_std(rows, ["x1"])
    np.testing.assert_allclose(mean, every[rows, -1:].mean(axis=0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(std, every[rows, -1:].std(axis=0), rtol=1e-12)


def test_a_store_can_be_sent_to_another_process(store):
    with pickle.loads(pickle.dumps(store)) as other:
        np.testing.assert_array_equal(other.vectors([7]), store.vectors([7]))
        assert other.fingerprint() == store.fingerprint()


def test_the_fingerprint_is_of_the_vectors_not_of_the_container_or_the_labels(
    run, corpus, tmp_path
):
    run(tmp_path / "a.zarr")
    run(tmp_path / "b.h5", shard_clips=7)
    (corpus / "angry").rename(corpus / "zz")  # other paths: other rows
    run(tmp_path / "c.zarr")
    a, b, c = (open_store(tmp_path / name).fingerprint() for name in ("a.zarr", "b.h5", "c.zarr"))
    assert a == b != c


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_attributes_are_readable_without_gensr(built, name):
    out = built / name
    if out.suffix == ".zarr":
        group = zarr.open_group(out, mode="r")
        about, paths, vectors = group.attrs["gensr"], group["clips/path"][:], group["vectors"]
    else:
        with h5py.File(out) as file:
            about = json.loads(file.attrs["gensr"])
            paths, vectors = file["clips/path"].asstr()[:], file["vectors"][:]
    assert about["clips"] == 20 == len(paths) == vectors.shape[0]
    assert about["layers"][-1] == "x1"
    assert about["encoder"]["revision"] == "r1"
    assert about["preprocessing"]["sample_rate"] == 16_000


def test_unknown_names_and_rows_are_named(store):
    with pytest.raises(StoreError, match=r"no layer 'x2'; it has layer_0, layer_1, x1"):
        store.vectors(layers=["x2"])
    with pytest.raises(TypeError, match="a sequence"):
        store.vectors(layers="x1")
    with pytest.raises(IndexError):
        store.vectors([20])


def test_what_is_not_a_store_is_said_to_be_none(tmp_path):
    with pytest.raises(StoreError, match=r"nothing\.zarr does not exist"):
        open_store(tmp_path / "nothing.zarr")
    with pytest.raises(StoreError, match="not a gensr store"):
        open_store(tmp_path)
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(StoreError, match="not a gensr store"):
        open_store(tmp_path / "text.h5")
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(StoreError, match="not a gensr store"):
        open_store(tmp_path / "other.zarr")
    h5py.File(tmp_path / "other.h5", "w").close()
    with pytest.raises(StoreError, match="not a gensr store"):
        open_store(str(tmp_path / "other.h5"))


def sealed(header):
    """A header with the hash that belongs to it."""
    rest = {key: value for key, value in header.items() if key != "header_sha256"}
    found = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return {**rest, "header_sha256": found}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 9}, "format 9"),
        ({"layers": None}, "damaged"),
        ({"dtype": "int8"}, "damaged"),
        ({"clips": 0, "shards_sha256": []}, "not finished"),
        ({"clips": 0}, "damaged"),
    ],
)
def test_headers_that_cannot_be_used(copy, change, message):
    out = copy("s.zarr")
    group = zarr.open_group(out, mode="r+")
    group.attrs["gensr"] = sealed({**group.attrs["gensr"], **change})
    with pytest.raises(StoreError, match=message):
        open_store(out)


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_a_header_that_was_edited_is_not_believed(copy, name):
    out = Path(copy(name))
    for key, change in (("clips", 19), ("layers", ["layer_0", "layer_2", "x1"]), ("more", 1)):
        if out.suffix == ".zarr":
            attributes = zarr.open_group(out, mode="r+").attrs
            header = attributes["gensr"]
            attributes["gensr"] = {**header, key: change}
        else:
            with h5py.File(out, "r+") as file:
                header = json.loads(file.attrs["gensr"])
                file.attrs["gensr"] = json.dumps({**header, key: change})
        with pytest.raises(StoreError, match=r"header is damaged \(its hash is another\)"):
            open_store(out)
        if out.suffix == ".zarr":
            attributes["gensr"] = header
        else:
            with h5py.File(out, "r+") as file:
                file.attrs["gensr"] = json.dumps(header)
        open_store(out).close()


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_damage_is_found(copy, name):
    out = copy(name)
    if out.suffix == ".zarr":
        file = out / "vectors/c/1/0/0"
        data = bytearray(file.read_bytes())
        data[5] ^= 1
        file.write_bytes(data)
    else:
        data = bytearray(out.read_bytes())
        with open_store(out) as store:
            place = data.find(store.vectors([4])[0, 0].tobytes())
        data[place + 1] ^= 1
        out.write_bytes(data)
    with open_store(out) as store:
        store.vectors(slice(0, 4))
        with pytest.raises(StoreError, match=r"rows 4 to 7 .* damaged"):
            store.vectors(slice(4, 8))


def test_a_lost_shard_is_not_read_as_zeros(copy):
    out = copy("s.zarr")
    (out / "vectors/c/2/0/0").unlink()
    with pytest.raises(StoreError, match="shard 2 is missing"):
        open_store(out).vectors()


def test_lost_or_short_columns_are_named(copy):
    out = copy("s.zarr")
    group = zarr.open_group(out, mode="r+")
    group["clips/speaker"].resize((3,))
    with pytest.raises(StoreError, match="clips/speaker has 3 rows, the header says 20"):
        _ = open_store(out).table
    shutil.rmtree(out / "clips/speaker")
    with pytest.raises(StoreError, match="no array 'clips/speaker'"):
        _ = open_store(out).table


def test_reading_loads_neither_torch_nor_audio(built):
    code = (
        "import sys; from gensr.features.store import open_store; s = open_store(sys.argv[1]);"
        "s.vectors(); s.table;"
        "print([m for m in ('torch', 'transformers', 'soundfile', 'h5py', 'dask')"
        " if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(built / "s.zarr")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_documented_code_runs(copy, tmp_path, monkeypatch):
    text = (Path(__file__).parents[3] / "docs/store.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    copy("s.zarr").rename(tmp_path / "feats.zarr")
    Path(copy("s.h5")).rename(tmp_path / "feats.h5")
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, "docs/store.md", "exec"), {})


def test_every_array_and_key_is_documented(built):
    text = (Path(__file__).parents[3] / "docs/store.md").read_text()
    with open_store(built / "s.zarr") as store:
        for name in (*store.attributes, *store.table):
            assert re.search(rf"`(clips/)?{name}`", text), name
