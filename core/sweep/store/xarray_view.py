"""A store as an `xarray.Dataset`: a dimension for each axis, and variables that are read when they are looked at."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from accelscope.core.numeric.term import Array
from accelscope.core.sweep.store.parts import StoreColumn

if TYPE_CHECKING:
    from accelscope.core.sweep.store.reader import StoreReader

_FILL_VALUES = {"number": np.nan, "name": None, "yes or no": False}
_COLUMN_DTYPES: dict[str, Any] = {"number": float, "name": object, "yes or no": bool}


def build_dataset(store: StoreReader, columns: tuple[StoreColumn, ...]) -> Any:
    """Return the dataset of some columns of a store."""
    xarray: Any = importlib.import_module("xarray")
    indexing: Any = importlib.import_module("xarray.core.indexing")
    axes = store.manifest["axes"]
    names = [axis["name"] for axis in axes]
    shape = tuple(len(axis["values"]) for axis in axes)
    variables = {
        item.name: xarray.Variable(
            names,
            indexing.LazilyIndexedArray(_lazy(store, item, shape)),
            {"units": item.unit} if item.unit else {},
        )
        for item in columns
    }
    coordinates = {
        axis["name"]: (axis["name"], axis["values"], {"units": axis["unit"]} if axis["unit"] else {})
        for axis in axes
    }
    attributes = {"fingerprint": store.manifest["fingerprint"], "asked": store.manifest["asked"]}
    return xarray.Dataset(variables, coordinates, attributes)


def _lazy(store: StoreReader, column: StoreColumn, shape: tuple[int, ...]) -> Any:
    """Return an array of xarray's that reads one column of all parts when it is first indexed."""
    backends: Any = importlib.import_module("xarray.backends")
    indexing: Any = importlib.import_module("xarray.core.indexing")

    class Lazy(backends.BackendArray):  # type: ignore[misc]
        def __init__(self) -> None:
            self.shape = shape
            self.dtype = np.dtype(_COLUMN_DTYPES[column.type])
            self._read: Array | None = None

        def __getitem__(self, key: Any) -> Any:
            support = indexing.IndexingSupport.BASIC
            return indexing.explicit_indexing_adapter(key, self.shape, support, self._at)

        def _at(self, key: tuple[Any, ...]) -> Any:
            if self._read is None:
                self._read = _scatter_column(store, column, shape)
            return self._read[key]

    return Lazy()


def _scatter_column(store: StoreReader, column: StoreColumn, shape: tuple[int, ...]) -> Array:
    """Return a column on the grid of its axes: every part says itself where its points are."""
    found: Array = np.full(shape, _FILL_VALUES[column.type], dtype=_COLUMN_DTYPES[column.type])
    axes = store.manifest["axes"]
    places = [{value: at for at, value in enumerate(axis["values"])} for axis in axes]
    names = [axis["name"] for axis in axes]
    for batch in store.to_dataset().to_batches(columns=[*names, column.name]):
        index = tuple(_places(batch.column(name), known) for name, known in zip(names, places, strict=True))
        found[index] = batch.column(column.name).to_numpy(zero_copy_only=False)
    return found


def _places(values: Any, known: dict[Any, int]) -> Array:
    """Return the place of each value on its axis; few values repeat often, so each is looked up once."""
    coded = values.dictionary_encode()
    places = np.array([known[value] for value in coded.dictionary.to_pylist()], dtype=int)
    found: Array = places[coded.indices.to_numpy()]
    return found
