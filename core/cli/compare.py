"""`compare`: one model on several systems, or the scenarios of files, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import open_session, refuse_number_as_file
from accelscope.core.cli.main import INFEASIBLE, OK, GlobalOptions
from accelscope.core.cli.options import output_options, root_option, scenario_option, token_options
from accelscope.core.errors import UsageError
from accelscope.core.io.files import ACCEL_SUFFIX
from accelscope.core.io.output import open_output
from accelscope.core.render.text_style import TextStyle, describe_stream
from accelscope.dsl.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.analysis.compare.rows import ComparisonRow
    from accelscope.core.analysis.compare.run import ComparisonRequest
    from accelscope.core.session import Session

_DEFAULT_MODEL = "llama3_8b"


@click.command(cls=VerbCommand)
@click.argument("systems", nargs=-1, metavar="[FILE|SYSTEM]...")
@scenario_option(multiple=True)
@click.option(
    "--model",
    metavar="NAME",
    default=_DEFAULT_MODEL,
    show_default=True,
    help="Of the library, or FILE.accel:NAME.",
)
@click.option("--systems", "named", metavar="A,B,...", help="Systems, as an alternative to arguments.")
@root_option()
@token_options(prompt=1024, output=256)
@click.option(
    "--batch",
    metavar="N,N,...",
    default="1,64",
    show_default=True,
    help="Sequences that start and end together.",
)
@click.option(
    "--precision", metavar="TYPE", default="bf16", show_default=True, help="Of weights and products."
)
@click.option("--sort", metavar="METRIC", help="Best first: ttft, tpot, throughput, tokens_per_joule, ...")
@click.option("--show-text", is_flag=True, help="Print the scenarios as a file to start from, no results.")
@output_options("table", "json", "csv", "md")
@click.pass_obj
def compare(
    settings: GlobalOptions,
    systems: tuple[str, ...],
    named: str | None,
    model: str,
    batch: str,
    prompt_tokens: int,
    output_tokens: int,
    precision: str,
    scenarios: tuple[str, ...],
    sort: str | None,
    show_text: bool,
    root: tuple[str, ...],
    form: str,
    output: str | None,
) -> int:
    """Compare a model on several systems: latency, throughput, power, cost, what bounds it, why a row is empty.

    A SYSTEM is a package, node, rack or cluster of the library (a name or an alias), FILE.accel:NAME, or one of these
    with a parallelism, such as DGX_H100:tp=4,pp=2. Without one, the fewest devices that hold the model are used; a
    package is one device. A FILE stands for its scenarios. Without any, twelve accelerators of all classes are compared.

    Exits with 3 if nothing is feasible.
    """
    from accelscope.core.analysis.compare.rows import check_sort_metric, sort_comparison_rows

    check_sort_metric(sort)
    refuse_number_as_file(output)
    asked = (*systems, *_split_systems(named))
    files = [name for name in asked if name.endswith(ACCEL_SUFFIX)]
    others = [name for name in asked if name not in files]
    session = open_session(settings, (*root, *_folders((*asked, model))))
    if scenarios and not files:
        raise UsageError("--scenario chooses among the scenarios of files, and no file is given")
    question = None
    if others or not files:
        loads = _loads(batch, prompt_tokens, output_tokens)
        question = _question(session, others, model, loads, precision)
    if show_text:
        return _print_text(session, question, output)
    with open_output(output) as stream:
        rows = sort_comparison_rows(_rows(session, question, files, scenarios), sort)
        stream.write(_written(rows, form, precision, describe_stream(stream)))
    return OK if any(row.feasible for row in rows) else INFEASIBLE


def _split_systems(text: str | None) -> list[str]:
    """Return the systems of a list with commas; a comma before a degree, as in `A:tp=4,pp=2`, belongs to the system."""
    return [name.strip() for name in re.split(r",(?!\s*\w+=\d)", text or "") if name.strip()]


def _question(
    session: Session, named: Sequence[str], model: str, loads: Sequence[tuple[int, int, int]], precision: str
) -> ComparisonRequest:
    from accelscope.core.analysis.compare.run import ComparisonRequest
    from accelscope.core.analysis.compare.scenario_text import ComparisonLoad
    from accelscope.core.analysis.jobs.candidates import (
        DEFAULT_SYSTEMS,
        resolve_model_argument,
        resolve_system_arguments,
    )
    from accelscope.core.numeric.dtypes import DTYPE_NAMES

    if precision not in DTYPE_NAMES:
        hint = did_you_mean(precision, DTYPE_NAMES) or f"there are {', '.join(DTYPE_NAMES)}"
        raise UsageError(f"--precision: there is no `{precision}`; {hint}")
    return ComparisonRequest(
        subject=resolve_model_argument(session, model),
        systems=resolve_system_arguments(session, named or DEFAULT_SYSTEMS, precision),
        loads=tuple(
            ComparisonLoad(batch=batch, prompt=prompt, output=output) for batch, prompt, output in loads
        ),
        dtype=precision,
    )


def _rows(
    session: Session, question: ComparisonRequest | None, files: Sequence[str], scenarios: Sequence[str]
) -> list[ComparisonRow]:
    from accelscope.core.analysis.compare.run import (
        build_comparison_cases,
        compare_files,
        evaluate_comparison,
    )

    rows = (
        []
        if question is None
        else evaluate_comparison(session, question, build_comparison_cases(session, question))
    )
    return [*rows, *compare_files(session, files, scenarios)]


def _print_text(session: Session, question: ComparisonRequest | None, target: str | None) -> int:
    from accelscope.core.analysis.compare.run import build_comparison_cases
    from accelscope.core.analysis.compare.scenario_text import format_comparison_text

    if question is None:
        raise UsageError("--show-text prints the scenarios of systems, and only files are given")
    with open_output(target) as stream:
        stream.write(
            format_comparison_text(
                question.title, question.subject.used, build_comparison_cases(session, question)
            )
        )
    return OK


def _written(rows: Sequence[ComparisonRow], form: str, precision: str, style: TextStyle) -> str:
    from accelscope.core.analysis.compare.tables import (
        format_comparison_csv,
        format_comparison_json,
        format_comparison_markdown,
        format_comparison_table,
    )

    if form == "table":
        return format_comparison_table(rows, precision, style)
    return {"json": format_comparison_json, "csv": format_comparison_csv, "md": format_comparison_markdown}[
        form
    ](rows)


def _loads(batch: str, prompt: int, output: int) -> list[tuple[int, int, int]]:
    found = []
    for text in batch.split(","):
        number = text.strip().replace("_", "")
        if not number.isdecimal() or int(number) < 1:
            raise UsageError(f"--batch takes numbers such as `1,64`, not `{batch}`")
        found.append((int(number), prompt, output))
    return list(dict.fromkeys(found))


def _folders(names: Sequence[str]) -> tuple[str, ...]:
    """Return the folders of files whose definitions are asked for: they may be used from anywhere."""
    paths = [name.partition(ACCEL_SUFFIX + ":") for name in names]
    return tuple(dict.fromkeys(str(Path(path + ACCEL_SUFFIX).parent) for path, found, _ in paths if found))
