"""Cached vectors on disk: Zarr or HDF5, written shard by shard, read in part (docs/store.md)."""

from gensr.features.store.open import Store, open_store

__all__ = ["Store", "open_store"]
