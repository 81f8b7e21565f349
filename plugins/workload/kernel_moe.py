"""The routed experts of one layer as a model: both grouped products, the activation between them, and the sum."""

from __future__ import annotations

from accelscope.core.records import WorkloadModel
from accelscope.core.spec import choice, count, spec
from accelscope.core.term import Term, term, total
from accelscope.core.work import ONE, Precision, Step, Workload
from accelscope.plugins.workload.kernel import blank, decoder_of, kernel_workload, picked
from accelscope.plugins.workload.spec import GATED, PLAIN, Experts

_WIDE = term(2.0, "B")
OPS = ("experts_up", "experts_activation", "quantize_experts", "experts_down", "combine")


@spec(kind="model", select={"family": ("moe",)}, default=False, within=("file",))
class Moe:
    """The routed experts of one layer, without router and shared experts."""

    tokens: Term = count(doc="tokens that enter the layer")
    hidden: Term = count(doc="numbers of a token")
    inter: Term = count(doc="inner width of an expert")
    experts: Term = count(doc="experts")
    topk: Term = count(doc="experts that a token visits, at most `experts`")
    activation: str = choice(
        *GATED, *PLAIN, doc="activation function", default="swiglu", source="Mixtral (arXiv 2401.04088)"
    )


def build_moe(spec: Moe, step: Step, precision: Precision) -> Workload:
    """Build the experts of a layer that `tokens` enter; strategies of parallelism spread them over ranks."""
    routed = blank(Experts, routed=spec.experts, top_k=spec.topk, ffn=spec.inter, activation=spec.activation)
    decoder = decoder_of(hidden=spec.hidden, heads=ONE, experts=routed)
    whole = Step(phase="decode", sequences=spec.tokens, tokens=ONE, context=ONE * 0.0)
    ops = picked(decoder, whole, precision, *OPS)
    return kernel_workload(
        ops,
        activation=spec.tokens * spec.hidden * _WIDE,
        experts=spec.experts,
        top_k=spec.topk,
        expert_weights=total(op.weights for op in ops),
    )


KERNELS = (WorkloadModel(name="moe", doc="The routed experts of one layer.", spec=Moe, build=build_moe),)
