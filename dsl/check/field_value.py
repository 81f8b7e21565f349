"""Whether a value fits its field: type, dimension, bounds, choices; and what would fit."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.expect import unknown_name
from accelscope.dsl.interpret.layers import Binding
from accelscope.dsl.interpret.scope import list_visible_names
from accelscope.dsl.schema.schema import FieldSchema
from accelscope.dsl.values.arithmetic import show_quantity, suggest_direction
from accelscope.dsl.values.units import DIMENSIONLESS, Dimension, base_dimension, format_quantity
from accelscope.dsl.values.values import (
    Constructor,
    CurveValue,
    ListValue,
    MapValue,
    Quantity,
    Symbol,
    describe_value,
    is_condition,
)

_DIR = base_dimension("dir")


class FieldCheck:
    """Checks a value against one field of a component.

    Attributes:
        component: the component.
        field: the field.
        binding: what gives the value.
        span: the place of the value.
    """

    __slots__ = ("binding", "component", "field", "span")

    def __init__(self, component: Component, field: FieldSchema, binding: Binding) -> None:
        self.component, self.field, self.binding = component, field, binding
        self.span = binding.span

    def problem(self, value: object) -> EvaluationFailed | None:
        """Return the error of a value that does not fit the field, or None."""
        if value is None:
            return None
        try:
            _CHECKS[self.field.type](self, value)
        except EvaluationFailed as problem:
            problem.span = problem.span or self.span
            return problem
        return None

    def warning(self, value: object) -> Diagnostic | None:
        """Return a warning about a value outside the usual range of the field, or None."""
        if self.field.plausible is None or not isinstance(value, Quantity):
            return None
        if value.dimension != (self.field.dimensions or (DIMENSIONLESS,))[0]:
            return None
        low, high = self.field.plausible
        size = value.magnitude
        if self._all(size >= low) and self._all(size <= high):
            return None
        dimension = value.dimension
        usual = f"{format_quantity(low, dimension)} to {format_quantity(high, dimension)}"
        return Diagnostic(
            code="A404",
            message=f"`{self.field.name}` is {show_quantity(value)}; the usual range is {usual}",
            span=self.span,
            notes=self._total_note(value),
        )

    def _total_note(self, value: Quantity) -> tuple[str, ...]:
        """Return a note that a value of a counted block is per instance, with the total."""
        count = self.component.count.magnitude
        if not isinstance(count, int | float) or count <= 1 or not isinstance(value.magnitude, int | float):
            return ()
        total = show_quantity(Quantity(magnitude=value.magnitude * count, dimension=value.dimension))
        return (
            f"the value is per instance: {count:,.0f} instances have {total}; for a total write `{show_quantity(value)} / count`",
        )

    def _all(self, condition: object) -> bool:
        return (
            condition if isinstance(condition, bool) else self.component.interpreter.operations.all(condition)
        )

    # ---- one method for each type of field

    def _wrong_type(self, value: object, expected: str, help: str | None = None) -> EvaluationFailed:
        if isinstance(value, Symbol) and self.field.type in ("quantity", "ref", "list"):
            return self._unknown(value)
        return EvaluationFailed(
            "A105", f"`{self.field.name}` must be {expected}, not {describe_value(value)}", help=help
        )

    def _unknown(self, value: Symbol) -> EvaluationFailed:
        binding = self.binding
        if binding.node is None or self.span is None:
            return EvaluationFailed("A201", f"`{value.name}` is not defined")
        names = list_visible_names(binding.scope)
        problem = unknown_name(value.name, binding.node, binding.scope)
        problem.help = did_you_mean(value.name, names) or problem.help
        return problem

    def quantity(self, value: object) -> None:
        """Check a number: one of the dimensions of the field, within its bounds; or a curve of such numbers."""
        if isinstance(value, CurveValue) and self.field.over is not None:
            for key, item in value.points:
                if key.dimension != self.field.over:
                    expected = _expected((self.field.over,), ())
                    raise EvaluationFailed(
                        "A111",
                        f"the keys of `{self.field.name}` must be {expected}, not {show_quantity(key)}",
                    )
                self._number(item)
            return
        if not isinstance(value, Quantity):
            raise self._wrong_type(value, _expected(self.field.dimensions, self.field.units))
        self._number(value)

    def _number(self, value: Quantity) -> None:
        field = self.field
        if value.dimension not in (field.dimensions or (DIMENSIONLESS,)):
            raise self._wrong_dimension(value)
        size = value.magnitude
        first = value.dimension == (field.dimensions or (DIMENSIONLESS,))[0]
        bounds = (
            (field.gt, "above", field.gt is None or size > field.gt),
            (field.ge, "at least", field.ge is None or size >= field.ge),
            (field.lt, "below", field.lt is None or size < field.lt),
            (field.le, "at most", field.le is None or size <= field.le * (1 + 1e-12)),
        )
        for limit, word, holds in bounds:
            if limit is not None and (limit == 0 or first) and not self._all(holds):
                bound = show_quantity(Quantity(magnitude=float(limit), dimension=value.dimension))
                raise EvaluationFailed(
                    "A107", f"`{field.name}` must be {word} {bound}, not {show_quantity(value)}"
                )
        ops = self.component.interpreter.operations
        if field.integer and not self._all(ops.close(size, ops.apply("round", size))):
            raise EvaluationFailed(
                "A107", f"`{field.name}` must be a whole number, not {show_quantity(value)}"
            )

    def _wrong_dimension(self, value: Quantity) -> EvaluationFailed:
        field = self.field
        expected = _expected(field.dimensions, field.units)
        hint = None
        if value.dimension / _DIR in field.dimensions:
            hint = suggest_direction(value)
        elif value.dimension == DIMENSIONLESS and field.units:
            hint = f"add the unit: `{self.span.text if self.span else show_quantity(value)} {field.units[0]}`"
        return EvaluationFailed(
            "A111", f"`{field.name}` must be {expected}, not {show_quantity(value)}", help=hint
        )

    def choice(self, value: object) -> None:
        """Check one of the choices."""
        field = self.field
        if isinstance(value, str) and field.text_too:
            return
        if isinstance(value, Symbol):
            if field.choices and value.name not in field.choices:
                raise unknown_choice(field.name, value.name, field.choices)
            return
        help = f"write `{value}` without quotes" if isinstance(value, str) else None
        raise self._wrong_type(value, _choice_list(field.choices), help)

    def text(self, value: object) -> None:
        """Check a string."""
        if not isinstance(value, str):
            help = f'write it in quotes: `"{value.name}"`' if isinstance(value, Symbol) else None
            raise self._wrong_type(value, "a string in quotes", help)

    def flag(self, value: object) -> None:
        """Check `true` or `false`."""
        if not is_condition(value):
            raise self._wrong_type(value, "`true` or `false`")

    def date(self, value: object) -> None:
        """Check a date."""
        if not isinstance(value, datetime.date):
            raise self._wrong_type(value, "a date such as `2025-06-01`")

    def listing(self, value: object) -> None:
        """Check a list, of quantities if the field has units."""
        if not isinstance(value, ListValue):
            raise self._wrong_type(value, "a list such as `[a, b]`")
        field = self.field
        for item in value.items:
            if field.dimensions:
                if not isinstance(item, Quantity):
                    raise self._wrong_type(item, f"a list of {_expected(field.dimensions, field.units)}")
                self._number(item)
            elif field.choices and isinstance(item, Symbol) and item.name not in field.choices:
                raise unknown_choice(field.name, item.name, field.choices)

    def mapping(self, value: object) -> None:
        """Check a map."""
        if not isinstance(value, MapValue):
            raise self._wrong_type(value, "a map such as `{ a = 1 }`")
        for key, item in value.entries.items():
            if self.field.choices and key not in self.field.choices:
                raise unknown_choice(self.field.name, key, self.field.choices)
            if self.field.dimensions:
                if not isinstance(item, Quantity):
                    raise self._wrong_type(
                        item, f"a map of {_expected(self.field.dimensions, self.field.units)}"
                    )
                self._number(item)

    def constructor(self, value: object) -> None:
        """Check a constructor."""
        choices = self.field.choices
        example = f"`{choices[0]}(...)`" if choices else "a constructor such as `structured(2, 4)`"
        if not isinstance(value, Constructor):
            raise self._wrong_type(value, example)
        if choices and value.name not in choices:
            raise unknown_choice(self.field.name, value.name, choices)

    def ref(self, value: object) -> None:
        """Check a reference to a block."""
        field = self.field
        kind = getattr(value, "kind", None)
        if isinstance(value, str) and field.text_too:
            return
        kinds = " or ".join(f"`{name}`" for name in field.ref_kinds) or "block"
        if not isinstance(kind, str) or isinstance(value, Symbol):
            raise self._wrong_type(value, f"the name of a {kinds}")
        if field.ref_kinds and kind not in field.ref_kinds:
            raise EvaluationFailed("A207", f"`{field.name}` must refer to a {kinds}, not to a `{kind}`")

    def any(self, value: object) -> None:
        """Accept anything."""


def unknown_choice(field: str, word: str, choices: tuple[str, ...]) -> EvaluationFailed:
    """Return the error for a word that is not a choice of a field.

    Args:
        field: the name of the field.
        word: the word.
        choices: the words that the field takes.
    """
    return EvaluationFailed(
        "A104",
        f"`{word}` is not a valid value of `{field}`",
        notes=(f"valid values: {_choice_list(choices)}",),
        help=did_you_mean(word, choices),
    )


def _choice_list(choices: tuple[str, ...]) -> str:
    if not choices:
        return "a name without quotes"
    names = [f"`{choice}`" for choice in choices]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _expected(dimensions: tuple[Dimension, ...], units: tuple[str, ...]) -> str:
    """Return the dimensions in words, with an example of a unit."""
    expected = []
    for position, dimension in enumerate(dimensions or (DIMENSIONLESS,)):
        unit = units[position] if position < len(units) else ""
        if dimension == DIMENSIONLESS:
            expected.append("a plain number")
        else:
            example = _example(unit)
            expected.append(f"in {unit or dimension}" + (f" (for example `{example}`)" if example else ""))
    return " or ".join(expected)


def _example(unit: str) -> str:
    head, slash, rest = unit.partition("/")
    prefix = {"B": "G", "FLOP": "T", "b": "G", "Hz": "G"}.get(head)
    return f"1 {prefix}{head}{slash}{rest}" if prefix is not None else ""


_CHECKS: dict[str, Callable[[FieldCheck, object], None]] = {
    "quantity": FieldCheck.quantity,
    "choice": FieldCheck.choice,
    "text": FieldCheck.text,
    "flag": FieldCheck.flag,
    "date": FieldCheck.date,
    "list": FieldCheck.listing,
    "mapping": FieldCheck.mapping,
    "constructor": FieldCheck.constructor,
    "ref": FieldCheck.ref,
    "any": FieldCheck.any,
}
