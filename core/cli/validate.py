"""`validate`: predictions against published measurements."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import rich_click as click

from accelscope.core.cli.common import open_session, shown_as
from accelscope.core.cli.main import OK, Settings
from accelscope.core.io.output import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accelscope.core.analysis.validate.library_names import Names
    from accelscope.core.analysis.validate.score import Scored


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="CSV...")
@click.option(
    "--kind", type=click.Choice(["e2e", "ops"]), help="Layout of the tables; without it the columns say."
)
@click.option(
    "--predictions", metavar="FILE", help="Write id, predicted, low and high of every predicted row."
)
@click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only such rows; several of one column are any of them.",
)
@click.option("--above", metavar="TIME", help="Score only kernels that take longer, such as 20us.")
@click.option("--explain", is_flag=True, help="Show how the prediction of the one row comes about.")
@click.option("--depth", type=click.IntRange(min=1), default=8, show_default=True, help="Levels of the tree.")
@shown_as("table", "json", "csv", "md", "html")
@click.pass_obj
def validate(
    settings: Settings,
    files: tuple[str, ...],
    kind: str | None,
    predictions: str | None,
    where: tuple[str, ...],
    above: str | None,
    explain: bool,
    depth: int,
    form: str,
    output: str | None,
) -> int:
    """Predict published measurements and say how far off the predictions are.

    A CSV (or .csv.gz) has one measurement a row: kernels, or models end to end. Rows of score 1 are scored; others are
    predicted, but not scored. What the library lacks is skipped with its reason. An error is |predicted/measured - 1|.
    """
    from accelscope.core.analysis.validate.library_names import Names
    from accelscope.core.analysis.validate.run import validate as run
    from accelscope.core.analysis.validate.run import write_predictions

    if form == "html":
        from accelscope.core.render.html import refuse_without_plotly

        refuse_without_plotly()
    session = open_session(settings)
    if explain:
        return _explained(Names(session, trace=True), files, kind, where, depth, output)
    with ExitStack() as stack:
        stream = stack.enter_context(opened(output))
        target = stack.enter_context(opened(predictions)) if predictions is not None else None
        names = Names(session)
        parts = run(names, files, kind=kind, where=where, above=above, blind=predictions is not None)
        if target is not None:
            write_predictions(parts, target)
        stream.write(_written(parts, form, names))
    return OK


def _explained(
    names: Names,
    files: Sequence[str],
    kind: str | None,
    where: Sequence[str],
    depth: int,
    output: str | None,
) -> int:
    from accelscope.core.analysis.validate.explain_row import explanation_of
    from accelscope.core.analysis.validate.run import only_row, refuse_without_models

    refuse_without_models(names.registry)
    text = explanation_of(only_row(files, kind, where), names, depth)
    with opened(output) as stream:
        stream.write(text)
    return OK


def _written(parts: Sequence[Scored], form: str, names: Names) -> str:
    from accelscope.core.analysis.validate import report as show
    from accelscope.core.analysis.validate.score import summarized

    summary = summarized(parts)
    if form == "html":
        from accelscope.core.analysis.validate.html import page

        return page(parts, summary, names)
    if form == "json":
        return show.as_json(summary)
    return {"table": show.as_table, "csv": show.as_csv, "md": show.as_markdown}[form](summary)
