"""Words that models share: phases, kinds of operation and collective, classes of kernel, ways to divide an operation.

Each is a `StrEnum`: a member equals its text, so that results and descriptions show the text, and a misspelt text is an
error where an operation or a collective is made.
"""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Which pass of a model a step is.

    Attributes:
        PREFILL: new tokens of prompts.
        DECODE: the next token of each sequence.
        FORWARD: the forward pass of training.
        BACKWARD: the backward pass of training.
        OPTIMIZER: the update of the weights at the end of a training step.
    """

    PREFILL = "prefill"
    DECODE = "decode"
    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimiser"

    @property
    def is_training(self) -> bool:
        """Whether it is a pass of training over micro-batches, forward or backward."""
        return self in (Phase.FORWARD, Phase.BACKWARD)


class OpKind(StrEnum):
    """What an operation does, as compute models see it.

    Attributes:
        GEMM: one or several equal products of dense matrices.
        GROUPED_GEMM: products of different weights, such as those of the experts of a layer.
        ATTENTION: scores and weighted sums over keys and values, or a recurrence of that form.
        ELEMENTWISE: arithmetic on each element, or on each row: norms, activations, positions, sampling.
        GATHER: rows of a table, such as an embedding.
    """

    GEMM = "gemm"
    GROUPED_GEMM = "grouped_gemm"
    ATTENTION = "attention"
    ELEMENTWISE = "elementwise"
    GATHER = "gather"

    @property
    def is_gemm(self) -> bool:
        """Whether it is a matrix product with weights."""
        return self in (OpKind.GEMM, OpKind.GROUPED_GEMM)

    @property
    def multiplies_matrices(self) -> bool:
        """Whether it runs on engines that multiply matrices."""
        return self in (OpKind.GEMM, OpKind.GROUPED_GEMM, OpKind.ATTENTION)


class Split(StrEnum):
    """How tensor parallelism divides an operation.

    Attributes:
        NONE: every rank does all of it.
        COLUMN: each rank has a share of the columns (n).
        ROW: each rank has a share of k; an all-reduce of what it writes follows.
        PARTIAL: k like `ROW`, but the all-reduce of a later operation adds it up.
        HEADS: each rank has some of the attention heads.
        VOCAB: each rank has a share of the vocabulary.
        EXPERT_COLUMN: by expert, and within one like `COLUMN`.
        EXPERT_ROW: by expert, and within one like `ROW`.
    """

    NONE = "none"
    COLUMN = "column"
    ROW = "row"
    PARTIAL = "partial"
    HEADS = "heads"
    VOCAB = "vocab"
    EXPERT_COLUMN = "expert_column"
    EXPERT_ROW = "expert_row"

    @property
    def is_expert(self) -> bool:
        """Whether it is divided by expert."""
        return self in (Split.EXPERT_COLUMN, Split.EXPERT_ROW)


class CollectiveKind(StrEnum):
    """What a communication does.

    Attributes:
        ALL_REDUCE: the sum over all ranks, to all of them.
        ALL_GATHER: the parts of all ranks, to all of them.
        REDUCE_SCATTER: the sum over all ranks, a part to each.
        ALL_TO_ALL: a different part from each rank to each.
        SEND_RECV: from each rank to its neighbour.
        BROADCAST: from one rank to all.
        REDUCE: the sum over all ranks, to one of them.
    """

    ALL_REDUCE = "all_reduce"
    ALL_GATHER = "all_gather"
    REDUCE_SCATTER = "reduce_scatter"
    ALL_TO_ALL = "all_to_all"
    SEND_RECV = "send_recv"
    BROADCAST = "broadcast"
    REDUCE = "reduce"


class KernelClass(StrEnum):
    """Classes of kernel that calibrations know. The kernel of a plugin's operation may have a name of its own.

    The members are the classes that the built-in workloads use; an operation without one is known by its kind.
    """

    ATTENTION_PREFILL = "attention_prefill"
    ATTENTION_DECODE = "attention_decode"
    MLA_PREFILL = "mla_prefill"
    MLA_DECODE = "mla_decode"
    LINEAR_ATTENTION = "linear_attention"
    CONVOLUTION = "convolution"
    RECURRENCE = "recurrence"
    SCAN = "scan"
    NORM = "norm"
    NATIVE_NORM = "native_norm"
    ROPE = "rope"
    ACTIVATION = "activation"
    EMBEDDING = "embedding"
    SAMPLING = "sampling"
    QUANTIZE = "quantize"


PREFILL_ATTENTION = frozenset({KernelClass.ATTENTION_PREFILL, KernelClass.MLA_PREFILL})
"""Kernels of attention over the new tokens of prompts."""
DECODE_ATTENTION = frozenset({KernelClass.ATTENTION_DECODE, KernelClass.MLA_DECODE})
"""Kernels of attention of one new token a sequence over a KV cache."""
