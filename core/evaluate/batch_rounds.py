"""A static batch that does not fit: a runtime runs as many sequences as its memory holds, and the others after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.plan import Residency
from accelscope.core.numeric.term import Term, ceil, maximum, minimum, term

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design

_BYTE = term(1.0, "B")


def compute_batch_rounds(design: Design, longest: Residency, batch: Term) -> Term:
    """Return in how many rounds a batch is served: KV cache of all over what the runtime has for it, rounded up.

    Without a runtime, all sequences start together whatever they take, and a limit says where they do not fit. A
    runtime that admits what is there and takes it back (preemption) does no better, since what it takes back is
    computed again.

    Args:
        design: the design.
        longest: what one device holds when all contexts are longest.
        batch: sequences of the whole system.
    """
    share = design.runtime.memory_fraction
    capacity = _capacity(design)
    if share is None or capacity is None or design.memory.kv == "partial_offload":
        return ONE
    room = capacity * share - longest.weights - longest.activations
    needed = ceil(longest.kv / maximum(room, _BYTE))
    return maximum(minimum(needed, batch), ONE).named("rounds of a batch that does not fit")


def _capacity(design: Design) -> Term | None:
    home = design.machine.device.home
    return home.capacity
