"""What makes a point feasible: one policy for which limits count, and one judgement of limits and requirements. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Array, Term

ROUNDING_SLACK = 1 + 1e-9
"""Factor on what is available: rounding does not break a limit."""
_LARGEST_EXCESS = 50.0
"""Excess of a limit whose ratio of used to available is not finite, and the most that any limit counts."""
_SMALLEST_AVAILABLE = 1e-300
"""Stands for 0 where a share of what is available is taken."""


@frozen(kw_only=True)
class FeasibilityPolicy:
    """Which limits decide whether a point is feasible, and how much of what is available may be used.

    Attributes:
        slack: factor on what is available.
        conditions: whether limits that only hold or not count.
        names: of the limits that count; None for all.
    """

    slack: float = ROUNDING_SLACK
    conditions: bool = True
    names: frozenset[str] | None = None

    def applies_to(self, limit: Limit) -> bool:
        """Return whether a limit counts."""
        return (self.conditions or not limit.condition) and (self.names is None or limit.name in self.names)

    def is_kept(self, used: Array, available: Array) -> Array:
        """Return where a limit is kept; a number that is not known does not keep it."""
        return np.asarray(used <= available * self.slack)


ALL_LIMITS = FeasibilityPolicy()
"""Of everything that is evaluated for a user: every limit counts."""
ENGINES_PAD = FeasibilityPolicy(conditions=False)
"""Of measured static batches: they ran, and engines pad heads that a degree does not divide. Resources still count."""
ONLY_MEMORY = FeasibilityPolicy(names=frozenset({"memory"}))
"""Of measured serving: published layouts ran, whatever a model says of their rules; a load that does not fit did not."""
TRAINING_HEADROOM = FeasibilityPolicy(slack=0.95)
"""Of measured training, whose recomputation follows from what fits: fragments and buffers of communication take the rest."""


@frozen(kw_only=True, eq=False)
class LimitCheck:
    """A limit at some points, without the dimension of uncertain inputs.

    Attributes:
        limit: as the evaluation has it.
        used: in base units; broadcasts to the points.
        available: likewise.
        kept: where it is kept; broadcasts to the points.
    """

    limit: Limit
    used: Array
    available: Array
    kept: Array

    @property
    def broken(self) -> Array:
        """Where it is not kept."""
        return np.asarray(~self.kept)

    def excess(self) -> Array:
        """Return by how much it is broken: 0 where it is kept, 1 for a condition, else ln(used / available)."""
        if self.limit.condition:
            amount: Array = np.ones(())
        else:
            with np.errstate(all="ignore"):
                share = self.used / np.maximum(self.available, _SMALLEST_AVAILABLE)
                amount = np.log(np.maximum(share, ROUNDING_SLACK))
        amount = np.where(np.isfinite(amount), np.minimum(amount, _LARGEST_EXCESS), _LARGEST_EXCESS)
        return np.where(self.kept, 0.0, amount)


@frozen(kw_only=True, eq=False)
class Verdict:
    """What becomes of points; every array has their shape.

    Attributes:
        feasible: where all limits are kept.
        allowed: where all requirements are met, too.
        broken: number of limits and requirements that a point breaks; infinite where a `when` leaves it out.
        reason: text of the first of them, or None.
    """

    feasible: Array
    allowed: Array
    broken: Array
    reason: Array


def check_limits(
    limits: Iterable[Limit], policy: FeasibilityPolicy = ALL_LIMITS, *, inputs: int = 0
) -> tuple[LimitCheck, ...]:
    """Return the limits that count, each with where it is kept.

    Args:
        limits: of an evaluation.
        policy: which of them count.
        inputs: length of the last dimension of terms, that of uncertain inputs; 0 without one.
    """
    checks = []
    for limit in limits:
        if policy.applies_to(limit):
            used, available = take_nominal(limit.used, inputs), take_nominal(limit.available, inputs)
            kept = policy.is_kept(used, available)
            checks.append(LimitCheck(limit=limit, used=used, available=available, kept=kept))
    return tuple(checks)


def is_exceeded(used: Array | float, available: Array | float) -> Array:
    """Return where a limit of a result is broken; a variant that lacks the limit has NaN, and does not break it."""
    return np.asarray(used > available * ROUNDING_SLACK)


def take_nominal(value: Term, inputs: int) -> Array:
    """Return the array of a term without the dimension of uncertain inputs.

    Args:
        value: a term.
        inputs: length of that dimension; 0 without one.
    """
    array = value.value
    return array[..., 0] if inputs and array.ndim else array


def judge_limits(
    checks: Iterable[LimitCheck], requirements: Sequence[tuple[str, Array]], shape: tuple[int, ...]
) -> Verdict:
    """Return what becomes of points.

    Args:
        checks: of their limits.
        requirements: what to report of each `require` that is not met, and where it is met.
        shape: of the points.
    """
    feasible = np.ones(shape, dtype=bool)
    count: Array = np.zeros(())
    broken: list[tuple[str, Array]] = []
    for check in checks:
        if check.kept.all():
            continue
        feasible &= check.kept
        count = count + np.where(check.kept, 0.0, np.inf if check.limit.prunes else 1.0)
        broken.append((check.limit.reason or check.limit.name, check.broken))
    allowed = feasible.copy()
    for text, met in requirements:
        allowed &= met
        count = count + np.where(met, 0.0, 1.0)
        broken.append((text, ~met))
    texts, first = find_first_broken(broken)
    return Verdict(
        feasible=feasible,
        allowed=allowed,
        broken=np.broadcast_to(count, shape),
        reason=np.array((*texts, None), dtype=object)[np.broadcast_to(first, shape)],
    )


def find_first_broken(broken: Iterable[tuple[str, Array]]) -> tuple[tuple[str, ...], Array]:
    """Return the texts of limits, and at each point the index of the first that is broken; -1 where none is.

    Args:
        broken: text of each limit, and where it is broken.
    """
    texts: list[str] = []
    first: Array = np.full((), -1, dtype=np.int16)
    for text, over in broken:
        first = np.where((first < 0) & over, np.int16(len(texts)), first)
        texts.append(text)
    return tuple(texts), first


def sum_excess(checks: Iterable[LimitCheck], shape: tuple[int, ...]) -> Array:
    """Return the excess of each point over all limits; 0 where it is feasible."""
    excess = np.zeros(shape)
    for check in checks:
        excess = excess + check.excess()
    return excess


def worst_check(checks: Sequence[LimitCheck]) -> tuple[Array, Array]:
    """Return (used, available) of the fullest of several limits at each point.

    Args:
        checks: of limits with the same name, at least one.
    """
    used, available = checks[0].used, checks[0].available
    for other in checks[1:]:
        share = other.used / np.maximum(other.available, _SMALLEST_AVAILABLE)
        fuller = share > used / np.maximum(available, _SMALLEST_AVAILABLE)
        worse = np.isneginf(used) | fuller
        used, available = np.where(worse, other.used, used), np.where(worse, other.available, available)
    return used, available
