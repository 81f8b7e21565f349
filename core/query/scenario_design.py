"""The design of a query at values of its axes.

The language is evaluated anew for each variant, in a session of its own, with arrays for the swept axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from accelscope.core.assemble.assemble import assemble
from accelscope.core.assemble.design import Design
from accelscope.core.bind.binder import Binder, ValuePerturbation
from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.io.timings import stage
from accelscope.core.numeric.array_operations import ArrayOperations
from accelscope.core.numeric.error_bars import UncertainInputs
from accelscope.core.query.query import (
    AxisPlacement,
    GridPlacement,
    Query,
    SweptAxis,
    build_prune_limits,
    parse_query,
    place_scenario,
)
from accelscope.dsl.check.program import Program
from accelscope.dsl.diagnostics.diagnostics import sort_diagnostics
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.context import Probe, UncertaintyHook
from accelscope.dsl.interpret.interpreter import Interpreter

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry


@frozen(kw_only=True, eq=False)
class ScenarioDesign:
    """The design of a query at values of its axes, and the blocks that it comes from.

    Attributes:
        design: with the limits of plugins' checks and of every `when`.
        scenario: with everything set.
        owner: the study, or the scenario of the file.
        swept: values of the numeric axes by their paths.
    """

    design: Design
    scenario: Component
    owner: Component
    swept: Mapping[str, object]


def assemble_scenario(
    asked: Query,
    registry: Registry,
    placement: AxisPlacement,
    *,
    inputs: UncertainInputs | None = None,
    altered: ValuePerturbation | None = None,
    trace: bool = False,
    probe: bool = False,
) -> ScenarioDesign:
    """Return the design of a query.

    Args:
        asked: the query.
        registry: the plugins.
        placement: where in the axes.
        inputs: uncertain values, which own a last dimension.
        altered: what varies values along a last dimension of its own.
        trace: whether terms keep how they were computed.
        probe: whether only the values that are read matter, as to learn which are uncertain: nothing is checked.

    Raises:
        DescriptionError: something is missing or wrong.
    """
    vary: UncertaintyHook | None = inputs.vary if inputs is not None else None
    alter = altered.value if altered is not None else None
    session = asked.program.interpreter.fork(ArrayOperations(), Probe(vary, alter))
    with stage("probe" if probe else "design"):
        placed = place_scenario(asked, session, placement)
        binder = Binder(registry, trace=trace, altered=altered)
        design = assemble_checked(
            placed.scenario,
            session,
            binder,
            inputs=None if probe else inputs,
            checked=not probe,
        )
    assert placed.scenario is not None  # or `assemble_checked` has raised
    if not probe:
        design = evolve(design, limits=(*design.limits, *build_prune_limits(placed)))
    _refuse_errors(session)
    return ScenarioDesign(design=design, scenario=placed.scenario, owner=placed.owner, swept=placed.swept)


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
    return assemble_scenario(asked, registry, place_first_point(asked.swept), trace=trace).design


def place_first_point(swept: Sequence[SweptAxis]) -> GridPlacement:
    """Return where each axis has its first value, as a plain number."""
    picks = {item.axis.name: 0 for item in swept if not item.axis.numeric}
    return GridPlacement(picks=picks, numeric=(), dimensions=0)


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
        scenario: the scenario, or None if it could not be built.
        session: of the scenario.
        binder: binds its blocks and collects problems.
        inputs: uncertain values, which own a last dimension, or None.
        checked: whether the plugins' checks run.

    Raises:
        DescriptionError: something is missing or wrong.
    """
    _refuse_errors(session)
    design = assemble(scenario, binder, inputs, checks=checked) if scenario is not None else None
    if design is None:
        problems = sort_diagnostics((*session.diagnostics, *binder.problems))
        raise DescriptionError(tuple(item for item in problems if item.severity == "error") or problems)
    for warning in binder.problems:
        session.report(warning)
    return design


def _refuse_errors(session: Interpreter) -> None:
    problems = tuple(item for item in session.diagnostics if item.severity == "error")
    if problems:
        raise DescriptionError(problems)
