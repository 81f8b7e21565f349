"""From a design to an evaluation: build, plan, cost and compose each phase. Pure; sees a whole sweep at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from accelscope.core.cost import home_memory
from accelscope.core.design import Design
from accelscope.core.passes import CommCost, Pass, pass_of, plain, plan_of
from accelscope.core.placement import placed
from accelscope.core.term import Term, maximum
from accelscope.core.work import ONE, Limit, Part, Plan, Residency, Step

if TYPE_CHECKING:
    from accelscope.core.registry import Registry

__all__ = ["CommCost", "Evaluation", "Pass", "evaluate", "plain"]


@frozen(kw_only=True, eq=False)
class Evaluation:
    """What metrics are computed from.

    Attributes:
        prefill, decode: costed passes; decode at the mean context of the answer.
        residency: bytes on one device when the context is longest.
        limits: everything with a capacity, of the design and of both passes.
        batch: sequences that the whole system serves at once.
    """

    design: Design
    registry: Registry
    prefill: Pass
    decode: Pass
    residency: Residency
    batch: Term
    devices_used: Term
    limits: tuple[Limit, ...]

    @property
    def home(self) -> Part[Any]:
        """The memory level that holds weights and KV cache."""
        return home_memory(self.design.machine.device, self.registry)


def evaluate(design: Design, registry: Registry) -> Evaluation:
    """Return an evaluation of a design."""
    load = design.load
    batch = (load.batch or ONE).named("batch")
    prompt = plain(load.prompt).named("prompt")
    output = plain(load.output).named("output")
    context = (prompt + (output - 1.0) / 2.0).named("mean context of a decode step")
    first = Step(phase="prefill", sequences=batch, tokens=prompt, context=ONE * 0.0)
    further = Step(phase="decode", sequences=batch, tokens=ONE, context=context)
    longest = evolve(further, context=prompt + output - 1.0)
    plan = plan_of(design, first)
    placement = placed(design, registry, _residency(plan_of(design, longest), plan))
    prefill = pass_of(design, registry, first.phase, plan, placement)
    decode = pass_of(design, registry, further.phase, plan_of(design, further), placement)
    ranks = decode.plan.ranks.named("devices used")
    limits = (
        *design.limits,
        *prefill.plan.limits,
        Limit(
            name="devices",
            used=ranks,
            available=design.machine.devices,
            reason="the split needs more devices",
        ),
        *placement.limits,
        *(limit for cost in (*prefill.ops, *decode.ops) for limit in cost.limits),
    )
    return Evaluation(
        design=design,
        registry=registry,
        prefill=prefill,
        decode=decode,
        residency=placement.held,
        batch=batch,
        devices_used=ranks,
        limits=limits,
    )


def _residency(longest: Plan, prefill: Plan) -> Residency:
    """Weights and KV when the context is longest; activations of the pass that has most of them, prefill."""
    activations = maximum(longest.residency.activations, prefill.residency.activations)
    return evolve(longest.residency, activations=activations.named("activations"))
