"""`search`: the best points of a study that is too large to enumerate, or the best deployments of a model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import describe_command, open_session, refuse_number_as_file
from accelscope.core.cli.main import INFEASIBLE, OK, GlobalOptions
from accelscope.core.cli.options import (
    add_options,
    evaluation_options,
    jobs_option,
    output_options,
    split_names,
    study_option,
    token_options,
)
from accelscope.core.errors import UsageError
from accelscope.core.io.output import open_output
from accelscope.core.render.text_style import TextStyle, describe_stream

if TYPE_CHECKING:
    from accelscope.core.analysis.deployments.run import DeploymentSearchResult
    from accelscope.core.analysis.optimize.run import OptimizationResult
    from accelscope.core.render.document import Block
    from accelscope.core.render.plot_figure import PlotFigure
    from accelscope.core.session import Session
    from accelscope.dsl.check.program import Program

_PLOT_FORMATS = ("html", "svg")
"""Formats with plots."""

_LOAD_FIELDS = (
    ("prompt", "prompt_tokens", " tok"),
    ("output", "output_tokens", " tok"),
    ("concurrency", "concurrency", ""),
    ("batch", "batch", ""),
)
"""Fields of a workload, each with the option that gives it and the unit."""
_GOALS = ("cheapest", "fastest", "most frugal")
_OPTIONS = add_options(
    study_option(),
    click.option(
        "--model", metavar="NAME", help="What is to be deployed: of the library, or FILE.accel:NAME."
    ),
    click.option("--systems", metavar="A,B,...", help="Only these systems, or FILE.accel:NAME; default all."),
    click.option("--vendor", metavar="NAME", help="Only systems with something that this vendor makes."),
    click.option("--deployment", metavar="NAME", help="What all extend, if FILE has several."),
    click.option("--workload", metavar="NAME", help="Load in FILE, or FILE.accel:NAME."),
    evaluation_options(),
    token_options(prompt=None, output=None, note=" Default 1024 and 256."),
    click.option(
        "--concurrency",
        type=click.IntRange(1),
        metavar="N",
        help="Requests in flight; without it or --batch, 1 to 1024 are tried.",
    ),
    click.option(
        "--batch", type=click.IntRange(1), metavar="N", help="Sequences that start and end together."
    ),
    click.option("--precision", metavar="TYPES", help="Of weights: bf16,fp8 unless the model says one."),
    click.option(
        "--slo", multiple=True, metavar="TEXT", help="A condition such as 'ttft <= 2 s', or a name as above."
    ),
    click.option(
        "--devices",
        type=click.IntRange(1),
        metavar="N",
        default=64,
        show_default=True,
        help="Most of one deployment.",
    ),
    click.option("--no-pools", is_flag=True, help="Do not try pools for prefill and decode."),
    click.option(
        "--evaluations",
        type=click.IntRange(1),
        metavar="N",
        default=8_000,
        show_default=True,
        help="Most points of a study that are evaluated; a space with no more is evaluated whole.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        metavar="N",
        default=0,
        show_default=True,
        help="Of random choices of a study.",
    ),
    jobs_option(),
    click.option(
        "--show-text", type=click.Choice(_GOALS), help="Print the best deployment as a file to start from."
    ),
    output_options("table", "json", "csv", "html", "svg"),
)


@click.command(cls=VerbCommand)
@click.argument("file", required=False)
@_OPTIONS
@click.pass_obj
def search(
    settings: GlobalOptions, /, file: str | None, form: str, output: str | None, **options: Any
) -> int:
    """Search a study for the points that no other beats, or all systems for the best deployments of a model.

    A FILE with a study: its axes (`sweep` and `tune`) are searched for the Pareto front of its goals, under its
    requirements and all limits. With --model, or a FILE that holds a load, targets and a deployment without a system: every
    parallelism, load, chunk, data type and pair of pools on every system is evaluated, for the cheapest, the fastest and
    the most frugal deployment.

    Exits with 3 if nothing keeps all limits and requirements.
    """
    from accelscope.core.analysis.deployments.request import list_file_folders

    refuse_number_as_file(output)
    if form in _PLOT_FORMATS:
        from accelscope.core.render.plot_pages import require_plot_library

        require_plot_library(form)
    named = (options["model"], options["workload"], *options["slo"], *split_names(options["systems"]))
    session = open_session(settings, (*options["root"], *list_file_folders(named)))
    program = session.checked(file) if file is not None else None
    with open_output(output) as stream:
        if program is not None and options["model"] is None and _asks(program):
            found, told = _studied(session, program, options)
            stream.write(_study_written(found, told, form, describe_stream(stream)))
            return OK if told["front"] else INFEASIBLE
        best = _deployed(session, settings, file, options, curves=form in _PLOT_FORMATS)
        stream.write(_deployments_written(best, form, options["show_text"], describe_stream(stream)))
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
    from accelscope.core.query.selection import select_study

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
    load = {
        field: f"{options[name]}{unit}" for field, name, unit in _LOAD_FIELDS if options[name] is not None
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
    names = split_names(options["systems"])
    return search_deployments(
        session,
        wish,
        select_candidate_systems(session, names, options["vendor"], types),
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


def _study_written(found: OptimizationResult, summary: dict[str, Any], form: str, style: TextStyle) -> str:
    from accelscope.core.analysis.optimize import report
    from accelscope.core.analysis.optimize.figures import plot_study_front

    if form == "json":
        return report.format_search_json(summary)
    if form == "csv":
        return report.format_search_csv(summary)
    if form == "table":
        return report.format_search_table(summary, style)
    blocks = tuple(report.build_search_blocks(summary))
    return _plotted(form, f"Search of {summary['study']}", plot_study_front(found, summary), blocks)


def _deployments_written(found: DeploymentSearchResult, form: str, goal: str | None, style: TextStyle) -> str:
    from accelscope.core.analysis.deployments import report
    from accelscope.core.analysis.deployments.figures import plot_deployments

    if goal is not None:
        return report.format_winner_scenario(found, goal)
    if form == "json":
        return report.format_deployments_json(found)
    if form == "csv":
        return report.format_deployments_csv(found)
    if form == "table":
        return report.format_deployments_table(found, style)
    return _plotted(
        form, "Deployments", plot_deployments(found), tuple(report.build_deployment_blocks(found))
    )


def _plotted(form: str, title: str, pictures: Sequence[PlotFigure], blocks: Sequence[Block]) -> str:
    """Return plots as SVG, the first one alone, or as a page with the blocks."""
    from accelscope.core.render.plot_pages import render_plot_page, render_plot_svg

    if form == "svg":
        return render_plot_svg(pictures[0])
    return render_plot_page(title, pictures, blocks, command=describe_command())
