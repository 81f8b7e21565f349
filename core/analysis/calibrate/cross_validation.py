"""How good a fit is on what it has not seen: folds of configurations, and whole devices and families left out."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from zlib import crc32

import numpy as np
from attrs import frozen

from accelscope.core.analysis.calibrate.hierarchy import Fit, Fits, Place, places_of
from accelscope.core.analysis.calibrate.samples import Others, Sample, taken, times
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.registry import Registry

FOLDS = 4
SPLITS = ("configuration", "device", "family")
"""What is left out: configurations of a device that is known otherwise, a device with known siblings, a whole family."""

Refit = Callable[[Sequence[Sample], Container[Place]], Fits]
"""Samples and the places that are needed to the fits of their subject."""


@frozen(eq=False)
class Judged:
    """Rows that were predicted without being fitted to.

    Attributes:
        split: what was left out.
        sample: rows of one kernel on one device.
        residuals: logarithms of predicted over measured.
    """

    split: str
    sample: Sample
    residuals: Array


def judged(
    samples: Sequence[Sample],
    refit: Refit,
    others: Others,
    registry: Registry,
    folds: int = FOLDS,
) -> Iterator[Judged]:
    """Yield every row of the samples of one subject as each split predicts it.

    Args:
        refit: fits the subject anew to what is not left out.
        others: what is known of other kernels, by what runs them.
    """
    for fold in range(folds):
        kept = [part for sample in samples if len(part := _fold(sample, fold, folds, inside=False))]
        left = [part for sample in samples if len(part := _fold(sample, fold, folds, inside=True))]
        yield from _judge("configuration", left, kept, refit, others, registry)
    for device in sorted({sample.device for sample in samples}):
        left = [sample for sample in samples if sample.device == device]
        kept = [sample for sample in samples if sample.device != device]
        yield from _judge("device", left, kept, refit, others, registry)
    for family in sorted({str(sample.family) for sample in samples}):
        left = [sample for sample in samples if str(sample.family) == family]
        kept = [sample for sample in samples if str(sample.family) != family]
        yield from _judge("family", left, kept, refit, others, registry)


def _fold(sample: Sample, fold: int, folds: int, *, inside: bool) -> Sample:
    belongs = np.array([crc32(item.encode()) % folds == fold for item in sample.configuration])
    return taken(sample, np.flatnonzero(belongs if inside else ~belongs))


def _judge(
    split: str,
    left: Sequence[Sample],
    kept: Sequence[Sample],
    refit: Refit,
    others: Others,
    registry: Registry,
) -> Iterator[Judged]:
    fits = refit(kept, {place for sample in left for place in places_of(sample)})
    for sample in left:
        fit = nearest_fit(sample, fits)
        if fit is None:
            continue
        predicted = times(sample, fit.values, others.get(sample.around, ()), registry)
        yield Judged(split, sample, np.log(predicted) - np.log(sample.measured))


def nearest_fit(sample: Sample, fits: Fits) -> Fit | None:
    """Return the fit that a sample's kernel would be predicted with, or None without one."""
    return next((fits[place] for place in places_of(sample) if place in fits), None)


def residuals_at(place: Place, found: Sequence[Judged]) -> Array:
    """Return the residuals that say how far off a place's values are: on its own device, on its siblings, on others."""
    split = {"device": "configuration", "family": "device", "model": "family"}[place.origin]
    chosen = [item.residuals for item in found if item.split == split and place in places_of(item.sample)]
    return np.concatenate(chosen) if chosen else np.zeros(0)
