"""`eval`: the scenarios of a file, evaluated."""

from __future__ import annotations

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import choose_exit_code, find_report, open_session, print_message
from accelscope.core.cli.main import GlobalOptions
from accelscope.core.cli.options import evaluation_options, output_options, scenario_option
from accelscope.core.io.output import open_output
from accelscope.core.io.timings import record_timings, stage


@click.command(cls=VerbCommand)
@click.argument("file")
@scenario_option()
@evaluation_options()
@click.option(
    "--all", "every_row", is_flag=True, help="Show all operations and points, not only the largest."
)
@click.option("--timings", is_flag=True, help="Print the processor time of each stage to standard error.")
@output_options()
@click.pass_obj
def eval(
    settings: GlobalOptions,
    file: str,
    scenario: str | None,
    sets: tuple[str, ...],
    root: tuple[str, ...],
    every_row: bool,
    timings: bool,
    form: str,
    output: str | None,
) -> int:
    """Evaluate the scenarios of a file: latency, throughput, memory, power, cost, and what limits them.

    The first line says whether a scenario is feasible, its time for a token and what bounds it. The six operations
    that take longest are shown for each phase; --all shows all, and `accelscope explain FILE METRIC` where a number
    comes from.

    Exits with 1 if a requirement is not met, and with 3 if a scenario has no feasible point.
    """
    session = open_session(settings, root)
    report = find_report(session, form)
    write = report.write_all if every_row and report.write_all is not None else report.write
    with open_output(output) as stream, record_timings() as stages:
        results = session.evaluate(file, scenario, sets)
        with stage("output"):
            write(results, stream)
    if timings:
        print_message("\n".join(stages.lines()))
    return choose_exit_code(results)
