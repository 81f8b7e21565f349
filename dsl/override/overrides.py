"""Values set from outside a text: the point of a sweep, or `--set gpu.hbm.bandwidth=4 TB/s`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND, EvaluationFailed
from accelscope.dsl.interpret.component import Component, derive_copy
from accelscope.dsl.interpret.layers import ComponentLayer, PathSetting, Scope
from accelscope.dsl.interpret.members import flatten_path
from accelscope.dsl.interpret.sweep_axes import AxisStatement
from accelscope.dsl.override.path_resolution import resolve_path
from accelscope.dsl.syntax.nodes import (
    Annotated,
    AssignStatement,
    Expr,
    ListLiteral,
    Pair,
    Range,
    StepClause,
    SweepStatement,
)
from accelscope.dsl.syntax.parser import parse
from accelscope.dsl.syntax.walk import walk_nodes

OVERRIDE_SOURCE_NAME = "--set"
"""Name of the source that the texts of overrides have."""

_DIVIDED = re.compile(r"\b(?:step|points)\b")
"""What only a range has."""


@frozen(kw_only=True, eq=False)
class Override:
    """A value for one path of a scenario.

    Attributes:
        path: the path as syntax, with offsets into the source of `span`.
        value: an expression, whose names are looked up in the target first and then in the scenario, or a ready
            value such as a `Quantity` whose magnitude is an array.
        span: the place of the override.
        text: the value as written, for explanations.
    """

    path: Expr
    value: object
    span: Span
    text: str


@frozen(kw_only=True, eq=False)
class Assignment:
    """A parsed `path=value` of the command line; the value may be a range with steps.

    Attributes:
        target: the path.
        domain: the value, list or range.
        step: how a range is divided, or None.
        source: the argument as a text.
    """

    target: Expr
    domain: Expr
    step: StepClause | None
    source: SourceText

    def override(self) -> Override:
        """Return the assignment of a single value."""
        return Override(
            path=self.target,
            value=self.domain,
            span=self.domain.span(self.source),
            text=self.domain.span(self.source).text,
        )

    def axis(self, scenario: Component) -> AxisStatement:
        """Return the assignment of several values, for `evaluate_domain`."""
        return AxisStatement(
            word="sweep",
            path=self.target.span(self.source).text,
            target=self.target,
            domain=self.domain,
            step=self.step,
            when=None,
            scope=build_override_scope(scenario, self.source),
            span=Span(self.source, 0, len(self.source.text)),
        )


def parse_override(text: str) -> tuple[Assignment | None, tuple[Diagnostic, ...]]:
    """Return `path = value` or `path = low .. high step n` as syntax that points into the text."""
    source = SourceText(OVERRIDE_SOURCE_NAME, text)
    path, equals, domain = text.partition("=")
    if not equals or not path.strip() or not domain.strip():
        whole = Span(source, 0, len(text))
        found = Diagnostic(
            code="A505",
            message=f"`{text}` is not `path = value`",
            span=whole,
            help="write for example `--set gpu.hbm.bandwidth='4 TB/s'`",
        )
        return None, (found,)
    single, findings = _single(source)
    if single is not None:
        return single, ()
    swept, others = _swept(source, path, domain)
    if swept is not None:
        return swept, ()
    return None, (others if _DIVIDED.search(domain) else findings) or (_not_one(source),)


def _single(source: SourceText) -> tuple[Assignment | None, tuple[Diagnostic, ...]]:
    """Return an assignment as any text may write it, perhaps with a tolerance and citations."""
    file, findings = parse(source)
    statement = file.statements[0] if len(file.statements) == 1 else None
    if findings or not isinstance(statement, AssignStatement):
        return None, findings
    value = statement.value
    if isinstance(value, Annotated) and _several(value.expr):
        message = "a tolerance or a citation belongs to a single value"
        place = Span(source, (value.tolerance or value.cites[0]).start, value.end)
        return None, (Diagnostic(code="A211", message=message, span=place),)
    return Assignment(target=statement.target, domain=value, step=None, source=source), ()


def _several(value: Expr) -> bool:
    pairs = isinstance(value, ListLiteral) and any(isinstance(item, Pair) for item in value.items)
    return isinstance(value, Range | ListLiteral) and not pairs


def _swept(source: SourceText, path: str, domain: str) -> tuple[Assignment | None, tuple[Diagnostic, ...]]:
    """Return an assignment of a range that is divided, with offsets into the source."""
    before = "sweep "
    file, findings = parse(SourceText(OVERRIDE_SOURCE_NAME, f"{before}{path} in {domain}"))
    turn = len(before) + len(path)
    shifts = (len(before), len(before) + len(" in ") - len("="))
    moved = tuple(_moved(finding, source, turn, shifts) for finding in findings)
    statement = file.statements[0] if len(file.statements) == 1 else None
    if findings or not isinstance(statement, SweepStatement) or statement.when is not None:
        return None, moved
    for node in walk_nodes(statement):
        shift = shifts[node.start > turn]
        node.start, node.end = node.start - shift, node.end - shift
    return Assignment(
        target=statement.target, domain=statement.domain, step=statement.step, source=source
    ), ()


def _not_one(source: SourceText) -> Diagnostic:
    span = Span(source, 0, len(source.text))
    return Diagnostic(code="A505", message=f"`{source.text}` is not one `path = value`", span=span)


def _moved(finding: Diagnostic, source: SourceText, turn: int, shifts: tuple[int, int]) -> Diagnostic:
    start, end = (finding.span.start, finding.span.end) if finding.span is not None else (0, 0)
    shift = shifts[start > turn]
    size = len(source.text)
    span = Span(source, min(max(start - shift, 0), size), min(max(end - shift, 0), size))
    return Diagnostic(
        code=finding.code,
        message=finding.message,
        span=span,
        label=finding.label,
        notes=finding.notes,
        help=finding.help,
    )


def build_override_scope(scenario: Component, source: SourceText) -> Scope:
    """Return the scope of an expression that is added to a scenario from outside."""
    block = scenario.block
    return Scope(source, block.scope if block is not None else None, component=scenario)


def derive_scenario(scenario: Component, overrides: Iterable[Override]) -> Component | None:
    """Return a copy of a scenario with values set in its strongest layers, or None after reporting an error.

    What an override affects is evaluated again; the scenario itself does not change.
    """
    interpreter = scenario.interpreter
    interpreter.refill()
    derived = derive_copy(scenario, [])
    settings = []
    for override in overrides:
        try:
            settings.append(_setting(scenario, derived, override))
        except EvaluationFailed as problem:
            interpreter.report(problem, override.span)
            return None
    for setting in settings:
        layer = ComponentLayer(
            setting.scope.source, setting.scope, settings=(setting,), own=False, title=OVERRIDE_SOURCE_NAME
        )
        derived.parts.append(layer)
    return derived


def _setting(scenario: Component, derived: Component, override: Override) -> PathSetting:
    source = override.span.source
    scope = build_override_scope(derived, source)
    names = flatten_path(override.path, ComponentLayer(source, None))
    path = tuple(name for name, _ in names)
    spans = tuple(span for _, span in names)
    whole = resolve_path(scenario, path, spans)
    padded = (spans[0],) * (len(whole) - len(path)) + spans
    is_syntax = isinstance(override.value, Expr)
    return PathSetting(
        whole,
        padded,
        scope,
        node=override.value if isinstance(override.value, Expr) else None,
        ready=NOT_FOUND if is_syntax else override.value,
        how="set",
        text=override.text,
        span=override.span,
    )
