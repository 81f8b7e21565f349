"""Rows of static batches and closed loops in groups that are one evaluation each, for fits of paces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.validate import serving
from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.static_batch import build_static_batch_design, group_static_batch_rows
from accelscope.core.numeric.term import Array

if TYPE_CHECKING:
    from accelscope.core.analysis.validate.library_names import LibraryNames
    from accelscope.core.analysis.validate.table import MeasurementTable
    from accelscope.core.assemble.design import Design

CLOSED_LOOP_TIER = "B"
"""Tier of rows of closed loops."""
QUEUEING_WEIGHT = 0.3
"""Weight of a time to first token under load, whose error is that much larger."""

VendorFamilyDevice = tuple[str, str, str]


@frozen(kw_only=True, eq=False)
class RuntimeRowGroup:
    """Rows of one evaluation.

    Attributes:
        rows: places in the table.
        is_ported: whether most rows of the runtime are of devices of another vendor.
        sign: -1 where the measured value is a rate, 1 where it is a time, so that errors are those of times.
        weight: how much an error counts in the fit: less where waiting for others is measured too.
    """

    rows: Array
    table: MeasurementTable
    design: Design
    measured: Array
    sign: Array
    weight: Array
    is_ported: bool = False

    @property
    def runtime(self) -> str:
        """Name of the runtime."""
        return self.design.runtime.name

    @property
    def vendor(self) -> str:
        """Vendor of the device."""
        return str(self.design.machine.device.package.vendor)

    @property
    def measured_kernels(self) -> bool:
        """Whether kernels of this very runtime were measured, on whatever device."""
        kernels = self.design.machine.device.kernels
        return kernels is not None and any(layer.runtime == self.runtime for layer in kernels.layers)

    @property
    def names(self) -> VendorFamilyDevice:
        """Vendor, where the runtime was carried over to it, family and name of the device."""
        device = self.design.machine.device
        return self.vendor if self.is_ported else "", device.package.family or device.name, device.name


def group_runtime_rows(
    table: MeasurementTable, names: LibraryNames, homes: Mapping[str, str] | None = None
) -> list[RuntimeRowGroup]:
    """Return the rows of static batches and closed loops that can be predicted, group by group.

    Args:
        table: table of end-to-end measurements.
        names: resolves the names in the table.
        homes: runtime to the vendor that it was written for; without it that of most of its rows.
    """
    found = [_group(*part) for part in _designs(table, names)]
    known = find_home_vendors(found) if homes is None else homes
    return [
        evolve(group, is_ported=known.get(group.runtime, group.vendor) != group.vendor) for group in found
    ]


def _designs(
    table: MeasurementTable, names: LibraryNames
) -> Iterator[tuple[MeasurementTable, Array, Design]]:
    """Yield rows that are one evaluation, with their places and design: static batches, then closed loops."""
    tiers = table.text("tier")
    loops = np.flatnonzero(tiers == CLOSED_LOOP_TIER)
    static = np.flatnonzero(tiers != CLOSED_LOOP_TIER)
    for key, places in group_static_batch_rows(table.take(static), names, Prediction.empty(len(static))):
        part = table.take(static[places])
        design, _ = build_static_batch_design(key, part, names)
        if design is not None:
            yield part, static[places], design
    for item, places in serving.group_serving_rows(table.take(loops), names):
        part = table.take(loops[places])
        kept = np.flatnonzero(serving.check_serving_rows(part)[0])
        if item is None or not kept.size:
            continue
        design, _ = serving.build_serving_design(part.take(kept), names, item)
        if design is not None:
            yield part.take(kept), loops[places][kept], design


def _group(part: MeasurementTable, places: Array, design: Design) -> RuntimeRowGroup:
    metrics = part.text("metric").astype(str)
    rates = np.char.find(metrics, "tok_s") >= 0
    waits = (part.text("tier") == CLOSED_LOOP_TIER) & (metrics == "ttft_ms")
    return RuntimeRowGroup(
        rows=places,
        table=part,
        design=design,
        measured=part.number("value"),
        sign=np.where(rates, -1.0, 1.0),
        weight=np.where(waits, QUEUEING_WEIGHT, 1.0),
    )


def find_home_vendors(found: Sequence[RuntimeRowGroup]) -> dict[str, str]:
    """Return the vendor that most rows of each runtime are of."""
    rows: dict[str, dict[str, int]] = {}
    for group in found:
        counts = rows.setdefault(group.runtime, {})
        counts[group.vendor] = counts.get(group.vendor, 0) + len(group.rows)
    return {runtime: max(counts, key=lambda vendor: counts[vendor]) for runtime, counts in rows.items()}
