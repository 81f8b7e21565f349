"""From files of measurements to a book of fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from accelscope.core.analysis.calibrate.fits import CalibrationFits, fit_kernels
from accelscope.core.analysis.calibrate.samples import collect_kernel_samples
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.run import read_filtered_tables
from accelscope.core.errors import UsageError

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace


def calibrate_kernels(
    session: Workspace,
    files: Sequence[str],
    where: Sequence[str],
    *,
    judge: bool = True,
    jobs: int = 1,
    progress: Callable[[str], None] = print,
) -> tuple[CalibrationFits, tuple[str, ...]]:
    """Return the fits of the kernels in some files, and the sources of their rows.

    Args:
        session: session whose library describes the devices.
        files: tables of measurements.
        where: texts `column=value` that a row has to meet.
        judge: whether to refit on parts as well.
        jobs: processes to use.
        progress: is told which kernel is done.

    Raises:
        UsageError: a file or a condition is wrong, or no row is a kernel of score 1.
    """
    tables = [table for table in read_filtered_tables(files, where=where) if table.layout.kind == "ops"]
    kept = [table.take(table.number("score") == 1) for table in tables]
    names = LibraryNames(session)
    samples = [sample for table in kept for sample in collect_kernel_samples(table, names)]
    if not samples:
        raise UsageError("no row of score 1 is a kernel that a model of the library can be fitted to")
    sources = sorted({str(name) for table in kept for name in table.text("source")})
    return fit_kernels(samples, session.registry, judge=judge, jobs=jobs, progress=progress), tuple(sources)
