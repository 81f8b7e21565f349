"""What lies where: weights and KV cache in the memory of a device, and what a policy puts into a tier behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from accelscope.core.evaluate.op_cost import PassContext
from accelscope.core.ir.constants import NO_BYTES
from accelscope.core.ir.hardware import MemoryPart
from accelscope.core.ir.plan import Residency
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Term, maximum, minimum, term

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design

_NONE = term(0.0)
_BYTE = term(1.0, "B")


@frozen(kw_only=True, eq=False)
class Placement:
    """Where the bytes of one device lie.

    Attributes:
        held: bytes in the device's memory.
        setting: the tier behind it, and the shares of weights and KV cache that lie there.
        limits: of the device's memory, and of the tier where it is used.
    """

    held: Residency
    setting: PassContext
    limits: tuple[Limit, ...] = ()


def place_memory(design: Design, longest: Residency) -> Placement:
    """Return where the bytes lie when the context is longest.

    KV cache is spilled before weights where both may be: a step reads all weights, but the cache of one sequence only
    once. What is spilled is what does not fit; streamed weights lie in the tier as a whole.
    """
    device, policy = design.machine.device, design.memory
    home = device.home
    tier = _tier(design)
    capacity = home.capacity
    assert capacity is not None  # `home` is one of the levels with a capacity
    weights, kv = _NONE, _NONE
    reserve = device.package.reserve if policy.reserve is None else policy.reserve
    used = longest.weights + longest.kv + longest.activations + reserve
    if tier is not None and policy.weights == "full_offload":
        weights = term(1.0)
        used = used - longest.weights
    if tier is not None and policy.kv == "partial_offload":
        kv = _share(used - capacity, longest.kv, "share of the KV cache in the tier")
        used = used - longest.kv * kv
    if tier is not None and policy.weights == "partial_offload":
        weights = _share(used - capacity, longest.weights, "share of the weights in the tier")
        used = used - longest.weights * weights
    away = longest.weights * weights + longest.kv * kv
    return Placement(
        held=evolve(longest, weights=longest.weights * (1.0 - weights), kv=longest.kv * (1.0 - kv)),
        setting=PassContext(tier=tier, weights=weights, kv=kv),
        limits=(_memory(home, used, capacity), *_behind(tier, away)),
    )


def _tier(design: Design) -> MemoryPart[Any] | None:
    """Return the tier that a policy puts bytes into: the one that it names, or else the nearest."""
    if design.memory.is_resident:
        return None
    named = design.memory.tier
    tiers = design.machine.device.tiers
    return next((part for part in tiers if named is None or part.name == named), None)


def _share(over: Term, whole: Term, name: str) -> Term:
    return minimum(maximum(over, NO_BYTES) / maximum(whole, _BYTE), 1.0).named(name)


def _memory(home: MemoryPart[Any], used: Term, capacity: Term) -> Limit:
    return Limit(
        name="memory",
        used=used.named("memory used"),
        available=capacity.named(f"capacity of {home.name}"),
        reason=f"weights, KV cache, activations and reserve of one device do not fit in `{home.name}`",
    )


def _behind(tier: MemoryPart[Any] | None, away: Term) -> tuple[Limit, ...]:
    capacity = None if tier is None else tier.capacity
    if tier is None or capacity is None:
        return ()
    return (
        Limit(
            name="tier",
            used=away.named("bytes in the tier"),
            available=capacity.named(f"capacity of {tier.name}"),
            reason=f"what does not fit in the device's memory does not fit in `{tier.name}` either",
        ),
    )
