"""`explain`: how a metric comes about."""

from __future__ import annotations

from pathlib import Path

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import open_session
from accelscope.core.cli.main import GlobalOptions
from accelscope.core.cli.options import evaluation_options, output_option, scenario_option
from accelscope.core.io.files import ACCEL_SUFFIX, STDIN
from accelscope.core.io.output import open_output
from accelscope.core.render.text_style import describe_stream

_PLAN_TOPIC = "split"
"""What is explained in place of a metric: the plan of one device."""


@click.command(cls=VerbCommand)
@click.argument("file")
@click.argument("metric")
@scenario_option()
@evaluation_options()
@click.option("--depth", type=click.IntRange(min=1), default=8, show_default=True, help="Levels of the tree.")
@output_option()
@click.pass_obj
def explain(
    settings: GlobalOptions,
    file: str,
    metric: str,
    scenario: str | None,
    sets: tuple[str, ...],
    root: tuple[str, ...],
    depth: int,
    output: str | None,
) -> None:
    """Show how a METRIC of a FILE comes about, down to the lines of the files and the sources they cite.

    METRIC `split` shows what the strategies make of the deployment: memory of a device, communication, rules.
    """
    file, metric = _order_arguments(file, metric)
    session = open_session(settings, root)
    with open_output(output) as stream:
        style = describe_stream(stream)
        if metric == _PLAN_TOPIC:
            stream.write(session.split(file, scenario, sets, style=style) + "\n")
            return
        text = session.explain(file, metric, scenario, sets, depth=depth)
        stream.write("\n".join(style.wrap(line, "    ") for line in text.splitlines()) + "\n")


def _order_arguments(first: str, second: str) -> tuple[str, str]:
    """Return file and metric; `explain METRIC FILE`, the order of before, is read as well."""
    if not _is_file(first) and _is_file(second):
        return second, first
    return first, second


def _is_file(name: str) -> bool:
    return name == STDIN or name.endswith(ACCEL_SUFFIX) or Path(name).is_file()
