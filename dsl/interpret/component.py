"""A block of a description: late bound, lazily evaluated, made of layers from its bases to its overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import (
    IN_PROGRESS,
    NOT_FOUND,
    POISON,
    EvaluationFailed,
    PoisonedValue,
)
from accelscope.dsl.interpret.component_names import ComponentNames
from accelscope.dsl.interpret.instance_count import evaluate_count, evaluate_shape
from accelscope.dsl.interpret.layers import (
    Binding,
    BlockDeclaration,
    ComponentLayer,
    InheritedComponent,
    Member,
)
from accelscope.dsl.interpret.members import MemberIndex, build_member_index, unknown_member
from accelscope.dsl.interpret.scope import BUILT_IN_MEMBERS
from accelscope.dsl.syntax.nodes import Annotated
from accelscope.dsl.values.values import Attribute, Citation, FunctionValue, ListValue, Origin, Quantity

if TYPE_CHECKING:
    from accelscope.dsl.interpret.assertions import Assertion, Requirement
    from accelscope.dsl.interpret.connections import Connection
    from accelscope.dsl.interpret.interpreter import Interpreter
    from accelscope.dsl.interpret.sweep_axes import AxisStatement


class Component(ComponentNames):
    """A definition or an instance.

    Attributes:
        session: what evaluates it.
        name: its label, or its kind without one.
        kind: the word in front of the label.
        parent: the component that it stands in, or None at the top of a file.
    """

    __slots__ = (
        "_attributes",
        "_connections",
        "_index",
        "_layers",
        "_values",
        "broken",
        "dims",
        "kind",
        "session",
    )

    def __init__(
        self,
        session: Interpreter,
        name: str,
        kind: str,
        parent: Component | None,
        parts: list[BlockDeclaration | ComponentLayer | InheritedComponent],
    ) -> None:
        session.spend_component()
        self.session, self.name, self.kind, self.parent, self.parts = session, name, kind, parent, parts
        self.broken = False
        self._layers: list[ComponentLayer] | None = None
        self._index: MemberIndex | None = None
        self._values: dict[str, object] = {}
        self._attributes: dict[str, Attribute] | None = None
        self._connections: tuple[Connection, ...] | None = None
        self.dims: object = NOT_FOUND

    # ---- what it is

    def __repr__(self) -> str:
        return f"<{self.kind} {self.path}>"

    @property
    def cites(self) -> tuple[Citation, ...]:
        """The citations of the block, or else of the blocks around it."""
        for layer in reversed(self.layer_list()):
            cites = self.session.cites_of(layer)
            if cites:
                return cites
        return ()

    @property
    def count(self) -> Quantity:
        """How many there are: the product of the dims, 1 without."""
        try:
            return evaluate_count(self)
        except PoisonedValue:
            return Quantity(magnitude=1.0)

    @property
    def shape(self) -> tuple[Quantity, ...]:
        """The dims."""
        try:
            return evaluate_shape(self)
        except PoisonedValue:
            return ()

    # ---- layers

    def layer_list(self) -> list[ComponentLayer]:
        """Return the layers, weakest first; a base that cannot be had is reported and left out."""
        if self._layers is None:
            self._layers = self.session.layers_for(self)
        return self._layers

    def index(self) -> MemberIndex:
        """Return what the layers say of each name."""
        if self._index is None:
            self._index = build_member_index(self)
        return self._index

    # ---- values

    def has(self, name: str) -> bool:
        """Say whether there is a member of this name."""
        return name in self.index().members

    def present_name(self, name: str) -> str:
        """Return the present name of a member for a former one, else the name."""
        return name if self.has(name) else self.session.fields.present_name(self, name)

    def names(self) -> list[str]:
        """Return the names of all members."""
        return list(self.index().members)

    def value(self, name: str) -> object:
        """Return the value of a member, or MISSING.

        Raises:
            Problem: the value needs itself.
            Poisoned: the value had a problem, which has been reported.
        """
        found = self._values.get(name, NOT_FOUND)
        if found is NOT_FOUND:
            index = self.index()
            member = index.members.get(name)
            if member is not None:
                return self._compute(name, member)
            return self.value(index.aliases[name]) if name in index.aliases else NOT_FOUND
        if found is IN_PROGRESS:
            raise self.session.cycle(self, name)
        if found is POISON:
            raise PoisonedValue
        return found

    def member(self, name: str) -> object:
        """Return the value of a member or of what every component has.

        Raises:
            Problem: there is none.
            Poisoned: the value, or the list of members, is not to be had.
        """
        found = self.value(name)
        if found is not NOT_FOUND:
            return found
        if name in BUILT_IN_MEMBERS:
            return self.built_in(name)
        if self.broken:
            raise PoisonedValue
        present = self.session.fields.present_name(self, name)
        if present != name:
            return self.member(present)
        raise unknown_member(self, self.index(), name)

    def built_in(self, name: str) -> object:
        """Return `count`, `shape`, `name`, `self` or `parent`."""
        if name == "count":
            return evaluate_count(self)
        if name == "shape":
            return ListValue(evaluate_shape(self))
        if name == "name":
            return self.name
        if name == "self":
            return self
        if self.parent is None:
            raise EvaluationFailed("A202", f"`{self.name}` stands in no block, so it has no `parent`")
        return self.parent

    def _compute(self, name: str, member: Member) -> object:
        if member.bindings and member.bindings[-1].params is not None:
            function = self._values[name] = FunctionValue(member.bindings[-1], name)
            return function
        self._values[name] = IN_PROGRESS
        value = self.session.run_guarded(self, name, lambda: self._evaluate(member), lambda: _place(member))
        self._values[name] = value
        if value is POISON:
            raise PoisonedValue
        return value

    def source(self, name: str) -> Component | None:
        """Return a `source` block of this component, or None."""
        key = f"source {name}"
        found = self._values.get(key)
        if found is None:
            member = self.index().sources.get(name)
            if member is None:
                return None
            found = self._values[key] = self.session.run_guarded(
                self, name, lambda: self.session.child_of(self, member), lambda: _place(member)
            )
        return found if isinstance(found, Component) else None

    def _evaluate(self, member: Member) -> object:
        if member.sort == "child":
            return self.session.child_of(self, member)
        if member.sort == "borrowed":
            return self.session.copy_borrowed(self, member)
        binding = member.bindings[-1]
        value = self.session.bound(self, member.name, binding)
        return self.session.apply_amendments(value, member) if member.amends else value

    # ---- for those who read a description

    def get(self, name: str) -> Attribute | Component | None:
        """Return an attribute, `let` or child by name; None where it is missing or had a problem."""
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
        """Return every attribute with a value; those that had a problem are left out."""
        if self._attributes is None:
            found = {}
            for name, member in self.index().members.items():
                if member.sort == "attribute" and name != "count":
                    attribute = self.get(name)
                    if isinstance(attribute, Attribute):
                        found[name] = attribute
            self._attributes = found
        return self._attributes

    def _origin(self, value: object, binding: Binding) -> Origin:
        cites: tuple[Citation, ...] = ()
        if isinstance(value, Quantity):
            cites = value.cites
        elif isinstance(binding.node, Annotated):
            cites = self.session.citations(binding.node.cites, binding.scope)
        text = binding.text or (binding.span.text if binding.span else "")
        return Origin(
            span=binding.span,
            how=binding.how,
            text=text,
            cites=cites or self.session.cites_of(binding.layer),
        )

    def children(self, kind: str | None = None) -> tuple[Component, ...]:
        """Return the blocks in this one, of one kind or all, in the order of the text."""
        found = []
        for name, member in list(self.index().members.items()):
            if member.sort == "child" and kind in (None, member.kind):
                try:
                    child = self.value(name)
                except (PoisonedValue, EvaluationFailed):
                    continue
                if isinstance(child, Component):
                    found.append(child)
        return tuple(found)

    def layers(self, name: str) -> tuple[Origin, ...]:
        """Return who gives a value to an attribute, weakest first; the last one holds."""
        member = self.index().members.get(name)
        return tuple(self._origin(None, binding) for binding in member.bindings) if member else ()

    def connections(self) -> tuple[Connection, ...]:
        """Return the `connect` statements, inherited ones first; those with problems are left out."""
        from accelscope.dsl.interpret.connections import evaluate_connections

        if self._connections is None:
            self._connections = evaluate_connections(self)
        return self._connections

    def sweeps(self) -> tuple[AxisStatement, ...]:
        """Return the `sweep` and `tune` statements."""
        from accelscope.dsl.interpret.sweep_axes import collect_axis_statements

        return collect_axis_statements(self)

    def checks(self, words: tuple[str, ...] = ("require", "prefer")) -> tuple[Requirement, ...]:
        """Return conditions that are not evaluated yet, by their words."""
        from accelscope.dsl.interpret.assertions import collect_requirements

        return collect_requirements(self, words)

    def goals(self) -> tuple[Requirement, ...]:
        """Return the `minimize` and `maximize` statements; `message` is the name behind `as`."""
        from accelscope.dsl.interpret.assertions import collect_goals

        return collect_goals(self)

    def assertions(self) -> tuple[Assertion, ...]:
        """Evaluate the asserts of this component, its own and inherited ones."""
        from accelscope.dsl.interpret.assertions import evaluate_assertions

        return evaluate_assertions(self, ("assert",))


def _place(member: Member) -> Span | None:
    if member.bindings:
        return member.bindings[-1].span
    given = next((part for part in reversed(member.parts) if isinstance(part, BlockDeclaration)), None)
    return given.block.span(given.scope.source) if given else None
