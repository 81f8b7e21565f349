"""Operations of the feed-forward half of a layer: plain networks, and experts behind a router."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import KernelClass, OpKind, Split
from accelscope.core.numeric.term import Term, term
from accelscope.core.workload.op_builders import elementwise_op, gemm_op, quantize_op
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass
from accelscope.plugins.workload.decoder.shape import ExpertShape, distinct_experts

_GATE = 8.0  # an exponential, a division and two products for each number of a gated activation
_TWO = term(2.0)


def feedforward_ops(run: ForwardPass) -> tuple[Op, ...]:
    """Return the operations of the feed-forward networks of all layers."""
    shape, routing = run.shape, run.shape.routing
    found: tuple[Op, ...] = ()
    if routing is None or (shape.spec.experts is not None and shape.spec.experts.dense_layers is not None):
        found = _network(
            run, "ffn", inner=shape.ffn, gates=shape.gates, repeat=shape.dense_layers, last=Split.ROW,
            biases=shape.spec.mlp_bias,
        )  # fmt: skip
    if routing is not None:
        found = (*found, *_experts(run, routing))
    return found


def _network(
    run: ForwardPass, name: str, *, inner: Term, gates: float, repeat: Term, last: Split, biases: bool
) -> tuple[Op, ...]:
    """Return up projection, activation and down projection of a network that every token visits."""
    shape = run.shape
    wide = gates * inner
    up = gemm_op(
        run, f"{name}_up", "ffn", m=run.rows, k=shape.hidden, n=wide, repeat=repeat, split=Split.COLUMN,
        bias=wide if biases else None,
    )  # fmt: skip
    act = elementwise_op(
        run,
        f"{name}_activation",
        "ffn",
        kernel=KernelClass.ACTIVATION,
        reads=run.rows * wide * run.wide,
        writes=run.rows * inner * run.wide,
        ops=_GATE * run.rows * inner,
        repeat=repeat,
        split=Split.COLUMN,
        columns=inner,
    )
    down = gemm_op(
        run, f"{name}_down", "ffn", m=run.rows, k=inner, n=shape.hidden, repeat=repeat, split=last,
        bias=shape.hidden if biases else None,
    )  # fmt: skip
    if not run.quantizes:
        return (up, act, down)
    narrow = quantize_op(
        run, f"quantize_{name}", elements=run.rows * inner, repeat=repeat, split=Split.COLUMN, columns=inner
    )
    return (up, act, narrow, down)


def _experts(run: ForwardPass, routing: ExpertShape) -> tuple[Op, ...]:
    """Return router, shared experts, routed experts and the sum of their results.

    Only the weights of experts that some token visits are read: see `distinct_experts`.
    """
    shape, repeat = run.shape, routing.layers
    router = gemm_op(
        run, "router", "experts", m=run.rows, k=shape.hidden,
        n=routing.routed + (1.0 if routing.shared_gate else 0.0), repeat=repeat, split=Split.NONE,
        weight=run.outer, stored=run.wide_dtype, bias=routing.routed if routing.router_bias else None,
    )  # fmt: skip
    shared: tuple[Op, ...] = ()
    if shape.spec.experts is not None and shape.spec.experts.shared is not None:
        inner = routing.shared * routing.shared_ffn
        shared = _network(
            run, "shared", inner=inner, gates=routing.gates, repeat=repeat, last=Split.PARTIAL, biases=routing.bias
        )  # fmt: skip
    visits = run.rows * routing.top_k
    combine = elementwise_op(
        run,
        "combine",
        "experts",
        reads=visits * routing.width * run.wide,
        writes=run.rows * routing.width * run.wide,
        ops=2.0 * visits * routing.width,
        repeat=repeat,
        split=Split.EXPERT_ROW,
    )
    routed = (*_narrowed_for_experts(run, routing), *_routed(run.in_experts(), routing, visits), combine)
    if run.is_training:
        routed = (*_sorted(run, routing, visits), *routed)
    if routing.latent:
        into = gemm_op(
            run, "latent_down", "experts", m=run.rows, k=shape.hidden, n=routing.width, repeat=repeat, split=Split.NONE
        )  # fmt: skip
        back = gemm_op(
            run, "latent_up", "experts", m=run.rows, k=routing.width, n=shape.hidden, repeat=repeat, split=Split.NONE
        )  # fmt: skip
        routed = (into, *routed, back)
    return (_routed_in_wide(run, router), *shared, *routed)


def _narrowed_for_experts(run: ForwardPass, routing: ExpertShape) -> tuple[Op, ...]:
    """Return the narrowing of what goes to the experts, where only they compute in a narrow type."""
    if run.quantizes or not run.in_experts().quantizes:
        return ()
    elements = run.rows * routing.width
    return (
        quantize_op(
            run.in_experts(), "quantize_tokens", elements=elements, repeat=routing.layers, split=Split.NONE
        ),
    )


def _sorted(run: ForwardPass, routing: ExpertShape, visits: Term) -> tuple[Op, ...]:
    """Return the copies that sort tokens by expert and back, which kernels of training do not do inside (Megatron Core)."""
    moved = visits * routing.width * run.wide
    op = elementwise_op(
        run,
        "permute",
        "experts",
        reads=moved,
        writes=moved,
        ops=0.0 * visits,
        repeat=2.0 * routing.layers,
        split=Split.EXPERT_COLUMN,
    )
    return (op,)


def _routed_in_wide(run: ForwardPass, router: Op) -> Op:
    """Routers stay at 16 bit; choosing the best experts is a second kernel."""
    return evolve(router, dtype=run.wide_dtype, reads=run.rows * run.shape.hidden * run.wide, launches=_TWO)


def _routed(run: ForwardPass, routing: ExpertShape, visits: Term) -> tuple[Op, ...]:
    repeat, inner = routing.layers, routing.ffn
    hit = distinct_experts(routing.routed, routing.top_k, run.rows)
    each = visits / hit
    wide = routing.gates * inner
    up = gemm_op(
        run, "experts_up", "experts", m=each, k=routing.width, n=wide, groups=hit, repeat=repeat, kind=OpKind.GROUPED_GEMM,
        split=Split.EXPERT_COLUMN, weight=run.expert, stored=run.stored_expert, bias=hit * wide if routing.bias else None,
    )  # fmt: skip
    act = elementwise_op(
        run,
        "experts_activation",
        "experts",
        kernel=KernelClass.ACTIVATION,
        reads=visits * wide * run.wide,
        writes=visits * inner * run.wide,
        ops=_GATE * visits * inner,
        repeat=repeat,
        split=Split.EXPERT_COLUMN,
    )
    down = gemm_op(
        run, "experts_down", "experts", m=each, k=inner, n=routing.width, groups=hit, repeat=repeat,
        kind=OpKind.GROUPED_GEMM, split=Split.EXPERT_ROW, weight=run.expert, stored=run.stored_expert, bias=hit * routing.width if routing.bias else None,
    )  # fmt: skip
    if not run.quantizes:
        return (up, act, down)
    narrow = quantize_op(
        run, "quantize_experts", elements=visits * inner, repeat=repeat, split=Split.EXPERT_COLUMN
    )
    return (up, act, narrow, down)
