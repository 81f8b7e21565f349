"""`study`: a folder of descriptions to one page and tables."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import describe_command, open_session, print_message
from accelscope.core.cli.main import OK, GlobalOptions
from accelscope.core.cli.options import jobs_option, root_option
from accelscope.core.render.text_style import describe_stream


@click.command(cls=VerbCommand)
@click.argument("folder", type=click.Path(path_type=Path))
@root_option()
@jobs_option()
@click.option("--workers", "old_jobs", type=click.IntRange(1), hidden=True)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder to write to.",
)
@click.pass_obj
def study(
    settings: GlobalOptions,
    folder: Path,
    output: Path,
    root: tuple[str, ...],
    jobs: int | None,
    old_jobs: int | None,
) -> int:
    """Compare architectures as the files of FOLDER say: one page that works offline, and CSV files of its tables.

    The files hold blocks of kind architecture, grid, strategies, software, gaps and claim; `accelscope models KIND` lists
    the fields of each, and examples/studies/cross_architecture is a whole study to start from.
    """
    from accelscope.core.analysis.architecture_study.run import create_study_output, run_study, write_study
    from accelscope.core.analysis.jobs.jobs import JobEvaluator

    session = open_session(settings, root)
    create_study_output(output)
    start = time.perf_counter()
    found = run_study(JobEvaluator.of(session), folder, settings.disabled, jobs or old_jobs)
    written = write_study(found, output, command=describe_command())
    style = describe_stream(sys.stdout)
    for section in found.sections:
        for finding in section.findings[:1]:
            sys.stdout.write(style.wrap(f"{section.title}: {finding}", "  ") + "\n")
    print_message(f"{len(written)} files in {time.perf_counter() - start:.0f} s; open {written[0]}")
    return OK
