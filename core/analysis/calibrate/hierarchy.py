"""A hierarchy of fits: all devices, families, devices, and in each the runtimes and their kernels.

Every node is drawn towards what is expected of it: its parent's values, changed by what its runtime changed one level
up. A node with few rows is what is expected of it; so what nobody measured is predicted as what is nearest to it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.calibrate.kernel_parameters import kernel_parameters_of, only_moves_bytes
from accelscope.core.analysis.calibrate.parameters import FitParameter, nearest_choice
from accelscope.core.analysis.calibrate.regression import fit_parameters
from accelscope.core.analysis.calibrate.samples import (
    KernelSample,
    KernelVariant,
    OtherKernels,
    merge_samples,
    predict_sample_times,
    take_sample_rows,
)
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.registry import Registry

_FEWEST_ROWS = 12
"""Rows from which on a node is fitted."""
_MOST_DEVICE_ROWS = 250
"""Rows of one device that a fit over several devices sees; further ones would not change what they have in common."""
FIT_LEVELS = ("model", "family", "device")
_EAGER_RUNTIMES = ("torch_eager",)
"""Runtimes whose kernels wait for the host one by one: what starting a small kernel takes there holds for no other."""
_NARROWER = 0.7  # a runtime changes less than a device does

FitValues = dict[str, float]


@frozen
class FitScope:
    """What a node holds for: an origin with its name, and there a runtime, one of its backends and releases, or any."""

    origin: str
    name: str
    runtime: str | None = None
    backend: str | None = None
    release: str | None = None

    @property
    def wider(self) -> FitScope | None:
        """The same with one word less."""
        if self.release is not None:
            return FitScope(self.origin, self.name, self.runtime, self.backend)
        if self.backend is not None:
            return FitScope(self.origin, self.name, self.runtime)
        return FitScope(self.origin, self.name) if self.runtime is not None else None


@frozen(eq=False)
class ScopeFit:
    """Values of one subject at one place, and how many rows they rest on."""

    values: FitValues
    points: int


ScopeFits = Mapping[FitScope, ScopeFit]


def list_fit_scopes(sample: KernelSample) -> list[FitScope]:
    """Return the places that a sample belongs to, nearest first: the order in which parameters are looked up."""
    names = {"device": sample.device, "family": sample.family, "model": sample.model}
    found: list[FitScope] = []
    for origin in reversed(FIT_LEVELS):
        name = names[origin]
        if name is None:
            continue
        words = [
            (backend, release) for backend in (sample.backend, None) for release in (sample.release, None)
        ]
        if sample.runtime is not None:
            found.extend(FitScope(origin, name, sample.runtime, *pair) for pair in dict.fromkeys(words))
        if sample.runtime not in _EAGER_RUNTIMES or not only_moves_bytes(sample.subject.kernel):
            found.append(FitScope(origin, name))
    return found


def fit_kernel_class(
    subject: KernelVariant,
    samples: Sequence[KernelSample],
    others: OtherKernels,
    registry: Registry,
    wanted: Container[FitScope] | None = None,
    before: ScopeFits | None = None,
) -> dict[FitScope, ScopeFit]:
    """Return the fits of a subject at every place that has enough rows.

    Args:
        subject: class of kernel, with its data types.
        samples: all samples of the subject.
        others: what is known of other kernels, by what runs them.
        registry: models of kernels.
        wanted: places that are needed, with those that they are drawn towards; all by default.
        before: a fit to more rows, from which this one starts and whose choices among a few values it keeps.
    """
    parameters = kernel_parameters_of(subject.kernel, subject.dtype)
    by_place: dict[FitScope, list[KernelSample]] = {}
    for sample in samples:
        for place in list_fit_scopes(sample):
            by_place.setdefault(place, []).append(sample)
    found: dict[FitScope, ScopeFit] = {}
    for place in sorted(by_place, key=_depth):
        rows = sum(len(sample) for sample in by_place[place])
        if rows < _FEWEST_ROWS or (wanted is not None and place not in wanted):
            continue
        if place.wider in found and found[place.wider].points == rows:
            continue  # the only runtime, backend or release that there is
        expected = _expected(place, by_place[place][0], parameters, found)
        shared = _thinned(by_place[place]) if place.origin != "device" else by_place[place]
        near = before[place].values if before is not None and place in before else None
        values = _fit(list(merge_samples(shared)), parameters, expected, others, registry, place, near)
        found[place] = ScopeFit(values=values, points=rows)
    return found


def _depth(place: FitScope) -> tuple[int, int, str]:
    words = (place.runtime is not None) + (place.backend is not None) + (place.release is not None)
    return FIT_LEVELS.index(place.origin), words, str(place)


def _expected(
    place: FitScope, sample: KernelSample, parameters: Sequence[FitParameter], found: ScopeFits
) -> FitValues | None:
    """Return what is expected of a place: the wider one's values, changed as in the origin above; None for the root."""
    above = _above(place, sample)
    wider = found.get(place.wider) if place.wider is not None else None
    upper = found.get(above) if above is not None else None
    if wider is None:
        return dict(upper.values) if upper is not None else _start_of(place, sample, found)
    if upper is None or above is None or above.wider is None or above.wider not in found:
        return dict(wider.values)
    base = found[above.wider].values
    return {
        item.name: nearest_choice(item, wider.values[item.name] * upper.values[item.name] / base[item.name])
        for item in parameters
    }


def _start_of(place: FitScope, sample: KernelSample, found: ScopeFits) -> FitValues | None:
    """Return the values of the nearest place that has some."""
    for other in list_fit_scopes(sample):
        if other != place and other in found:
            return dict(found[other].values)
    return None


def _above(place: FitScope, sample: KernelSample) -> FitScope | None:
    index = FIT_LEVELS.index(place.origin)
    names = {"family": sample.family, "model": sample.model}
    for origin in reversed(FIT_LEVELS[:index]):
        name = names[origin]
        if name is not None:
            return FitScope(origin, name, place.runtime, place.backend, place.release)
    return None


def _thinned(samples: Sequence[KernelSample]) -> list[KernelSample]:
    """Return samples with at most so many rows of one device, evenly picked."""
    count: dict[str, int] = {}
    for sample in samples:
        count[sample.device] = count.get(sample.device, 0) + len(sample)
    found = []
    for sample in samples:
        step = max(1.0, count[sample.device] / _MOST_DEVICE_ROWS)
        rows = np.unique((np.arange(0, int(len(sample) / step)) * step).astype(int))
        found.append(sample if step == 1.0 else take_sample_rows(sample, rows))
    return found


def _fit(
    samples: Sequence[KernelSample],
    parameters: Sequence[FitParameter],
    expected: FitValues | None,
    others: OtherKernels,
    registry: Registry,
    place: FitScope,
    near: FitValues | None,
) -> FitValues:
    def predicted(values: Mapping[str, float]) -> Array:
        return np.concatenate(
            [
                predict_sample_times(sample, values, others.get(sample.environment, ()), registry)
                for sample in samples
            ]
        )

    measured = np.concatenate([sample.measured for sample in samples])
    start = expected or {item.name: item.start for item in parameters}
    return fit_parameters(
        predicted,
        measured,
        parameters,
        start,
        drawn=expected is not None,
        scale=_NARROWER if place.runtime is not None else 1.0,
        weights=np.minimum(measured / 20e-6, 1.0),
        near=near,
    ).values
