"""How good a fit is on what it has not seen: folds of configurations, and whole devices and families left out."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from zlib import crc32

import numpy as np
from attrs import frozen

from accelscope.core.analysis.calibrate.hierarchy import FitScope, ScopeFit, ScopeFits, list_fit_scopes
from accelscope.core.analysis.calibrate.samples import (
    KernelSample,
    OtherKernels,
    predict_sample_times,
    take_sample_rows,
)
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.registry import Registry

_FOLDS = 4
KERNEL_HOLDOUTS = ("configuration", "device", "family")
"""What is left out: configurations of a device that is known otherwise, a device with known siblings, a whole family."""

RefitFunction = Callable[[Sequence[KernelSample], Container[FitScope]], ScopeFits]
"""Samples and the places that are needed to the fits of their subject."""


@frozen(eq=False)
class HeldOutRows:
    """Rows that were predicted without being fitted to.

    Attributes:
        split: what was left out.
        sample: rows of one kernel on one device.
        residuals: logarithms of predicted over measured.
    """

    split: str
    sample: KernelSample
    residuals: Array


def cross_validate_kernels(
    samples: Sequence[KernelSample],
    refit: RefitFunction,
    others: OtherKernels,
    registry: Registry,
    folds: int = _FOLDS,
) -> Iterator[HeldOutRows]:
    """Yield every row of the samples of one subject as each split predicts it.

    Args:
        samples: all samples of the subject.
        refit: fits the subject anew to what is not left out.
        others: what is known of other kernels, by what runs them.
        registry: models of kernels.
        folds: number of parts that configurations are divided into; each is left out in turn.
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


def _fold(sample: KernelSample, fold: int, folds: int, *, inside: bool) -> KernelSample:
    belongs = np.array([crc32(item.encode()) % folds == fold for item in sample.configuration])
    return take_sample_rows(sample, np.flatnonzero(belongs if inside else ~belongs))


def _judge(
    split: str,
    left: Sequence[KernelSample],
    kept: Sequence[KernelSample],
    refit: RefitFunction,
    others: OtherKernels,
    registry: Registry,
) -> Iterator[HeldOutRows]:
    fits = refit(kept, {place for sample in left for place in list_fit_scopes(sample)})
    for sample in left:
        fit = nearest_fit(sample, fits)
        if fit is None:
            continue
        predicted = predict_sample_times(sample, fit.values, others.get(sample.environment, ()), registry)
        yield HeldOutRows(split, sample, np.log(predicted) - np.log(sample.measured))


def nearest_fit(sample: KernelSample, fits: ScopeFits) -> ScopeFit | None:
    """Return the fit that a sample's kernel would be predicted with, or None without one."""
    return next((fits[place] for place in list_fit_scopes(sample) if place in fits), None)


def residuals_at(place: FitScope, found: Sequence[HeldOutRows]) -> Array:
    """Return the residuals that say how far off a place's values are: on its own device, on its siblings, on others."""
    split = {"device": "configuration", "family": "device", "model": "family"}[place.origin]
    chosen = [
        item.residuals for item in found if item.split == split and place in list_fit_scopes(item.sample)
    ]
    return np.concatenate(chosen) if chosen else np.zeros(0)
