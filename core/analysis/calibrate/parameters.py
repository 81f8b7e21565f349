"""Parameters of a fit: fields of a spec on a logarithmic scale, with bounds and what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.numeric.term import Array, Term, term
from accelscope.core.spec.spec import fields_of

ParameterValues = Mapping[str, float]
"""Parameter name to its value in the first unit of its field."""
_SMALLEST = 1e-12
_LARGEST = 1e12


@frozen
class FitParameter:
    """A field that is fitted.

    Attributes:
        name: of the field.
        start: where the fit begins when nothing is expected yet, in the first unit of the field.
        width: standard deviation of the logarithm around what is expected: of a device around its family, and so on.
        low, high: bounds.
        choices: the only values that it takes, such as sizes of tiles; empty for one on a continuous scale.
    """

    name: str
    start: float
    width: float
    low: float
    high: float
    choices: tuple[float, ...] = ()


def define_choice_parameter(name: str, *choices: float) -> FitParameter:
    """Return a parameter that takes one of a few values; a fit begins with the first."""
    width = 1.0
    return FitParameter(name, choices[0], width, min(choices), max(choices), choices)


def define_parameter(
    cls: type, name: str, start: float, width: float, low: float = 0.0, high: float = 0.0
) -> FitParameter:
    """Return a parameter with the bounds of its field, narrowed where bounds are given.

    Args:
        cls: the spec that the field is declared in.
        name: name of the field.
        start: value from which a fit starts, in the first unit of the field.
        width: standard deviation of the logarithm around the expected value.
        low: lower bound, in addition to that of the field.
        high: upper bound, in addition to that of the field; 0 for none.
    """
    field = fields_of(cls)[name]
    least = max(field.gt or 0.0, field.ge or 0.0, low, _SMALLEST)
    most = min(field.lt or _LARGEST, field.le or _LARGEST, high or _LARGEST)
    return FitParameter(name=name, start=start, width=width, low=least, high=most)


def pack_parameters(parameters: Sequence[FitParameter], values: ParameterValues) -> Array:
    """Return the logarithms of values, in the order of the parameters and within their bounds."""
    return np.array([np.log(min(max(values[item.name], item.low), item.high)) for item in parameters])


def unpack_parameters(parameters: Sequence[FitParameter], position: Array) -> dict[str, float]:
    """Return the values of logarithms."""
    return {item.name: float(np.exp(x)) for item, x in zip(parameters, position, strict=True)}


def nearest_choice(item: FitParameter, value: float) -> float:
    """Return the value itself, or the choice that is nearest to it by ratio."""
    if not item.choices:
        return value
    return min(item.choices, key=lambda choice: abs(np.log(choice / value)))


def parameters_to_terms(cls: type, values: ParameterValues) -> dict[str, Term]:
    """Return values as terms in the first unit of their fields."""
    fields = fields_of(cls)
    return {name: term(value, fields[name].units[0]) for name, value in values.items()}
