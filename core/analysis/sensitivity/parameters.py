"""The numbers of a hardware description that an evaluation reads, each varied along one array dimension.

A parameter is one written value: an attribute of a block, an element of a list of one, the count of a block, a curve as
a whole, or the default of a field that is not given. What is computed from it in the text follows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np
from attrs import define, evolve, field, frozen

from accelscope.core.numeric.curve import BoundCurve
from accelscope.core.numeric.term import Array, Term
from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.schema.schema import FieldSchema
from accelscope.dsl.values.units import DIMENSIONLESS, Dimension
from accelscope.dsl.values.values import Attribute, ListValue, MapValue, Quantity

ParameterKey: TypeAlias = tuple[str, str]
"""File and offset of a written value with the element of it, or path and name of a default."""
HARDWARE_KINDS = frozenset(
    {
        "cluster",
        "rack",
        "node",
        "package",
        "die",
        "core",
        "link",
        "switch",
        "nic",
        "host",
        "power",
        "cost",
        "connect",
    }
)
"""Kinds of block that describe hardware, with all that stands in them."""
FITTED_KINDS = ("runtime", "calibration")
"""Kinds of block whose numbers are fitted to measurements."""
UNREAD_KINDS = ("source", "process")
"""Kinds of block in them that no evaluation reads a number of."""


@frozen(kw_only=True, eq=False)
class ParameterReading:
    """A value as an evaluation came upon it.

    Attributes:
        owner: the block, or None for one of a shipped calibration, whose names are `block`.
        name: of the field, with the element of a list or map behind it.
        value: in base units, at the first point of a grid; of a curve its largest.
        field_schema: what the schema says of the field, or None.
        source: of a default, or "".
        count: whether it says how many of the block there are.
    """

    owner: Component | None
    name: str
    value: float
    dimension: Dimension
    span: Span | None
    field_schema: FieldSchema | None = None
    source: str = ""
    count: bool = False
    block: tuple[str, ...] = ()

    @property
    def hardware(self) -> bool:
        """Whether it describes hardware, rather than kernels or a runtime."""
        return self.owner is not None and is_hardware(self.owner)

    @property
    def whole(self) -> bool:
        """Whether it is a count, of which a model may read whole numbers only."""
        declared = self.field_schema is not None and self.field_schema.integer
        return (self.count or declared) and self.dimension == DIMENSIONLESS

    def allows(self, value: float) -> bool:
        """Say whether the field could be given another value; a continuous count need not be whole."""
        if self.count or self.field_schema is None:
            return True
        bounds = self.field_schema
        return (
            (bounds.gt is None or value > bounds.gt)
            and (bounds.ge is None or value >= bounds.ge)
            and (bounds.lt is None or value < bounds.lt)
            and (bounds.le is None or value <= bounds.le)
        )


@define(eq=False)
class ParameterVariation:
    """Notes the parameters of a first evaluation, and multiplies them by `factors` in a second one.

    Attributes:
        factors: for each parameter an array along the last dimension of the evaluation; None while noting.
        fitted: what the schema says of each field of a kernel, where calibrations and runtimes are varied too.
    """

    readings: dict[ParameterKey, ParameterReading] = field(factory=dict)
    factors: Mapping[ParameterKey, Array] | None = None
    fitted: Mapping[str, FieldSchema] | None = None

    def value(self, owner: Component, name: str, value: object, span: Span | None) -> object:
        """Vary the numbers of what an attribute or a count is given."""
        if (
            span is None
            or not isinstance(value, Quantity | ListValue | MapValue)
            or not self._read(owner, name)
        ):
            return value
        if isinstance(value, Quantity):
            return self._quantity(owner, name, "", value, span)
        if isinstance(value, ListValue):
            items = (self._element(owner, name, f"[{at}]", one, span) for at, one in enumerate(value.items))
            return ListValue(tuple(items))
        return MapValue(
            {key: self._element(owner, name, f"[{key}]", one, span) for key, one in value.entries.items()}
        )

    def default(self, owner: Component, name: str, value: Term, source: str) -> Term:
        """Vary the default of a field that is not given."""
        if not self._varies(owner):
            return value
        key = (owner.path, name)
        about = owner.interpreter.fields.of(owner).get(name)
        noted = ParameterReading(
            owner=owner,
            name=name,
            value=_first(value.value),
            dimension=value.dimension,
            span=None,
            field_schema=about,
            source=source,
        )
        factor = self._factor(key, noted)
        return value if factor is None else Term(value.value * factor, value.dimension)

    def curve(self, owner: Component, attribute: Attribute, curve: BoundCurve) -> BoundCurve:
        """Vary a curve as a whole."""
        span = attribute.origin.span
        if span is None or not self._varies(owner):
            return curve
        noted = self._note(owner, attribute.name, float(np.max(curve.values)), curve.dimension, span)
        factor = self._factor(_key(span, " curve"), noted)
        return curve if factor is None else evolve(curve, factor=Term(factor))

    def term(self, key: ParameterKey, block: tuple[str, ...], name: str, value: Term) -> Term:
        """Vary a field of a kernel of a shipped calibration."""
        origin = value.node.origin if value.node is not None else None
        noted = ParameterReading(
            owner=None,
            block=block,
            name=name,
            value=_first(value.value),
            dimension=value.dimension,
            span=origin.span if origin is not None else None,
            field_schema=(self.fitted or {}).get(name),
        )
        factor = self._factor(key, noted)
        return value if factor is None else Term(value.value * factor, value.dimension)

    def _varies(self, owner: Component) -> bool:
        return is_hardware(owner) or (
            self.fitted is not None and list_enclosing_blocks(owner)[0].kind in FITTED_KINDS
        )

    def _read(self, owner: Component, name: str) -> bool:
        """Say whether a model may read a value: attributes and counts, not what a `let` names."""
        member = owner.index().members.get(name)
        return self._varies(owner) and (member is None or member.sort == "attribute")

    def _element(self, owner: Component, name: str, place: str, value: object, span: Span) -> object:
        if not isinstance(value, Quantity):
            return value
        return self._quantity(owner, name, place, value, span)

    def _quantity(self, owner: Component, name: str, place: str, value: Quantity, span: Span) -> Quantity:
        noted = self._note(owner, name + place, _first(value.magnitude), value.dimension, span)
        factor = self._factor(_key(span, place), noted)
        if factor is None:
            return value
        return Quantity(
            magnitude=value.magnitude * factor,
            dimension=value.dimension,
            unit=value.unit,
            tolerance=value.tolerance,
            cites=value.cites,
        )

    def _note(
        self, owner: Component, name: str, value: float, dimension: Dimension, span: Span
    ) -> ParameterReading:
        plain = name.partition("[")[0]
        count = plain in ("count", "shape") and plain not in owner.index().members
        about = None if count else owner.interpreter.fields.of(owner).get(plain)
        return ParameterReading(
            owner=owner,
            name=name,
            value=value,
            dimension=dimension,
            span=span,
            field_schema=about,
            count=count or name == "count",
        )

    def _factor(self, key: ParameterKey, noted: ParameterReading) -> Array | None:
        if self.factors is not None:
            return self.factors.get(key)
        if noted.value != 0.0 and math.isfinite(noted.value):
            self.readings.setdefault(key, noted)
        return None


def is_hardware(owner: Component) -> bool:
    """Say whether a block describes hardware, or stands in one that does."""
    return owner.kind not in UNREAD_KINDS and any(
        item.kind in HARDWARE_KINDS for item in list_enclosing_blocks(owner)
    )


def list_enclosing_blocks(owner: Component) -> tuple[Component, ...]:
    """Return the blocks from the outermost one down to one."""

    def upwards() -> Iterator[Component]:
        at: Component | None = owner
        while at is not None:
            yield at
            at = at.parent

    return tuple(upwards())[::-1]


def _key(span: Span, place: str) -> ParameterKey:
    text = span.source.text if span.source.name.startswith("--") else ""
    return f"{span.source.name} {text}", f"{span.start}{place}"


def _first(value: object) -> float:
    return float(np.asarray(value, dtype=float).flat[0])
