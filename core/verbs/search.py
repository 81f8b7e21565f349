"""`search`: the best points of a study that is too large to enumerate, or the best deployments of a model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import rich_click as click

from accelscope.core.cli import INFEASIBLE, OK, Settings
from accelscope.core.output import opened
from accelscope.core.verbs.shared import asking, open_session

if TYPE_CHECKING:
    from accelscope.core.session import Session


@click.command()
@click.argument("file")
@click.option("--study", metavar="NAME", help="The study, where the file holds several.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of random choices.")
@click.option(
    "--evaluations",
    type=click.IntRange(1),
    default=4_000,
    show_default=True,
    help="Most points that are evaluated; a space with no more is evaluated whole.",
)
@asking
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "html"]),
    default="table",
    show_default=True,
)
@click.option("-o", "--output", metavar="FILE", help="Write there instead of to standard output.")
@click.pass_obj
def search(
    settings: Settings,
    file: str,
    study: str | None,
    seed: int,
    evaluations: int,
    sets: tuple[str, ...],
    root: tuple[str, ...],
    form: str,
    output: str | None,
) -> int:
    """Search a study's axes (`sweep` and `tune`) for the points that no other beats in all of its goals.

    Exits with 3 where no point keeps all limits and requirements.
    """
    session = open_session(settings, root)
    with opened(output) as stream:
        told = _studied(session, file, study, seed, evaluations, sets)
        stream.write(_written(told, form))
    return OK if told["front"] else INFEASIBLE


def _studied(
    session: Session, file: str, study: str | None, seed: int, evaluations: int, sets: tuple[str, ...]
) -> dict[str, Any]:
    from accelscope.core.ask import studied
    from accelscope.core.search.front import need_extra
    from accelscope.core.search.run import search as searched
    from accelscope.core.search.space import space_of
    from accelscope.core.search.told import told

    need_extra()
    program = session.checked(file)
    space = space_of(program, session.registry, studied(program, study), sets)
    found = searched(space, seed=seed, evaluations=evaluations, progress=_progress)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return told(found, sets)


def _progress(done: int, of: int) -> None:
    """Show how far a search is, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{done:,} of {of:,} points")
        sys.stderr.flush()


def _written(told: dict[str, Any], form: str) -> str:
    from accelscope.core.search import show

    if form == "html":
        from accelscope.core.search.page import page

        return page(told)
    return {"table": show.table, "json": show.as_json, "csv": show.as_csv}[form](told)
