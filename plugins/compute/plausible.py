"""What engines have in practice: rates of narrow and wide types over the rate in 16 bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.core.spec.derived import QuantityReader, declare_derived, read_field_number

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

_SOURCE = "engines of the library: a type of half the bits at one to two times the rate, few parts with next to no int8"
_USUAL = {
    "fp32": (0.03, 1.1),
    "tf32": (0.1, 1.1),
    "fp8": (0.9, 4.1),
    "int8": (0.05, 4.1),
    "fp6": (0.9, 4.1),
    "fp4": (0.9, 8.2),
    "int4": (0.9, 8.2),
}


def _over_16_bit(dtype: str) -> QuantityReader:
    """Return a reader of a rate over the rate in bf16, or else fp16, of the same engine."""

    def read(ops: Component) -> float | None:
        base = read_field_number(ops, "bf16") or read_field_number(ops, "fp16")
        rate = read_field_number(ops, dtype)
        return rate / base if base and rate else None

    return read


def _halves(ops: Component) -> float | None:
    """Return fp16 over bf16, which few engines do at different rates."""
    fp16, bf16 = read_field_number(ops, "fp16"), read_field_number(ops, "bf16")
    return fp16 / bf16 if fp16 and bf16 else None


PEAK_RATE_RANGES = (
    *(
        declare_derived(
            f"rate in {dtype} over that in 16 bit",
            "",
            _over_16_bit(dtype),
            at=dtype,
            usual=usual,
            source=_SOURCE,
        )
        for dtype, usual in _USUAL.items()
    ),
    declare_derived(
        "rate in fp16 over that in bf16", "", _halves, at="fp16", usual=(0.2, 4.1), source=_SOURCE
    ),
)
