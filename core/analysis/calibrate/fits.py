"""All fits of a calibration: subject by subject, simple kernels first, each with how far off it is on unseen rows."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial
from itertools import groupby

import numpy as np
from attrs import define, field, frozen

from accelscope.core.analysis.calibrate.cross_validation import (
    HeldOutRows,
    cross_validate_kernels,
    residuals_at,
)
from accelscope.core.analysis.calibrate.hierarchy import (
    FitScope,
    ScopeFits,
    fit_kernel_class,
    list_fit_scopes,
)
from accelscope.core.analysis.calibrate.kernel_parameters import fit_order_of
from accelscope.core.analysis.calibrate.regression import estimate_error_spread
from accelscope.core.analysis.calibrate.samples import (
    KernelSample,
    KernelVariant,
    OtherKernels,
    build_kernel,
    take_sample_rows,
)
from accelscope.core.analysis.jobs.parallel_map import can_fork, parallel_map
from accelscope.core.blocks.calibration import CalibrationLayer, Kernel
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.registry import Registry

_FEWEST = 8  # residuals that a spread can be told from


@frozen(eq=False)
class KernelFit:
    """A kernel at a place, with its spread and points."""

    place: FitScope
    subject: KernelVariant
    kernel: Kernel


@define(eq=False)
class CalibrationFits:
    """What a calibration found.

    Attributes:
        entries: kernels by place.
        held_out: rows that were predicted without being fitted to.
    """

    registry: Registry
    entries: list[KernelFit] = field(factory=list)
    held_out: list[HeldOutRows] = field(factory=list)

    def layers(self, sample: KernelSample) -> tuple[CalibrationLayer, ...]:
        """Return what is known so far of the kernels of a sample's device and runtime, nearest first."""
        found = []
        for place in list_fit_scopes(sample):
            kernels: dict[str, tuple[Kernel, ...]] = {}
            for entry in self.entries:
                if entry.place == place:
                    name = entry.subject.kernel
                    kernels[name] = (*kernels.get(name, ()), entry.kernel)
            if kernels:
                found.append(CalibrationLayer(origin=place.origin, runtime=place.runtime, kernels=kernels))
        return tuple(found)


def fit_kernels(
    samples: Sequence[KernelSample],
    registry: Registry,
    *,
    judge: bool = True,
    jobs: int = 1,
    progress: Callable[[str], None] = print,
) -> CalibrationFits:
    """Return the fits of all subjects.

    Args:
        samples: measured rows, of any kernels and devices.
        registry: models of kernels.
        judge: whether to refit on parts, to know the error on rows that were not fitted to.
        jobs: processes to use.
        progress: is told which subject is done.
    """
    book = CalibrationFits(registry)
    subjects = sorted({sample.subject for sample in samples}, key=_order)
    for _, same in groupby(subjects, key=lambda subject: fit_order_of(subject.kernel)):
        tasks = [_task(subject, samples, book, judge) for subject in same]
        for task, (fits, found) in zip(tasks, _done(tasks, jobs), strict=True):
            book.held_out.extend(found)
            book.entries.extend(_entries(task.subject, fits, found))
            points = sum(map(len, task.samples))
            progress(f"{task.subject.kernel} {task.subject.dtype} {task.subject.stored}: {points} points")
    return book


@frozen(eq=False)
class _Task:
    """The fit of one subject, given what is known of the kernels that its rows hold beside."""

    subject: KernelVariant
    samples: Sequence[KernelSample]
    others: OtherKernels
    registry: Registry
    judge: bool

    def run(self) -> tuple[ScopeFits, list[HeldOutRows]]:
        fits = fit_kernel_class(self.subject, self.samples, self.others, self.registry)
        refit = partial(_refit, self.subject, others=self.others, registry=self.registry, before=fits)
        return fits, list(
            cross_validate_kernels(self.samples, refit, self.others, self.registry)
        ) if self.judge else []


def _task(
    subject: KernelVariant, samples: Sequence[KernelSample], book: CalibrationFits, judge: bool
) -> _Task:
    own = [sample for sample in samples if sample.subject == subject]
    others = {
        around: book.layers(sample) for around, sample in {item.environment: item for item in own}.items()
    }
    return _Task(subject, own, others, book.registry, judge)


def _done(tasks: Sequence[_Task], jobs: int) -> Iterator[tuple[ScopeFits, list[HeldOutRows]]]:
    """Yield the results of tasks in their order; without fork all is done here, since plugins cannot be sent."""
    packed = parallel_map(_run_packed, tasks, jobs=jobs if can_fork() else 1, initializer=int)
    for task, (fits, held_out) in zip(tasks, packed, strict=True):
        yield (
            fits,
            [
                HeldOutRows(split, take_sample_rows(task.samples[of], rows), left)
                for split, of, rows, left in held_out
            ],
        )


def _run_packed(_: int, task: _Task) -> tuple[ScopeFits, list[tuple[str, int, Array, Array]]]:
    """Run a task; samples are given as their number and the places of rows in them, which are short to send."""
    fits, held_out = task.run()
    places = {
        int(row): (of, place)
        for of, sample in enumerate(task.samples)
        for place, row in enumerate(sample.rows)
    }
    packed = []
    for item in held_out:
        pairs = [places[int(row)] for row in item.sample.rows]
        packed.append((item.split, pairs[0][0], np.array([place for _, place in pairs]), item.residuals))
    return fits, packed


def _refit(
    subject: KernelVariant,
    samples: Sequence[KernelSample],
    wanted: Container[FitScope],
    others: OtherKernels,
    registry: Registry,
    before: ScopeFits,
) -> ScopeFits:
    return fit_kernel_class(subject, samples, others, registry, wanted, before)


def _order(subject: KernelVariant) -> tuple[int, str, str, str]:
    return fit_order_of(subject.kernel), subject.kernel, subject.dtype, subject.stored


def _entries(subject: KernelVariant, fits: ScopeFits, found: Sequence[HeldOutRows]) -> list[KernelFit]:
    entries = []
    for place, fit in fits.items():
        residuals = residuals_at(place, found)
        about = {"measurement_count": float(fit.points)}
        if len(residuals) >= _FEWEST:
            about["log_error_std"] = estimate_error_spread(residuals)
        entries.append(KernelFit(place, subject, build_kernel(subject, fit.values, **about)))
    return entries
