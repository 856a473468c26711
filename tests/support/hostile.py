"""Stores that somebody has prepared: what they promise is elsewhere, or is not there at all."""

import hashlib
import json

import h5py
import numpy as np
import zarr

SECRET = "not-for-strangers"
HUGE = 10**10


def seal(header):
    """Return a header with the hash that belongs to it."""
    rest = {key: value for key, value in header.items() if key != "header_sha256"}
    found = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return {**rest, "header_sha256": found}


def _elsewhere(file, path):
    """Write another HDF5 file beside the store that has all its arrays, and a secret in one."""
    other = path.with_name("other.h5")
    with h5py.File(other, "w") as target:
        for name in ("clips", "vectors"):
            file.copy(name, target)
        size = target["clips/emotion"].dtype.itemsize
        words = np.full(target["clips/emotion"].shape, SECRET.encode())
        del target["clips/emotion"]
        kind = h5py.string_dtype("utf-8", max(size, len(SECRET)))
        target["clips/emotion"] = words.astype(kind)
    return other


def external_link(file, path):
    other = _elsewhere(file, path)
    del file["clips/emotion"]
    file["clips/emotion"] = h5py.ExternalLink(other.name, "/clips/emotion")


def external_group(file, path):
    other = _elsewhere(file, path)
    del file["clips"]
    file["clips"] = h5py.ExternalLink(other.name, "/clips")


def soft_link(file, path):
    del file["clips/emotion"]
    file["clips/emotion"] = h5py.SoftLink("/clips/corpus")


def dangling_link(file, path):
    del file["vectors"]
    file["vectors"] = h5py.SoftLink("/nowhere")


def virtual(file, path):
    found = file["vectors"]
    layout = h5py.VirtualLayout(found.shape, found.dtype)
    layout[:] = h5py.VirtualSource(_elsewhere(file, path).name, "vectors", found.shape)
    del file["vectors"]
    file.create_virtual_dataset("vectors", layout)


def external_storage(file, path):
    """A column whose bytes are another file's: here the words of it, as labels."""
    secret = path.with_name("secret.txt")
    count = len(file["clips/emotion"])
    secret.write_text(SECRET * count)
    del file["clips/emotion"]
    kind = h5py.string_dtype("utf-8", len(SECRET))
    places = [(str(secret), 0, count * len(SECRET))]
    file.create_dataset("clips/emotion", (count,), kind, external=places)


def external_vectors(file, path):
    found = file["vectors"]
    shape, dtype = found.shape, found.dtype
    secret = path.with_name("secret.txt")
    secret.write_bytes(b"\0" * found.nbytes)
    del file["vectors"]
    file.create_dataset("vectors", shape, dtype, external=[(str(secret), 0, secret.stat().st_size)])


def group_for_array(file, path):
    del file["clips/emotion"]
    file.create_group("clips/emotion")


def array_for_group(file, path):
    del file["clips"]
    file["clips"] = np.arange(3)


def huge_text(file, path):
    """Ten labels of a gigabyte each, of which not one byte is there."""
    count = len(file["clips/emotion"])
    del file["clips/emotion"]
    file.create_dataset("clips/emotion", (count,), h5py.string_dtype("utf-8", 2**30))


def compressed(file, path):
    words = file["clips/emotion"][:]
    kind = file["clips/emotion"].dtype
    del file["clips/emotion"]
    file.create_dataset("clips/emotion", data=words, dtype=kind, compression="gzip")


def heap_text(file, path):
    count = len(file["clips/emotion"])
    del file["clips/emotion"]
    file.create_dataset("clips/emotion", data=["x"] * count, dtype=h5py.string_dtype())


def long_column(file, path):
    del file["clips/seconds"]
    file.create_dataset("clips/seconds", (HUGE,), "f8", chunks=(1000,))


def no_shape(file, path):
    del file["clips/seconds"]
    file["clips/seconds"] = h5py.Empty("f8")


def other_vectors(file, path):
    shape = file["vectors"].shape
    del file["vectors"]
    file.create_dataset("vectors", (HUGE, *shape[1:]), "f4", chunks=(1000, *shape[1:]))


def sparse_vectors(file, path):
    """Make vectors of megabytes whose chunks have room in the file, of which nothing is written."""
    header = json.loads(file.attrs["gensr"])
    header["width"] = 2**17
    shape = (header["clips"], len(header["layers"]), header["width"])
    chunk = (header["shard_clips"], 1, header["width"])
    file.attrs["gensr"] = json.dumps(seal(header))
    del file["vectors"]
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_chunk(chunk)
    how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple(shape, (h5py.h5s.UNLIMITED, *shape[1:]))
    h5py.h5d.create(file.id, b"vectors", h5py.h5t.IEEE_F32LE, space, how)


IN_HDF5 = (
    sparse_vectors,
    external_link,
    external_group,
    soft_link,
    dangling_link,
    virtual,
    external_storage,
    external_vectors,
    group_for_array,
    array_for_group,
    huge_text,
    compressed,
    heap_text,
    long_column,
    no_shape,
    other_vectors,
)


