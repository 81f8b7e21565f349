"""One chunk of a plan in this process: evaluated and checked; what goes wrong names the plugin."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from attrs import frozen

from accelscope.core.errors import AccelscopeError, PluginError
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.checked_calls import expect_grid
from accelscope.core.sweep.plan import ChunkDetails, ChunkTable, SweepChunk, SweepPlan
from accelscope.core.sweep.store.parts import StoreColumn
from accelscope.core.sweep.summary import SweepSummary, create_sweep_summary


class ChunkDigest(Protocol):
    """What the process that asks wants to know of some points; it is small and can be pickled."""

    def merge(self, other: Any) -> None:
        """Add what is known of other points."""


class ChunkEvaluator(Protocol):
    """Where chunks are evaluated; a process has one, built once."""

    @property
    def columns(self) -> tuple[StoreColumn, ...]:
        """What the parts look like."""

    def evaluated(self, chunk: Any) -> Mapping[str, Array]:
        """Return the columns of a chunk."""

    def digest(self, table: Mapping[str, Array], chunk: Any) -> ChunkDigest:
        """Return what the process that asks wants to know of a chunk."""

    def grid(self, chunk: Any) -> tuple[int, ...]:
        """Return the sizes of the dimensions that arrays of plugins may have in a chunk."""


@frozen(eq=False, slots=False)
class SweepEvaluator:
    """The plan of a study in one process; what it returns is checked.

    Attributes:
        plan: of the study.
        trade: what the front of its summaries trades off.
        collect: takes everything that is known of the points of each chunk; None if only tables are wanted.
    """

    plan: SweepPlan
    trade: tuple[str, ...] = ()
    collect: Callable[[ChunkDetails], None] | None = None

    @property
    def columns(self) -> tuple[StoreColumn, ...]:
        """The columns of every table."""
        return self.plan.columns

    def evaluated(self, chunk: SweepChunk) -> Mapping[str, Array]:
        """Return the table of a chunk.

        Raises:
            PluginError: a metric is not a number at a point that is feasible.
        """
        table = self._table(chunk)
        feasible = np.asarray(table["feasible"])
        for name in self._metrics:
            unknown = np.isnan(np.asarray(table[name], dtype=float)) & feasible
            if unknown.any() and name not in self._lacked(chunk):
                raise self._not_a_number(name, chunk.first + int(np.argmax(unknown)))
        return table

    def _table(self, chunk: SweepChunk) -> ChunkTable:
        if self.collect is None:
            return self.plan.evaluate(chunk)
        details = self.plan.evaluate_details(chunk)
        self.collect(details)
        return details.table

    def digest(self, table: Mapping[str, Array], chunk: SweepChunk) -> SweepSummary:
        """Return the summary of a chunk."""
        summary = create_sweep_summary(self.plan, self.trade)
        summary.add(table, chunk.first)
        return summary

    def grid(self, chunk: SweepChunk) -> tuple[int, ...]:
        """Return the sizes of the dimensions of arrays in a chunk: its part of the axes, and the tuned ones."""
        parts = (stop - start for start, stop in zip(chunk.starts, chunk.stops, strict=True))
        return (*parts, *(axis.size for axis in self.plan.tuned if axis.numeric))

    @cached_property
    def _metrics(self) -> tuple[str, ...]:
        known = self.plan.variants.registry.metrics
        return tuple(item.name for item in self.plan.columns if item.name in known)

    @cached_property
    def _lacks(self) -> dict[tuple[tuple[str, int], ...], frozenset[str]]:
        """Names of the metrics that some design of each variant gives too little for."""
        return {}

    def _lacked(self, chunk: SweepChunk) -> frozenset[str]:
        """Return the metrics that no point has where one of the designs of a chunk is the best."""
        if chunk.picks not in self._lacks:
            outer = [axis for axis in self.plan.tuned if not axis.numeric]
            given = set(self._metrics)
            for chosen in itertools.product(*(range(axis.size) for axis in outer)):
                tuned = {axis.name: index for axis, index in zip(outer, chosen, strict=True)}
                corner = tuple((0, 1) for _ in self.plan.variants.numeric)
                variant = self.plan.variants.of({**dict(chunk.picks), **tuned}, corner)
                where = tuple(slice(0, 1) for _ in corner)
                given &= set(variant.evaluate(where, self.plan.requested.metrics).metrics)
            self._lacks[chunk.picks] = frozenset(set(self._metrics) - given)
        return self._lacks[chunk.picks]

    def _not_a_number(self, name: str, point: int) -> PluginError:
        plugin = self.plan.variants.registry.plugin_of("metric", name)
        about = f"plugin `{plugin.name}` ({plugin.distribution} {plugin.version}), metric `{name}`, compute"
        return PluginError(
            f"{about}: the result is not a number (NaN) at point {point:,}, which is feasible",
            plugin=plugin.name,
            distribution=plugin.distribution,
        )


def attribute_error(desk: ChunkEvaluator, chunk: Any, error: Exception) -> Exception:
    """Return the error that names the plugin at fault, or the same one.

    An error that does not name it may come from an array that a plugin made too long or too short.

    Args:
        desk: that evaluated the chunk.
        chunk: that failed.
        error: that was raised.
    """
    return error if isinstance(error, AccelscopeError) else _find_wrong_shape(desk, chunk) or error


def _find_wrong_shape(desk: ChunkEvaluator, chunk: Any) -> PluginError | None:
    """Evaluate a chunk that failed again while the shapes of what plugins return are checked."""
    try:
        with expect_grid(desk.grid(chunk)):
            desk.evaluated(chunk)
    except PluginError as error:
        return error
    except Exception:  # noqa: BLE001 - it failed before, and no plugin is at fault
        return None
    return None
