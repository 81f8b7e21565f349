"""`sensitivity`: which numbers of the hardware a scenario depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import describe_command, open_session, print_message
from accelscope.core.cli.main import INFEASIBLE, OK, GlobalOptions
from accelscope.core.cli.options import (
    evaluation_options,
    metrics_option,
    output_options,
    scenario_option,
    split_names,
)
from accelscope.core.errors import UsageError
from accelscope.core.io.output import open_output
from accelscope.core.render.text_style import TextStyle, describe_stream

if TYPE_CHECKING:
    from accelscope.core.analysis.sensitivity.effects import Sensitivity
    from accelscope.core.analysis.sensitivity.sobol import SobolResult
    from accelscope.core.session import Session
    from accelscope.dsl.check.program import Program


@click.command(cls=VerbCommand)
@click.argument("file")
@scenario_option()
@evaluation_options()
@metrics_option("Only these metrics; the first one sorts.")
@click.option("--metric", "single_metrics", multiple=True, hidden=True)
@click.option("--fitted", is_flag=True, help="Also vary what is fitted: kernels of calibrations, runtimes.")
@click.option(
    "--sobol", metavar="N", type=int, help="Also Sobol indices over the tolerances, from N samples."
)
@click.option(
    "--seed", metavar="N", type=int, default=0, show_default=True, help="Of the samples of --sobol."
)
@output_options("table", "json", "csv", "md", "html")
@click.pass_obj
def sensitivity(
    settings: GlobalOptions,
    file: str,
    scenario: str | None,
    metrics: str | None,
    single_metrics: tuple[str, ...],
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

    Exits with 3 if the scenario is not feasible.
    """
    from accelscope.core.analysis.sensitivity.elasticity import compute_elasticities
    from accelscope.core.query.selection import select_definitions

    _refuse_early(form, sobol)
    session = open_session(settings, root)
    program = session.checked(file)
    names = select_definitions(program, "scenario", scenario)
    if len(names) > 1:
        raise UsageError(f"the file holds {', '.join(names)}; choose one with --scenario")
    with open_output(output) as stream:
        found = compute_elasticities(
            program,
            session.registry,
            names[0],
            (*split_names(metrics), *single_metrics),
            sets=sets,
            fitted=fitted,
        )
        if found.axes:
            wide = ", ".join(axis.name for axis in found.axes)
            raise UsageError(
                f"a sensitivity is of one point, and {wide} is swept; set it to one value with --set"
            )
        if not found.feasible:
            _say_why(session, program, names[0], sets)
            return INFEASIBLE
        indices = _indices(session, program, names[0], found, sets, sobol, seed)
        stream.write(_written(found, indices, form, session, program, sets, describe_stream(stream)))
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
    from accelscope.core.render.result import describe_exceeded_limits
    from accelscope.core.sweep.run_query import run_query

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
    style: TextStyle,
) -> str:
    if form == "html":
        from accelscope.core.analysis.sensitivity.tornado import render_sensitivity_page

        return render_sensitivity_page(found, indices, command=describe_command())
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
        format_sensitivity_table(found, indices, style)
        if form == "table"
        else format_sensitivity_markdown(found, indices)
    )
