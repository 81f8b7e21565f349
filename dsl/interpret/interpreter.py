"""One evaluation: the modules read, the budget left, the problems found, and how components are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.diagnostics.findings import Findings
from accelscope.dsl.diagnostics.problems import NOT_FOUND, POISON, EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.budget import Budget
from accelscope.dsl.interpret.citations import resolve_citation
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.component_names import build_layers
from accelscope.dsl.interpret.expressions import Evaluator
from accelscope.dsl.interpret.fields import SchemaIndex
from accelscope.dsl.interpret.former_names import FormerNames, present_symbol
from accelscope.dsl.interpret.layers import (
    Binding,
    BlockDeclaration,
    ComponentLayer,
    InheritedComponent,
    Member,
)
from accelscope.dsl.interpret.modules import FileComponent, ModuleTable, SourceReader
from accelscope.dsl.interpret.scope import Scope, list_visible_names, resolve_name
from accelscope.dsl.schema.schema import Schemas
from accelscope.dsl.syntax.nodes import Annotated, Cite, Expr, Name
from accelscope.dsl.values.operations import Operations
from accelscope.dsl.values.units import UnitTable
from accelscope.dsl.values.values import Citation, Magnitude, Quantity, Symbol

UncertaintyHook = Callable[[Quantity, Span], Magnitude]
"""Gives the magnitude to use for a value with a tolerance, so that inputs can be varied."""
AttributeHook = Callable[[Component, str, object, Span | None], object]
"""Gives the value to use for what an attribute or the count of a block is, so that any of them can be varied."""


class Interpreter(Budget):
    """Evaluates components within a budget and collects what is wrong with them.

    Attributes:
        uncertain: hook for values with a tolerance, or None to take them as they are.
        altered: hook for the values of attributes and counts, or None to take them as they are.
        former_names: the places where texts use former names of fields, blocks and symbols.
    """

    def __init__(
        self,
        reader: SourceReader,
        units: UnitTable,
        schemas: Schemas,
        operations: Operations,
        uncertain: UncertaintyHook | None = None,
        altered: AttributeHook | None = None,
    ) -> None:
        super().__init__()
        self.units, self.operations, self.uncertain, self.altered = units, operations, uncertain, altered
        self.fields = SchemaIndex(schemas)
        self.modules = ModuleTable(self, reader)
        self.evaluator = Evaluator(self)
        self.evaluate = self.evaluator.evaluate
        self.calls: list[Binding] = []
        self.depth = 0
        self.former_names = FormerNames()
        self._findings = Findings()
        self._active: list[tuple[Component, str]] = []
        self._layering: list[Component] = []

    def fork(
        self,
        operations: Operations | None = None,
        uncertain: UncertaintyHook | None = None,
        altered: AttributeHook | None = None,
    ) -> Interpreter:
        """Return a session without values that shares the parsed texts, to evaluate all anew."""
        operations = operations or self.operations
        other = Interpreter(
            self.modules.reader, self.units, self.fields.schemas, operations, uncertain, altered
        )
        other.modules.parsed = self.modules.parsed
        return other

    # ---- problems

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found so far, in the order of the text."""
        return self._findings.sorted_diagnostics()

    @property
    def full(self) -> bool:
        """Whether there are more errors than are kept."""
        return self._findings.full

    def report(self, problem: EvaluationFailed | Diagnostic, span: Span | None = None) -> None:
        """Keep a problem, unless something has been said about its place before; after very many, evaluate no more."""
        self._findings.add(problem.diagnostic(span) if isinstance(problem, EvaluationFailed) else problem)
        if self.full:
            self.stop()

    def run_guarded(
        self, owner: Component, name: str, work: Callable[[], object], place: Callable[[], Span | None]
    ) -> object:
        """Return the result of some work on a member, or POISON after reporting what went wrong, and where."""
        self._active.append((owner, name))
        try:
            return work()
        except EvaluationFailed as problem:
            self.report(problem, place())
        except PoisonedValue:
            pass
        except RecursionError:
            self.report(EvaluationFailed("A209", f"`{name}` is nested too deeply"), place())
        finally:
            self._active.pop()
        return POISON

    def cycle(self, owner: Component, name: str) -> EvaluationFailed:
        """Return the problem of a member that needs itself, with the way round."""
        start = next((i for i, (c, n) in enumerate(self._active) if c is owner and n == name), 0)
        chain = [*self._active[start:], (owner, name)]
        way = " -> ".join(f"`{_within(c, n)}`" for c, n in chain[:12])
        return EvaluationFailed(
            "A203", f"`{name}` is defined through itself", notes=(f"the way round: {way}",)
        )

    # ---- making components

    def layers_for(self, component: Component) -> list[ComponentLayer]:
        """Return the layers of a component.

        Raises:
            Problem: one of its bases is built on the component itself.
        """
        if component in self._layering:
            chain = [*self._layering[self._layering.index(component) :], component]
            way = " -> ".join(f"`{c.name}`" for c in chain[:12])
            raise EvaluationFailed(
                "A203", f"`{component.name}` is built on itself", notes=(f"the way round: {way}",)
            )
        if len(self._layering) > 60:
            raise EvaluationFailed("A209", "bases are nested too deeply")
        self._layering.append(component)
        try:
            return build_layers(component)
        finally:
            self._layering.pop()

    def bases(self, component: Component, given: BlockDeclaration) -> list[Component]:
        """Return the bases of a block; what is wrong with one is reported, and it is left out."""
        found = []
        for node in given.block.bases:
            span = node.span(given.scope.source)
            try:
                self.spend_steps(1)
                base = self._base(component, node, given)
                base.layer_list()
                found.append(base)
            except EvaluationFailed as problem:
                self.report(problem, span)
            except PoisonedValue:
                pass
        return found

    def _base(self, component: Component, node: Expr, given: BlockDeclaration) -> Component:
        if isinstance(node, Name):
            value = resolve_name(given.scope, node.id, skip=component)
        else:
            value = self.evaluate(node, given.scope)
        text = node.span(given.scope.source).text
        if value is NOT_FOUND and text == component.name and component.parent is None:
            raise EvaluationFailed("A203", f"`{text}` is built on itself")
        if value is NOT_FOUND or isinstance(value, Symbol):
            hint = did_you_mean(text, list_visible_names(given.scope))
            raise EvaluationFailed("A201", f"nothing is called `{text}`", help=hint)
        if not isinstance(value, Component):
            raise EvaluationFailed("A207", f"`{text}` is not a block, so nothing can be built on it")
        if value.kind != component.kind:
            message = f"a `{component.kind}` cannot be built on `{text}`, which is a `{value.kind}`"
            raise EvaluationFailed("A207", message)
        return value

    def child_of(self, parent: Component, member: Member) -> Component:
        """Return the component of a child of another.

        Raises:
            Problem: the parent is an instance of the child's text, so this would go on for ever.
        """
        above = None if isinstance(parent, FileComponent) else parent
        child = Component(self, member.name, member.kind, above, member.parts)
        own = child.block
        while own is not None and above is not None:
            block = above.block
            if block is not None and block.block is own.block:
                span = own.block.span(own.scope.source)
                note = f"the way round: `{above.path}` -> `{child.path}`"
                raise EvaluationFailed("A203", f"`{member.name}` contains itself", span, notes=(note,))
            above = above.parent
        return child

    def derive_copy(self, base: Component, layers: list[ComponentLayer]) -> Component:
        """Return a changed copy of a component."""
        return Component(self, base.name, base.kind, base.parent, [InheritedComponent(base), *layers])

    def copy_borrowed(self, owner: Component, member: Member) -> Component:
        """Return the copy of a component of an enclosing scope that one component changes for itself."""
        scope = member.scope
        value = resolve_name(scope, member.name) if scope is not None else NOT_FOUND
        if not isinstance(value, Component):
            raise EvaluationFailed("A207", f"`{member.name}` is not a block", _setting_span(member.parts))
        return self.derive_copy(value, [part for part in member.parts if isinstance(part, ComponentLayer)])

    def apply_amendments(self, value: object, member: Member) -> object:
        """Return the component that an attribute refers to, with what is set through the attribute."""
        if isinstance(value, Component):
            return self.derive_copy(value, member.amends)
        message = f"`{member.name}` is not a block, so nothing in it can be set"
        raise EvaluationFailed("A202", message, _setting_span(member.amends))

    # ---- values

    def value_of(self, expr: Expr, scope: Scope, names: Mapping[str, object] | None = None) -> object:
        """Return the value of an expression where some extra names come first; None after reporting a problem.

        An extra name may be a value, a `Mapped` for names with dots, or a callable that takes and returns values.
        """
        inner = Scope(scope.source, scope, names=names) if names is not None else scope
        try:
            return self.evaluate(expr, inner)
        except EvaluationFailed as problem:
            self.report(problem, expr.span(scope.source))
        except PoisonedValue:
            pass
        return None

    def bound(self, owner: Component, name: str, binding: Binding) -> object:
        """Return the value of a binding, with the citations of its block where it has none."""
        if binding.node is None:
            value = binding.ready
        else:
            value = self._symbol(owner, name, binding) or self.evaluate(binding.node, binding.scope)
        if isinstance(value, Symbol):
            value = present_symbol(owner, name, value, binding)
        if self.altered is not None and name != "count":
            value = self.altered(owner, name, value, binding.span)
        if isinstance(value, Quantity) and not value.cites:
            cites = self.cites_of(binding.layer)
            if cites:
                return Quantity(
                    magnitude=value.magnitude,
                    dimension=value.dimension,
                    unit=value.unit,
                    tolerance=value.tolerance,
                    cites=cites,
                )
        return value

    def _symbol(self, owner: Component, name: str, binding: Binding) -> Symbol | None:
        """Return the word for a field that takes words, whatever else is called so; a `let` comes first."""
        node = binding.node
        if isinstance(node, Annotated):
            node = node.expr
        if not isinstance(node, Name) or not self.fields.takes_word(owner, name, node.id):
            return None
        for at in binding.scope.chain():
            if at.component is not None:
                member = at.component.index().members.get(node.id)
                if member is not None and member.sort == "let":
                    return None
        return Symbol(node.id)

    def cites_of(self, layer: ComponentLayer | None) -> tuple[Citation, ...]:
        """Return the citations of a block, or else of the nearest block around it that has any."""
        while layer is not None:
            if layer.cites and layer.outer is not None:
                if layer.known_cites is None:
                    layer.known_cites = self.citations(layer.cites, layer.outer)
                return layer.known_cites
            layer = layer.enclosing
        return ()

    def citations(self, cites: tuple[Cite, ...], scope: Scope) -> tuple[Citation, ...]:
        """Return what citations say; one of an unknown source is reported and left out."""
        found = []
        for cite in cites:
            try:
                found.append(resolve_citation(self, cite, scope))
            except EvaluationFailed as problem:
                self.report(problem)
        return tuple(found)


def _within(component: Component, name: str) -> str:
    path = component.path
    return f"{path}.{name}" if path else name


def _setting_span(
    parts: list[ComponentLayer] | list[BlockDeclaration | ComponentLayer | InheritedComponent],
) -> Span | None:
    for part in parts:
        if isinstance(part, ComponentLayer) and part.settings:
            return part.settings[0].spans[0]
    return None
