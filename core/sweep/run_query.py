"""An evaluation of a scenario or study with everything that is known of its points: a plan evaluated to one result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from accelscope.core.errors import UsageError
from accelscope.core.io.timings import stage
from accelscope.core.query.columns import ColumnCollector
from accelscope.core.query.result import Result
from accelscope.core.sweep.plan import ChunkDetails, SweepPlan
from accelscope.core.sweep.planner import plan_evaluation
from accelscope.dsl.check.program import Program

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

MAX_EVALUATED_POINTS = 2_000_000
"""Points of an evaluation; every one may be printed."""
MAX_GRID_POINTS = 20_000_000
"""Points of a sweep, whose results go to a file."""
MAX_COLUMN_BYTES = 4e9
"""Memory for the columns of a sweep."""
TYPICAL_LIMIT_COUNT = 12
"""Limits that a scenario usually has; each keeps two columns."""


@define(eq=False)
class ResultCollector:
    """Details of the chunks of a plan, put together to one result.

    Attributes:
        plan: of the chunks.
    """

    plan: SweepPlan
    _columns: ColumnCollector = field(init=False)
    _notes: dict[str, None] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        shape = tuple(axis.size for axis in self.plan.axes)
        self._columns = ColumnCollector(shape, dict(self.plan.variants.registry.metrics))

    def add(self, details: ChunkDetails) -> None:
        """Add a chunk; a chunk that is added again replaces itself."""
        self._columns.add(details.points, details.chunk.first, details.requirements)
        self._notes |= dict.fromkeys(details.warnings)

    def collect(self) -> Result:
        """Return the result of all chunks."""
        columns = self._columns.collect()
        return Result(
            scenario=self.plan.label,
            axes=self.plan.axes,
            feasible=columns.feasible,
            metrics=columns.metrics,
            limits=columns.limits,
            breakdown=columns.breakdown,
            requirements=columns.requirements,
            notes=tuple(self._notes),
            manifest=self.plan.manifest,
        )


def run_query(
    program: Program, registry: Registry, name: str, sets: Sequence[str] = (), *, bars: bool = True
) -> Result:
    """Return the result of a scenario, or of the scenario that a study varies.

    Args:
        program: the file.
        registry: the plugins.
        name: `scenario NAME` or `study NAME`.
        sets: texts `path = value`, or `path = domain` for an axis.
        bars: whether to compute error bars, if the grid is small enough.

    Raises:
        DescriptionError: the description lacks something, or a path or value of `sets` is wrong.
        UsageError: the grid is too large.
    """
    return evaluate_plan(plan_evaluation(program, registry, name, sets, error_bars=bars), printed=bars)


def evaluate_plan(plan: SweepPlan, *, printed: bool) -> Result:
    """Return the result of a plan, chunk by chunk: designs to operations, plans, costs and metrics.

    Args:
        plan: of the grid.
        printed: whether every point is printed.

    Raises:
        DescriptionError: the description of a variant lacks something.
        UsageError: the grid is too large.
    """
    refuse_large_result(plan, printed=printed)
    collector = ResultCollector(plan)
    for chunk in plan.chunks():
        collector.add(plan.evaluate_details(chunk))
    with stage("result"):
        return collector.collect()


def refuse_large_result(plan: SweepPlan, *, printed: bool) -> None:
    """Refuse a grid whose result would not fit in memory, before anything of it is computed.

    Args:
        plan: of the grid.
        printed: whether every point is printed.

    Raises:
        UsageError: there are too many points.
    """
    points = math.prod(axis.size for axis in plan.axes)
    if printed and points > MAX_EVALUATED_POINTS:
        raise UsageError(
            f"{points:,} points are more than the {MAX_EVALUATED_POINTS:,} that one evaluation prints; "
            "`accelscope sweep FILE -o out.parquet` (or .csv) computes more"
        )
    metrics = sum(metric.given is None for metric in plan.variants.registry.metrics.values())
    columns = metrics + 2 * TYPICAL_LIMIT_COUNT
    size = points * 8.0 * columns
    most = min(MAX_GRID_POINTS, int(MAX_COLUMN_BYTES / 8 / columns))
    if points > most:
        raise UsageError(
            f"{points:,} points are more than {most:,}: their {metrics} metrics would take {size / 1e9:.0f} GB; "
            "take fewer or coarser axes"
        )
