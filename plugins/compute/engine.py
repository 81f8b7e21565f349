"""What all engines share: the fields of their blocks, and peak rates of all instances on a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accelscope.core.errors import ModelError
from accelscope.core.ir.hardware import Part
from accelscope.core.ir.operation import Op
from accelscope.core.numeric.dtypes import DTYPE_NAMES, SAME_RATE_DTYPES
from accelscope.core.numeric.term import Term, as_term, maximum, term
from accelscope.core.spec.spec import block, constructor, free_entries, listing, quantity, spec
from accelscope.plugins.compute import plausible

_A_SECOND = term(1.0, "op/s")
OP_UNIT = term(1.0, "op")


@spec(kind="ops", within=("engine",), derived=plausible.PEAK_RATE_RANGES)
class PeakRates:
    """Peak rates of one engine by data type, dense; one MAC counts as two operations."""

    rates: Mapping[str, Term] = free_entries(
        "op/cycle", "op/s", doc="peak rate in one data type", names=DTYPE_NAMES
    )


@spec(kind="engine", default=False)
class ComputeEngine:
    """Fields that every engine takes."""

    ops: PeakRates = block("ops", doc="peak rates by data type", optional=False)
    tile: Any = listing("", doc="[m, n, k] of one instruction; k is padded to a multiple of it")
    lanes: Any = listing("", doc="[sublanes, lanes] of a vector unit", planned=True)
    special: Term | None = quantity(
        "op/cycle", "op/s", doc="rate of exponentials and other special functions", gt=0, optional=True
    )
    sparsity: Any = constructor(
        "structured",
        "unstructured",
        doc="supported sparsity; peak rates stay dense",
        planned=True,
    )
    energy: Term | None = quantity(
        "J/op",
        doc="energy of one 16-bit operation; other types scale with the inverse of their peak rates",
        ge=0,
        optional=True,
        plausible=(1e-15, 1e-10),
    )


def dense_peak(part: Part[Any], dtype: str) -> Term | None:
    """Return the dense op/s of all instances on a device, or None where they cannot compute in a dtype.

    instances x op a cycle x clock; a dtype that is not given has the rate of its twin (bf16 and fp16).
    """
    rates = part.spec.ops.rates
    rate = rates.get(dtype, rates.get(SAME_RATE_DTYPES.get(dtype, "")))
    return None if rate is None else _per_second(part, rate).named(f"peak {part.name} {dtype} rate")


def special_rate(part: Part[Any]) -> Term | None:
    """Return the special functions a second of all instances, or None where the description gives none."""
    return None if part.spec.special is None else _per_second(part, part.spec.special)


def require_peak(found: Term | None, part: Part[Any], dtype: str) -> Term:
    """Return a peak that has to be there.

    Raises:
        ModelError: the engine was asked to run what it cannot compute.
    """
    if found is None:
        raise ModelError(f"`{part.path}` cannot compute in {dtype}; ask `peak` first")
    return found


def arithmetic_energy(part: Part[Any], op: Op) -> Term | None:
    """Return the energy in J of an operation's arithmetic, or None where the description gives none.

    An engine's `energy` is of an operation in 16 bit. A type at twice the rate takes half of it: an engine draws much the
    same power at every type's peak, since that is what bounds how many units of a type are built.
    """
    if part.spec.energy is None:
        return None
    each: Term = part.spec.energy
    wide, own = dense_peak(part, "bf16"), dense_peak(part, op.dtype)
    if wide is not None and own is not None:
        each = each * (wide / own)
    return (op.flops * each).named(f"{part.name} energy")


def pick_size(listed: Any, index: int, otherwise: float) -> Term:
    """Return one size of a list of plain numbers; a missing one is `otherwise`."""
    items: Sequence[Term | float] = listed or ()
    return as_term(items[index] if index < len(items) else otherwise)


def clamp_to_one(value: Term) -> Term:
    """Return a plain number, at least 1: sizes that divide something."""
    return maximum(value, 1.0)


def _per_second(part: Part[Any], rate: Term) -> Term:
    if rate.dimension == _A_SECOND.dimension:
        return part.count * rate
    if part.clock is None:
        raise ModelError(f"`{part.path}` gives a rate a cycle, but no block around it gives a `clock`")
    return part.count * rate * part.clock
