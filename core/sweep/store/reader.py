"""Readers of stores: Arrow, pandas and xarray, each imported when it is asked for; data stays on disk until then."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.core.sweep.store import failures, layout, parts
from accelscope.core.sweep.store.failures import ChunkFailure
from accelscope.core.sweep.store.folder import list_complete_parts, list_numbered_files, read_manifest
from accelscope.core.sweep.store.parts import StoreColumn
from accelscope.dsl.diagnostics.suggest import did_you_mean


def open_store(path: str | Path) -> StoreReader:
    """Return a reader of the store of a sweep.

    Raises:
        UsageError: the folder is no store.
    """
    folder = Path(path)
    return StoreReader(folder, read_manifest(folder))


@frozen(eq=False)
class StoreReader:
    """A store that is only read, also while a sweep writes to it.

    Attributes:
        folder: that holds it.
        manifest: what it is of: versions, plugins, files, overrides, axes, columns.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def columns(self) -> tuple[StoreColumn, ...]:
        """All columns with their units."""
        return tuple(StoreColumn(**item) for item in self.manifest["columns"])

    @property
    def units(self) -> dict[str, str]:
        """Unit of each column that has one."""
        return {item.name: item.unit for item in self.columns if item.unit}

    @property
    def failures(self) -> tuple[ChunkFailure, ...]:
        """Why chunks are missing, as far as a plugin or accelscope failed."""
        return tuple(
            failures.read_failure(path)
            for path in list_numbered_files(self.folder / layout.FAILURES_FOLDER, ".json")
        )

    def parts(self) -> Iterator[Path]:
        """Yield the Parquet files of the chunks that are done, in the order of their points."""
        return list_complete_parts(self.folder)

    def to_dataset(self) -> Any:
        """Return a `pyarrow.dataset.Dataset` of all parts, of which nothing is read yet."""
        arrow = parts.import_pyarrow()
        dataset: Any = importlib.import_module("pyarrow.dataset")
        schema = parts.build_arrow_schema(self.columns)
        found = [str(path) for path in self.parts()]
        if not found:
            return dataset.dataset(arrow.Table.from_pylist([], schema=schema))
        return dataset.dataset(found, schema=schema, format="parquet")

    def to_arrow(self, columns: Sequence[str] | None = None) -> Any:
        """Return a `pyarrow.Table` in the order of points; the metadata of each field has its unit.

        Args:
            columns: names of those to read, or None for all.
        """
        self._refuse_unknown(columns)
        return self.to_dataset().to_table(columns=None if columns is None else list(columns))

    def to_pandas(self, columns: Sequence[str] | None = None) -> Any:
        """Return a `pandas.DataFrame` in the order of points; `.attrs["units"]` has the units.

        Args:
            columns: names of those to read, or None for all.
        """
        _needs("pandas")
        frame = self.to_arrow(columns).to_pandas()
        frame.attrs["units"] = {name: unit for name, unit in self.units.items() if name in frame}
        return frame

    def to_xarray(self, columns: Sequence[str] | None = None) -> Any:
        """Return an `xarray.Dataset` with a dimension for each axis; a variable is read when it is looked at.

        Points that are missing are NaN, None or False.

        Args:
            columns: names of those to offer, or None for all.
        """
        _needs("xarray")
        self._refuse_unknown(columns)
        from accelscope.core.sweep.store.xarray_view import build_dataset

        wanted = [item for item in self.columns if columns is None or item.name in columns]
        return build_dataset(self, tuple(item for item in wanted if not item.axis))

    def _refuse_unknown(self, columns: Sequence[str] | None) -> None:
        known = [item.name for item in self.columns]
        for name in columns or ():
            if name not in known:
                hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
                raise UsageError(f"the store has no column `{name}`; {hint}")


def _needs(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise UsageError(f"reading a store with {module} needs it: `pip install 'accelscope[frames]'`")
