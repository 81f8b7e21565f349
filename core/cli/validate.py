"""`validate`: predictions against published measurements."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import describe_command, open_session
from accelscope.core.cli.main import OK, GlobalOptions
from accelscope.core.cli.options import output_options, where_option
from accelscope.core.io.output import open_output
from accelscope.core.render.text_style import TextStyle, describe_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accelscope.core.analysis.validate.library_names import LibraryNames
    from accelscope.core.analysis.validate.score import ScoredTable


@click.command(cls=VerbCommand)
@click.argument("files", nargs=-1, required=True, metavar="CSV...")
@click.option(
    "--kind", type=click.Choice(["e2e", "ops"]), help="Layout of the tables; without it the columns decide."
)
@where_option()
@click.option("--above", metavar="TIME", help="Score only kernels that take longer, such as 20us.")
@click.option("--explain", is_flag=True, help="Show how the prediction of the one row comes about.")
@click.option("--depth", type=click.IntRange(min=1), default=8, show_default=True, help="Levels of the tree.")
@click.option(
    "--predictions", metavar="FILE", help="Write id, predicted, low and high of every predicted row."
)
@output_options("table", "json", "csv", "md", "html")
@click.pass_obj
def validate(
    settings: GlobalOptions,
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
    from accelscope.core.analysis.validate.library_names import LibraryNames
    from accelscope.core.analysis.validate.run import validate_tables as run
    from accelscope.core.analysis.validate.run import write_predictions

    if form == "html":
        from accelscope.core.render.html import require_plotly

        require_plotly()
    session = open_session(settings)
    if explain:
        return _explained(LibraryNames(session, trace=True), files, kind, where, depth, output)
    with ExitStack() as stack:
        stream = stack.enter_context(open_output(output))
        target = stack.enter_context(open_output(predictions)) if predictions is not None else None
        names = LibraryNames(session)
        parts = run(names, files, kind=kind, where=where, above=above, blind=predictions is not None)
        if target is not None:
            write_predictions(parts, target)
        stream.write(_written(parts, form, names, describe_stream(stream)))
    return OK


def _explained(
    names: LibraryNames,
    files: Sequence[str],
    kind: str | None,
    where: Sequence[str],
    depth: int,
    output: str | None,
) -> int:
    from accelscope.core.analysis.validate.explain_row import explain_row
    from accelscope.core.analysis.validate.run import read_single_row, refuse_without_models

    refuse_without_models(names.registry)
    text = explain_row(read_single_row(files, kind, where), names, depth)
    with open_output(output) as stream:
        style = describe_stream(stream)
        stream.write("".join(style.wrap(line, "    ") + "\n" for line in text.splitlines()))
    return OK


def _written(parts: Sequence[ScoredTable], form: str, names: LibraryNames, style: TextStyle) -> str:
    from accelscope.core.analysis.validate import report
    from accelscope.core.analysis.validate.score import summarize_validation

    summary = summarize_validation(parts)
    if form == "html":
        from accelscope.core.analysis.validate.html import render_validation_page

        return render_validation_page(parts, summary, names, command=describe_command())
    if form == "json":
        return report.format_validation_json(summary)
    if form == "csv":
        return report.format_validation_csv(summary)
    if form == "md":
        return report.format_validation_markdown(summary)
    return report.format_validation_table(summary, style)
