"""Kernels that work on rows of numbers, as models: normalisation, activation, rotation, embedding, sampling, softmax."""

from __future__ import annotations

from accelscope.core.ir.constants import NO_BYTES, ONE
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.plan import Workload
from accelscope.core.ir.vocabulary import KernelClass, Phase
from accelscope.core.numeric.term import Term, term, total
from accelscope.core.plugin.records import WorkloadModel
from accelscope.core.spec.spec import choice, count, flag, spec
from accelscope.core.workload.op_builders import elementwise_op
from accelscope.plugins.workload.decoder.spec import GATED_ACTIVATIONS, UNGATED_ACTIVATIONS
from accelscope.plugins.workload.kernels.common import (
    build_kernel_decoder,
    build_kernel_workload,
    build_row_pass,
    select_decoder_ops,
)

_ROTATION = 3.0  # two multiplications and an addition for each number
_SOFTMAX = 5.0  # maximum, difference, exponential, sum, quotient
_FP32 = term(4.0, "B")
_NORM = 4.0  # square, sum, scale and weight of each number
_VOCABULARY = "Llama 3 (arXiv 2407.21783), section 3.2: 128,000 tokens"


@spec(kind="model", select={"family": ("norm",)}, default=False, within=("file",))
class NormKernel:
    """A normalisation of rows."""

    kind: str = choice(
        "rmsnorm", "layernorm", doc="type of normalization", default="rmsnorm", source="Llama 2 (arXiv 2307.09288)"
    )  # fmt: skip
    rows: Term = count(doc="rows: tokens")
    columns: Term = count(doc="elements per row")
    fused_residual_add: bool = flag(
        aliases=("residual",),
        doc="whether the residual addition is fused in",
        default=True,
        source="vLLM: fused_add_rms_norm; TensorRT-LLM fuses the same",
    )
    unfused: bool = flag(
        aliases=("native",),
        doc="whether it runs as separate elementary fp32 kernels of an array library",
        default=False,
        source="vLLM and TensorRT-LLM have a kernel of their own",
    )


@spec(kind="model", select={"family": ("activation",)}, default=False, within=("file",))
class ActivationKernel:
    """The activation of a feed-forward network; gated ones read two numbers for each that they write."""

    kind: str = choice(
        *GATED_ACTIVATIONS,
        *UNGATED_ACTIVATIONS,
        doc="activation function",
        default="swiglu",
        source="Llama 2 (arXiv 2307.09288)",
    )
    rows: Term = count(doc="rows: tokens")
    columns: Term = count(doc="output elements per row")


@spec(kind="model", select={"family": ("rope",)}, default=False, within=("file",))
class RopeKernel:
    """The rotation of queries and keys by their positions, in place."""

    rows: Term = count(doc="rows: tokens")
    columns: Term = count(doc="query and key elements per token")


@spec(kind="model", select={"family": ("embedding",)}, default=False, within=("file",))
class EmbeddingKernel:
    """The look-up of a row for each token."""

    rows: Term = count(doc="rows: tokens")
    columns: Term = count(doc="elements per row")
    vocab: Term = count(doc="vocabulary size", default=128000, source=_VOCABULARY)


@spec(kind="model", select={"family": ("sampling",)}, default=False, within=("file",))
class SamplingKernel:
    """The choice of a token by its logits."""

    rows: Term = count(doc="rows: sequences")
    columns: Term = count(doc="vocabulary size (logits per row)")


@spec(kind="model", select={"family": ("softmax",)}, default=False, within=("file",))
class SoftmaxKernel:
    """A softmax of rows."""

    rows: Term = count(doc="rows")
    columns: Term = count(doc="elements per row")


def build_norm(spec: NormKernel, step: Step, precision: Precision) -> Workload:
    """Build a normalisation: the one of a layer, one without the residual, or one of elementary operations."""
    if spec.unfused:
        return build_kernel_workload((_native_norm(spec, precision),))
    if spec.fused_residual_add:
        decoder = build_kernel_decoder(hidden=spec.columns, norm=spec.kind, heads=ONE)
        return build_kernel_workload(select_decoder_ops(decoder, _rows(spec.rows), precision, "norm"))
    vectors = 2.0 if spec.kind == "layernorm" else 1.0
    run = build_row_pass(spec.rows, precision)
    return build_kernel_workload(
        (_mapped(spec, precision, "norm", _NORM, weights=vectors * spec.columns * run.outer),)
    )


