"""All fits of a calibration: subject by subject, simple kernels first, each with how far off it is on unseen rows."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial

from attrs import define, field, frozen

from accelscope.core.calibrate.fit import spread_of
from accelscope.core.calibrate.fitted import order_of
from accelscope.core.calibrate.judge import Judged, judged, residuals_at
from accelscope.core.calibrate.samples import Sample, Subject, made
from accelscope.core.calibrate.tree import Fits, Place, fit_subject, places_of
from accelscope.core.kernels import Kernel, Layer
from accelscope.core.registry import Registry

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
    progress: Callable[[str], None] = print,
) -> Book:
    """Return the fits of all subjects.

    Args:
        judge: whether to refit on parts, to know the error on rows that were not fitted to.
        progress: is told which subject is done.
    """
    book = Book(registry)
    for subject in sorted({sample.subject for sample in samples}, key=_order):
        own = [sample for sample in samples if sample.subject == subject]
        others = {sample.device: book.layers(sample) for sample in own}
        fits = fit_subject(subject, own, others, registry)
        refit = partial(_refit, subject, others=others, registry=registry, before=fits)
        found = list(judged(own, refit, others, registry)) if judge else []
        book.judged.extend(found)
        book.entries.extend(_entries(subject, fits, found))
        progress(f"{subject.kernel} {subject.dtype} {subject.stored}: {sum(map(len, own))} points")
    return book


def _refit(
    subject: Subject,
    samples: Sequence[Sample],
    wanted: Container[Place],
    others: Mapping[str, Sequence[Layer]],
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
