"""`sensitivity`: which numbers of the hardware a scenario depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich_click as click

from accelscope.core.cli.common import (
    evaluation_options,
    measure_terminal_width,
    open_session,
    output_options,
    print_message,
)
from accelscope.core.cli.main import INFEASIBLE, OK, GlobalOptions
from accelscope.core.errors import UsageError
from accelscope.core.io.output import open_output

if TYPE_CHECKING:
    from accelscope.core.analysis.sensitivity.effects import Sensitivity
    from accelscope.core.analysis.sensitivity.sobol import SobolResult
    from accelscope.core.session import Session
    from accelscope.dsl.check.program import Program


@click.command()
@click.argument("file")
@click.option("--scenario", metavar="NAME", help="The scenario, where the file holds several.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Only this metric; several are possible, and the first sorts.",
)
@evaluation_options
@click.option("--fitted", is_flag=True, help="Also vary what is fitted: kernels of calibrations, runtimes.")
@click.option(
    "--sobol", metavar="N", type=int, help="Also Sobol indices over the tolerances, from N samples."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the samples of --sobol.")
@output_options("table", "json", "csv", "md", "html")
@click.pass_obj
def sensitivity(
    settings: GlobalOptions,
    file: str,
    scenario: str | None,
    metrics: tuple[str, ...],
    sets: tuple[str, ...],
    root: tuple[str, ...],
    fitted: bool,
    sobol: int | None,
    seed: int,
    form: str,
    output: str | None,
) -> int:
    """Say what limits a scenario: the elasticity of each metric to every number of its hardware, and what to change first.

    An elasticity of -0.8 means that 1 % more of the parameter makes the metric 0.8 % lower. Every value that a text gives
    the hardware is varied, and every default of a model.

    Exits with 3 where the scenario is not feasible.
    """
    from accelscope.core.analysis.sensitivity.elasticity import compute_elasticities
    from accelscope.core.query.run import select_definitions

    _refuse_early(form, sobol)
    session = open_session(settings, root)
    program = session.checked(file)
    names = select_definitions(program, "scenario", scenario)
    if len(names) > 1:
        raise UsageError(f"the file holds {', '.join(names)}; choose one with --scenario")
    with open_output(output) as stream:
        found = compute_elasticities(program, session.registry, names[0], metrics, sets=sets, fitted=fitted)
        if found.axes:
            wide = ", ".join(axis.name for axis in found.axes)
            raise UsageError(
                f"a sensitivity is of one point, and {wide} is swept; set it to one value with --set"
            )
        if not found.feasible:
            _say_why(session, program, names[0], sets)
            return INFEASIBLE
        indices = _indices(session, program, names[0], found, sets, sobol, seed)
        stream.write(_written(found, indices, form, session, program, sets, measure_terminal_width(stream)))
    return OK


def _refuse_early(form: str, sobol: int | None) -> None:
    """Refuse what lacks a library before anything is evaluated."""
    if form == "html":
        from accelscope.core.render.html import require_plotly

        require_plotly()
    if sobol is not None:
        from accelscope.core.analysis.sensitivity.sobol import refuse_without_salib

        refuse_without_salib()


def _indices(
    session: Session,
    program: Program,
    name: str,
    found: Sensitivity,
    sets: Sequence[str],
    samples: int | None,
    seed: int,
) -> SobolResult | None:
    if samples is None:
        return None
    from accelscope.core.analysis.sensitivity.sobol import compute_sobol_indices

    return compute_sobol_indices(
        program, session.registry, name, tuple(found.effects), samples=samples, seed=seed, sets=sets
    )


def _say_why(session: Session, program: Program, name: str, sets: Sequence[str]) -> None:
    """Say what makes a scenario infeasible, since nothing that cannot run has a sensitivity."""
    from accelscope.core.query.run import run_query
    from accelscope.core.render.result import describe_exceeded_limits

    result = run_query(program, session.registry, name, sets, bars=False)
    reasons = "; ".join(describe_exceeded_limits(result.point())) or "no result is finite"
    print_message(f"error: {name} is not feasible, so there is nothing to vary around: {reasons}")


def _written(
    found: Sensitivity,
    indices: SobolResult | None,
    form: str,
    session: Session,
    program: Program,
    sets: Sequence[str],
    width: int | None,
) -> str:
    if form == "html":
        from accelscope.core.analysis.sensitivity.tornado import render_sensitivity_page

        return render_sensitivity_page(found, indices)
    if form == "json":
        from accelscope.core.analysis.sensitivity.export import format_sensitivity_json
        from accelscope.core.query.manifest import build_manifest

        return format_sensitivity_json(found, indices, build_manifest(program, session.registry, tuple(sets)))
    if form == "csv":
        from accelscope.core.analysis.sensitivity.export import format_sensitivity_csv

        return format_sensitivity_csv(found, indices)
    from accelscope.core.analysis.sensitivity.tables import (
        format_sensitivity_markdown,
        format_sensitivity_table,
    )

    return (
        format_sensitivity_table(found, indices, width)
        if form == "table"
        else format_sensitivity_markdown(found, indices)
    )
