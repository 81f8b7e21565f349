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
    hidden: Term = count(doc="hidden size")
    ffn: Term = count(aliases=("inter",), doc="intermediate size of an expert")
    experts: Term = count(doc="number of experts")
    top_k: Term = count(aliases=("topk",), doc="experts per token, at most `experts`")
    activation: str = choice(
        *GATED_ACTIVATIONS,
        *UNGATED_ACTIVATIONS,
        doc="activation function",
        default="swiglu",
        source="Mixtral (arXiv 2401.04088)",
    )
    routing: str = choice(
        *ROUTING_DISTRIBUTIONS,
        symbol_aliases={"random": "uniform_random", "even": "balanced"},
        doc="distribution of tokens over experts: uniform at random, perfectly balanced, or a power law",
        default="uniform_random",
        source="Switch Transformers (arXiv 2101.03961), section 2.2: a loss that balances the load",
    )
    power_law_exponent: Term = quantity(
        aliases=("skew",),
        doc="exponent of the power-law density of tokens per expert if `routing` is `power_law`: 0 means uniform, 1 log-uniform",
        ge=0,
        default=1.0,
        source="ai-dynamo/aiconfigurator (Apache-2.0): measured with 1.01 and 1.2, to stand for real traffic",
    )


def build_moe(spec: MoeKernel, step: Step, precision: Precision) -> Workload:
    """Build the experts of a layer that `tokens` enter; strategies of parallelism spread them over ranks."""
    routed = instantiate_spec(
        Experts, routed=spec.experts, top_k=spec.top_k, ffn=spec.ffn, activation=spec.activation
    )
    decoder = build_kernel_decoder(hidden=spec.hidden, heads=ONE, experts=routed)
    whole = Step(phase=Phase.DECODE, sequences=spec.tokens, tokens=ONE, context=ONE * 0.0)
    ops = select_decoder_ops(decoder, whole, precision, *_OPS)
    spread, chance = ZERO_COUNT, ONE
    if spec.routing == "balanced":
        chance = ZERO_COUNT
        dealt = minimum(spec.experts, spec.tokens * spec.top_k)
        ops = tuple(_visiting(op, dealt) if op.kind == OpKind.GROUPED_GEMM else op for op in ops)
    if spec.routing == "power_law":
        law = measured_popularity(spec.power_law_exponent, spec.tokens, spec.top_k, spec.experts)
        spread = law.spread()
        visited = law.visited(spec.experts, spec.tokens * spec.top_k / spec.experts)
        ops = tuple(_visiting(op, visited) if op.kind == OpKind.GROUPED_GEMM else op for op in ops)
    return build_kernel_workload(
        ops,
        expert_spread=spread,
        expert_chance=chance,
        activation=spec.tokens * spec.hidden * _WIDE,
        experts=spec.experts,
        top_k=spec.top_k,
        expert_weights=total(op.weights for op in ops),
    )


def _visiting(op: Op, visited: Term) -> Op:
    """Return a product of the same rows that reads the weights of so many experts."""
    share = visited / op.groups
    return evolve(op, groups=visited, m=op.m / share, weights=op.weights * share)


MOE_KERNELS = (
    WorkloadModel(name="moe", doc="The routed experts of one layer.", spec=MoeKernel, build=build_moe),
)
