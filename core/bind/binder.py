"""Components of a description to instances of spec classes: values become terms, absent fields their defaults."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from attrs import define, evolve, field

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import ComputeModel, EnginePart, MemoryModel, MemoryPart, Part
from accelscope.core.ir.layer import LayerModel, LayerPart
from accelscope.core.numeric.curve import BoundCurve
from accelscope.core.numeric.term import Term, TraceNode, term
from accelscope.core.spec.declarations import FieldDeclaration
from accelscope.core.spec.spec import (
    children_of,
    fields_of,
    free_entries_of,
    read_spec_info,
    record_blocks_of,
    written_name,
)
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.schema.schema import KindSchema, schema_of_kind
from accelscope.dsl.values.values import Attribute, CurveValue, ListValue, MapValue, Origin, Quantity, Symbol

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry
    from accelscope.dsl.interpret.component import Component


class ValuePerturbation(Protocol):
    """What varies the values that are bound: each function returns what to use in place of one."""

    def value(self, owner: Component, name: str, value: object, span: Span | None) -> object:
        """Vary what an attribute or a count is given; `name` is `count`, or `shape[0]` of several dims."""

    def default(self, owner: Component, name: str, value: Term, source: str) -> Term:
        """Vary the default of a field that is not given."""

    def curve(self, owner: Component, attribute: Attribute, curve: BoundCurve) -> BoundCurve:
        """Vary a curve."""


@define
class Binder:
    """Binds blocks to the specs that the registry names for them, and collects what is missing.

    Attributes:
        trace: whether terms keep how they were computed, for `explain`.
        altered: varies defaults and curves, or None; the session of the blocks varies what texts give.
        problems: diagnostics so far.
    """

    registry: Registry
    trace: bool = False
    altered: ValuePerturbation | None = None
    problems: list[Diagnostic] = field(factory=list)

    def bind(self, component: Component, default: type | None = None) -> tuple[Any, Any]:
        """Return (spec instance, record) of a block; the instance is None where something is missing."""
        found = self.spec_of(component)
        if found is None:
            if default is None:
                self._note_unserved(component)
                return None, None
            found = (default, None)
        cls, record = found
        return self.bind_as(component, cls), record

    def bind_as(self, component: Component, cls: type) -> Any:
        """Return an instance of a spec class with a block's values, or None where a required one is missing."""
        attributes = component.attributes()
        values: dict[str, Any] = {}
        missing = []
        for name, declaration in fields_of(cls).items():
            written = written_name(name)
            attribute = attributes.get(written)
            if attribute is not None and attribute.value is not None:
                if declaration.planned and not read_spec_info(cls).cited:
                    self._note_unread(component, attribute)
                values[name] = self._value(component, attribute)
            elif declaration.required:
                missing.append((written, declaration.doc))
            elif declaration.default is not None and declaration.type == "quantity":
                values[name] = self._default(component.path, written, declaration)
                if self.altered is not None:
                    values[name] = self.altered.default(
                        component, written, values[name], declaration.source or ""
                    )
        values.update(self._children(component, cls))
        values.update(self._record_blocks(component, cls))
        values.update(self._entries(attributes.values(), cls))
        if missing:
            self.problems.extend(missing_field(component, *item) for item in missing)
            return None
        return cls(**values)

    def default_of(self, cls: type, path: str) -> Any:
        """Return an instance of a spec class whose fields all have defaults, as if its block were empty."""
        values = {
            name: self._default(path, written_name(name), declaration)
            for name, declaration in fields_of(cls).items()
            if declaration.default is not None and declaration.type == "quantity"
        }
        return cls(**values)

    def spec_of(self, component: Component) -> tuple[type, Any] | None:
        """Return the spec class and the record that read a block, by its kind, place and selecting field."""
        parent = component.parent.kind if component.parent is not None else None
        schema = self._schema(component)
        selected = None
        if schema is not None and schema.selector is not None:
            attribute = component.attributes().get(schema.selector)
            selected = schema.selected_by_label(component.name)
            if attribute is not None and isinstance(attribute.value, Symbol):
                selected = attribute.value.name
        return self.registry.spec_for(component.kind, parent, selected)

    def part(self, component: Component) -> Part[Any] | None:
        """Return a block as a part of its own, without its surroundings multiplied in.

        Returns:
            An `EnginePart` or a `MemoryPart` with its model if a compute or memory model serves the block, else a plain
            `Part`; None if something is missing.
        """
        spec, model = self.bind(component)
        if spec is None:
            return None
        name, path, count = component.name, component.path, self.count(component)
        if isinstance(model, MemoryModel):
            return MemoryPart(name=name, path=path, spec=spec, model=model, count=count)
        if isinstance(model, ComputeModel):
            return EnginePart(name=name, path=path, spec=spec, model=model, count=count)
        if isinstance(model, LayerModel):
            return LayerPart(name=name, path=path, spec=spec, model=model, count=count)
        return Part(name=name, path=path, spec=spec, count=count)

    def count(self, component: Component) -> Term:
        """Return how many instances a block stands for."""
        return self._term(component.count, f"{component.name}.count", _span_origin(component))

    def counts(self, components: Iterable[Component]) -> Term:
        """Return how many instances nested blocks stand for together: 1 for none."""
        product = ONE
        for component in components:
            product = product * self.count(component)
        return product

    def quantity(self, component: Component, attribute: Attribute) -> Term | None:
        """Return an attribute as a term, or None where it is no quantity."""
        if not isinstance(attribute.value, Quantity):
            return None
        return self._term(attribute.value, f"{component.path}.{attribute.name}", attribute.origin)

    def plain(self, value: Any) -> Term:
        """Return an argument of a pattern as a term; anything but a quantity counts as 1."""
        return self._term(value, "argument", None) if isinstance(value, Quantity) else term(1.0)

    def _note_unserved(self, component: Component) -> None:
        """Report that no plugin reads a kind of block, once for each kind."""
        blocks = f"`{component.kind}` blocks"
        if self._schema(component) is not None:
            blocks = f"this `{component.kind}` block"
        message = f"no installed plugin serves {blocks}{self.registry.describe_absent()}"
        if all(item.message != message for item in self.problems):
            self.problems.append(
                Diagnostic(code="A102", message=message, span=component.span, label="this one, for example")
            )

    def _note_unread(self, component: Component, attribute: Attribute) -> None:
        component.interpreter.report(
            Diagnostic(
                code="A405",
                message=f"`{component.kind}.{attribute.name}` is checked, but no model reads it yet",
                span=attribute.origin.span,
            )
        )

    def _schema(self, component: Component) -> KindSchema | None:
        parent = component.parent.kind if component.parent is not None else None
        return schema_of_kind(self.registry.schemas(), component.kind, parent)

    def _children(self, component: Component, cls: type) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, child_block in children_of(cls).items():
            inner = component.children(child_block.kind.rpartition(".")[2])
            if child_block.many:
                parts = (self.part(child) for child in inner)
                values[name] = tuple(part for part in parts if part is not None)
            elif inner:
                values[name] = self.bind(inner[0])[0]
            elif child_block.required:
                self.problems.append(missing_field(component, child_block.kind, child_block.doc))
        return values

    def _record_blocks(self, component: Component, cls: type) -> dict[str, Any]:
        """Return the inner blocks that records of a class read, by the name of their field."""
        declared = record_blocks_of(cls)
        if declared is None:
            return {}
        name, record_class = declared
        parts: list[Part[Any]] = []
        for child in component.children():
            served = self.spec_of(child)
            part = self.part(child) if served is not None and isinstance(served[1], record_class) else None
            if part is not None:
                parts.append(part)
        return {name: tuple(parts)}

    def _entries(self, attributes: Iterable[Attribute], cls: type) -> dict[str, Any]:
        found = free_entries_of(cls)
        if found is None:
            return {}
        fixed = {written_name(name) for name in fields_of(cls)}
        return {
            found[0]: {
                item.name: self._term(item.value, item.name, item.origin)
                for item in attributes
                if item.name not in fixed and isinstance(item.value, Quantity)
            }
        }

    def _value(self, component: Component, attribute: Attribute) -> Any:
        value = attribute.value
        if isinstance(value, Quantity):
            return self._term(value, f"{component.path}.{attribute.name}", attribute.origin)
        if isinstance(value, CurveValue):
            curve = self._curve(value, attribute)
            return curve if self.altered is None else self.altered.curve(component, attribute, curve)
        if isinstance(value, Symbol):
            return value.name
        if isinstance(value, ListValue):
            return tuple(self._plain(item, attribute) for item in value.items)
        if isinstance(value, MapValue):
            return {key: self._plain(item, attribute) for key, item in value.entries.items()}
        return value

    def _plain(self, item: Any, attribute: Attribute) -> Any:
        if isinstance(item, Quantity):
            return self._term(item, attribute.name, attribute.origin)
        return item.name if isinstance(item, Symbol) else item

    def _curve(self, value: CurveValue, attribute: Attribute) -> BoundCurve:
        keys = np.array([float(key.magnitude) for key, _ in value.points])
        values = np.array([float(item.magnitude) for _, item in value.points])
        first_key, first = value.points[0]
        origin = attribute.origin if self.trace else None
        return BoundCurve(keys, values, first_key.dimension, first.dimension, origin, attribute.name)

    def _term(self, value: Quantity, label: str, origin: Origin | None) -> Term:
        made = Term(np.asarray(value.magnitude, dtype=float), value.dimension)
        if not self.trace:
            return made
        return evolve(
            made, node=TraceNode("value", float(made.value.flat[0]), made.dimension, label, (), origin)
        )

    def _default(self, path: str, name: str, declaration: FieldDeclaration) -> Term:
        made = term(declaration.default, declaration.units[0])
        if not self.trace:
            return made
        origin = Origin(span=None, how="default", text=declaration.source or "")
        label = f"{path}.{name}"
        return evolve(
            made, node=TraceNode("value", float(made.value.flat[0]), made.dimension, label, (), origin)
        )


def _span_origin(component: Component) -> Origin:
    return Origin(span=component.span, how="file", text="count", cites=component.cites)


def missing_field(component: Component, name: str, doc: str | None = None) -> Diagnostic:
    """Return what to say of a field that an evaluation needs and a block does not give."""
    return Diagnostic(
        code="A106",
        message=f"`{component.kind} {component.name}` needs `{name}`",
        span=component.span,
        label="missing here",
        notes=(f"{name}: {doc}",) if doc else (),
        help=f"add `{name} = ...` to the block",
    )
