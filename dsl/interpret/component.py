"""A block of a description: late bound, lazily evaluated, made of layers from its bases to its overrides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import (
    IN_PROGRESS,
    NOT_FOUND,
    POISON,
    EvaluationFailed,
    PoisonedValue,
)
from accelscope.dsl.interpret.bindings import evaluate_binding
from accelscope.dsl.interpret.citations import layer_citations, resolve_citations
from accelscope.dsl.interpret.component_base import ComponentBase, ComponentPart, InheritedComponent
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.inheritance import build_layers
from accelscope.dsl.interpret.instance_count import evaluate_count, evaluate_shape
from accelscope.dsl.interpret.layers import Binding, BlockDeclaration, ComponentLayer, Member, MemberIndex
from accelscope.dsl.interpret.members import build_member_index, unknown_member
from accelscope.dsl.interpret.scope import BUILT_IN_MEMBERS, resolve_name
from accelscope.dsl.syntax.nodes import Annotated
from accelscope.dsl.values.values import Attribute, Citation, FunctionValue, ListValue, Origin, Quantity


class Component(ComponentBase):
    """A definition or an instance: `get`, `attributes` and `children` read its values."""

    __slots__ = ("_attributes", "_index", "_layers", "_values")
    parent: Component | None

    def __init__(
        self,
        interpreter: EvaluationContext,
        name: str,
        kind: str,
        parent: Component | None,
        parts: list[ComponentPart],
    ) -> None:
        super().__init__(interpreter, name, kind, parts)
        self.parent = parent
        self._layers: list[ComponentLayer] | None = None
        self._index: MemberIndex | None = None
        self._values: dict[str, object] = {}
        self._attributes: dict[str, Attribute] | None = None

    # ---- the whole block

    @property
    def cites(self) -> tuple[Citation, ...]:
        """The citations of the block, or else of the blocks around it."""
        for layer in reversed(self.layer_list()):
            cites = layer_citations(self.interpreter, layer)
            if cites:
                return cites
        return ()

    @property
    def count(self) -> Quantity:
        """The number of instances: the product of the dimensions, 1 if there are none."""
        try:
            return evaluate_count(self)
        except PoisonedValue:
            return Quantity(magnitude=1.0)

    @property
    def shape(self) -> tuple[Quantity, ...]:
        """The dimensions."""
        try:
            return evaluate_shape(self)
        except PoisonedValue:
            return ()

    def layer_list(self) -> list[ComponentLayer]:
        """Return the layers, weakest first; a base that cannot be used is reported and left out."""
        if self._layers is None:
            self._layers = build_layers(self)
        return self._layers

    def index(self) -> MemberIndex:
        """Return the members and statements of the layers."""
        if self._index is None:
            self._index = build_member_index(self)
        return self._index

    # ---- members

    def has(self, name: str) -> bool:
        """Return whether there is a member of this name."""
        return name in self.index().members

    def present_name(self, name: str) -> str:
        """Return the present name of a member for a former one, else the name."""
        return name if self.has(name) else self.interpreter.fields.present_name(self, name)

    def names(self) -> list[str]:
        """Return the names of all members."""
        return list(self.index().members)

    def value(self, name: str) -> object:
        """Return the value of a member, or NOT_FOUND.

        Raises:
            EvaluationFailed: the value needs itself.
            PoisonedValue: the value had an error, which has been reported.
        """
        value = self._values.get(name, NOT_FOUND)
        if value is NOT_FOUND:
            index = self.index()
            member = index.members.get(name)
            if member is not None:
                return self._compute(name, member)
            return self.value(index.aliases[name]) if name in index.aliases else NOT_FOUND
        if value is IN_PROGRESS:
            raise self.interpreter.cycle_error(self, name)
        if value is POISON:
            raise PoisonedValue
        return value

    def member(self, name: str) -> object:
        """Return the value of a member or of a built-in one such as `count`.

        Raises:
            EvaluationFailed: there is no such member.
            PoisonedValue: the value, or a base that may have it, had an error, which has been reported.
        """
        value = self.value(name)
        if value is not NOT_FOUND:
            return value
        if name in BUILT_IN_MEMBERS:
            return self.built_in(name)
        if self.broken:
            raise PoisonedValue
        present = self.interpreter.fields.present_name(self, name)
        if present != name:
            return self.member(present)
        raise unknown_member(self, self.index(), name)

    def built_in(self, name: str) -> object:
        """Return `count`, `shape`, `name`, `self` or `parent`.

        Raises:
            EvaluationFailed: a block at the top of a file has no `parent`.
        """
        if name == "count":
            return evaluate_count(self)
        if name == "shape":
            return ListValue(evaluate_shape(self))
        if name == "name":
            return self.name
        if name == "self":
            return self
        if self.parent is None:
            raise EvaluationFailed("A202", f"`{self.name}` is not inside a block, so it has no `parent`")
        return self.parent

    def source(self, name: str) -> Component | None:
        """Return a `source` block of this component, or None."""
        key = f"source {name}"
        value = self._values.get(key)
        if value is None:
            member = self.index().sources.get(name)
            if member is None:
                return None
            value = self._values[key] = self.interpreter.run_guarded(
                self, name, lambda: _make_child(self, member), lambda: _member_span(member)
            )
        return value if isinstance(value, Component) else None

    def _compute(self, name: str, member: Member) -> object:
        if member.bindings and member.bindings[-1].params is not None:
            function = self._values[name] = FunctionValue(member.bindings[-1], name)
            return function
        self._values[name] = IN_PROGRESS
        value = self.interpreter.run_guarded(
            self, name, lambda: _evaluate_member(self, member), lambda: _member_span(member)
        )
        self._values[name] = value
        if value is POISON:
            raise PoisonedValue
        return value

    # ---- reading a description

    def get(self, name: str) -> Attribute | Component | None:
        """Return an attribute, `let` or child by name; None if it is missing or had an error."""
        member = self.index().members.get(name)
        if member is None:
            return None
        try:
            value = self.value(name)
        except (PoisonedValue, EvaluationFailed):
            return None
        if isinstance(value, Component) and member.sort in ("child", "borrowed"):
            return value
        if not member.bindings or isinstance(value, FunctionValue):
            return None
        return Attribute(name=name, value=value, origin=self._origin(value, member.bindings[-1]))

    def attributes(self) -> Mapping[str, Attribute]:
        """Return every attribute with a value; those that had an error are left out."""
        if self._attributes is None:
            attributes = {}
            for name, member in self.index().members.items():
                if member.sort == "attribute" and name != "count":
                    attribute = self.get(name)
                    if isinstance(attribute, Attribute):
                        attributes[name] = attribute
            self._attributes = attributes
        return self._attributes

    def children(self, kind: str | None = None) -> tuple[Component, ...]:
        """Return the blocks in this one, of one kind or all, in the order of the text."""
        children = []
        for name, member in list(self.index().members.items()):
            if member.sort == "child" and kind in (None, member.kind):
                try:
                    child = self.value(name)
                except (PoisonedValue, EvaluationFailed):
                    continue
                if isinstance(child, Component):
                    children.append(child)
        return tuple(children)

    def layers(self, name: str) -> tuple[Origin, ...]:
        """Return the origins of all values of an attribute, weakest first; the last one is used."""
        member = self.index().members.get(name)
        return tuple(self._origin(None, binding) for binding in member.bindings) if member else ()

    def _origin(self, value: object, binding: Binding) -> Origin:
        cites: tuple[Citation, ...] = ()
        if isinstance(value, Quantity):
            cites = value.cites
        elif isinstance(binding.node, Annotated):
            cites = resolve_citations(self.interpreter, binding.node.cites, binding.scope)
        return Origin(
            span=binding.span,
            how=binding.how,
            text=binding.text or (binding.span.text if binding.span else ""),
            cites=cites or layer_citations(self.interpreter, binding.layer),
        )


# ---- making components


def derive_copy(base: Component, layers: list[ComponentLayer]) -> Component:
    """Return a copy of a component with layers on top."""
    return Component(base.interpreter, base.name, base.kind, base.parent, [InheritedComponent(base), *layers])


def _evaluate_member(owner: Component, member: Member) -> object:
    if member.sort == "child":
        return _make_child(owner, member)
    if member.sort == "borrowed":
        return _copy_borrowed(member)
    value = evaluate_binding(owner, member.name, member.bindings[-1])
    if not member.amends:
        return value
    if isinstance(value, Component):
        return derive_copy(value, member.amends)
    message = f"`{member.name}` is not a block, so it has no members to set"
    raise EvaluationFailed("A202", message, _setting_span(member.amends))


def _make_child(parent: Component, member: Member) -> Component:
    """Return the component of a child; refuse one whose text is around it already, which would never end."""
    above = None if parent.is_file else parent
    child = Component(parent.interpreter, member.name, member.kind, above, [*member.parts])
    own = child.block
    while own is not None and above is not None:
        declaration = above.block
        if declaration is not None and declaration.block is own.block:
            span = own.block.span(own.scope.source)
            note = f"cycle: `{above.path}` -> `{child.path}`"
            raise EvaluationFailed("A203", f"`{member.name}` contains itself", span, notes=(note,))
        above = above.parent
    return child


def _copy_borrowed(member: Member) -> Component:
    """Return the copy of a component of an enclosing scope that one component changes for itself."""
    value = resolve_name(member.scope, member.name) if member.scope is not None else NOT_FOUND
    if not isinstance(value, Component):
        raise EvaluationFailed("A207", f"`{member.name}` is not a block", _setting_span(member.parts))
    return derive_copy(value, [part for part in member.parts if isinstance(part, ComponentLayer)])


def _setting_span(parts: Iterable[BlockDeclaration | ComponentLayer]) -> Span | None:
    for part in parts:
        if isinstance(part, ComponentLayer) and part.settings:
            return part.settings[0].spans[0]
    return None


def _member_span(member: Member) -> Span | None:
    if member.bindings:
        return member.bindings[-1].span
    declarations = [part for part in member.parts if isinstance(part, BlockDeclaration)]
    return declarations[-1].block.span(declarations[-1].scope.source) if declarations else None
