"""`explain`: how a metric comes about."""

from __future__ import annotations

import rich_click as click

from accelscope.core.cli.common import evaluation_options, open_session
from accelscope.core.cli.main import GlobalOptions

_PLAN_TOPIC = "split"
"""What is explained in place of a metric: the plan of one device."""


@click.command()
@click.argument("metric")
@click.argument("file")
@click.option("--scenario", metavar="NAME", help="The scenario, where the file holds several.")
@evaluation_options
@click.option("--depth", type=click.IntRange(min=1), default=8, show_default=True, help="Levels of the tree.")
@click.pass_obj
def explain(
    settings: GlobalOptions,
    metric: str,
    file: str,
    scenario: str | None,
    sets: tuple[str, ...],
    root: tuple[str, ...],
    depth: int,
) -> None:
    """Show how a metric comes about, down to the lines of the files and the sources they cite.

    METRIC `split` shows what the strategies make of the deployment: memory of a device, communication, rules.
    """
    session = open_session(settings, root)
    if metric == _PLAN_TOPIC:
        click.echo(session.split(file, scenario, sets))
        return
    click.echo(session.explain(file, metric, scenario, sets, depth=depth))
