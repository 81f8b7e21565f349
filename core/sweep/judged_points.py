"""Points of a sweep: the metrics that are wanted, whether each point is allowed, why not, and which point is better. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.numeric.term import Array
from accelscope.core.query.feasibility import judge_limits
from accelscope.core.query.points import EvaluatedPoints


@frozen(kw_only=True, eq=False)
class JudgedPoints:
    """Points with what is known of each; every array has the same shape.

    Attributes:
        values: of metrics in their units and of goals in base units, by name.
        feasible: where all limits are kept.
        allowed: where all requirements are met, too.
        broken: how many limits and requirements a point breaks; infinite if a `when` leaves it out.
        reason: text of the first of them, or None.
        keys: what makes one point better than another: the first one decides, and small is better.
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


def judge_points(
    points: EvaluatedPoints,
    goals: Mapping[str, Array],
    requirements: Sequence[tuple[str, Array]],
    keys: Sequence[Array],
) -> JudgedPoints:
    """Return points with what they break, flat, the last axis fastest.

    Args:
        points: evaluated.
        goals: values of goals that are not metrics.
        requirements: what to report of each `require` that is not met, and where it is met.
        keys: what makes one point better than another.
    """
    shape = points.shape
    verdict = judge_limits(points.checks, requirements, shape)

    def flat(array: Array) -> Array:
        return np.broadcast_to(array, shape).reshape(-1)

    return JudgedPoints(
        values={name: flat(item) for name, item in ({**points.metrics, **goals}).items()},
        feasible=flat(verdict.feasible),
        allowed=flat(verdict.allowed),
        broken=flat(verdict.broken),
        reason=flat(verdict.reason),
        keys=tuple(flat(item) for item in keys),
    )
