"""`compare`: one model on several systems, or the scenarios of files, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from accelscope.core.cli.common import open_session, width_of
from accelscope.core.cli.main import INFEASIBLE, OK, Settings
from accelscope.core.errors import UsageError
from accelscope.core.io.files import SUFFIX
from accelscope.core.io.output import opened
from accelscope.dsl.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.analysis.compare.rows import Row
    from accelscope.core.analysis.compare.run import Question
    from accelscope.core.session import Session

MODEL = "llama3_8b"


@click.command()
@click.argument("systems", nargs=-1, metavar="[SYSTEM|FILE]...")
@click.option("--model", default=MODEL, show_default=True, help="Of the library, or FILE.accel:NAME.")
@click.option("--batch", default="1,64", show_default=True, help="Sequences at once: one number or several.")
@click.option("--prompt", default=1024, show_default=True, type=click.IntRange(1), help="Tokens of a prompt.")
@click.option("--output", default=256, show_default=True, type=click.IntRange(1), help="Tokens of an answer.")
@click.option("--precision", default="bf16", show_default=True, help="Type of weights and products.")
@click.option("--scenario", "scenarios", multiple=True, metavar="NAME", help="Of the files, only this one.")
@click.option("--sort", metavar="METRIC", help="Best first: ttft, tpot, throughput, tokens_per_joule, ...")
@click.option("--show-text", is_flag=True, help="Print the scenarios as a file to start from, no results.")
@click.option("--root", multiple=True, metavar="DIR", help="Also allow `use` of files below DIR.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "md"]),
    default="table",
    show_default=True,
)
@click.option("-o", "target", metavar="FILE", help="Write there instead of to standard output.")
@click.pass_obj
def compare(
    settings: Settings,
    systems: tuple[str, ...],
    model: str,
    batch: str,
    prompt: int,
    output: int,
    precision: str,
    scenarios: tuple[str, ...],
    sort: str | None,
    show_text: bool,
    root: tuple[str, ...],
    form: str,
    target: str | None,
) -> int:
    """Compare a model on several systems: latency, throughput, power, cost, what bounds it, why a cell is empty.

    A SYSTEM is a package, node, rack or cluster of the library (a name or an alias), FILE.accel:NAME, or one of these
    with a split, such as DGX_H100:tp=4,pp=2. Without a split, the fewest devices that hold the model are used; a
    package is one device. A FILE stands for its scenarios. Without any, twelve accelerators of all classes are compared.

    Exits with 3 where nothing is feasible.
    """
    from accelscope.core.analysis.compare.rows import check_metric, ordered

    check_metric(sort)
    files = [name for name in systems if name.endswith(SUFFIX)]
    named = [name for name in systems if name not in files]
    session = open_session(settings, (*root, *_folders((*systems, model))))
    if scenarios and not files:
        raise UsageError("--scenario chooses among the scenarios of files, and no file is given")
    question = None
    if named or not files:
        question = _question(session, named, model, _loads(batch, prompt, output), precision)
    if show_text:
        return _print_text(session, question, target)
    with opened(target) as stream:
        rows = ordered(_rows(session, question, files, scenarios), sort)
        stream.write(_written(rows, form, precision, width_of(stream)))
    return OK if any(row.feasible for row in rows) else INFEASIBLE


def _question(
    session: Session, named: Sequence[str], model: str, loads: Sequence[tuple[int, int, int]], precision: str
) -> Question:
    from accelscope.core.analysis.compare.candidates import DEFAULT, entrants_of, subject_of
    from accelscope.core.analysis.compare.run import Question
    from accelscope.core.analysis.compare.scenario_text import Load
    from accelscope.core.numeric.dtypes import NAMES

    if precision not in NAMES:
        hint = did_you_mean(precision, NAMES) or f"there are {', '.join(NAMES)}"
        raise UsageError(f"--precision: there is no `{precision}`; {hint}")
    return Question(
        subject=subject_of(session, model),
        entrants=entrants_of(session, named or DEFAULT, precision),
        loads=tuple(Load(batch=batch, prompt=prompt, output=output) for batch, prompt, output in loads),
        dtype=precision,
    )


def _rows(
    session: Session, question: Question | None, files: Sequence[str], scenarios: Sequence[str]
) -> list[Row]:
    from accelscope.core.analysis.compare.run import cases_of, compared_files, evaluated

    rows = [] if question is None else evaluated(session, question, cases_of(session, question))
    return [*rows, *compared_files(session, files, scenarios)]


def _print_text(session: Session, question: Question | None, target: str | None) -> int:
    from accelscope.core.analysis.compare.run import cases_of
    from accelscope.core.analysis.compare.scenario_text import text_of

    if question is None:
        raise UsageError("--show-text prints the scenarios of systems, and only files are given")
    with opened(target) as stream:
        stream.write(text_of(question.title, question.subject.used, cases_of(session, question)))
    return OK


def _written(rows: Sequence[Row], form: str, precision: str, width: int | None) -> str:
    from accelscope.core.analysis.compare.tables import as_csv, as_json, as_markdown, table

    if form == "table":
        return table(rows, precision, width)
    return {"json": as_json, "csv": as_csv, "md": as_markdown}[form](rows)


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
    paths = [name.partition(SUFFIX + ":") for name in names]
    return tuple(dict.fromkeys(str(Path(path + SUFFIX).parent) for path, found, _ in paths if found))
