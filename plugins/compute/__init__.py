"""Compute engines: matrix engines, systolic arrays and vector units."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import ComputeModel, KindRecord


@hookimpl
def accelscope_computes() -> Iterable[ComputeModel]:
    """Yield the built-in compute models."""
    from accelscope.plugins.compute.matrix import MATRIX
    from accelscope.plugins.compute.systolic import SYSTOLIC
    from accelscope.plugins.compute.vector import VECTOR

    yield from (MATRIX, SYSTOLIC, VECTOR)


@hookimpl
def accelscope_kinds() -> Iterable[KindRecord]:
    """Yield the block that lists the peak rates of an engine."""
    from accelscope.core.plugin.records import KindRecord
    from accelscope.plugins.compute.engine import PeakRates

    yield KindRecord(name="ops", doc="Peak rates of an engine by data type.", spec=PeakRates)
