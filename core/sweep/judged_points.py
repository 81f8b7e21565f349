"""Points of one design: the metrics that are wanted, whether each point is allowed, and why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from accelscope.core.assemble.design import Design
from accelscope.core.evaluate.evaluate import Evaluation, evaluate
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Array
from accelscope.core.query.columns import LIMIT_TOLERANCE

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Metric
    from accelscope.core.plugin.registry import Registry

_WHEN_PREFIX = "when "
"""How the name of a limit begins that stands for a `when`."""


@frozen(kw_only=True, eq=False)
class JudgedPoints:
    """Points with what is known of each; every array has the same shape.

    Attributes:
        values: of metrics in their units and of goals in base units, by name.
        feasible: where all limits are kept.
        allowed: where all requirements are met, too.
        broken: how many limits and requirements a point breaks; infinite where a `when` leaves it out.
        reason: the first of them, or None.
        keys: what makes one point better than another, the first decides; small is better.
    """

    values: Mapping[str, Array]
    feasible: Array
    allowed: Array
    broken: Array
    reason: Array
    keys: tuple[Array, ...]

    @property
    def size(self) -> int:
        """How many points."""
        return self.feasible.size

    def list_arrays(self) -> tuple[Array, ...]:
        """Return all arrays, in an order that `with_arrays` understands."""
        return (
            self.feasible,
            self.allowed,
            self.broken,
            self.reason,
            *self.keys,
            *self.values.values(),
        )

    def replace_arrays(self, arrays: Iterable[Array]) -> JudgedPoints:
        """Return a block with other arrays."""
        feasible, allowed, broken, reason, *others = arrays
        keys, values = others[: len(self.keys)], others[len(self.keys) :]
        return JudgedPoints(
            values=dict(zip(self.values, values, strict=True)),
            feasible=feasible,
            allowed=allowed,
            broken=broken,
            reason=reason,
            keys=tuple(keys),
        )

    def reshape_points(self, shape: tuple[int, ...]) -> JudgedPoints:
        """Return the same points in another shape."""
        return self.replace_arrays(item.reshape(shape) for item in self.list_arrays())

    def beside(self, other: JudgedPoints) -> JudgedPoints:
        """Return two blocks of as many points, as the two columns of one."""
        names = [*self.values, *(name for name in other.values if name not in self.values)]
        left, right = (
            JudgedPoints(
                values={name: item.values.get(name, np.full(item.feasible.shape, np.nan)) for name in names},
                feasible=item.feasible,
                allowed=item.allowed,
                broken=item.broken,
                reason=item.reason,
                keys=item.keys,
            )
            for item in (self, other)
        )
        pairs = zip(left.list_arrays(), right.list_arrays(), strict=True)
        return left.replace_arrays(np.stack(pair, axis=-1) for pair in pairs)


@frozen(kw_only=True, eq=False)
class PointMetrics:
    """Metrics and limits of the points of a design, before anything is judged."""

    evaluation: Evaluation
    metrics: Mapping[str, Array]
    limits: Sequence[Limit]


def evaluate_design_points(design: Design, registry: Registry, wanted: Iterable[Metric]) -> PointMetrics:
    """Evaluate a design and some of its metrics; what the description gives too little for is left out."""
    found = evaluate(design)
    metrics = {}
    for metric in wanted:
        given = metric.of in ("any", found.sort) and (metric.given is None or metric.given(found))
        value = metric.compute(found) if given else None
        if value is not None:
            metrics[metric.name] = value.to(metric.unit) if metric.unit else value.to("")
    return PointMetrics(evaluation=found, metrics=metrics, limits=found.limits)


def judge_points(
    found: PointMetrics,
    goals: Mapping[str, Array],
    requirements: Sequence[tuple[str, Array]],
    keys: Sequence[Array],
    shape: tuple[int, ...],
) -> JudgedPoints:
    """Return points with what they break.

    Args:
        goals: values of goals that are no metrics.
        requirements: what to say of each `require` that is not met, and where it is.
        keys: what makes one point better than another.
        shape: of the points.
    """
    feasible = np.ones(shape, dtype=bool)
    broken: Array = np.zeros(())
    code: Array = np.zeros((), dtype=np.int16)
    reasons: list[str | None] = [None]
    for text, holds, left_out in _broken(found.limits):
        if holds.all():
            continue
        feasible &= holds
        broken, code = _noted(broken, code, reasons, text, holds, np.inf if left_out else 1.0)
    allowed = feasible.copy()
    for text, holds in requirements:
        allowed &= holds
        broken, code = _noted(broken, code, reasons, text, holds, 1.0)
    names = np.array(reasons, dtype=object)

    def full(array: Array) -> Array:
        return np.broadcast_to(array, shape).reshape(-1)

    return JudgedPoints(
        values={name: full(item) for name, item in ({**found.metrics, **goals}).items()},
        feasible=feasible.reshape(-1),
        allowed=allowed.reshape(-1),
        broken=full(broken),
        reason=names[full(code)],
        keys=tuple(full(item) for item in keys),
    )


def _broken(limits: Iterable[Limit]) -> Iterator[tuple[str, Array, bool]]:
    """Yield of each limit what to say of it, where it is kept, and whether it stands for a `when`."""
    for limit in limits:
        holds = np.asarray(limit.used.value <= limit.available.value * LIMIT_TOLERANCE)
        yield limit.reason or limit.name, holds, limit.name.startswith(_WHEN_PREFIX)


def _noted(
    broken: Array, code: Array, reasons: list[str | None], text: str, holds: Array, weight: float
) -> tuple[Array, Array]:
    if text not in reasons:
        reasons.append(text)
    fails = ~holds
    broken = broken + np.where(fails, weight, 0.0)
    return broken, np.where((code == 0) & fails, np.int16(reasons.index(text)), code)
