"""What operations cost: traffic at a memory level, usage, and limits of resources."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from accelscope.core.ir.operation import Op
from accelscope.core.numeric.term import Array, Term, term


@frozen(eq=False)
class Limit:
    """A resource with what is used of it; a point is infeasible where used exceeds available.

    Attributes:
        reason: why it matters, for a person who has exceeded it.
        condition: whether it only holds or is broken, so that a share of it means nothing.
        prunes: whether it is the `when` of a sweep, which leaves a point out whatever else it keeps.
    """

    name: str
    used: Term
    available: Term
    reason: str = ""
    condition: bool = False
    prunes: bool = False


def condition(name: str, holds: Array, reason: str, *, prunes: bool = False) -> Limit:
    """Return a condition as a limit: a point is infeasible where it does not hold."""
    used = Term(np.where(holds, 0.0, 1.0))
    return Limit(name, used=used, available=term(0.0), reason=reason, condition=True, prunes=prunes)


@frozen(kw_only=True, eq=False)
class Traffic:
    """Bytes that one operation moves at one level of the memory hierarchy.

    Attributes:
        weights, activations, kv: bytes read and written, by what they are.
        footprint: bytes that the device touches before it touches the same weights again (weights and KV of a pass).
        op: the operation.
        home: whether weights and KV live at this level, with no level behind it that serves them.
        share: measured share of the peak bandwidth that the kernel reaches at this level, or None.
    """

    weights: Term
    activations: Term
    kv: Term
    footprint: Term
    op: Op
    home: bool = False
    share: Term | None = None

    @property
    def bytes(self) -> Term:
        """All bytes."""
        return (self.weights + self.activations + self.kv).named("bytes moved")


@frozen(kw_only=True, eq=False)
class Usage:
    """What a model says an operation costs.

    Attributes:
        time: s.
        energy: J, or None where the model does not know.
        limits: resources with a capacity.
        onward: traffic that the next memory level outwards has to serve, or None for the last.
    """

    time: Term
    energy: Term | None = None
    limits: tuple[Limit, ...] = ()
    onward: Traffic | None = None
