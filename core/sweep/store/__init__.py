"""Stores of sweeps: a folder with one Parquet part for each chunk, and the manifest of the sweep."""

from accelscope.core.sweep.store.reader import StoreReader, open_store

__all__ = ["StoreReader", "open_store"]