def array(path, name, *, keep=False, **changes):
    """Edit an array's metadata and remove its data, if not kept: what is left is a kilobyte."""
    file = path / name / "zarr.json"
    found = json.loads(file.read_bytes())
    for key, change in changes.items():
        found[key] = change(found[key])
    file.write_text(json.dumps(found))
    for data in (path / name / "c").rglob("*"):
        if data.is_file() and not keep:
            data.unlink()


def grid(size):
    return lambda old: {**old, "configuration": {"chunk_shape": [size]}}


def zarr_long_column(path):
    array(path, "clips/seconds", shape=lambda _: [HUGE], chunk_grid=grid(HUGE))


def zarr_long_text(path):
    array(path, "clips/emotion", shape=lambda _: [HUGE], chunk_grid=grid(HUGE))


def zarr_long_store(path):
    """All agree that there are so many clips: header, column and vectors."""
    attributes = zarr.open_group(path, mode="r+").attrs
    header = attributes["gensr"]
    # In format 1: today's would have to hold a hash for each shard.
    older = {key: value for key, value in header.items() if key != "shards_sha256"}
    attributes["gensr"] = seal({**older, "version": 1, "clips": HUGE})
    for name in header["columns"]:
        array(path, f"clips/{name}", shape=lambda _: [HUGE], chunk_grid=grid(HUGE))
    zarr_long_vectors(path)


def zarr_wide_chunk(path):
    """A column as long as the header says, in a chunk that is not."""
    array(path, "clips/seconds", chunk_grid=grid(HUGE))


def zarr_compressed(path):
    words = zarr.open_array(path / "clips/seconds", mode="r")[:]
    group = zarr.open_group(path, mode="r+")
    del group["clips/seconds"]
    group["clips"].create_array("seconds", data=words, chunks=words.shape, compressors="auto")


def zarr_compressed_vectors(path):
    """Shards of the right size, in which a few bytes become many."""
    vectors = zarr.open_array(path / "vectors", mode="r")[:]
    group = zarr.open_group(path, mode="r+")
    header = group.attrs["gensr"]
    layers, width, shard = len(header["layers"]), header["width"], header["shard_clips"]
    sizes = [file.stat().st_size for file in (path / "vectors/c").rglob("0") if file.is_file()]
    del group["vectors"]
    group.create_array(
        "vectors",
        data=0 * vectors,
        chunks=(shard, 1, width),
        shards=(shard, layers, width),
        compressors="auto",
        config={"write_empty_chunks": True},
    )
    index = 16 * layers + 4  # of a shard's chunks, at its end
    for file in (path / "vectors/c").rglob("0"):
        if file.is_file():
            data = file.read_bytes()
            file.write_bytes(data[:-index].ljust(sizes[0] - index, b"\0") + data[-index:])


def _nested(codecs):
    """Chunks that are shards themselves, with chunks that are compressed."""
    inner = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "gzip"}]
    inner[1]["configuration"] = {"level": 5}
    return {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": codecs,
            "codecs": inner,
            "index_codecs": [inner[0], {"name": "crc32c"}],
            "index_location": "end",
        },
    }


def zarr_nested_vectors(path):
    def change(codecs):
        settings = codecs[0]["configuration"]
        settings["codecs"] = [_nested(settings["chunk_shape"])]
        return codecs

    array(path, "vectors", keep=True, codecs=change)


def zarr_nested_column(path):
    count = json.loads((path / "clips/seconds/zarr.json").read_bytes())["shape"]
    array(path, "clips/seconds", keep=True, codecs=lambda _: [_nested(count), {"name": "crc32c"}])


def zarr_other_chunks(path):
    vectors = zarr.open_array(path / "vectors", mode="r")[:]
    group = zarr.open_group(path, mode="r+")
    del group["vectors"]
    group.create_array("vectors", data=vectors, chunks=vectors.shape)


def zarr_long_vectors(path):
    array(path, "vectors", shape=lambda old: [HUGE, *old[1:]])


def zarr_group_for_array(path):
    group = zarr.open_group(path, mode="r+")
    for name in ("clips/emotion", "vectors"):
        del group[name]
        group.create_group(name)


def zarr_other_numbers(path):
    group = zarr.open_group(path, mode="r+")
    count = group["clips/seconds"].shape[0]
    del group["clips/seconds"]
    group["clips"].create_array("seconds", shape=(count,), dtype="float32", chunks=(count,))


IN_ZARR = (
    zarr_long_column,
    zarr_long_text,
    zarr_long_store,
    zarr_wide_chunk,
    zarr_compressed,
    zarr_compressed_vectors,
    zarr_nested_vectors,
    zarr_nested_column,
    zarr_other_chunks,
    zarr_long_vectors,
    zarr_group_for_array,
    zarr_other_numbers,
)

EVERY = [("s.h5", change) for change in IN_HDF5] + [("s.zarr", change) for change in IN_ZARR]


def spoil(path, change):
    """Make a sound store a hostile one."""
    if path.is_dir():
        change(path)
        return
    with h5py.File(path, "r+") as file:
        change(file, path)
