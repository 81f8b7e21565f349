"""What limits a metric and what to change first: elasticities and Sobol indices as a table or Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from accelscope.core.analysis.sensitivity.effects import (
    MetricEffects,
    Sensitivity,
    accounted_time_share,
    find_best_parameter,
    rank_parameters,
)
from accelscope.core.analysis.sensitivity.naming import SensitivityParameter
from accelscope.core.analysis.sensitivity.sobol import SobolResult
from accelscope.core.render.result import format_with_unit
from accelscope.core.render.source_excerpt import display_width
from accelscope.core.render.table import format_markdown_table, tabulate
from accelscope.dsl.values.units import format_quantity

_TABLE_ROWS = 20
"""Rows that a person is shown."""
_SMALLEST_ELASTICITY = 0.0005
"""Elasticity that is printed as 0.00, so that a row of such is left out."""
_MINOR_TIME_SHARE = 0.05
"""Share of a time that is not worth a word."""
_METRIC_PHASES = {"ttft": ("prefill",), "tpot": ("decode",)}
"""Phases that a metric is the time of; other metrics are of all phases."""
_OWN, _FIXED = 2, 4
"""Column of the first metric, and columns in front of the others."""
_NOTHING = ("0", "-")
"""Elasticities that say nothing."""


def format_sensitivity_table(
    found: Sensitivity, indices: SobolResult | None, width: int | None = None
) -> str:
    """Return sentences, then the parameters, those that the first metric depends on most first.

    Args:
        indices: of Sobol, or None.
        width: characters of a line; columns of further metrics are left out for it, then the sources.
    """
    rows, heads = _rows(found)
    kept = _fitting([heads, *rows], width)
    shown_at = [at for at in kept if at in _metric_columns(heads)]
    rows = [row for row in rows if any(row[at] not in _NOTHING for at in shown_at)][:_TABLE_ROWS]
    left = len(found.parameters) - len(rows)
    parts = ["\n".join(describe_sensitivity(found))]
    if rows:
        right = [at for at, whole in enumerate(kept) if 0 < whole < len(heads) - 1]
        parts.append(tabulate([_taken(row, kept) for row in rows], _taken(heads, kept), right))
    spared = [head for at, head in enumerate(heads) if at not in kept]
    parts.append("\n".join(_remarks(found, [row[at] for row in rows for at in shown_at], left, spared)))
    if indices is not None:
        parts.extend(_sobol_table(name, indices) for name in indices.metrics if name in found.effects)
        parts.append(format_sampling_note(indices))
    return "\n\n".join(parts) + "\n"


def format_sensitivity_markdown(found: Sensitivity, indices: SobolResult | None) -> str:
    """Return sentences and a Markdown table of all parameters."""
    rows, heads = _rows(found)
    right = range(1, len(heads) - 1)
    left = len(found.parameters) - len(rows)
    parts = [
        "\n".join(describe_sensitivity(found)),
        *([format_markdown_table(rows, heads, right)] if rows else []),
    ]
    parts.append("\n".join(_remarks(found, [cell for row in rows for cell in row], left, ())))
    if indices is not None:
        for name in (name for name in indices.metrics if build_sobol_rows(name, indices)):
            parts.append(
                f"**Sobol indices of {name}**\n\n"
                + format_markdown_table(build_sobol_rows(name, indices), SOBOL_HEADERS, (1, 2, 3))
            )
        parts.append(format_sampling_note(indices))
    return "\n\n".join(parts) + "\n"


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


def _rows(found: Sensitivity) -> tuple[list[list[str]], list[str]]:
    """Return rows of the parameters that matter to any metric, and titles."""
    names = list(found.effects)
    heads = [
        "PARAMETER",
        "VALUE",
        names[0].upper(),
        "10 % MORE",
        *(name.upper() for name in names[1:]),
        "SOURCE",
    ]
    rows = [_row(found, row) for row in rank_parameters(found, names[0])]
    columns = _metric_columns(heads)
    return [row for row in rows if any(row[at] not in _NOTHING for at in columns)], heads


def _metric_columns(heads: Sequence[str]) -> list[int]:
    """Return the columns of elasticities."""
    return [_OWN, *range(_FIXED, len(heads) - 1)]


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


def _remarks(found: Sensitivity, printed: Sequence[str], left: int, spared: Sequence[str]) -> Iterator[str]:
    """Yield what the table leaves out, and what the words of the cells printed mean."""
    if left:
        yield f"{left} more parameters have less effect; --format csv or json has them."
    yield f"{found.without} parameters that were tried have no effect on these metrics."
    if any(" | " in cell for cell in printed):
        yield "left | right: below and above its value a parameter matters differently, as at the knee of a roofline."
    if any(cell.endswith(" jump") for cell in printed):
        yield "jump: the metric jumps beside the value, as one more tile is begun; the elasticity is over a tenth of it."
    if any(cell.endswith(" by one") for cell in printed):
        yield "by one: the model counts whole ones, so one fewer and one more were tried."
    if not np.all(found.bounds):
        lower = [item.path for item, row in zip(found.parameters, found.bounds, strict=True) if not row[0]]
        if lower:
            yield f"10 % less of {', '.join(lower)} is not feasible."
    if spared:
        yield f"no room for {', '.join(spared)}; --format md, csv or json has them."


def _fitting(lines: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """Return the columns that a width has room for: further metrics go first, then the sources."""
    kept = list(range(len(lines[0])))
    widths = [max(display_width(line[at]) for line in lines) for at in kept]
    for spared in (*reversed(kept[_FIXED:-1]), kept[-1]):
        if width is None or sum(widths[at] + 2 for at in kept) - 2 <= width:
            break
        kept.remove(spared)
    return kept


def _taken(line: Sequence[str], columns: Sequence[int]) -> list[str]:
    return [line[at] for at in columns]


# ---- Sobol indices

SOBOL_HEADERS = ("INPUT", "TOLERANCE", "FIRST ORDER", "TOTAL", "SOURCE")


def build_sobol_rows(name: str, indices: SobolResult) -> list[list[str]]:
    """Return the inputs of a metric, the largest total index first; what makes less than 0.5 % of the variance is left out."""
    item = indices.metrics[name]
    order = sorted(
        range(len(indices.inputs)), key=lambda at: (-round(float(item.total[at]), 3), indices.inputs[at].path)
    )
    return [
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


def _sobol_table(name: str, indices: SobolResult) -> str:
    item = indices.metrics[name]
    rows = build_sobol_rows(name, indices)
    spread = f"{item.deviation / abs(item.mean) * 100:.2g} %" if item.mean else "-"
    head = f"SOBOL INDICES OF {name.upper()}: standard deviation {spread} of the mean"
    return head + "\n" + (tabulate(rows, SOBOL_HEADERS, (1, 2, 3)) if rows else "no tolerance changes it")


def format_sampling_note(indices: SobolResult) -> str:
    """Return how the indices were sampled."""
    text = (
        f"{len(indices.inputs)} inputs with a tolerance, {indices.points:,} points (N = {indices.samples}, seed "
        f"{indices.seed}); the error of the models themselves is left out."
    )
    return text + (
        f" {indices.infeasible:.1%} of the points are not feasible." if indices.infeasible > 0 else ""
    )
