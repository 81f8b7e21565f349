"""The routed experts of one layer as a model: both grouped products, the activation between them, and the sum."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.plan import Workload
from accelscope.core.ir.vocabulary import OpKind, Phase
from accelscope.core.numeric.term import Term, minimum, term, total
from accelscope.core.plugin.records import WorkloadModel
from accelscope.core.spec.spec import choice, count, quantity, spec
from accelscope.plugins.workload.decoder.expert_popularity import ROUTING_DISTRIBUTIONS, measured_popularity
from accelscope.plugins.workload.decoder.shape import ZERO_COUNT
from accelscope.plugins.workload.decoder.spec import GATED_ACTIVATIONS, UNGATED_ACTIVATIONS, Experts
from accelscope.plugins.workload.kernels.common import (
    build_kernel_decoder,
    build_kernel_workload,
    instantiate_spec,
    select_decoder_ops,
)

_WIDE = term(2.0, "B")
_OPS = ("experts_up", "experts_activation", "quantize_experts", "experts_down", "combine")


@spec(kind="model", select={"family": ("moe",)}, default=False, within=("file",))
class MoeKernel:
    """The routed experts of one layer, without router and shared experts."""

    tokens: Term = count(doc="tokens that enter the layer")
    hidden: Term = count(doc="numbers of a token")
    inter: Term = count(doc="inner width of an expert")
    experts: Term = count(doc="experts")
    topk: Term = count(doc="experts that a token visits, at most `experts`")
    activation: str = choice(
        *GATED_ACTIVATIONS,
        *UNGATED_ACTIVATIONS,
        doc="activation function",
        default="swiglu",
        source="Mixtral (arXiv 2401.04088)",
    )
    routing: str = choice(
        *ROUTING_DISTRIBUTIONS,
        doc="how visits fall on experts: evenly at random, just alike, or by a power law",
        default="random",
        source="Switch Transformers (arXiv 2101.03961), section 2.2: a loss that balances the load",
    )
    skew: Term = quantity(
        doc="exponent of the power law, where `routing` is one: 0 for any number of visits alike, 1 for any magnitude",
        ge=0,
        default=1.0,
        source="ai-dynamo/aiconfigurator (Apache-2.0): measured with 1.01 and 1.2, to stand for real traffic",
    )


def build_moe(spec: MoeKernel, step: Step, precision: Precision) -> Workload:
    """Build the experts of a layer that `tokens` enter; strategies of parallelism spread them over ranks."""
    routed = instantiate_spec(
        Experts, routed=spec.experts, top_k=spec.topk, ffn=spec.inter, activation=spec.activation
    )
    decoder = build_kernel_decoder(hidden=spec.hidden, heads=ONE, experts=routed)
    whole = Step(phase=Phase.DECODE, sequences=spec.tokens, tokens=ONE, context=ONE * 0.0)
    ops = select_decoder_ops(decoder, whole, precision, *_OPS)
    spread, chance = ZERO_COUNT, ONE
    if spec.routing == "even":
        chance = ZERO_COUNT
        dealt = minimum(spec.experts, spec.tokens * spec.topk)
        ops = tuple(_visiting(op, dealt) if op.kind == OpKind.GROUPED_GEMM else op for op in ops)
    if spec.routing == "power_law":
        law = measured_popularity(spec.skew, spec.tokens, spec.topk, spec.experts)
        spread = law.spread()
        visited = law.visited(spec.experts, spec.tokens * spec.topk / spec.experts)
        ops = tuple(_visiting(op, visited) if op.kind == OpKind.GROUPED_GEMM else op for op in ops)
    return build_kernel_workload(
        ops,
        expert_spread=spread,
        expert_chance=chance,
        activation=spec.tokens * spec.hidden * _WIDE,
        experts=spec.experts,
        top_k=spec.topk,
        expert_weights=total(op.weights for op in ops),
    )


def _visiting(op: Op, visited: Term) -> Op:
    """Return a product of the same rows that reads the weights of so many experts."""
    share = visited / op.groups
    return evolve(op, groups=visited, m=op.m / share, weights=op.weights * share)


MOE_KERNELS = (
    WorkloadModel(name="moe", doc="The routed experts of one layer.", spec=MoeKernel, build=build_moe),
)
