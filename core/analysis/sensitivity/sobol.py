"""Sobol indices of metrics over the tolerances of a description: which uncertain input the variance comes from.

A first-order index is the share of the variance that an input makes alone, a total one the share that would go if it
were known exactly (Saltelli et al., Computer Physics Communications 181, 2010). Inputs are normal, `±` being half of a
95 % interval, and cut off at three deviations. All samples are one array dimension of one evaluation.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field, frozen

from accelscope.core.analysis.sensitivity.elasticity import select_headline_metrics
from accelscope.core.analysis.sensitivity.naming import find_scenario_system, format_parameter_path
from accelscope.core.analysis.sensitivity.parameters import ParameterReading, ParameterVariation
from accelscope.core.errors import UsageError
from accelscope.core.numeric.error_bars import INTERVAL_95_SIGMAS, UncertainInputs
from accelscope.core.numeric.term import Array
from accelscope.core.query.columns import evaluate_grid
from accelscope.core.query.query import GridPlacement, Query, parse_query
from accelscope.core.query.scenario_design import assemble_scenario, place_first_point
from accelscope.dsl.check.program import Program
from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.values.values import Quantity

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

_CUTOFF_DEVIATIONS = 3.0
"""Deviations beyond which no input is sampled."""
_LEAST_SHARE = 0.01
"""Share of its value below which an input with a wide tolerance is not sampled: what is above zero stays so."""
_MOST_POINTS = 2_000_000
"""Largest number of points of a sample."""


@frozen(kw_only=True)
class UncertainInput:
    """An input with a tolerance.

    Attributes:
        path: path of the parameter.
        source: where its value is written.
        tolerance: half of the 95 % interval over the value.
    """

    path: str
    source: str
    tolerance: float


@frozen(kw_only=True, eq=False)
class SobolIndices:
    """Sobol indices of one metric, in the order of the inputs.

    Attributes:
        first, total: indices.
        first_error, total_error: half of their 95 % intervals.
        mean, deviation: of the metric over the sample.
    """

    first: Array
    first_error: Array
    total: Array
    total_error: Array
    mean: float
    deviation: float


@frozen(kw_only=True, eq=False)
class SobolResult:
    """The indices of metrics.

    Attributes:
        samples: N of Saltelli's scheme.
        points: points that were evaluated, N (inputs + 2).
        infeasible: share of them that is not feasible.
    """

    inputs: tuple[UncertainInput, ...]
    metrics: Mapping[str, SobolIndices]
    samples: int
    points: int
    seed: int
    infeasible: float


@define
class SampledInputs(UncertainInputs):
    """Uncertain values that are sampled: notes them, and then gives arrays along the last dimension.

    Attributes:
        deviations: (points, inputs) standard deviations from the value; None while noting.
        input_spans: span and relative half width of each, by file and offset.
    """

    deviations: Array | None = None
    input_spans: dict[tuple[str, int], tuple[Span, float]] = field(factory=dict)

    def vary(self, quantity: Quantity, span: Span) -> Any:
        """Return the magnitude to use for a value with a tolerance."""
        tolerance = quantity.tolerance
        if tolerance is None or tolerance.half_width is None:
            return quantity.magnitude
        key = (span.source.name, span.start)
        half = float(np.max(tolerance.half_width))
        if self.deviations is None:
            value = abs(float(np.asarray(quantity.magnitude).flat[0]))
            if half > 0 and value > 0:
                self.places.setdefault(key, len(self.places))
                self.input_spans.setdefault(key, (span, half / value))
            return quantity.magnitude
        if key not in self.places:
            return quantity.magnitude
        moved = quantity.magnitude + self.deviations[:, self.places[key]] * half / INTERVAL_95_SIGMAS
        return np.where(quantity.magnitude > 0, np.maximum(moved, quantity.magnitude * _LEAST_SHARE), moved)

    def model_error(self) -> Array:
        """Return that the models are taken as they are."""
        return np.zeros(())

    def at_floor(self) -> Array:
        """Return that no point is at the floor."""
        return np.zeros((), dtype=bool)


def refuse_without_salib() -> None:
    """Raise UsageError where the library that samples is not installed."""
    if importlib.util.find_spec("SALib") is None:
        raise UsageError("--sobol needs SALib: `pip install 'accelscope[search]'`")


def compute_sobol_indices(
    program: Program,
    registry: Registry,
    name: str,
    metrics: Sequence[str] = (),
    *,
    samples: int = 1024,
    seed: int = 0,
    sets: Sequence[str] = (),
) -> SobolResult:
    """Return the Sobol indices of metrics over the tolerances of a scenario.

    Args:
        program: parsed file.
        registry: loaded plugins.
        name: `scenario NAME` or `study NAME`.
        metrics: names of metrics; without any, the headline metrics.
        samples: N, a power of two; N (inputs + 2) points are evaluated.
        seed: of the scrambling of the sequence.
        sets: texts `path = value`.

    Raises:
        DescriptionError: the description lacks something, or a path or value of `sets` is wrong.
        UsageError: SALib is not installed, nothing has a tolerance, or the sample has no size that it can have.
    """
    refuse_without_salib()
    wanted = select_headline_metrics(registry, metrics)
    asked = parse_query(program, name, tuple(sets))
    if asked.swept:
        raise UsageError("Sobol indices are of one point; set each swept path to one value with --set")
    noting, variants = SampledInputs(1), ParameterVariation(fitted={})
    first = place_first_point(asked.swept)
    probe = assemble_scenario(asked, registry, first, inputs=noting, altered=variants, probe=True)
    inputs = _inputs(noting, variants, probe.scenario)
    if not inputs:
        raise UsageError("no value that this scenario reads has a tolerance; write one as `3.35 TB/s ± 5%`")
    _refuse_size(samples, len(inputs))
    points = draw_saltelli_sample(len(inputs), samples, seed)
    values, feasible = _evaluated(asked, registry, noting, points, [item.name for item in wanted])
    return SobolResult(
        inputs=inputs,
        metrics={key: analyze_sobol_sample(item, len(inputs), seed) for key, item in values.items()},
        samples=samples,
        points=len(points),
        seed=seed,
        infeasible=1.0 - float(np.mean(feasible)),
    )


def _refuse_size(samples: int, inputs: int) -> None:
    if samples < 2 or samples & (samples - 1):
        near = 1 << max(samples.bit_length() - 1, 1)
        raise UsageError(f"--sobol takes a power of two, such as {near} or {near * 2}, not {samples}")
    if samples * (inputs + 2) > _MOST_POINTS:
        raise UsageError(
            f"--sobol {samples} with {inputs} inputs is {samples * (inputs + 2):,} points; at most {_MOST_POINTS:,} are evaluated"
        )


def _inputs(
    noted: SampledInputs, variants: ParameterVariation, scenario: Component
) -> tuple[UncertainInput, ...]:
    """Return the inputs in the order of their places, each called after the parameter that it is written in."""
    system = find_scenario_system(scenario)
    found = []
    for span, share in noted.input_spans.values():
        inside = [item for item in variants.readings.values() if _within(span, item)]
        path = format_parameter_path(inside[0], system) if inside else span.text.partition("±")[0].strip()
        found.append(UncertainInput(path=path, source=str(span), tolerance=share))
    return tuple(found)


def _within(span: Span, item: ParameterReading) -> bool:
    around = item.span
    return (
        around is not None
        and around.source.name == span.source.name
        and around.start <= span.start < around.end
    )


def _problem(inputs: int) -> dict[str, Any]:
    return {
        "num_vars": inputs,
        "names": [f"x{place}" for place in range(inputs)],
        "bounds": [[-_CUTOFF_DEVIATIONS, _CUTOFF_DEVIATIONS, 0.0, 1.0]] * inputs,
        "dists": ["truncnorm"] * inputs,
    }


def draw_saltelli_sample(inputs: int, samples: int, seed: int) -> Array:
    """Return (points, inputs) standard deviations in Saltelli's scheme, without second-order pairs."""
    sampler: Any = importlib.import_module("SALib.sample.sobol")
    points = sampler.sample(_problem(inputs), samples, calc_second_order=False, seed=seed)
    return np.asarray(points, dtype=float)


