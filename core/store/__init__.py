"""Stores of sweeps: a folder with one Parquet part for each chunk, and what they are of."""

from accelscope.core.store.read import StoreReader, open_store

__all__ = ["StoreReader", "open_store"]
