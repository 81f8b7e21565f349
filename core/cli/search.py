"""`search`: the best points of a study that is too large to enumerate, or the best deployments of a model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from accelscope.core.cli.common import asking, open_session, shown_as
from accelscope.core.cli.main import INFEASIBLE, OK, Settings
from accelscope.core.errors import UsageError
from accelscope.core.io.output import opened

if TYPE_CHECKING:
    from accelscope.core.analysis.deployments.run import Deployments
    from accelscope.core.analysis.optimize.run import Found
    from accelscope.core.session import Session
    from accelscope.dsl.check.program import Program

DRAWN = ("html", "svg")
"""Formats with plots."""

F = TypeVar("F", bound=Callable[..., Any])

_STUDY = (
    click.option("--study", metavar="NAME", help="The study, where the file holds several."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of random choices."),
    click.option(
        "--evaluations",
        type=click.IntRange(1),
        default=8_000,
        show_default=True,
        help="Most points that are evaluated; a space with no more is evaluated whole.",
    ),
)
_DEPLOYMENT = (
    click.option(
        "--model", metavar="NAME", help="What is to be deployed: of the library, or FILE.accel:NAME."
    ),
    click.option("--systems", metavar="A,B,...", help="Only these systems, or FILE.accel:NAME; default all."),
    click.option("--vendor", metavar="NAME", help="Only systems with something that this vendor makes."),
    click.option("--prompt", type=click.IntRange(1), help="Tokens of a prompt; default 1024."),
    click.option("--answer", type=click.IntRange(1), help="Tokens of an answer; default 256."),
    click.option(
        "--concurrency", type=click.IntRange(1), help="Clients; without it or --batch, 1 to 1024 are tried."
    ),
    click.option("--batch", type=click.IntRange(1), help="Sequences that start and end together."),
    click.option("--workload", metavar="NAME", help="Load in FILE, or FILE.accel:NAME."),
    click.option(
        "--slo", multiple=True, metavar="TEXT", help="A condition such as 'ttft <= 2 s', or a name as above."
    ),
    click.option("--deployment", metavar="NAME", help="What all extend, where FILE holds several."),
    click.option("--precision", metavar="TYPES", help="Of weights: bf16,fp8 unless the model says one."),
    click.option(
        "--devices", type=click.IntRange(1), default=64, show_default=True, help="Most of one deployment."
    ),
    click.option("--no-pools", is_flag=True, help="Do not try pools for prompts and decoding."),
    click.option("--jobs", type=click.IntRange(1), help="Processes; default one for each core."),
    click.option(
        "--show-text",
        type=click.Choice(["cheapest", "fastest", "most frugal"]),
        help="Print the best deployment as a file to start from.",
    ),
)


def _with(options: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    """Return what adds options to a verb, in their order."""

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


@click.command()
@click.argument("file", required=False)
@_with(_STUDY)
@_with(_DEPLOYMENT)
@asking
@shown_as("table", "json", "csv", "html", "svg")
@click.pass_obj
def search(settings: Settings, /, file: str | None, form: str, output: str | None, **options: Any) -> int:
    """Search a study for the points that no other beats, or all systems for the best deployments of a model.

    A FILE with a study: its axes (`sweep` and `tune`) are searched for the Pareto front of its goals, under its
    requirements and all limits. With --model, or a FILE that holds a load, targets and a deployment without a system: every
    split, load, chunk, data type and pair of pools on every system is evaluated, for the cheapest, the fastest and the most
    frugal deployment.

    Exits with 3 where nothing keeps all limits and requirements.
    """
    from accelscope.core.analysis.deployments.request import folders

    if form in DRAWN:
        from accelscope.core.render.plot_pages import need_drawing

        need_drawing(form)
    named = (options["model"], options["workload"], *options["slo"], *(options["systems"] or "").split(","))
    session = open_session(settings, (*options["root"], *folders(named)))
    program = session.checked(file) if file is not None else None
    with opened(output) as stream:
        if program is not None and options["model"] is None and _asks(program):
            found, told = _studied(session, program, options)
            stream.write(_study_written(found, told, form))
            return OK if told["front"] else INFEASIBLE
        best = _deployed(session, settings, file, options, curves=form in DRAWN)
        stream.write(_deployments_written(best, form, options["show_text"]))
        return OK if best.allowed else INFEASIBLE


def _asks(program: Program) -> bool:
    return bool(program.definitions("study") or program.definitions("scenario"))


def _studied(session: Session, program: Program, options: dict[str, Any]) -> tuple[Found, dict[str, Any]]:
    from accelscope.core.analysis.optimize.front import need_extra
    from accelscope.core.analysis.optimize.run import search as searched
    from accelscope.core.analysis.optimize.space import space_of
    from accelscope.core.analysis.optimize.summary import told
    from accelscope.core.query.run import studied

    need_extra()
    space = space_of(program, session.registry, studied(program, options["study"]), options["sets"])
    found = searched(
        space, seed=options["seed"], evaluations=options["evaluations"], progress=_progress("points")
    )
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return found, told(found, options["sets"])


def _deployed(
    session: Session, settings: Settings, file: str | None, options: dict[str, Any], *, curves: bool
) -> Deployments:
    from accelscope.core.analysis.deployments.request import Asked, precisions_of, wish_of
    from accelscope.core.analysis.deployments.run import deployments, systems_of

    if file is None and options["model"] is None:
        raise UsageError("search needs a FILE with a study, or --model")
    if options["sets"]:
        raise UsageError("--set is of a study; a deployment to start from can be written in FILE")
    if options["concurrency"] is not None and options["batch"] is not None:
        raise UsageError("--concurrency and --batch are two kinds of load; give one")
    fields = {"prompt": "prompt", "answer": "output", "concurrency": "concurrency", "batch": "batch"}
    units = {"prompt": " tok", "answer": " tok"}
    load = {
        word: f"{options[name]}{units.get(name, '')}"
        for name, word in fields.items()
        if options[name] is not None
    }
    asked = Asked(
        file=file,
        model=options["model"],
        deployment=options["deployment"],
        workload=options["workload"],
        load=load,
        slo=options["slo"],
    )
    wish = wish_of(session, asked)
    types = precisions_of(session, asked, wish, options["precision"])
    names = [name for name in (options["systems"] or "").split(",") if name.strip()]
    return deployments(
        session,
        wish,
        systems_of(session, [name.strip() for name in names], options["vendor"], types),
        pools=not options["no_pools"],
        most=options["devices"],
        curves=curves,
        disabled=settings.disabled,
        workers=options["jobs"],
        progress=_progress("variants"),
    )


def _progress(what: str) -> Callable[[int, int], None]:
    """Return what shows how far a search is, on a terminal only; the last call wipes it."""

    def show(done: int, of: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K" + (f"{done:,} of {of:,} {what}" if done < of else ""))
            sys.stderr.flush()

    return show


def _study_written(found: Found, told: dict[str, Any], form: str) -> str:
    from accelscope.core.analysis.optimize import report as show
    from accelscope.core.analysis.optimize.figures import of_study
    from accelscope.core.render.plot_pages import page, svg

    if form == "svg":
        return svg(of_study(found, told)[0])
    if form == "html":
        pictures = of_study(found, told)
        return page(f"Search of {told['study']}", show.summary(told), pictures, show.table(told))
    written: str = {"table": show.table, "json": show.as_json, "csv": show.as_csv}[form](told)
    return written


def _deployments_written(found: Deployments, form: str, goal: str | None) -> str:
    from accelscope.core.analysis.deployments import report as show
    from accelscope.core.analysis.optimize.figures import of_deployments
    from accelscope.core.render.plot_pages import page, svg

    if goal is not None:
        return show.as_text(found, goal)
    if form == "svg":
        return svg(of_deployments(found)[0])
    if form == "html":
        return page("Deployments", show.head(found), of_deployments(found), show.table(found))
    written: str = {"table": show.table, "json": show.as_json, "csv": show.as_csv}[form](found)
    return written