def analyze_sobol_sample(values: Array, inputs: int, seed: int) -> SobolIndices:
    """Return the indices of a metric at the points of `sampled`."""
    deviation = float(np.std(values))
    if deviation <= 1e-12 * abs(float(np.mean(values))):
        none = np.zeros(inputs)
        found = {"S1": none, "S1_conf": none, "ST": none, "ST_conf": none}
    else:
        analyzer: Any = importlib.import_module("SALib.analyze.sobol")
        found = analyzer.analyze(_problem(inputs), values, calc_second_order=False, seed=seed)
    return SobolIndices(
        first=np.asarray(found["S1"]),
        first_error=np.asarray(found["S1_conf"]),
        total=np.asarray(found["ST"]),
        total_error=np.asarray(found["ST_conf"]),
        mean=float(np.mean(values)),
        deviation=deviation,
    )


def _evaluated(
    asked: Query, registry: Registry, noted: SampledInputs, points: Array, names: Sequence[str]
) -> tuple[dict[str, Array], Array]:
    """Return the finite metrics at the points of a sample, and which points are feasible."""
    drawn = SampledInputs(1, noted.places, True, points)
    placement = GridPlacement(picks={}, numeric=(), dimensions=1)
    design = assemble_scenario(asked, registry, placement, inputs=drawn).design
    wanted = tuple(registry.metrics[name] for name in names)
    columns = evaluate_grid(design, wanted, (len(points),))
    found = {}
    for name in names:
        column = columns.metrics.get(name)
        if column is not None and column.value is not None and np.all(np.isfinite(column.value)):
            found[name] = np.asarray(column.value, dtype=float)
    return found, columns.feasible
