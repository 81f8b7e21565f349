"""Checking a file: everything in it is evaluated and held against the schemas of its kinds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import evolve

from accelscope.dsl.check.block_kind import check_placement, unknown_kind
from accelscope.dsl.check.duplicates import find_duplicate_keys
from accelscope.dsl.check.field_value import FieldCheck, unknown_word
from accelscope.dsl.check.former_axis_names import note_former_axis_names
from accelscope.dsl.check.lints import (
    lint_decimal_sram,
    lint_shadowed_word,
    lint_stale_entries,
    lint_uncited_number,
)
from accelscope.dsl.check.plausibility import check_plausibility
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.assertions import evaluate_assertions
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.layers import Binding, BlockDeclaration, Member
from accelscope.dsl.interpret.members import ScopedStatement
from accelscope.dsl.interpret.modules import Module, list_imported_names
from accelscope.dsl.interpret.number_literals import check_units
from accelscope.dsl.interpret.sweep_axes import evaluate_domain
from accelscope.dsl.schema.schema import BlockSchema, FieldSchema, KindSchema
from accelscope.dsl.syntax.nodes import (
    Amend,
    Annotated,
    CheckStatement,
    GoalStatement,
    SweepStatement,
    UseStatement,
)
from accelscope.dsl.values.values import Attribute, Symbol

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Interpreter


def check_file(session: Interpreter, module: Module, *, lint: bool = False) -> None:
    """Report everything that is wrong with a file to the session.

    Args:
        session: what evaluates it, with the schemas; without any schema only the evaluation is checked.
        module: the file.
        lint: whether numbers without a source are reported too.
    """
    with suppress(_EnoughError):
        _Checker(session, module, lint).file()


class _EnoughError(Exception):
    """There are more errors than are kept, so the rest is not looked at."""


class _Checker:
    """Walks the components of one file."""

    __slots__ = ("_copies", "lint", "module", "session")

    def __init__(self, session: Interpreter, module: Module, lint: bool) -> None:
        self.session, self.module, self.lint = session, module, lint
        self._copies: set[int] = set()

    def file(self) -> None:
        """Check the whole file."""
        root = self.module.root
        layer = root.layer_list()[0]
        for finding in find_duplicate_keys(layer.statements, layer.source):
            self.report(finding)
        for item in root.index().uses:
            self.use(item)
        for name, member in root.index().members.items():
            if member.sort == "attribute":
                self.outside(member.bindings[-1], name)
        self.evaluate(root)
        for name in root.index().sources:
            source = root.source(name)
            if source is not None:
                self.visit(source, known=True)
        for child in root.children():
            self.visit(child, known=True)
        for finding in self.session.former_names:
            self.report(finding)

    def report(self, finding: EvaluationFailed | Diagnostic | None, span: Span | None = None) -> None:
        """Report an error anywhere, and a warning where it is in this file."""
        if finding is None:
            return
        warning = isinstance(finding, Diagnostic) and finding.severity == "warning"
        here = finding.span is not None and finding.span.source is self.module.source
        if warning and not here:
            return
        self.session.report(finding, span)
        if self.session.full:
            raise _EnoughError

    def use(self, item: ScopedStatement) -> None:
        """See that what a `use` names is there."""
        use = item.statement
        assert isinstance(use, UseStatement)
        try:
            if use.names or use.is_file:
                for name in list_imported_names(use):
                    self.module.import_name(name)
            else:
                self.session.modules.source_of(self.module, use, item.span)
        except EvaluationFailed as problem:
            self.report(problem, item.span)
        except PoisonedValue:
            pass

    def outside(self, binding: Binding, name: str) -> None:
        """Report a value at the top of a file."""
        help = f"write `let {name} = ...` for a value that definitions use"
        self.report(EvaluationFailed("A211", f"`{name} = ...` stands in no block", binding.at, help=help))

    def visit(self, component: Component, known: bool) -> None:
        """Check a component and all that stands in it; below an unknown kind no kind is known."""
        schema = None
        if known and self.session.fields.schemas:
            schema = self.session.fields.schema(component)
            known = self._kind(component, schema)
        if schema is not None and known:
            self._fields(component, schema)
        self.evaluate(component)
        for child in component.children():
            self.visit(child, known)

    def _kind(self, component: Component, schema: KindSchema | None) -> bool:
        """Report a kind that no plugin has, or that stands in the wrong place; say whether to go on."""
        given = component.block
        if given is None:
            return schema is not None
        if schema is None:
            self.report(unknown_kind(component, given))
            return False
        self.report(check_placement(component, given, schema))
        return True

    # ---- fields

    def _fields(self, component: Component, kind: KindSchema) -> None:
        schema = self._selected(component, kind)
        fields = schema.fields if schema is not None else kind.all_fields()
        entries = schema.entries if schema is not None else None
        for name, member in component.index().members.items():
            if member.sort != "attribute" or name == "count":
                continue
            binding = member.bindings[-1]
            field = fields.get(name) or (entries if entries and _entry(entries, name) else None)
            if field is not None and name == kind.selector:
                field = evolve(field, choices=_choices(kind))
            if field is None:
                self._unknown_field(component, name, binding, fields, entries)
                continue
            attribute = component.get(name)
            if isinstance(attribute, Attribute):
                self._value(component, name, field, binding, attribute.value)
                if member.amends and isinstance(attribute.value, Component):
                    self._amended(attribute.value, member, binding)
        if entries is not None:
            self.report(lint_stale_entries(component))
        for derived in schema.derived if schema is not None else ():
            self.report(check_plausibility(component, derived, self.module.source))

    def _needs_sources(self, component: Component) -> bool:
        """Say whether numbers of a block describe the world: neither it nor a block around it asks a question."""
        at: Component | None = component
        while at is not None:
            kind = self.session.fields.schema(at)
            if kind is not None and not kind.cited:
                return False
            at = at.parent
        return True

    def _selected(self, component: Component, kind: KindSchema) -> BlockSchema | None:
        """Return the schema of the model that reads a block; None where it cannot be told."""
        if kind.selector is None:
            return kind.default
        if not component.has(kind.selector):
            return kind.schema_for(kind.selected_by_label(component.name))
        attribute = component.get(kind.selector)
        if not isinstance(attribute, Attribute):
            return None
        value = attribute.value
        if isinstance(value, Symbol):
            found = kind.schema_for(value.name)
            if found is None and value.name not in _choices(kind):
                problem = unknown_word(kind.selector, value.name, _choices(kind))
                self.report(problem, attribute.origin.span)
            return found or kind.default
        return kind.default

    def _unknown_field(
        self,
        component: Component,
        name: str,
        binding: Binding,
        fields: Mapping[str, FieldSchema],
        entries: FieldSchema | None,
    ) -> None:
        if component.get(name) is None:
            return
        names = [*fields, *(entries.choices if entries is not None else ())]
        inside = self.session.fields.inner_kinds(component.kind)
        help = did_you_mean(name, [*names, *inside])
        if name in inside:
            help = f"`{name}` is a block: write `{name} {{ ... }}`"
        shown = ", ".join(f"`{field}`" for field in names)
        message = f"a `{component.kind}` has no field `{name}`"
        notes = (f"its fields are {shown}",) if shown else ()
        self.report(EvaluationFailed("A101", message, binding.at, notes=notes, help=help))

    def _value(
        self, component: Component, name: str, field: FieldSchema, binding: Binding, value: object
    ) -> None:
        hidden = lint_shadowed_word(field, binding, value)
        fit = FieldCheck(component, field, binding)
        problem = fit.problem(value)
        if problem is not None:
            problem.help = hidden.help if hidden is not None else problem.help
            self.report(problem, binding.span)
            return
        self.report(hidden)
        self.report(fit.warning(value))
        self.report(lint_decimal_sram(component, name, binding))
        if self.lint and self._needs_sources(component):
            self.report(lint_uncited_number(field, binding, value))
        node = binding.node.expr if isinstance(binding.node, Annotated) else binding.node
        if isinstance(value, Component) and isinstance(node, Amend):
            self._amended(value, node, binding)

    def _amended(self, component: Component, node: Amend | Member, binding: Binding) -> None:
        """Check a changed copy, by the text or member that changes it, unless it is being checked already: then it stands in itself."""
        if id(node) in self._copies:
            self.report(
                EvaluationFailed("A203", f"this copy of `{component.name}` contains itself"), binding.span
            )
            return
        self._copies.add(id(node))
        self.visit(component, known=True)
        self._copies.discard(id(node))

    # ---- everything that is not a field

    def evaluate(self, component: Component) -> None:
        """Evaluate all of a component, so that what is wrong shows even where nothing uses it."""
        index = component.index()
        for name, member in list(index.members.items()):
            if member.sort != "child":
                component.get(name)
                if member.bindings and member.bindings[-1].params is not None:
                    self._units(member.bindings[-1])
        _ = component.count
        for connection in component.connections():
            self._connection(connection.settings, connection.via)
        for outcome in evaluate_assertions(component, ("check", "assert")):
            self.report(outcome.diagnostic)
        for item in (*index.checks, *index.goals, *index.sweeps):
            self._waiting(item)
        for axis in component.sweeps():
            evaluate_domain(self.session, axis)
            note_former_axis_names(component, axis)
        for part in component.parts:
            if isinstance(part, BlockDeclaration):
                self.session.citations(part.block.cites, part.scope)

    def _units(self, binding: Binding) -> None:
        if binding.node is not None:
            for problem in check_units(self.session, binding.node, binding.scope):
                self.report(problem)

    def _waiting(self, item: ScopedStatement) -> None:
        """Look at the units of what is evaluated later."""
        statement = item.statement
        if isinstance(statement, CheckStatement) and statement.word in ("check", "assert"):
            return
        nodes = [statement.expr] if isinstance(statement, CheckStatement | GoalStatement) else []
        if isinstance(statement, SweepStatement) and statement.when is not None:
            nodes.append(statement.when)
        for node in nodes:
            for problem in check_units(self.session, node, item.scope):
                self.report(problem)

    def _connection(self, settings: Component, via: Component | None) -> None:
        schema = self.session.fields.schema(settings)
        if schema is not None:
            self._fields(settings, schema)
        for name in settings.names():
            settings.get(name)
        if via is not None and "link" in self.session.fields.schemas and via.kind != "link":
            self.report(
                EvaluationFailed("A207", f"`{via.name}` is a `{via.kind}`, not a `link`", None), settings.span
            )


def _entry(entries: FieldSchema, name: str) -> bool:
    return not entries.choices or name in entries.choices


def _choices(kind: KindSchema) -> tuple[str, ...]:
    field = kind.all_fields().get(kind.selector or "")
    return tuple(dict.fromkeys((*kind.variants, *(field.choices if field else ()))))
