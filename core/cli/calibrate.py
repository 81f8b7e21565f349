"""`calibrate`: physical parameters of kernels from measurements."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import open_session, print_message
from accelscope.core.cli.main import OK, GlobalOptions
from accelscope.core.cli.options import format_option, jobs_option, where_option
from accelscope.core.io.output import open_output
from accelscope.core.render.document import format_document_text
from accelscope.core.render.table_formats import format_json
from accelscope.core.render.text_style import describe_stream

if TYPE_CHECKING:
    from accelscope.core.analysis.calibrate.fits import CalibrationFits
    from accelscope.core.analysis.calibrate.report import HoldoutError
    from accelscope.core.session import Session


@click.command(cls=VerbCommand)
@click.argument("files", nargs=-1, required=True, metavar="CSV...")
@where_option()
@click.option(
    "--runtimes",
    metavar="FILE",
    help="Fit the engine overheads of the runtimes in a file to static batches; -o is the file with new values.",
)
@click.option(
    "--trainers", metavar="FILE", help="The same for the runtimes in a file that train, to training steps."
)
@click.option(
    "--judge/--no-judge", default=True, help="Refit on parts, to measure the error on rows that are left out."
)
@jobs_option(default=1, help="Processes.")
@format_option("table", "json")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE|FOLDER",
    help="A file for all blocks, or a folder (it ends in / or exists) for the layout that libraries ship.",
)
@click.pass_obj
def calibrate(
    settings: GlobalOptions,
    files: tuple[str, ...],
    where: tuple[str, ...],
    judge: bool,
    jobs: int,
    runtimes: str | None,
    trainers: str | None,
    form: str,
    output: str,
) -> int:
    """Fit the parameters of kernels to measurements, and write them as calibration blocks.

    Rows of score 1 are fitted, on logarithms and robustly: classes of devices, then families, devices, and the kernels of
    their runtimes, each drawn towards the one before. What is printed is the error on rows that were left out of the fit:
    configurations, whole devices, whole families.
    """
    from accelscope.core.analysis.calibrate import report

    session = open_session(settings)
    if runtimes is not None or trainers is not None:
        found = _paces(session, files, runtimes, trainers, where, judge, output)
    else:
        from accelscope.core.analysis.calibrate.run import calibrate_kernels

        book, sources = calibrate_kernels(
            session, files, where, judge=judge, jobs=jobs, progress=print_message
        )
        _write(book, sources, output)
        found = report.compute_holdout_errors(book.held_out)
    if form == "json":
        sys.stdout.write(format_json(report.holdout_errors_to_records(found)))
    else:
        sys.stdout.write(
            format_document_text(report.build_holdout_blocks(found), describe_stream(sys.stdout))
        )
    return OK


def _paces(
    session: Session,
    files: tuple[str, ...],
    runtimes: str | None,
    trainers: str | None,
    where: tuple[str, ...],
    judge: bool,
    output: str,
) -> list[HoldoutError]:
    """Write the file of runtimes that serve, or of those that train, with new paces; return the errors."""
    from accelscope.core.analysis.calibrate.runtime_run import RUNTIME_HOLDOUTS, calibrate_runtimes
    from accelscope.core.analysis.calibrate.training_run import calibrate_training

    kinds = RUNTIME_HOLDOUTS if judge else ()
    if runtimes is not None:
        text, found = calibrate_runtimes(
            session, files, runtimes, where=where, judge=kinds, progress=print_message
        )
    else:
        assert trainers is not None  # one of the two is asked for
        text, found = calibrate_training(
            session, files, trainers, where=where, judge=kinds, progress=print_message
        )
    with open_output(output) as stream:
        stream.write(text)
    return found


def _write(book: CalibrationFits, sources: tuple[str, ...], output: str) -> None:
    from accelscope.core.analysis.calibrate import write

    if not output.endswith(("/", os.sep)) and not Path(output).is_dir():
        with open_output(output) as stream:
            stream.write(write.format_calibration_file(book, sources))
        return
    for module, text in write.format_calibration_modules(book, sources).items():
        path = Path(output).joinpath(*module.split(".")).with_suffix(".accel")
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_output(str(path)) as stream:
            stream.write(text)
