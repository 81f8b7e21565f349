"""One pass of a model and its operations, with everything that a hardware model may ask about them."""

from __future__ import annotations

from attrs import field, frozen

from accelscope.core.ir.constants import NO_BYTES, NOTHING, ONE
from accelscope.core.ir.vocabulary import KernelClass, OpKind, Phase, Split
from accelscope.core.numeric.term import Term, strip_count_unit


def _count(value: Term) -> Term:
    return strip_count_unit(value) if isinstance(value, Term) else value


@frozen(kw_only=True, eq=False)
class Precision:
    """Data types by role, as names of `accelscope.core.numeric.dtypes`.

    Attributes:
        head: None where lm_head and embedding stay wide.
        experts: what routed experts are computed in, None for as all else.
    """

    weights: str
    activations: str
    kv: str
    head: str | None = None
    experts: str | None = None


@frozen(kw_only=True, eq=False)
class Step:
    """One pass of a model over a batch. Its counts are plain numbers; a unit such as `tok` is taken off.

    Attributes:
        phase: which pass it is.
        sequences: how many sequences are in the pass.
        tokens: new tokens of each sequence in the pass (the prompt, or 1).
        context: tokens of each sequence that are cached before the pass.
        microbatches: how many such passes a batch was divided into, for a pipeline.
        micro_batch: sequences of one such pass in training, or None where they follow from the pipeline.
    """

    phase: Phase = field(converter=Phase)
    sequences: Term = field(converter=_count)
    tokens: Term = field(converter=_count)
    context: Term = field(converter=_count)
    microbatches: Term = ONE
    micro_batch: Term | None = None


@frozen(kw_only=True, eq=False)
class Op:
    """One class of operation of a pass, with everything a hardware model may ask about it.

    Sizes are of one execution on one device. A GEMM computes, `groups` times, an (m x k) by (k x n) product.

    Attributes:
        name: such as `qkv`; unique within a pass.
        component: `attention`, `ffn`, `norm`, `embedding`, `lm_head`, ...: what a breakdown groups by.
        kind: what it does.
        kernel: class of kernel that calibrations know it by: a `KernelClass` or a plugin's own name; "" is the same as
            `kind`.
        dtype: data type that is computed in.
        stored: data type that its weights or KV cache are stored in; "" is the same as `dtype`.
        flops: op.
        weights: bytes of parameters read.
        reads, writes: bytes of activations.
        kv_read, kv_write: bytes of KV cache.
        m, n, k, groups: GEMM shape; for attention m is query rows, n is context and k is the mean width of a key and a
            value of one of `groups` (sequence, KV head) pairs.
        outside: pairs of query and key before it that an attention's window hides, as multiples of those it shows.
        steps: of a form in chunks, how many of `groups` belong to one state, which passes from one to the next.
        queries: query heads of an attention that share a KV head, and have m / queries rows each; 1 where the rows of a
            group are not of several heads that a kernel could also take one by one.
        repeat: executions a pass (layers).
        launches: kernels started for one execution.
        split: how tensor parallelism divides it.
        kv_heads: KV heads on the device, where the operation has a part for each KV head that repeats beyond them.
        layered: whether it stands in the layers that a pipeline divides; not so embedding and lm_head.
        is_prompt: whether its tokens are those of prompts in a step that decodes other sequences beside them.
        expands: whether it makes keys and values of all tokens, cached ones too, from latents just before an attention.
    """

    name: str
    component: str
    kind: OpKind = field(converter=OpKind)
    dtype: str
    flops: Term
    kernel: KernelClass | str = ""
    stored: str = ""
    weights: Term = NO_BYTES
    reads: Term = NO_BYTES
    writes: Term = NO_BYTES
    kv_read: Term = NO_BYTES
    kv_write: Term = NO_BYTES
    m: Term = ONE
    n: Term = ONE
    k: Term = ONE
    groups: Term = ONE
    queries: Term = ONE
    outside: Term = NOTHING
    steps: Term = ONE
    repeat: Term = ONE
    launches: Term = ONE
    split: Split = field(default=Split.NONE, converter=Split)
    kv_heads: Term | None = None
    layered: bool = True
    is_prompt: bool = False
    expands: bool = False
