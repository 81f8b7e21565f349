"""`study`: a folder of descriptions to one page and tables."""

from __future__ import annotations

import time
from pathlib import Path

import rich_click as click

from accelscope.core.cli.common import open_session, print_message
from accelscope.core.cli.main import OK, GlobalOptions


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write to.")
@click.option("--root", multiple=True, metavar="DIR", help="Also allow `use` of files below DIR.")
@click.option("--workers", type=click.IntRange(1), help="Processes; one for each core by default.")
@click.pass_obj
def study(
    settings: GlobalOptions, folder: Path, output: Path, root: tuple[str, ...], workers: int | None
) -> int:
    """Compare architectures as the files of FOLDER say: one page that works offline, and CSV files of its tables.

    The files hold blocks of kind architecture, grid, strategies, software, gaps and claim; `accelscope models KIND` tells
    the fields of each, and examples/studies/cross_architecture is a whole study to start from.
    """
    from accelscope.core.analysis.architecture_study.run import create_study_output, run_study, write_study
    from accelscope.core.analysis.jobs.jobs import JobEvaluator

    session = open_session(settings, root)
    create_study_output(output)
    start = time.perf_counter()
    found = run_study(JobEvaluator.of(session), folder, settings.disabled, workers)
    written = write_study(found, output)
    for section in found.sections:
        for finding in section.findings[:1]:
            click.echo(f"{section.title}: {finding}")
    print_message(f"{len(written)} files in {time.perf_counter() - start:.0f} s; open {written[0]}")
    return OK
