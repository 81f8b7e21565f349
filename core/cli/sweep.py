"""`sweep`: every point of a study."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import find_report, open_session, print_message
from accelscope.core.cli.main import INFEASIBLE, INTERNAL, INTERRUPTED, OK, GlobalOptions
from accelscope.core.cli.options import (
    evaluation_options,
    format_option,
    jobs_option,
    metrics_option,
    output_option,
    split_names,
    study_option,
)
from accelscope.core.errors import UsageError
from accelscope.core.io.output import open_output
from accelscope.core.render.table_formats import format_json
from accelscope.core.render.text_style import describe_stream

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Report
    from accelscope.core.session import Session
    from accelscope.core.sweep.plan import ChunkTable, SweepPlan
    from accelscope.core.sweep.report import SweepProgress
    from accelscope.core.sweep.run import SweepRun
    from accelscope.core.sweep.summary import SweepSummary
    from accelscope.core.sweep.workers.job import SweepJob
    from accelscope.core.sweep.workers.sweep import SweepDestination
    from accelscope.core.sweep.writers import TableWriter

_SUMMARY_FORMATS = ("json", "table")
"""Formats that print a summary; others print every point."""


@click.command(cls=VerbCommand)
@click.argument("file")
@study_option()
@evaluation_options()
@metrics_option("Compute these, or `all`, instead of the headline metrics.")
@click.option(
    "--pareto",
    "trade",
    metavar="A,B,...",
    help="Goals and metrics to trade off; without it what the study reports, its goals, or tpot and "
    "throughput_per_device.",
)
@click.option(
    "--resume", is_flag=True, help="Continue what the store DIR/ holds; chunks that failed are tried again."
)
@jobs_option(help="Processes; for a store one for each core by default.")
@click.option(
    "--cluster", metavar="ADDRESS", help="Let a Dask cluster evaluate: the address of its scheduler."
)
@format_option()
@output_option(
    "Also write every point there: .parquet, .csv, .json or .md, or DIR/ for a store that can be continued."
)
@click.pass_obj
def sweep(
    settings: GlobalOptions,
    file: str,
    study: str | None,
    sets: tuple[str, ...],
    root: tuple[str, ...],
    metrics: str | None,
    trade: str | None,
    form: str,
    output: str | None,
    resume: bool,
    jobs: int | None,
    cluster: str | None,
) -> int:
    """Evaluate every point of a study's sweeps, with the best tuned values of each, and print the best of them.

    `--format json` and `table` print the summary; `csv` and `md` print every point.
    """
    before = time.process_time()  # of starting Python and the command line
    start = time.perf_counter()
    session = open_session(settings, root)
    report = find_report(session, form)
    from accelscope.core.sweep.summary import create_sweep_summary

    names = split_names(trade)
    wanted = _metrics(session, metrics, names)
    store = output if output is not None and _is_folder(output) else None
    if resume and store is None:
        raise UsageError("--resume continues a store: name its folder with -o DIR/")
    plan = _plan_with_warnings(session, file, study, sets, wanted)
    startup = before + time.perf_counter() - start
    files = _files(form, None if store else output)
    whole = _reports_of_whole_results(session, plan, report, output)
    if whole:
        if store is not None or cluster is not None:
            raise UsageError(
                f"--format {report.name} has limits and the breakdown of every point, which a store does not keep; "
                "choose json, table, csv or md, or write a file"
            )
        found = _evaluate_whole(plan, create_sweep_summary(plan, names), files, whole)
    elif store is None and cluster is None and jobs is None and plan.options.workers is None:
        found = _swept(plan, create_sweep_summary(plan, names), files)
    else:
        from accelscope.core.sweep.workers.job import build_sweep_job
        from accelscope.core.sweep.workers.sweep import SweepDestination

        job = build_sweep_job(session, plan, file=file, study=study, sets=sets, metrics=wanted, trade=names)
        where = SweepDestination(store=store, resume=resume, jobs=jobs, cluster=cluster)
        found = _apart(plan, job, create_sweep_summary(plan, names), files, where)
    _tell(plan, found, store)
    if form in _SUMMARY_FORMATS:
        from accelscope.core.sweep.report import build_sweep_report, format_sweep_report

        summary = build_sweep_report(plan, found, startup)
        with open_output(None) as stream:
            stream.write(
                format_sweep_report(summary, describe_stream(stream))
                if form == "table"
                else format_json(summary)
            )
    return _code(found)


def _plan_with_warnings(
    session: Session, file: str, study: str | None, sets: tuple[str, ...], metrics: tuple[str, ...] | None
) -> SweepPlan:
    """Return the plan of a study, after saying what of it is not read."""
    from accelscope.core.sweep.planner import plan_sweep

    plan = plan_sweep(session, file, study, sets, metrics=metrics)
    for note in plan.options.notes:
        print_message(f"warning: {note}")
    return plan


def _metrics(session: Session, metrics: str | None, trade: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the metrics to compute: those asked for, or the headline ones, and those of the front."""
    known = session.registry.metrics
    if metrics is not None:
        chosen = tuple(known) if metrics.strip() == "all" else split_names(metrics)
    elif any(name in known for name in trade):
        chosen = tuple(name for name, metric in known.items() if metric.headline)
    else:
        return None
    return (*chosen, *(name for name in trade if name in known))


