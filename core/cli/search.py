"""`search`: the best points of a study that is too large to enumerate, or the best deployments of a model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from accelscope.core.cli.common import evaluation_options, open_session, output_options
from accelscope.core.cli.main import INFEASIBLE, OK, GlobalOptions
from accelscope.core.errors import UsageError
from accelscope.core.io.output import open_output

if TYPE_CHECKING:
    from accelscope.core.analysis.deployments.run import DeploymentSearchResult
    from accelscope.core.analysis.optimize.run import OptimizationResult
    from accelscope.core.session import Session
    from accelscope.dsl.check.program import Program

_PLOT_FORMATS = ("html", "svg")
"""Formats with plots."""

_F = TypeVar("_F", bound=Callable[..., Any])

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


def _with(options: tuple[Callable[[_F], _F], ...]) -> Callable[[_F], _F]:
    """Return what adds options to a verb, in their order."""

    def add(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


@click.command()
@click.argument("file", required=False)
@_with(_STUDY)
@_with(_DEPLOYMENT)
@evaluation_options
@output_options("table", "json", "csv", "html", "svg")
@click.pass_obj
def search(
    settings: GlobalOptions, /, file: str | None, form: str, output: str | None, **options: Any
) -> int:
    """Search a study for the points that no other beats, or all systems for the best deployments of a model.

    A FILE with a study: its axes (`sweep` and `tune`) are searched for the Pareto front of its goals, under its
    requirements and all limits. With --model, or a FILE that holds a load, targets and a deployment without a system: every
    split, load, chunk, data type and pair of pools on every system is evaluated, for the cheapest, the fastest and the most
    frugal deployment.

    Exits with 3 where nothing keeps all limits and requirements.
    """
    from accelscope.core.analysis.deployments.request import list_file_folders

    if form in _PLOT_FORMATS:
        from accelscope.core.render.plot_pages import require_plot_library

        require_plot_library(form)
    named = (options["model"], options["workload"], *options["slo"], *(options["systems"] or "").split(","))
    session = open_session(settings, (*options["root"], *list_file_folders(named)))
    program = session.checked(file) if file is not None else None
    with open_output(output) as stream:
        if program is not None and options["model"] is None and _asks(program):
            found, told = _studied(session, program, options)
            stream.write(_study_written(found, told, form))
            return OK if told["front"] else INFEASIBLE
        best = _deployed(session, settings, file, options, curves=form in _PLOT_FORMATS)
        stream.write(_deployments_written(best, form, options["show_text"]))
        return OK if best.allowed else INFEASIBLE


def _asks(program: Program) -> bool:
    return bool(program.definitions("study") or program.definitions("scenario"))


def _studied(
    session: Session, program: Program, options: dict[str, Any]
) -> tuple[OptimizationResult, dict[str, Any]]:
    from accelscope.core.analysis.optimize.front import require_search_extra
    from accelscope.core.analysis.optimize.run import optimize_study as searched
    from accelscope.core.analysis.optimize.space import build_search_space
    from accelscope.core.analysis.optimize.summary import search_to_dict
    from accelscope.core.query.run import select_study

    require_search_extra()
    space = build_search_space(
        program, session.registry, select_study(program, options["study"]), options["sets"]
    )
    found = searched(
        space, seed=options["seed"], evaluations=options["evaluations"], progress=_progress("points")
    )
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return found, search_to_dict(found, options["sets"])


def _deployed(
    session: Session, settings: GlobalOptions, file: str | None, options: dict[str, Any], *, curves: bool
) -> DeploymentSearchResult:
    from accelscope.core.analysis.deployments.request import (
        DeploymentRequest,
        build_deployment_problem,
        choose_precisions,
    )
    from accelscope.core.analysis.deployments.run import search_deployments, select_candidate_systems

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
    asked = DeploymentRequest(
        file=file,
        model=options["model"],
        deployment=options["deployment"],
        workload=options["workload"],
        load=load,
        slo=options["slo"],
    )
    wish = build_deployment_problem(session, asked)
    types = choose_precisions(session, asked, wish, options["precision"])
    names = [name for name in (options["systems"] or "").split(",") if name.strip()]
    return search_deployments(
        session,
        wish,
        select_candidate_systems(session, [name.strip() for name in names], options["vendor"], types),
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


def _study_written(found: OptimizationResult, told: dict[str, Any], form: str) -> str:
    from accelscope.core.analysis.optimize import report as show
    from accelscope.core.analysis.optimize.figures import plot_study_front
    from accelscope.core.render.plot_pages import render_plot_page, render_plot_svg

    if form == "svg":
        return render_plot_svg(plot_study_front(found, told)[0])
    if form == "html":
        pictures = plot_study_front(found, told)
        return render_plot_page(
            f"Search of {told['study']}",
            show.summarize_search(told),
            pictures,
            show.format_search_table(told),
        )
    written: str = {
        "table": show.format_search_table,
        "json": show.format_search_json,
        "csv": show.format_search_csv,
    }[form](told)
    return written


def _deployments_written(found: DeploymentSearchResult, form: str, goal: str | None) -> str:
    from accelscope.core.analysis.deployments import report as show
    from accelscope.core.analysis.optimize.figures import plot_deployments
    from accelscope.core.render.plot_pages import render_plot_page, render_plot_svg

    if goal is not None:
        return show.format_winner_scenario(found, goal)
    if form == "svg":
        return render_plot_svg(plot_deployments(found)[0])
    if form == "html":
        return render_plot_page(
            "Deployments",
            show.summarize_deployments(found),
            plot_deployments(found),
            show.format_deployments_table(found),
        )
    written: str = {
        "table": show.format_deployments_table,
        "json": show.format_deployments_json,
        "csv": show.format_deployments_csv,
    }[form](found)
    return written
