"""How the tensors of a file are stored: bytes, bits per weight, and the closest data type that the language has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.plugins.workload.importers.gguf.file import GgufTensor
from accelscope.plugins.workload.importers.model_text import BlockFields

_EXACT = {
    "F64": "fp64", "F32": "fp32", "F16": "fp16", "BF16": "bf16", "MXFP4": "mxfp4", "NVFP4": "nvfp4",
}  # fmt: skip
_STORED = ("bf16", "int8", "mxfp8", "fp8", "mxfp6", "fp6", "nvfp4", "mxfp4", "int4", "fp4")


@frozen(kw_only=True)
class StoredTensors:
    """Some tensors together; `shares` are (type, share of the bytes), the largest first."""

    elements: int
    bytes: int
    shares: tuple[tuple[str, float], ...]

    @property
    def bits(self) -> float:
        """Mean bits of one weight, scales of blocks included."""
        return 8.0 * self.bytes / self.elements if self.elements else 0.0

    @property
    def dtype(self) -> str:
        """The data type of the language that takes the bits closest to these."""
        kind = self.shares[0][0] if self.shares else "BF16"
        if kind in _EXACT and self.shares[0][1] > 0.95:
            return _EXACT[kind]
        return min(_STORED, key=lambda name: abs(DTYPE_BITS[name] - self.bits))

    @property
    def counted(self) -> float:
        """Bytes that the weights take in that data type."""
        return self.elements * DTYPE_BITS[self.dtype] / 8.0

    def told(self) -> str:
        """Return types and their shares in words."""
        return ", ".join(f"{kind} {share:.0%}" for kind, share in self.shares)


def summarise_tensors(tensors: Iterable[GgufTensor]) -> StoredTensors:
    """Return what some tensors take together."""
    items = tuple(tensors)
    total = sum(item.bytes for item in items)
    kinds = {item.kind for item in items}
    shares = [
        (kind, sum(item.bytes for item in items if item.kind == kind) / max(total, 1)) for kind in kinds
    ]
    return StoredTensors(
        elements=sum(item.elements for item in items),
        bytes=total,
        shares=tuple(sorted(shares, key=lambda share: (-share[1], share[0]))),
    )


def describe_storage(
    tensors: Iterable[GgufTensor], blocks: Mapping[str, BlockFields]
) -> tuple[tuple[str, ...], BlockFields]:
    """Return what to tell about the bytes of the weights, and the `precision` block closest to them.

    Args:
        tensors: of the file; tables of rotations are no weights.
        blocks: of the model; experts whose closest data type is another say so in their own block.
    """
    weights = [item for item in tensors if not item.name.startswith("rope_")]
    everything = summarise_tensors(weights)
    routed = summarise_tensors(item for item in weights if "_exps." in item.name)
    rest = summarise_tensors(item for item in weights if "_exps." not in item.name)
    parts, dtype = [everything], everything.dtype
    if "experts" in blocks and routed.elements and routed.dtype != rest.dtype:
        blocks["experts"]["weight_dtype"] = routed.dtype
        parts, dtype = [routed, rest], rest.dtype
    wide = (
        "bf16" if dtype == "bf16" else "fp16"
    )  # llama.cpp caches and computes in 16 bit unless told otherwise
    return _told(everything, parts), {"weights": dtype, "activations": wide, "kv": "fp16"}


def _told(everything: StoredTensors, parts: Sequence[StoredTensors]) -> tuple[str, ...]:
    away = sum(part.counted for part in parts) - everything.bytes
    types = (
        parts[0].dtype if len(parts) == 1 else f"{parts[0].dtype} for experts, {parts[1].dtype} for the rest"
    )
    size = (
        f"{everything.elements:,} weights in {everything.bytes:,} bytes: {everything.bits:.3f} bits each "
        f"({everything.told()})"
    )
    if abs(away) < 1:
        return (size,)
    word = "more" if away > 0 else "less"
    close = (
        f"closest data type: {types}; it makes {abs(away):,.0f} bytes {word} "
        f"({away / everything.bytes:+.1%}) than the file"
    )
    return (size, close)