def _is_folder(name: str) -> bool:
    return name.endswith(("/", os.sep)) or os.path.isdir(name)


def _files(form: str, output: str | None) -> list[tuple[str | None, str]]:
    """Return the files that are written chunk by chunk, each with its format; None is standard output."""
    from accelscope.core.sweep.writers import STREAMED_FORMATS, infer_file_format

    files: list[tuple[str | None, str]] = [(None, form)] if form in STREAMED_FORMATS else []
    return files + (
        [(output, infer_file_format(output))]
        if output is not None and infer_file_format(output) in STREAMED_FORMATS
        else []
    )


@contextmanager
def _watched(
    plan: SweepPlan, files: list[tuple[str | None, str]]
) -> Iterator[tuple[TableWriter, SweepProgress]]:
    """Give what writes the table of a chunk to all files, and what shows progress."""
    from accelscope.core.sweep.report import SweepProgress
    from accelscope.core.sweep.writers import open_table_writer

    with ExitStack() as stack:
        writers = [stack.enter_context(open_table_writer(name, kind, plan.columns)) for name, kind in files]
        progress = stack.enter_context(SweepProgress(plan.points))

        def keep(table: ChunkTable) -> None:
            for write in writers:
                write(table)

        yield keep, progress


def _swept(plan: SweepPlan, summary: SweepSummary, files: list[tuple[str | None, str]]) -> SweepRun:
    """Evaluate a plan in this process."""
    from accelscope.core.sweep.run import run_sweep

    with _watched(plan, files) as (write, progress):
        return run_sweep(plan, summary, write, progress.show)


def _apart(
    plan: SweepPlan,
    asked: SweepJob,
    summary: SweepSummary,
    files: list[tuple[str | None, str]],
    where: SweepDestination,
) -> SweepRun:
    """Let other processes evaluate a plan."""
    from accelscope.core.sweep.workers.sweep import SweepObserver, run_parallel_sweep

    if files:
        where.check_ordered_points()
    with _watched(plan, files) as (write, progress):
        tell = SweepObserver(write=write if files else None, progress=progress.show, say=print_message)
        return run_parallel_sweep(plan, asked, summary, where, tell)


def _reports_of_whole_results(
    session: Session, plan: SweepPlan, report: Report, output: str | None
) -> list[tuple[str | None, Report]]:
    """Return the reports that want all points at once, each with its file; None is standard output.

    Raises:
        UsageError: no report writes files of this suffix, or the format has no tuned values.
    """
    from accelscope.core.sweep.writers import STREAMED_FORMATS, infer_file_format

    reports: list[tuple[str | None, Report]] = []
    if output is not None and not _is_folder(output) and infer_file_format(output) not in STREAMED_FORMATS:
        known = session.registry.reports
        if infer_file_format(output) not in known:
            formats = ", ".join(f".{item}" for item in ("parquet", *sorted(known)))
            raise UsageError(f"-o {os.path.basename(output)}: the suffix names the format, one of {formats}")
        reports.append((output, known[infer_file_format(output)]))
    if report.name not in (*STREAMED_FORMATS, *_SUMMARY_FORMATS):
        reports.append((None, report))
    if reports and plan.tuned:
        name = output if reports[0][0] is not None else f"--format {report.name}"
        raise UsageError(f"{name}: this format has no tuned values; .csv, .parquet and .md have")
    return reports


def _evaluate_whole(
    plan: SweepPlan,
    summary: SweepSummary,
    files: list[tuple[str | None, str]],
    reports: list[tuple[str | None, Report]],
) -> SweepRun:
    """Evaluate a plan in this process, and write reports of all points once they are complete."""
    from accelscope.core.sweep.run import SweepRun, evaluate_chunks, run_sweep
    from accelscope.core.sweep.run_query import ResultCollector, refuse_large_result

    refuse_large_result(plan, printed=False)
    results = ResultCollector(plan)
    run = SweepRun(summary=summary)
    try:
        with ExitStack() as stack:
            streams = [stack.enter_context(open_output(name)) for name, _ in reports]
            with _watched(plan, files) as (write, progress):
                run = run_sweep(plan, summary, write, progress.show, evaluate_chunks(plan, results.add))
            if run.stopped is not None or run.chunk_failures:
                raise _IncompleteSweep
            for (_, report), stream in zip(reports, streams, strict=True):
                report.write((results.collect(),), stream)
    except _IncompleteSweep:
        for name, report in reports:
            print_message(f"warning: `{name or report.name}` is not written: it needs every point")
    return run


class _IncompleteSweep(Exception):
    """Points are missing, so that files of whole results stay as they are."""


def _tell(plan: SweepPlan, found: SweepRun, store: str | None) -> None:
    """Say what went wrong on the way."""
    from accelscope.core.sweep.store.failures import summarize_failures as failures_told

    for line in failures_told(found.chunk_failures):
        print_message(f"warning: {line}")
    if found.stopped is not None:
        print_message(
            f"warning: {found.stopped}: {found.summary.points:,} of {plan.points:,} points are done, and are what is "
            "shown and written"
        )
    if store is not None and (found.stopped is not None or found.chunk_failures):
        print_message(f"--resume continues `{store}`; chunks that failed are tried again")


def _code(found: SweepRun) -> int:
    if found.interrupted:
        return INTERRUPTED
    if found.chunk_failures:
        return INTERNAL
    return OK if found.summary.feasible else INFEASIBLE
