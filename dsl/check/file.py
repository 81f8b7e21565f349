"""The check of a file: everything in it is evaluated and checked against the schemas of its kinds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from attrs import evolve

from accelscope.dsl.check.block_kind import check_placement, unknown_kind
from accelscope.dsl.check.duplicates import find_duplicate_keys
from accelscope.dsl.check.field_value import FieldCheck, unknown_choice
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
from accelscope.dsl.interpret.citations import resolve_citations
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.connections import evaluate_connections
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.interpret.layers import Binding, BlockDeclaration, Member, ScopedStatement
from accelscope.dsl.interpret.modules import Module, list_imported_names
from accelscope.dsl.interpret.number_literals import check_units
from accelscope.dsl.interpret.sweep_axes import collect_axis_statements, evaluate_domain
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


def check_file(interpreter: Interpreter, module: Module, *, lint: bool = False) -> None:
    """Report everything that is wrong with a file to the interpreter.

    Args:
        interpreter: what evaluates it; if it has no schemas, only the evaluation is checked.
        module: the file.
        lint: whether numbers without a source are reported too.
    """
    with suppress(_TooManyErrors):
        _Checker(interpreter, module, lint).file()


class _TooManyErrors(Exception):
    """There are more errors than are kept, so the rest is not checked."""


class _Checker:
    """Walks the components of one file."""

    __slots__ = ("_copies", "interpreter", "lint", "module")

    def __init__(self, interpreter: Interpreter, module: Module, lint: bool) -> None:
        self.interpreter, self.module, self.lint = interpreter, module, lint
        self._copies: set[int] = set()

    def file(self) -> None:
        """Check the whole file."""
        root = self.module.root
        layer = root.layer_list()[0]
        for finding in find_duplicate_keys(layer.statements, layer.source):
            self.report(finding)
        for item in root.index().uses:
            self._check_use(item)
        for name, member in root.index().members.items():
            if member.sort == "attribute":
                self._report_outside(member.bindings[-1], name)
        self.evaluate(root)
        for name in root.index().sources:
            source = root.source(name)
            if source is not None:
                self.visit(source, known=True)
        for child in root.children():
            self.visit(child, known=True)
        for finding in self.interpreter.former_names:
            self.report(finding)

    def report(self, finding: EvaluationFailed | Diagnostic | None, span: Span | None = None) -> None:
        """Report an error in any file, and a warning in this file only."""
        if finding is None:
            return
        warning = isinstance(finding, Diagnostic) and finding.severity == "warning"
        here = finding.span is not None and finding.span.source is self.module.source
        if warning and not here:
            return
        self.interpreter.report(finding, span)
        if self.interpreter.has_too_many_errors:
            raise _TooManyErrors

    def _check_use(self, item: ScopedStatement) -> None:
        """Check that what a `use` names exists."""
        use = item.statement
        assert isinstance(use, UseStatement)
        try:
            if use.names or use.is_file:
                for name in list_imported_names(use):
                    self.module.import_name(name)
            else:
                self.interpreter.modules.source_of(self.module, use, item.span)
        except EvaluationFailed as problem:
            self.report(problem, item.span)
        except PoisonedValue:
            pass

    def _report_outside(self, binding: Binding, name: str) -> None:
        """Report an assignment outside any block."""
        help = f"write `let {name} = ...` for a value that definitions use"
        self.report(
            EvaluationFailed("A211", f"`{name} = ...` is outside any block", binding.name_span, help=help)
        )

    def visit(self, component: Component, known: bool) -> None:
        """Check a component and everything in it; kinds in a block of unknown kind are not checked.

        Args:
            component: the component.
            known: whether the kinds of the blocks around it are known.
        """
        schema = None
        if known and self.interpreter.fields.schemas:
            schema = self.interpreter.fields.schema(component)
            known = self._check_kind(component, schema)
        if schema is not None and known:
            self._check_fields(component, schema)
        self.evaluate(component)
        for child in component.children():
            self.visit(child, known)

    def _check_kind(self, component: Component, schema: KindSchema | None) -> bool:
        """Report an unknown kind or a block in the wrong place; return whether the kind is known."""
        declaration = component.block
        if declaration is None:
            return schema is not None
        if schema is None:
            self.report(unknown_kind(component, declaration))
            return False
        self.report(check_placement(component, declaration, schema))
        return True

    # ---- fields

    def _check_fields(self, component: Component, kind: KindSchema) -> None:
        schema = self._selected(component, kind)
        fields = schema.fields if schema is not None else kind.all_fields()
        entries = schema.entries if schema is not None else None
        for name, member in component.index().members.items():
            if member.sort != "attribute" or name == "count":
                continue
            binding = member.bindings[-1]
            field = fields.get(name) or (entries if entries and _takes_entry(entries, name) else None)
            if field is not None and name == kind.selector:
                field = evolve(field, choices=_choices(kind))
            if field is None:
                self._unknown_field(component, name, binding, fields, entries)
                continue
            attribute = component.get(name)
            if isinstance(attribute, Attribute):
                self._check_value(component, name, field, binding, attribute.value)
                if member.amends and isinstance(attribute.value, Component):
                    self._check_copy(attribute.value, member, binding)
        if entries is not None:
            self.report(lint_stale_entries(component))
        for derived in schema.derived if schema is not None else ():
            self.report(check_plausibility(component, derived, self.module.source))

    def _needs_sources(self, component: Component) -> bool:
        """Return whether numbers of a block need a source: not in a question such as a workload or a study."""
        block: Component | None = component
        while block is not None:
            kind = self.interpreter.fields.schema(block)
            if kind is not None and not kind.cited:
                return False
            block = block.parent
        return True

    def _selected(self, component: Component, kind: KindSchema) -> BlockSchema | None:
        """Return the schema of the model that reads a block, or None if it is not known."""
        if kind.selector is None:
            return kind.default
        if not component.has(kind.selector):
            return kind.schema_for(kind.selected_by_label(component.name))
        attribute = component.get(kind.selector)
        if not isinstance(attribute, Attribute):
            return None
        value = attribute.value
        if isinstance(value, Symbol):
            schema = kind.schema_for(value.name)
            if schema is None and value.name not in _choices(kind):
                problem = unknown_choice(kind.selector, value.name, _choices(kind))
                self.report(problem, attribute.origin.span)
            return schema or kind.default
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
        inner_kinds = self.interpreter.fields.inner_kinds(component.kind)
        help = did_you_mean(name, [*names, *inner_kinds])
        if name in inner_kinds:
            help = f"`{name}` is a block: write `{name} {{ ... }}`"
        shown = ", ".join(f"`{field}`" for field in names)
        message = f"a `{component.kind}` has no field `{name}`"
        notes = (f"its fields are {shown}",) if shown else ()
        self.report(EvaluationFailed("A101", message, binding.name_span, notes=notes, help=help))

    def _check_value(
        self, component: Component, name: str, field: FieldSchema, binding: Binding, value: object
    ) -> None:
        shadowed = lint_shadowed_word(field, binding, value)
        check = FieldCheck(component, field, binding)
        problem = check.problem(value)
        if problem is not None:
            problem.help = shadowed.help if shadowed is not None else problem.help
            self.report(problem, binding.span)
            return
        self.report(shadowed)
        self.report(check.warning(value))
        self.report(lint_decimal_sram(component, name, binding))
        if self.lint and self._needs_sources(component):
            self.report(lint_uncited_number(field, binding, value))
        node = binding.node.expr if isinstance(binding.node, Annotated) else binding.node
        if isinstance(value, Component) and isinstance(node, Amend):
            self._check_copy(value, node, binding)

    def _check_copy(self, component: Component, node: Amend | Member, binding: Binding) -> None:
        """Check a changed copy, unless the text or member that changes it is being checked: then it contains itself."""
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
        """Evaluate all of a component, so that errors show even in values that nothing uses."""
        index = component.index()
        for name, member in list(index.members.items()):
            if member.sort != "child":
                component.get(name)
                if member.bindings and member.bindings[-1].params is not None:
                    self._check_units(member.bindings[-1])
        _ = component.count
        for connection in evaluate_connections(component):
            self._check_connection(connection.settings, connection.via)
        for assertion in evaluate_assertions(component, ("check", "assert")):
            self.report(assertion.diagnostic)
        for item in (*index.checks, *index.goals, *index.sweeps):
            self._check_later_units(item)
        for axis in collect_axis_statements(component):
            evaluate_domain(self.interpreter, axis)
            note_former_axis_names(component, axis)
        for part in component.parts:
            if isinstance(part, BlockDeclaration):
                resolve_citations(self.interpreter, part.block.cites, part.scope)

    def _check_units(self, binding: Binding) -> None:
        if binding.node is not None:
            for problem in check_units(self.interpreter, binding.node, binding.scope):
                self.report(problem)

    def _check_later_units(self, item: ScopedStatement) -> None:
        """Check the units of expressions that are evaluated later."""
        statement = item.statement
        if isinstance(statement, CheckStatement) and statement.word in ("check", "assert"):
            return
        nodes = [statement.expr] if isinstance(statement, CheckStatement | GoalStatement) else []
        if isinstance(statement, SweepStatement) and statement.when is not None:
            nodes.append(statement.when)
        for node in nodes:
            for problem in check_units(self.interpreter, node, item.scope):
                self.report(problem)

    def _check_connection(self, settings: Component, via: Component | None) -> None:
        schema = self.interpreter.fields.schema(settings)
        if schema is not None:
            self._check_fields(settings, schema)
        for name in settings.names():
            settings.get(name)
        if via is not None and "link" in self.interpreter.fields.schemas and via.kind != "link":
            self.report(
                EvaluationFailed("A207", f"`{via.name}` is a `{via.kind}`, not a `link`", None), settings.span
            )


def _takes_entry(entries: FieldSchema, name: str) -> bool:
    return not entries.choices or name in entries.choices


def _choices(kind: KindSchema) -> tuple[str, ...]:
    field = kind.all_fields().get(kind.selector or "")
    return tuple(dict.fromkeys((*kind.variants, *(field.choices if field else ()))))
