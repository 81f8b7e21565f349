"""What limits a metric and what to change first: elasticities and Sobol indices as a table or Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve

from accelscope.core.analysis.sensitivity.effects import (
    MetricEffects,
    Sensitivity,
    accounted_time_share,
    find_best_parameter,
    rank_parameters,
)
from accelscope.core.analysis.sensitivity.naming import SensitivityParameter
from accelscope.core.analysis.sensitivity.sobol import SobolResult
from accelscope.core.render.document import Block, format_document_markdown, format_document_text
from accelscope.core.render.result import format_with_unit
from accelscope.core.render.table import Column, Table, make_table
from accelscope.core.render.text_style import PLAIN_STYLE, TextStyle
from accelscope.dsl.values.units import format_quantity

_TABLE_ROWS = 20
"""Rows that a person is shown."""
_SMALLEST_ELASTICITY = 0.0005
"""Elasticity that is printed as 0.00, so that a row of such is left out."""
_MINOR_TIME_SHARE = 0.05
"""Share of a time that is not worth a word."""
_METRIC_PHASES = {"ttft": ("prefill",), "tpot": ("decode",)}
"""Phases that a metric is the time of; other metrics are of all phases."""
_NOTHING = ("0", "-")
"""Elasticities that say nothing."""


def format_sensitivity_table(
    found: Sensitivity, indices: SobolResult | None, style: TextStyle = PLAIN_STYLE
) -> str:
    """Return sentences, then the parameters, those that the first metric depends on most first.

    Args:
        found: elasticities.
        indices: of Sobol, or None.
        style: width and colour; columns of further metrics are hidden if there is no room, then the sources.
    """
    return format_document_text(_blocks(found, indices, _TABLE_ROWS), style)


def format_sensitivity_markdown(found: Sensitivity, indices: SobolResult | None) -> str:
    """Return sentences and a Markdown table of all parameters."""
    return format_document_markdown(_blocks(found, indices, None))


def _blocks(found: Sensitivity, indices: SobolResult | None, most: int | None) -> Iterator[Block]:
    yield "\n".join(describe_sensitivity(found))
    table = build_elasticity_table(found, most)
    yield table
    yield "\n".join(_remarks(found, table))
    if indices is not None:
        for name in indices.metrics:
            if name in found.effects:
                yield from _sobol_blocks(name, indices)
        yield format_sampling_note(indices)


def describe_sensitivity(found: Sensitivity) -> Iterator[str]:
    """Yield sentences on the first metric: what it is, what decides its time, and what to change first."""
    name, item = next(iter(found.effects.items()))
    yield f"{name} of {found.scenario} is {format_with_unit(float(item.nominal), item.unit)}{_bound_text(found, name)}."
    row = find_best_parameter(found, name)
    if row is None:
        yield f"No single number of the hardware improves {name} by 0.1 % when it changes by a tenth."
        return
    parameter, less, more = found.parameters[row], float(item.less[row]), float(item.more[row])
    helps = "more" if _gain(item, more) >= _gain(item, less) else "less"
    change = more if helps == "more" else less
    yield (
        f"Change {parameter.path} first: 10 % {helps} of it makes {name} {abs(change) * 100:.1f} % "
        f"{'lower' if change < 0 else 'higher'} (elasticity {format_elasticity(item, row)})."
    )
    yield from _rest_text(found, name)


def _rest_text(found: Sensitivity, name: str) -> Iterator[str]:
    """Yield how much of a time is not of the hardware, where that is much and was not varied."""
    share = accounted_time_share(found, name)
    varied = any(item.sort == "fitted" for item in found.parameters)
    if share is not None and not varied and 0.0 <= share < 1.0 - _MINOR_TIME_SHARE:
        yield (
            f"The hardware accounts for {share * 100:.0f} % of {name}; the rest is what kernels and the runtime take, "
            "which --fitted varies."
        )


def _gain(item: MetricEffects, change: float) -> float:
    sign = -1.0 if item.better == "low" else 1.0
    return sign * float(np.nan_to_num(change))


def _bound_text(found: Sensitivity, name: str) -> str:
    if accounted_time_share(found, name) is None:
        return ""
    phases = [phase for phase in _METRIC_PHASES.get(name, tuple(found.bound)) if phase in found.bound]
    told = []
    for phase in phases:
        shares = (f"{who} ({share * 100:.0f} %)" for who, share in found.bound[phase][:3] if share >= 0.005)
        told.append(f"{phase} is bound by {', '.join(shares)}")
    return f"; {'; '.join(told)}" if told else ""


def build_elasticity_table(found: Sensitivity, most: int | None = None) -> Table:
    """Return the parameters that matter to any metric, those that the first one depends on most first.

    Args:
        found: elasticities.
        most: rows; None for all.
    """
    first, *others = found.effects
    columns = (
        Column("parameter", wraps=True),
        Column("value", align="right"),
        Column(first, align="right", doc="elasticity"),
        Column("more", title="10 % MORE", align="right", doc="change of the first metric"),
        *(Column(name, align="right", priority=2 + at) for at, name in enumerate(others)),
        Column("source", priority=1, wraps=True),
    )
    rows = [_row(found, row) for row in rank_parameters(found, first)]
    rows = [row for row in rows if any(row[at] not in _NOTHING for at in (2, *range(4, len(columns) - 1)))]
    return make_table(columns, rows[:most])


def _row(found: Sensitivity, row: int) -> list[str]:
    parameter = found.parameters[row]
    first, *others = found.effects.values()
    return [
        parameter.path,
        format_quantity(parameter.value, parameter.dimension),
        format_elasticity(first, row),
        format_increase_effect(found, first, row),
        *(format_elasticity(item, row) for item in others),
        format_parameter_source(parameter),
    ]


def format_elasticity(item: MetricEffects, row: int) -> str:
    """Return an elasticity, that of both sides where they differ."""
    word = " by one" if item.by_one[row] else " jump" if item.jump[row] else ""
    if item.has_kink[row]:
        return f"{float(item.left[row]):+.2f} | {float(item.right[row]):+.2f}{word}"
    value = float(item.central[row])
    if not np.isfinite(value):
        return "-"
    text = (
        f"{value:+.2f}"
        if abs(value) >= 0.005
        else f"{value:+.3f}"
        if abs(value) >= _SMALLEST_ELASTICITY
        else "0"
    )
    return text + word


def format_increase_effect(found: Sensitivity, item: MetricEffects, row: int) -> str:
    """Return what a tenth more does to a metric."""
    value = float(item.more[row])
    if np.isfinite(value):
        return f"{value * 100:+.1f} %" if abs(value) >= _SMALLEST_ELASTICITY else "0 %"
    return "-" if found.bounds[row, 1] else "not feasible"


def format_parameter_source(parameter: SensitivityParameter) -> str:
    """Return where a value is written; of a default only that it is one."""
    return "default" if parameter.sort == "default" else parameter.source


def _remarks(found: Sensitivity, table: Table) -> Iterator[str]:
    """Yield what the table leaves out, and what the words of its cells mean."""
    left = len(found.parameters) - len(table.rows)
    printed = [cell.text for row in table.rows for cell in row]
    if left:
        yield f"{left} more parameters have less effect; --format csv or json has them."
    yield f"{found.without} parameters that were tried have no effect on these metrics."
    if any(" | " in cell for cell in printed):
        yield "left | right: the effect differs below and above the value, as at the knee of a roofline."
    if any(cell.endswith(" jump") for cell in printed):
        yield "jump: the metric jumps beside the value, as one more tile is begun; the elasticity is over a tenth of it."
    if any(cell.endswith(" by one") for cell in printed):
        yield "by one: the model counts whole ones, so one fewer and one more were tried."
    if not np.all(found.bounds):
        lower = [item.path for item, row in zip(found.parameters, found.bounds, strict=True) if not row[0]]
        if lower:
            yield f"10 % less of {', '.join(lower)} is not feasible."


# ---- Sobol indices

_SOBOL_COLUMNS = (
    Column("input", wraps=True),
    Column("tolerance", align="right"),
    Column("first_order", title="FIRST ORDER", align="right"),
    Column("total", align="right"),
    Column("source", wraps=True, priority=1),
)


def build_sobol_table(name: str, indices: SobolResult) -> Table:
    """Return the inputs of a metric, the largest total index first; what makes less than 0.5 % of the variance is left out.

    Args:
        name: of the metric.
        indices: of all metrics.
    """
    item = indices.metrics[name]
    order = sorted(
        range(len(indices.inputs)), key=lambda at: (-round(float(item.total[at]), 3), indices.inputs[at].path)
    )
    rows = [
        [
            indices.inputs[at].path,
            f"± {indices.inputs[at].tolerance * 100:.3g} %",
            f"{item.first[at]:.2f} ± {item.first_error[at]:.2f}",
            f"{item.total[at]:.2f} ± {item.total_error[at]:.2f}",
            indices.inputs[at].source,
        ]
        for at in order
        if item.total[at] >= 0.005
    ]
    return make_table(_SOBOL_COLUMNS, rows)


def _sobol_blocks(name: str, indices: SobolResult) -> Iterator[Block]:
    item = indices.metrics[name]
    table = build_sobol_table(name, indices)
    spread = f"{item.deviation / abs(item.mean) * 100:.2g} %" if item.mean else "-"
    title = f"SOBOL INDICES OF {name.upper()}: standard deviation {spread} of the mean"
    yield evolve(table, title=title) if table.rows else f"{title}\nno tolerance changes it"


def format_sampling_note(indices: SobolResult) -> str:
    """Return how the indices were sampled."""
    text = (
        f"{len(indices.inputs)} inputs with a tolerance, {indices.points:,} points (N = {indices.samples}, seed "
        f"{indices.seed}); the error of the models themselves is left out."
    )
    return text + (
        f" {indices.infeasible:.1%} of the points are not feasible." if indices.infeasible > 0 else ""
    )
