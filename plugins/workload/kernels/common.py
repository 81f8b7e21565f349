"""Kernels as models: one operation of a decoder, of sizes of its own, so that a kernel and a layer are one model.

`model g { family = gemm, m = 4096, n = 4096, k = 4096 }` can be evaluated like any model; each pass is one execution. What
kernels share is here, and products of matrices; a load has no effect on their sizes.
"""

from __future__ import annotations

from typing import Any, TypeVar

from attrs import evolve

from accelscope.core.ir.constants import NO_BYTES, ONE
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.plan import Residency, Workload
from accelscope.core.ir.vocabulary import OpKind, Phase, Split
from accelscope.core.numeric.term import Term, term, total
from accelscope.core.plugin.records import WorkloadModel
from accelscope.core.spec.spec import count, flag, spec
from accelscope.core.workload.op_builders import gemm_op, quantize_op
from accelscope.plugins.workload.decoder.decoder import build_decoder
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass, build_forward_pass
from accelscope.plugins.workload.decoder.shape import resolve_shape
from accelscope.plugins.workload.decoder.spec import Decoder

_S = TypeVar("_S")
_BYTE = term(1.0, "B")
_STATIC = "kernels of quantised models that are measured without the narrowing of their input"


@spec(kind="model", select={"family": ("gemm",)}, default=False, within=("file",))
class GemmKernel:
    """One product of activations and weights: (m x k) by (k x n)."""

    m: Term = count(doc="rows of the activations (tokens)")
    n: Term = count(doc="columns of the weight matrix (output features)")
    k: Term = count(doc="rows of the weight matrix (input features)")
    quantize_input: bool = flag(
        aliases=("quantize",),
        doc="whether quantization of the input is included",
        default=False,
        source=_STATIC,
    )


@spec(kind="model", select={"family": ("grouped_gemm",)}, default=False, within=("file",))
class GroupedGemmKernel:
    """One product for each of several experts in one kernel: `experts` times (m x k) by (k x n)."""

    m: Term = count(doc="rows of one expert (tokens routed to it)")
    n: Term = count(doc="columns of an expert's weight matrix")
    k: Term = count(doc="rows of an expert's weight matrix")
    experts: Term = count(doc="experts")


@spec(kind="model", select={"family": ("quantize",)}, default=False, within=("file",))
class QuantizeKernel:
    """The narrowing of activations of 16 bit to the type that a product takes."""

    rows: Term = count(doc="rows: tokens")
    columns: Term = count(doc="elements per row")


def build_gemm(spec: GemmKernel, step: Step, precision: Precision) -> Workload:
    """Build one product, and the narrowing of its input where that is part of it."""
    run = build_row_pass(spec.m, precision)
    product = gemm_op(run, "gemm", "gemm", m=spec.m, k=spec.k, n=spec.n, repeat=ONE, split=Split.NONE)
    if not (spec.quantize_input and run.quantizes):
        return build_kernel_workload((product,))
    narrow = quantize_op(
        run, "quantize", elements=spec.m * spec.k, repeat=ONE, split=Split.NONE, columns=spec.k
    )
    return build_kernel_workload((narrow, product))


def build_grouped_gemm(spec: GroupedGemmKernel, step: Step, precision: Precision) -> Workload:
    """Build a product for each expert."""
    run = build_row_pass(spec.m * spec.experts, precision)
    product = gemm_op(
        run, "grouped_gemm", "experts", m=spec.m, k=spec.k, n=spec.n, groups=spec.experts, repeat=ONE, split=Split.NONE,
        kind=OpKind.GROUPED_GEMM,
    )  # fmt: skip
    return build_kernel_workload((product,))


def build_quantize(spec: QuantizeKernel, step: Step, precision: Precision) -> Workload:
    """Build the narrowing of activations."""
    run = build_row_pass(spec.rows, precision)
    elements = spec.rows * spec.columns
    return build_kernel_workload(
        (quantize_op(run, "quantize", elements=elements, repeat=ONE, split=Split.NONE, columns=spec.columns),)
    )


def build_kernel_decoder(**fields: Any) -> Decoder:
    """Return a decoder of one layer with the given fields; sizes that no kernel reads are 1."""
    return instantiate_spec(Decoder, **{"layers": ONE, "hidden": ONE, "vocab": ONE} | fields)


def instantiate_spec(cls: type[_S], **fields: Any) -> _S:
    """Return an instance of a spec class with the given fields, all others at their defaults."""
    return cls(**fields)


def build_row_pass(rows: Term, precision: Precision) -> ForwardPass:
    """Return a pass of some rows, for operations whose sizes are given one by one."""
    step = Step(phase=Phase.DECODE, sequences=rows, tokens=ONE, context=ONE * 0.0)
    return build_forward_pass(resolve_shape(build_kernel_decoder()), step, precision)


def select_decoder_ops(decoder: Decoder, step: Step, precision: Precision, *names: str) -> tuple[Op, ...]:
    """Return the named operations of a decoder's pass, each once."""
    ops = build_decoder(decoder, step, precision).ops
    return tuple(evolve(op, repeat=ONE) for op in ops if op.name in names)


def build_kernel_workload(ops: tuple[Op, ...], **about: Any) -> Workload:
    """Return a workload of a few operations that touches what they read and write, and nothing else.

    Args:
        ops: the operations.
        about: further fields of the workload.
    """
    weights = total(op.weights for op in ops)
    moved = total(op.reads + op.writes for op in ops)
    residency = Residency(
        weights=weights.named("weights"),
        kv=total(op.kv_read + op.kv_write for op in ops).named("KV cache"),
        activations=moved.named("activations"),
    )
    parameters = weights / _BYTE
    fields: dict[str, Any] = {
        "activation": NO_BYTES,
        "layers": ONE,
        "heads": ONE,
        "kv_heads": ONE,
        "parameters": parameters,
        "active_parameters": parameters,
    }
    return Workload(ops=ops, residency=residency, **(fields | about))


GEMM_KERNELS = (
    WorkloadModel(
        name="gemm", doc="One product of activations and weights.", spec=GemmKernel, build=build_gemm
    ),
    WorkloadModel(
        name="grouped_gemm",
        doc="A product for each of several experts.",
        spec=GroupedGemmKernel,
        build=build_grouped_gemm,
    ),
    WorkloadModel(
        name="quantize", doc="The narrowing of activations.", spec=QuantizeKernel, build=build_quantize
    ),
)
