"""From a program and a question to results: axes and variants of a sweep, error bars, targets.

The language is evaluated anew for each variant, in a session of its own: once with plain numbers, to learn which of the
values that matter are uncertain, and once with arrays for the swept axes and for the uncertain values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from accelscope.core.assemble.assemble import assemble
from accelscope.core.assemble.design import Design
from accelscope.core.bind.binder import Binder, ValuePerturbation
from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.evaluate.evaluate import evaluate
from accelscope.core.numeric.array_operations import ArrayOperations
from accelscope.core.numeric.error_bars import UncertainInputs
from accelscope.core.numeric.term import TraceNode
from accelscope.core.query.columns import ResultColumns, fill_columns
from accelscope.core.query.concat import VariantPiece, concatenate_pieces
from accelscope.core.query.manifest import build_manifest
from accelscope.core.query.query import (
    Query,
    SweptAxis,
    build_prune_limits,
    instantiate_scenario,
    parse_query,
)
from accelscope.core.query.requirements import evaluate_requirements
from accelscope.core.query.result import RequirementRow, Result
from accelscope.dsl.check.program import Program
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, sort_diagnostics
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.context import Probe, UncertaintyHook
from accelscope.dsl.interpret.interpreter import Interpreter

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

MAX_ERROR_BAR_POINTS = 2_000_000
"""Largest product of points and uncertain inputs for which error bars are computed."""
MAX_EVALUATED_POINTS = 2_000_000
"""Points of an evaluation; every one may be printed."""
MAX_GRID_POINTS = 20_000_000
"""Points of a sweep, whose results go to a file."""
MAX_COLUMN_BYTES = 4e9
"""Memory for the columns of a sweep."""
TYPICAL_LIMIT_COUNT = 12
"""Limits that a scenario usually has; each keeps two columns."""


def run_query(
    program: Program, registry: Registry, name: str, sets: Sequence[str] = (), *, bars: bool = True
) -> Result:
    """Return the result of a scenario, or of the scenario that a study varies.

    Args:
        program: the file.
        name: `scenario NAME` or `study NAME`.
        sets: texts `path = value`, or `path = domain` for an axis.
        bars: whether to compute error bars where the grid is small enough.

    Raises:
        DescriptionError: the description lacks something, or a path or value of `sets` is wrong.
        UsageError: the grid is too large.
    """
    asked = parse_query(program, name, tuple(sets))
    numeric = tuple(item for item in asked.swept if item.axis.numeric)
    others = tuple(item for item in asked.swept if not item.axis.numeric)
    always = sum(metric.given is None for metric in registry.metrics.values())
    _refuse_large(math.prod(item.axis.size for item in asked.swept), always, bars)
    pieces = []
    for chosen in itertools.product(*(range(item.axis.size) for item in others)):
        picks = {item.axis.name: index for item, index in zip(others, chosen, strict=True)}
        pieces.append(_piece(asked, registry, picks, numeric, bars))
    axes = tuple(item.axis for item in (*others, *numeric))
    return concatenate_pieces(asked.label, pieces, axes, build_manifest(program, registry, tuple(sets)))


def _refuse_large(points: int, metrics: int, bars: bool) -> None:
    """Refuse a grid that would not fit in memory, before anything of it is computed."""
    if bars and points > MAX_EVALUATED_POINTS:
        raise UsageError(
            f"{points:,} points are more than the {MAX_EVALUATED_POINTS:,} that one evaluation prints; "
            "`accelscope sweep FILE -o out.parquet` (or .csv) computes more"
        )
    size = points * 8.0 * (metrics + 2 * TYPICAL_LIMIT_COUNT)
    most = min(MAX_GRID_POINTS, int(MAX_COLUMN_BYTES / 8 / (metrics + 2 * TYPICAL_LIMIT_COUNT)))
    if points > most:
        raise UsageError(
            f"{points:,} points are more than {most:,}: their {metrics} metrics would take {size / 1e9:.0f} GB; "
            "take fewer or coarser axes"
        )


def trace_metric(
    program: Program, registry: Registry, name: str, metric: str, sets: Sequence[str] = ()
) -> TraceNode:
    """Return the traced term of one metric at a single point.

    Raises:
        DescriptionError: the description lacks something.
        UsageError: there is no such metric, the description gives too little for it, or several points are asked for.
    """
    record = registry.metrics.get(metric)
    if record is None:
        hint = did_you_mean(metric, registry.metrics)
        known = ", ".join(sorted(registry.metrics))
        hint = hint or (f"there are {known}" if known else "there are none" + registry.describe_absent())
        raise UsageError(f"no metric is called `{metric}`; {hint}")
    found = record.compute(evaluate(assemble_single_point(program, registry, name, sets, trace=True)))
    if found is None or found.node is None:
        raise UsageError(f"the description gives too little for `{metric}`: {record.doc}")
    return found.named(metric).node or found.node


def assemble_single_point(
    program: Program, registry: Registry, name: str, sets: Sequence[str] = (), *, trace: bool = False
) -> Design:
    """Return the design of a scenario that asks for one point.

    Raises:
        DescriptionError: the description lacks something.
        UsageError: several points are asked for.
    """
    asked = parse_query(program, name, tuple(sets))
    wide = [item.axis.name for item in asked.swept if item.axis.size > 1]
    if wide:
        raise UsageError(
            f"an explanation is of one point, and {', '.join(wide)} have several values; use --set"
        )
    picks = {item.axis.name: 0 for item in asked.swept if not item.axis.numeric}
    numeric = tuple(item for item in asked.swept if item.axis.numeric)
    return assemble_variant(asked, registry, picks, numeric, trace=trace)[0]


def select_definitions(program: Program, kind: str, name: str | None) -> tuple[str, ...]:
    """Return `kind name` of one definition of a program, or of all of a kind.

    Raises:
        UsageError: there is none of this name.
        DescriptionError: there is none at all.
    """
    found = [item.name for item in program.definitions(kind)]
    if name is not None and name not in found:
        hint = did_you_mean(name, found) or f"there are {', '.join(found) or 'none'}"
        raise UsageError(f"no {kind} is called `{name}`; {hint}")
    if not found:
        raise DescriptionError((_no_scenario(program, kind),))
    return tuple(f"{kind} {item}" for item in found if name in (None, item))


def select_study(program: Program, name: str | None) -> str:
    """Return `study NAME`, or `scenario NAME` of a file without studies, for the one that is meant.

    Raises:
        UsageError: there is none of this name, or several and none is named.
    """
    kind = "study" if program.definitions("study") else "scenario"
    found = select_definitions(program, kind, name)
    if len(found) > 1:
        raise UsageError(f"the file holds {', '.join(found)}; choose a study with --study")
    return found[0]


def _no_scenario(program: Program, kind: str) -> Diagnostic:
    return Diagnostic(
        code="A304",
        message=f"`{program.module.source.name}` holds no {kind}, so there is nothing to evaluate",
        help="add `scenario s { deployment = ..., workload = ... }`",
    )


def _piece(
    asked: Query, registry: Registry, picks: Mapping[str, int], numeric: tuple[SweptAxis, ...], bars: bool
) -> VariantPiece:
    shape = tuple(item.axis.size for item in numeric)
    inputs = _inputs(asked, registry, picks, numeric) if bars else None
    if inputs is not None and math.prod(shape) * inputs.size > MAX_ERROR_BAR_POINTS:
        inputs = None
    design, scenario = assemble_variant(asked, registry, picks, numeric, shape=shape, inputs=inputs)
    columns = fill_columns(design, registry, shape, inputs.size if inputs else 0, registry.metrics.values())
    return VariantPiece(
        columns=columns,
        requirements=_requirements(scenario, asked, registry, columns),
        notes=_warnings(scenario),
    )


def _inputs(
    asked: Query, registry: Registry, picks: Mapping[str, int], numeric: tuple[SweptAxis, ...]
) -> UncertainInputs:
    """Evaluate once with plain numbers, to learn which uncertain values matter."""
    inputs = UncertainInputs(len(numeric) + 1)
    assemble_variant(asked, registry, picks, numeric, inputs=inputs)
    return inputs.freeze()


def assemble_variant(
    asked: Query,
    registry: Registry,
    picks: Mapping[str, int],
    numeric: tuple[SweptAxis, ...],
    *,
    shape: tuple[int, ...] | None = None,
    inputs: UncertainInputs | None = None,
    altered: ValuePerturbation | None = None,
    trace: bool = False,
) -> tuple[Design, Component]:
    """Return the design of one variant and its scenario; without a shape, at the first point of each axis.

    Args:
        picks: index of the value of each axis that is a variant.
        numeric: the axes that own an array dimension, in order.
        shape: their sizes.
        inputs: uncertain values, which own a last dimension.
        altered: what varies values along a last dimension of its own.
        trace: whether terms keep how they were computed.

    Raises:
        DescriptionError: something is missing or wrong.
    """
    vary: UncertaintyHook | None = inputs.vary if inputs is not None else None
    alter = altered.value if altered is not None else None
    session = asked.program.interpreter.fork(ArrayOperations(), Probe(vary, alter))
    dimensions = 0 if shape is None else len(shape) + (inputs is not None or altered is not None)
    scenario = instantiate_scenario(asked, session, picks, numeric, dimensions)
    binder = Binder(registry, trace=trace, altered=altered)
    known = inputs if shape is not None else None
    # a probe for uncertain values stands at the first point only
    design = assemble_checked(scenario, session, binder, inputs=known, checked=shape is not None or trace)
    assert scenario is not None  # or `designed` has said why
    if shape is not None:
        left_out = tuple(build_prune_limits(asked, scenario, numeric, dimensions))
        design = evolve(design, limits=(*design.limits, *left_out))
    _refuse(session)
    return design, scenario


def assemble_checked(
    scenario: Component | None,
    session: Interpreter,
    binder: Binder,
    *,
    inputs: UncertainInputs | None = None,
    checked: bool = True,
) -> Design:
    """Return the design of a scenario with everything set.

    Args:
        session: of the scenario.
        inputs: uncertain values, which own a last dimension, or None.
        checked: whether the plugins' checks run.

    Raises:
        DescriptionError: something is missing or wrong.
    """
    _refuse(session)
    design = assemble(scenario, binder, inputs, checks=checked) if scenario is not None else None
    if design is None:
        found = sort_diagnostics((*session.diagnostics, *binder.problems))
        raise DescriptionError(tuple(item for item in found if item.severity == "error") or found)
    for warning in binder.problems:
        session.report(warning)
    return design


def _warnings(scenario: Component) -> tuple[str, ...]:
    """Return what the language warned of, such as an implausible value that was set."""
    found = (item for item in scenario.interpreter.diagnostics if item.severity == "warning")
    return tuple(
        f"{item.message} ({'; '.join((str(item.span), *item.notes))}) [{item.code}]" for item in found
    )


def _refuse(session: Interpreter) -> None:
    problems = tuple(item for item in session.diagnostics if item.severity == "error")
    if problems:
        raise DescriptionError(problems)


def _requirements(
    scenario: Component, asked: Query, registry: Registry, columns: ResultColumns
) -> tuple[RequirementRow, ...]:
    places = [scenario]
    target = scenario.attributes().get("slo")
    if target is not None and isinstance(target.value, Component):
        places.append(target.value)
    return evaluate_requirements(places, columns.metrics, registry.units)
