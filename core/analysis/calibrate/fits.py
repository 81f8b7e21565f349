"""All fits of a calibration: subject by subject, simple kernels first, each with how far off it is on unseen rows."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import groupby

import numpy as np
from attrs import define, field, frozen

from accelscope.core.analysis.calibrate.cross_validation import Judged, judged, residuals_at
from accelscope.core.analysis.calibrate.hierarchy import Fits, Place, fit_subject, places_of
from accelscope.core.analysis.calibrate.kernel_parameters import order_of
from accelscope.core.analysis.calibrate.regression import spread_of
from accelscope.core.analysis.calibrate.samples import Others, Sample, Subject, made, taken
from accelscope.core.blocks.calibration import Kernel, Layer
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.registry import Registry

_FEWEST = 8  # residuals that a spread can be told from


@frozen(eq=False)
class Entry:
    """A kernel at a place, with its spread and points."""

    place: Place
    subject: Subject
    kernel: Kernel


@define(eq=False)
class Book:
    """What a calibration found.

    Attributes:
        entries: kernels by place.
        judged: rows that were predicted without being fitted to.
    """

    registry: Registry
    entries: list[Entry] = field(factory=list)
    judged: list[Judged] = field(factory=list)

    def layers(self, sample: Sample) -> tuple[Layer, ...]:
        """Return what is known so far of the kernels of a sample's device and runtime, nearest first."""
        found = []
        for place in places_of(sample):
            kernels: dict[str, tuple[Kernel, ...]] = {}
            for entry in self.entries:
                if entry.place == place:
                    name = entry.subject.kernel
                    kernels[name] = (*kernels.get(name, ()), entry.kernel)
            if kernels:
                found.append(Layer(origin=place.origin, runtime=place.runtime, kernels=kernels))
        return tuple(found)


def calibrated(
    samples: Sequence[Sample],
    registry: Registry,
    *,
    judge: bool = True,
    jobs: int = 1,
    progress: Callable[[str], None] = print,
) -> Book:
    """Return the fits of all subjects.

    Args:
        judge: whether to refit on parts, to know the error on rows that were not fitted to.
        jobs: processes to use.
        progress: is told which subject is done.
    """
    book = Book(registry)
    subjects = sorted({sample.subject for sample in samples}, key=_order)
    for _, same in groupby(subjects, key=lambda subject: order_of(subject.kernel)):
        tasks = [_task(subject, samples, book, judge) for subject in same]
        for task, (fits, found) in zip(tasks, _done(tasks, jobs), strict=True):
            book.judged.extend(found)
            book.entries.extend(_entries(task.subject, fits, found))
            points = sum(map(len, task.samples))
            progress(f"{task.subject.kernel} {task.subject.dtype} {task.subject.stored}: {points} points")
    return book


@frozen(eq=False)
class _Task:
    """The fit of one subject, given what is known of the kernels that its rows hold beside."""

    subject: Subject
    samples: Sequence[Sample]
    others: Others
    registry: Registry
    judge: bool

    def run(self) -> tuple[Fits, list[Judged]]:
        fits = fit_subject(self.subject, self.samples, self.others, self.registry)
        refit = partial(_refit, self.subject, others=self.others, registry=self.registry, before=fits)
        return fits, list(judged(self.samples, refit, self.others, self.registry)) if self.judge else []


def _task(subject: Subject, samples: Sequence[Sample], book: Book, judge: bool) -> _Task:
    own = [sample for sample in samples if sample.subject == subject]
    others = {around: book.layers(sample) for around, sample in {item.around: item for item in own}.items()}
    return _Task(subject, own, others, book.registry, judge)


def _done(tasks: Sequence[_Task], jobs: int) -> Iterator[tuple[Fits, list[Judged]]]:
    """Yield the results of tasks in their order; workers inherit the tasks, since plugins cannot be sent to them."""
    if jobs <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from (task.run() for task in tasks)
        return
    _SHARED[:] = tasks
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        for index, (fits, found) in enumerate(pool.map(_run_shared, range(len(tasks)))):
            own = tasks[index].samples
            yield fits, [Judged(split, taken(own[of], rows), left) for split, of, rows, left in found]
    _SHARED.clear()


_SHARED: list[_Task] = []


def _run_shared(index: int) -> tuple[Fits, list[tuple[str, int, Array, Array]]]:
    """Run a task in a worker; samples go back as their number and the places of rows in them."""
    task = _SHARED[index]
    fits, found = task.run()
    places = {
        int(row): (of, place)
        for of, sample in enumerate(task.samples)
        for place, row in enumerate(sample.rows)
    }
    back = []
    for item in found:
        pairs = [places[int(row)] for row in item.sample.rows]
        back.append((item.split, pairs[0][0], np.array([place for _, place in pairs]), item.residuals))
    return fits, back


def _refit(
    subject: Subject,
    samples: Sequence[Sample],
    wanted: Container[Place],
    others: Others,
    registry: Registry,
    before: Fits,
) -> Fits:
    return fit_subject(subject, samples, others, registry, wanted, before)


def _order(subject: Subject) -> tuple[int, str, str, str]:
    return order_of(subject.kernel), subject.kernel, subject.dtype, subject.stored


def _entries(subject: Subject, fits: Fits, found: Sequence[Judged]) -> list[Entry]:
    entries = []
    for place, fit in fits.items():
        residuals = residuals_at(place, found)
        about = {"points": float(fit.points)}
        if len(residuals) >= _FEWEST:
            about["spread"] = spread_of(residuals)
        entries.append(Entry(place, subject, made(subject, fit.values, **about)))
    return entries
