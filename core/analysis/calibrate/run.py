"""From files of measurements to a book of fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from accelscope.core.analysis.calibrate.fits import Book, calibrated
from accelscope.core.analysis.calibrate.samples import samples_of
from accelscope.core.analysis.validate.library_names import Names
from accelscope.core.analysis.validate.run import tables_of
from accelscope.core.errors import UsageError

if TYPE_CHECKING:
    from accelscope.core.session import Session


def book_of(
    session: Session,
    files: Sequence[str],
    where: Sequence[str],
    *,
    judge: bool = True,
    jobs: int = 1,
    progress: Callable[[str], None] = print,
) -> tuple[Book, tuple[str, ...]]:
    """Return the fits of the kernels in some files, and the sources of their rows.

    Args:
        where: texts `column=value` that a row has to meet.
        judge: whether to refit on parts as well.
        jobs: processes to use.
        progress: is told which kernel is done.

    Raises:
        UsageError: a file or a condition is wrong, or no row is a kernel of score 1.
    """
    tables = [table for table in tables_of(files, where=where) if table.layout.kind == "ops"]
    kept = [table.take(table.number("score") == 1) for table in tables]
    names = Names(session)
    samples = [sample for table in kept for sample in samples_of(table, names)]
    if not samples:
        raise UsageError("no row of score 1 is a kernel that a model of the library can be fitted to")
    sources = sorted({str(name) for table in kept for name in table.text("source")})
    return calibrated(samples, session.registry, judge=judge, jobs=jobs, progress=progress), tuple(sources)
