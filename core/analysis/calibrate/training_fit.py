"""Paces of runtimes that train, fitted to published steps of training and written back into their file.

What is fitted is what the file gives: each field of a `runtime` or a `device_override` in it with a tolerance (`±`) is one factor, shared by
runtimes that inherit it. The logarithm of each is drawn towards where its sort of field starts, and rows count robustly.
Whatever a row does not say (what is sharded and computed again) is what the present values say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.training import (
    TrainingRowKey,
    evaluate_training_rows,
    group_training_rows,
)
from accelscope.core.blocks.runtime import Runtime, device_names
from accelscope.core.numeric.term import Array, term
from accelscope.core.query.points import evaluate_points
from accelscope.core.spec.spec import fields_of
from accelscope.dsl.interpret.component import Component

if TYPE_CHECKING:
    from accelscope.core.analysis.validate.library_names import LibraryNames
    from accelscope.core.analysis.validate.table import MeasurementTable
    from accelscope.core.assemble.design import Design

TRAINING_FIELD_PRIORS: Mapping[str, tuple[float, float]] = {
    "launch_time_per_layer": (3e-4, 1.0),
    "gemm_rate_scale": (0.8, 0.4),
    "prefill_attention_rate_scale": (0.7, 0.4),
    "elementwise_bytes_scale": (1.5, 0.7),
    "grouped_gemm_rate_scale": (0.8, 0.4),
    "scan_rate_scale": (0.5, 0.7),
    "overlap_fraction": (0.8, 0.5),
    "exposed_all_to_all_fraction": (0.8, 0.5),
    "routing_sync_overhead": (1e-3, 1.0),
}
"""Fields that steps of training tell something of: where the logarithm starts (s, or a plain number), and its width."""
_TIME_FIELDS = ("launch_time_per_layer", "routing_sync_overhead")
_SHARE_FIELDS = ("overlap_fraction", "exposed_all_to_all_fraction")
"""Fields that are at most 1."""
_NOISE = 0.06
"""Deviation of repeated measurements of one configuration."""
_STEP = 1e-4
_LINE = r"(\b(?:{field})\s*=\s*)([0-9._eE+-]+)(\s*(?:us|ms|s)\b)?(\s*±\s*)([0-9.]+)%"
_SPREAD = re.compile(r"(\b(?:log_error_std|spread)\s*=\s*)([0-9.]+)")
_UNITS: Mapping[str, float] = {"us": 1e6, "ms": 1e3, "s": 1.0, "": 1.0}

TrainingFactor = tuple[int, str]
"""A factor: the line of the file that gives it, and its field."""


@frozen(kw_only=True, eq=False)
class TrainingRowGroup:
    """Rows of one evaluation.

    Attributes:
        rows: places of the rows in the table.
        keep: columns of the evaluation that the rows are.
        places: the factor of each field of the pace.
        measured: s of a step.
    """

    key: TrainingRowKey
    design: Design
    rows: Array
    keep: Array
    places: Mapping[str, TrainingFactor]
    measured: Array


@frozen(eq=False)
class TrainingFit:
    """Logarithms of all factors, with their deviations."""

    values: Mapping[TrainingFactor, float]
    deviations: Mapping[TrainingFactor, float]


def collect_training_groups(table: MeasurementTable, names: LibraryNames) -> list[TrainingRowGroup]:
    """Return the rows of training that can be predicted, evaluation by evaluation."""
    found: list[TrainingRowGroup] = []
    skipped = Prediction.empty(len(table))
    for key, places in group_training_rows(table, names, skipped):
        item = names.runtime_definition(key.runtime.rpartition(".")[2])
        assert item is not None  # groups are of known runtimes
        for made, tried, fits in evaluate_training_rows(key, places, table, names, skipped):
            if fits.any():
                rows = tried[fits]
                own = _places(item.component, device_names(made.design.machine.device))
                measured = _seconds(table.take(rows), np.broadcast_to(made.batch.value, tried.shape)[fits])
                found.append(
                    TrainingRowGroup(
                        key=key, design=made.design, rows=rows, keep=fits, places=own, measured=measured
                    )
                )
    return found


def _seconds(rows: MeasurementTable, batch: Array) -> Array:
    tokens = np.where(rows.text("metric") == "train_tok_s", rows.number("isl"), 1.0)
    return np.asarray(batch * tokens / rows.number("value"))


def _places(runtime: Component, labels: Sequence[str | None]) -> dict[str, TrainingFactor]:
    """Return the line that gives each field of a pace on a device: that of the nearest port, or of the runtime."""
    ports = {port.name.casefold(): port for port in runtime.children("device_override")}
    blocks = [ports[label.casefold()] for label in labels if label and label.casefold() in ports]
    found: dict[str, TrainingFactor] = {}
    for block in (*blocks, runtime):
        for name, attribute in block.attributes().items():
            if name in TRAINING_FIELD_PRIORS and name not in found and attribute.origin.span is not None:
                found[name] = (attribute.origin.span.line, name)
    return found


def fit_training(
    steps: Sequence[TrainingRowGroup],
    names: LibraryNames,
    weights: Callable[[TrainingRowGroup], Array],
    begin: TrainingFit | None = None,
) -> TrainingFit:
    """Return the factors that fit some rows best: least squares on a soft L1 loss.

    Args:
        steps: rows to fit, evaluation by evaluation.
        names: resolves the names in the tables.
        weights: 1 for each row of an evaluation that counts, 0 for one that is left out.
        begin: a fit to begin from.
    """
    from scipy.optimize import least_squares

    order = sorted({place for item in steps for place in item.places.values()})
    start = np.array([np.log(TRAINING_FIELD_PRIORS[name][0]) for _, name in order])
    widths = np.array([TRAINING_FIELD_PRIORS[name][1] for _, name in order])
    first = start if begin is None else np.array([begin.values[place] for place in order])
    known: dict[bytes, tuple[Array, Array]] = {}

    def linear(x: Array) -> tuple[Array, Array]:
        if x.tobytes() not in known:
            known.clear()
            known[x.tobytes()] = _linear(steps, names, weights, order, x)
        residuals, jacobian = known[x.tobytes()]
        return (
            np.concatenate([residuals, (x - start) / widths]),
            np.concatenate([jacobian, np.diag(1.0 / widths)]),
        )

    def residuals_at(x: Array) -> Array:
        return linear(x)[0]

    def turns_at(x: Array) -> Array:
        return linear(x)[1]

    found = least_squares(
        residuals_at,
        first,
        jac=turns_at,
        loss="soft_l1",
        xtol=1e-4,
        ftol=1e-4,
        max_nfev=15,
    )
    turned: Array = np.asarray(found.jac)
    deviations = np.sqrt(np.diag(np.linalg.inv(turned.T @ turned)))
    return TrainingFit(dict(zip(order, found.x, strict=True)), dict(zip(order, deviations, strict=True)))


def _linear(
    steps: Sequence[TrainingRowGroup],
    names: LibraryNames,
    weights: Callable[[TrainingRowGroup], Array],
    order: Sequence[TrainingFactor],
    x: Array,
) -> tuple[Array, Array]:
    """Return the errors of all rows over the noise and how they turn with each factor."""
    at = {place: number for number, place in enumerate(order)}
    residuals, jacobian = [], []
    for item in steps:
        counts = weights(item)
        if not counts.any():
            continue
        numbers = [at[place] for place in item.places.values()]
        errors = compute_training_errors(item, names, x[numbers]) * counts / _NOISE
        turns = np.zeros((errors.shape[1], len(order)))
        turns[:, numbers] = ((errors[1:] - errors[0]) / _STEP).T
        residuals.append(errors[0])
        jacobian.append(turns)
    return np.concatenate(residuals), np.concatenate(jacobian)


def compute_training_errors(item: TrainingRowGroup, names: LibraryNames, logs: Array) -> Array:
    """Return logarithms of predicted over measured times: of the pace itself, then with each field a little higher."""
    tried = np.concatenate([logs[None], logs + _STEP * np.eye(len(logs))])
    own: dict[str, Any] = {}
    for number, name in enumerate(item.places):
        values = np.exp(tried[:, number])[:, None]
        own[name] = term(
            np.minimum(values, 1.0) if name in _SHARE_FIELDS else values, "s" if name in _TIME_FIELDS else ""
        )
    design = evolve(item.design, runtime=evolve(item.design.runtime, **own))
    made = evaluate_points(design).evaluation
    assert made.training is not None  # rows of training are evaluated as such
    time = np.broadcast_to(made.training.time.value, (len(tried), len(item.keep)))[:, item.keep]
    return np.asarray(np.log(time) - np.log(item.measured))


def cross_validate_training(
    steps: Sequence[TrainingRowGroup],
    names: LibraryNames,
    labels: Callable[[TrainingRowGroup], Sequence[str]],
    most: int,
    whole: TrainingFit,
) -> Iterator[tuple[str, float, str]]:
    """Yield label, error (logarithm of predicted over measured time) and runtime of each row, from fits without its label.

    Args:
        steps: all rows, evaluation by evaluation.
        names: resolves the names in the tables.
        labels: of the rows of an evaluation.
        most: parts that labels are put together to.
        whole: the fit to all rows, which the others begin from.
    """
    every = sorted({label for item in steps for label in labels(item)})
    fold = {label: number % most for number, label in enumerate(every)}
    for number in range(min(most, len(every))):

        def outside(item: TrainingRowGroup, number: int = number) -> Array:
            return np.array([fold[label] != number for label in labels(item)], dtype=float)

        fit = fit_training(steps, names, outside, whole)
        for item in steps:
            out = outside(item) == 0.0
            if out.any():
                logs = np.array([fit.values[place] for place in item.places.values()])
                errors = compute_training_errors(item, names, logs)[0]
                for label, error, is_out in zip(labels(item), errors, out, strict=True):
                    if is_out:
                        yield label, float(error), item.design.runtime.name


def rewrite_training_runtimes(text: str, fit: TrainingFit, spreads: Mapping[str, float]) -> str:
    """Return the text of a file of runtimes with fitted values, their tolerances and the spreads."""
    lines = text.splitlines()
    for (line, name), value in fit.values.items():
        deviation = 5.0 * max(round(fit.deviations[line, name] * 20.0), 1)

        def put(match: re.Match[str], value: float = value, deviation: float = deviation) -> str:
            unit = (match[3] or "").strip()
            number = float(f"{np.exp(value) * _UNITS[unit]:.2g}")
            return f"{match[1]}{number:g}{match[3] or ''}{match[4]}{deviation:g}%"

        lines[line - 1] = re.sub(_LINE.format(field=_written_names(name)), put, lines[line - 1])
    block = ""
    for at, line_text in enumerate(lines):
        opened = re.match(r"runtime (\w+)", line_text)
        block = opened[1] if opened else block
        if block in spreads:
            lines[at] = _SPREAD.sub(rf"\g<1>{max(spreads[block], _NOISE):.2g}", line_text)
    return "\n".join(lines) + "\n"


def _written_names(field: str) -> str:
    """Return a pattern of the names that a text may have for a field: the present one and former ones."""
    return "|".join((field, *fields_of(Runtime)[field].aliases))
