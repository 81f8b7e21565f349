"""How rows of kernels read: which kernel model an operation of a table is, which columns give its sizes, which data types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from accelscope.core.numeric.term import term

_ROWS = {"rows": "m", "columns": "n"}
_ATTENTION = {name: name for name in ("batch", "seq_q", "kv_len", "heads", "kv_heads", "head_dim")}
_LATENT = {name: name for name in ("batch", "seq_q", "kv_len", "heads")}
_EXPERTS = {"tokens": "tokens", "hidden": "hidden", "ffn": "inter", "experts": "experts", "top_k": "topk"}
_LINEAR = {
    "batch": "batch",
    "seq_q": "seq_q",
    "key_heads": "kv_heads",
    "value_heads": "heads",
    "head_dim": "head_dim",
}


@frozen(kw_only=True)
class KernelRowMapping:
    """A kernel model and where its fields are from.

    Attributes:
        family: of the model, as a description writes it.
        columns: field of the model to the column that gives it.
        words: fields that are the same for all rows of the operation.
        optional: field to a column where 0 or nothing means that the field is absent.
        cold: whether measurements read weights from memory, as in a model, since they go round many buffers.
    """

    family: str
    columns: Mapping[str, str]
    words: Mapping[str, Any] = field(factory=dict)
    optional: Mapping[str, str] = field(factory=dict)
    cold: bool = False


KERNEL_ROW_MAPPINGS: Mapping[str, KernelRowMapping] = {
    "gemm": KernelRowMapping(family="gemm", columns={name: name for name in "mnk"}, cold=True),
    "grouped_gemm": KernelRowMapping(
        family="grouped_gemm", columns={name: name for name in ("m", "n", "k", "experts")}
    ),
    "quantize_fp8": KernelRowMapping(family="quantize", columns={"rows": "m", "columns": "k"}),
    "attn_prefill": KernelRowMapping(
        family="attention",
        columns=_ATTENTION,
        words={"phase": "prefill"},
        optional={"sliding_window": "window"},
    ),
    "attn_decode": KernelRowMapping(
        family="attention",
        columns=_ATTENTION,
        words={"phase": "decode"},
        optional={"sliding_window": "window"},
    ),
    "mla_prefill": KernelRowMapping(family="mla", columns=_LATENT, words={"phase": "prefill"}),
    "mla_decode": KernelRowMapping(family="mla", columns=_LATENT, words={"phase": "decode"}),
    "gdn_linear_attn": KernelRowMapping(family="linear_attention", columns=_LINEAR),
    "moe": KernelRowMapping(family="moe", columns=_EXPERTS),
    "moe_wideep": KernelRowMapping(family="moe", columns=_EXPERTS),
    "rmsnorm": KernelRowMapping(family="norm", columns=_ROWS, words={"kind": "rmsnorm"}),
    "layernorm": KernelRowMapping(
        family="norm", columns=_ROWS, words={"kind": "layernorm", "fused_residual_add": False}
    ),
    "qk_norm": KernelRowMapping(
        family="norm", columns=_ROWS, words={"kind": "rmsnorm", "fused_residual_add": False}
    ),
    "silu_mul": KernelRowMapping(family="activation", columns=_ROWS, words={"kind": "swiglu"}),
    "gelu": KernelRowMapping(family="activation", columns=_ROWS, words={"kind": "gelu"}),
    "rope": KernelRowMapping(family="rope", columns=_ROWS),
    "embedding": KernelRowMapping(family="embedding", columns=_ROWS),
    "sampler": KernelRowMapping(family="sampling", columns=_ROWS),
    "softmax": KernelRowMapping(family="softmax", columns=_ROWS),
}
"""By the `op` column; collectives are in `COLLECTIVES`, the exchange of experts in `EXCHANGES`."""

COLLECTIVES: Mapping[str, str] = {
    "allreduce": "all_reduce",
    "allreduce_custom": "all_reduce",
    "allgather": "all_gather",
    "reducescatter": "reduce_scatter",
    "alltoall": "all_to_all",
    "p2p": "send_recv",
    "broadcast": "broadcast",
}
EXPERT_EXCHANGES: Mapping[str, str] = {
    "alltoall_dispatch": "experts_dispatch",
    "alltoall_combine": "experts_combine",
}
"""By the `op` column: the collective that expert parallelism makes of it."""

NARROWED_EXCHANGES = ("alltoall_dispatch",)
"""Exchanges whose tokens go in the type of the product; results come back at 16 bit, to be added up (DeepEP; TensorRT-LLM)."""

COLLECTIVE_LIBRARIES = ("nccl", "oneccl", "rccl", "pytorch")
"""Engines that are libraries of collectives; the others have kernels of their own for an all-reduce."""

PER_RANK_COLLECTIVES: Mapping[str, str] = {"oneccl": "allgather"}
"""Libraries to the collective whose `bytes` are those of one rank: twice the ranks take twice as long for as many."""

_KEPT = (
    ("vllm", r"fused_moe|marlin|triton", "padded"),
    ("sglang", r"triton|marlin", "computed"),
    ("trtllm", r"min_latency|triton", "computed"),
)
"""Engine, names of its kernels, and what these do of visits to experts of other ranks."""

MEASURED_DTYPES: Mapping[str, tuple[str, str]] = {
    "bf16": ("bf16", "bf16"),
    "fp16": ("fp16", "fp16"),
    "fp32": ("fp32", "fp32"),
    "fp8": ("fp8", "fp8"),
    "fp8_static": ("fp8", "fp8"),
    "fp8_block": ("fp8_block", "fp8_block"),
    "int8": ("int8", "int8"),
    "sq": ("int8", "int8"),
    "nvfp4": ("nvfp4", "nvfp4"),
    "mxfp4": ("mxfp4", "mxfp4"),
    "int8_wo": ("int8", "fp16"),
    "int4_wo": ("int4", "fp16"),
    "w4a16_mxfp4": ("mxfp4", "bf16"),
    "w4a8_mxfp4_mxfp8": ("mxfp4", "mxfp8"),
}
"""By the `dtype` column: data types of weights and of the activations that are multiplied with them."""

STATIC_SCALES = ("fp8_static", "sq")
"""Types whose activations have scales known beforehand, so that no kernel of the measured layer looks for them."""

QUANTIZE_INSIDE = ("vllm", "sglang", "trtllm")
"""Engines whose measured products of narrow activations include their narrowing: their layers do both when called."""

FUSED_RESIDUAL = ("vllm",)
"""Engines whose measured normalisation adds the residual too."""


NATIVE_NORMS = ("vllm/torch",)
"""Engines measured with their RMS normalisation in operations of PyTorch: it takes ten times as long as one kernel of it."""

LAYER_NORMS = re.compile(r"phi-(mini|3\.5)-moe", re.IGNORECASE)
"""Layers of models that normalise by LayerNorm in a column of RMS normalisations (Hugging Face, modeling_phimoe.py)."""


def infer_kernel_options(op: str, kernel: str, dtype: str, engine: str, dist: str = "") -> dict[str, Any]:
    """Return the fields of a kernel model that the name of the measured kernel or its engine tells."""
    words = dict(KERNEL_ROW_MAPPINGS[op].words)
    if op == "gemm":
        words["quantize_input"] = engine in QUANTIZE_INSIDE and dtype not in STATIC_SCALES
    if op == "rmsnorm":
        words |= _norm(kernel, engine)
    if KERNEL_ROW_MAPPINGS[op].family == "moe" and dist:
        words |= _routing(dist)
    if op == "gdn_linear_attn":
        words["kernel"] = "convolution" if "conv1d" in kernel else "scan"
        words["phase"] = "decode" if kernel.startswith("generation") else "prefill"
    return words


def infer_expert_visits(engine: str, kernel: str) -> str:
    """Return what a kernel does of visits to experts of other ranks: its time at a high `ep` tells."""
    kept = (word for name, pattern, word in _KEPT if name == engine and re.search(pattern, kernel))
    return next(kept, "skipped")


def collective_kernel_class(op: str, engine: str, kernel: str) -> str:
    """Return the class of kernel of a collective: a library's, or an engine's own, launched in a graph or one by one.

    Vidur (MIT) timed NCCL through PyTorch, launch by launch, and names the network beside the library.
    """
    if op in EXPERT_EXCHANGES:
        return EXPERT_EXCHANGES[op]
    if COLLECTIVES[op] != "all_reduce" or engine.casefold() in COLLECTIVE_LIBRARIES:
        return f"eager_{COLLECTIVES[op]}" if kernel.startswith("nccl ") else COLLECTIVES[op]
    return "eager_custom_all_reduce" if kernel.endswith("eager") else "custom_all_reduce"


def implementation_of(kernel: str) -> str:
    """Return which of an engine's exchanges of experts a kernel is, without how many cores it takes."""
    return re.sub(r"_(dispatch|combine)|_sms\d+", "", kernel) if re.fullmatch(r"\w+", kernel) else ""


def _norm(kernel: str, engine: str) -> dict[str, Any]:
    """Return how an engine normalises, and with what where the name of the layer says of which model it is."""
    if LAYER_NORMS.match(kernel):
        return {"kind": "layernorm", "fused_residual_add": False}
    return {"fused_residual_add": engine in FUSED_RESIDUAL, "unfused": engine in NATIVE_NORMS}


def _routing(dist: str) -> dict[str, Any]:
    """Return how visits fall on experts; a balancer that copies busy experts (EPLB) leaves no more than chance."""
    exponent = dist.removeprefix("power_law_")
    if dist.endswith("_eplb"):
        return {"routing": "uniform_random"}
    if exponent == dist:
        return {"routing": "balanced"}
    try:
        return {"routing": "power_law", "power_law_exponent": term(float(exponent))}
    except ValueError:
        return {"routing": "power_law"}
