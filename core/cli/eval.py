"""`eval`: the scenarios of a file, evaluated."""

from __future__ import annotations

import rich_click as click

from accelscope.core.cli.common import choose_exit_code, evaluation_options, find_report, open_session
from accelscope.core.cli.main import GlobalOptions
from accelscope.core.io.output import open_output


@click.command()
@click.argument("file")
@click.option("--scenario", metavar="NAME", help="Only this scenario of the file.")
@evaluation_options
@click.option(
    "--format", "form", default="table", show_default=True, metavar="NAME", help="json, csv, md, ..."
)
@click.option("-o", "--output", metavar="FILE", help="Write there instead of to standard output.")
@click.pass_obj
def eval(
    settings: GlobalOptions,
    file: str,
    scenario: str | None,
    sets: tuple[str, ...],
    root: tuple[str, ...],
    form: str,
    output: str | None,
) -> int:
    """Evaluate the scenarios of a file: latency, throughput, memory, power, cost, and what limits them.

    Exits with 1 where a requirement is unmet, and with 3 where a scenario has no feasible point.
    """
    session = open_session(settings, root)
    report = find_report(session, form)
    with open_output(output) as stream:
        results = session.evaluate(file, scenario, sets)
        report.write(results, stream)
    return choose_exit_code(results)