def _native_norm(spec: NormKernel, precision: Precision) -> Op:
    """Return an RMS normalisation as PyTorch runs it without a kernel for it.

    Widen, square, average, scale, narrow and weigh; and before, where there is a residual, widen it, add and narrow the
    sum (vLLM: RMSNorm.forward_native).
    """
    run = build_row_pass(spec.rows, precision)
    elements, wide = spec.rows * spec.columns, run.wide
    steps = [(wide, _FP32), (_FP32, _FP32), (_FP32, NO_BYTES), (_FP32, _FP32), (_FP32, wide), (wide, wide)]
    if spec.fused_residual_add:
        steps += [(wide, _FP32), (2.0 * _FP32, _FP32), (_FP32, wide)]
    reads, writes = (total(side) for side in zip(*steps, strict=True))
    return elementwise_op(
        run,
        "norm",
        "norm",
        reads=elements * reads,
        writes=elements * writes,
        ops=(_NORM + 1.0 * spec.fused_residual_add) * elements,
        weights=spec.columns * run.outer,
        repeat=ONE,
        columns=spec.columns,
        launches=term(float(len(steps))),
        kernel=KernelClass.NATIVE_NORM,
    )


def build_activation(spec: ActivationKernel, step: Step, precision: Precision) -> Workload:
    """Build the activation of a network of inner width `columns`."""
    decoder = build_kernel_decoder(ffn=spec.columns, activation=spec.kind, heads=ONE)
    return build_kernel_workload(select_decoder_ops(decoder, _rows(spec.rows), precision, "ffn_activation"))


def build_rope(spec: RopeKernel, step: Step, precision: Precision) -> Workload:
    """Build a rotation."""
    return build_kernel_workload((_mapped(spec, precision, "rope", _ROTATION),))


def build_embedding(spec: EmbeddingKernel, step: Step, precision: Precision) -> Workload:
    """Build the look-up of an embedding."""
    decoder = build_kernel_decoder(hidden=spec.columns, vocab=spec.vocab, heads=ONE)
    return build_kernel_workload(select_decoder_ops(decoder, _rows(spec.rows), precision, "embedding"))


def build_sampling(spec: SamplingKernel, step: Step, precision: Precision) -> Workload:
    """Build sampling."""
    decoder = build_kernel_decoder(vocab=spec.columns, heads=ONE)
    return build_kernel_workload(select_decoder_ops(decoder, _rows(spec.rows), precision, "sampling"))


def build_softmax(spec: SoftmaxKernel, step: Step, precision: Precision) -> Workload:
    """Build a softmax."""
    return build_kernel_workload((_mapped(spec, precision, "softmax", _SOFTMAX),))


def _rows(rows: Term) -> Step:
    return Step(phase=Phase.DECODE, sequences=rows, tokens=ONE, context=ONE * 0.0)


def _mapped(
    spec: NormKernel | RopeKernel | SoftmaxKernel,
    precision: Precision,
    kernel: str,
    ops: float,
    weights: Term | None = None,
) -> Op:
    """Return an operation that reads every number once and writes as many."""
    run = build_row_pass(spec.rows, precision)
    elements = spec.rows * spec.columns
    return elementwise_op(
        run,
        kernel,
        kernel,
        reads=elements * run.wide,
        writes=elements * run.wide,
        ops=ops * elements,
        weights=0.0 * run.wide if weights is None else weights,
        repeat=ONE,
        columns=spec.columns,
        kernel=kernel,
    )


ROW_KERNELS = (
    WorkloadModel(name="norm", doc="A normalisation of rows.", spec=NormKernel, build=build_norm),
    WorkloadModel(
        name="activation", doc="The activation of a network.", spec=ActivationKernel, build=build_activation
    ),
    WorkloadModel(name="rope", doc="The rotation of queries and keys.", spec=RopeKernel, build=build_rope),
    WorkloadModel(
        name="embedding",
        doc="The look-up of a row for each token.",
        spec=EmbeddingKernel,
        build=build_embedding,
    ),
    WorkloadModel(name="sampling", doc="The choice of a token.", spec=SamplingKernel, build=build_sampling),
    WorkloadModel(name="softmax", doc="A softmax of rows.", spec=SoftmaxKernel, build=build_softmax),
)
