"""Values set from outside a text: the point of a sweep, or `--set gpu.hbm.bandwidth=4 TB/s`."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, frozen

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND, EvaluationFailed
from accelscope.dsl.interpret.component import Component, derive_copy
from accelscope.dsl.interpret.layers import ComponentLayer, PathSetting, Scope
from accelscope.dsl.interpret.members import flatten_path
from accelscope.dsl.interpret.sweep_axes import AxisStatement
from accelscope.dsl.override.path_resolution import resolve_path
from accelscope.dsl.syntax.nodes import (
    Annotated,
    Expr,
    ListLiteral,
    Pair,
    Range,
    StepClause,
)
from accelscope.dsl.syntax.parser import parse_override_text

OVERRIDE_SOURCE_NAME = "--set"
"""Name of the source that the texts of overrides have."""


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
    """Return `path = value` or `path = low .. high step n` as syntax; None with errors if it is something else."""
    source = SourceText(OVERRIDE_SOURCE_NAME, text)
    path, equals, domain = text.partition("=")
    if not equals or not path.strip() or not domain.strip():
        return None, (_not_an_override(source),)
    statement, findings = parse_override_text(source)
    if statement is None:
        return None, tuple(_suggest_list(item) for item in findings)
    value = statement.value
    if isinstance(value, Annotated) and _has_several_values(value.expr):
        message = "only a single value can have a tolerance or a citation"
        span = Span(source, (value.tolerance or value.cites[0]).start, value.end)
        return None, (Diagnostic(code="A211", message=message, span=span),)
    return Assignment(target=statement.target, domain=value, step=statement.step, source=source), ()


def _not_an_override(source: SourceText) -> Diagnostic:
    return Diagnostic(
        code="A505",
        message=f"`{source.text}` is not `path = value`",
        span=Span(source, 0, len(source.text)),
        help="write for example `--set gpu.hbm.bandwidth='4 TB/s'`",
    )


def _suggest_list(finding: Diagnostic) -> Diagnostic:
    """Return an error with the fix for values or overrides that are separated by a comma."""
    if finding.code != "A001" or finding.span is None or finding.span.text != ",":
        return finding
    return evolve(
        finding, help="write several values as a list such as `[1, 2]`, and one `--set` for each path"
    )


def _has_several_values(value: Expr) -> bool:
    is_curve_or_map = isinstance(value, ListLiteral) and any(isinstance(item, Pair) for item in value.items)
    return isinstance(value, Range | ListLiteral) and not is_curve_or_map


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
