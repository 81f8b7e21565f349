"""Degrees of parallelism: shares that round up, and the limit of a degree that does not divide."""

from __future__ import annotations

import numpy as np

from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Term, ceil, floor, maximum, minimum, term, where

NO_SPLIT = "one device holds everything unless a degree is given"
"""Source of every default degree."""

_ONE = term(1.0)


def largest_share(size: Term, degree: Term) -> Term:
    """Return what the fullest of `degree` ranks holds of `size` equal pieces, as a share of all: ceil(n/d)/n."""
    whole = maximum(size, 1.0)
    return ceil(whole / degree) / whole


def check_divides(name: str, degree: Term, size: Term, what: str) -> Limit:
    """Return the limit that a degree divides a size; where it does not, only a degree of 1 is available.

    Args:
        name: of the degree, such as `tp`.
        degree: the degree.
        size: number that the degree has to divide.
        what: what is divided, such as `heads`.
    """
    reason = f"{name}{_value(degree)} does not divide {_number(size)}{what}"
    return Limit(
        name=f"{name} divides {what}",
        used=degree,
        available=_available(degree, size),
        reason=reason,
        condition=True,
    )


def check_divides_either(name: str, degree: Term, size: Term, what: str) -> Limit:
    """Return the limit that the smaller of two numbers divides the larger."""
    few, many = minimum(degree, size), maximum(degree, size)
    reason = f"neither of {name}{_value(degree)} and {_number(size)}{what} divides the other"
    available = _available(few, many)
    return Limit(name=f"{name} fits {what}", used=few, available=available, reason=reason, condition=True)


def check_degree_bound(name: str, degree: Term, size: Term, what: str) -> Limit:
    """Return the limit that a degree is no more than what there is to divide."""
    reason = f"{name}{_value(degree)} is more than {_number(size)}{what}"
    return Limit(name=f"{name} at most {what}", used=degree, available=size, reason=reason)


def _available(degree: Term, size: Term) -> Term:
    left = size - degree * floor(size / degree)
    return where(left > 0.0, _ONE, size)


def _value(degree: Term) -> str:
    return f" = {_single(degree)}" if _single(degree) else ""


def _number(size: Term) -> str:
    return f"{_single(size)} " if _single(size) else "the number of "


def _single(value: Term) -> str:
    return f"{float(np.asarray(value.value).flat[0]):g}" if np.size(value.value) == 1 else ""
