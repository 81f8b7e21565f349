"""Rows of static batches as descriptions: the `.accel` text whose scenario is what a row measured."""

from __future__ import annotations

import numpy as np

from accelscope.core.analysis.scenario_text import format_accel_file, format_block, format_short_block
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.static_batch import (
    STATIC_BATCH_METRICS,
    WEIGHT_DTYPES,
    find_engine_runtime,
)
from accelscope.core.analysis.validate.table import MeasurementTable

_STATIC_TIER = "A"
"""Tier of rows that one scenario says all of."""
_SPLIT = ("tp", "pp", "ep", "dp")


def format_row_scenario(table: MeasurementTable, row: int, names: LibraryNames) -> tuple[str, str] | None:
    """Return a metric and the text of a file with one scenario; None where no scenario says what the row measured."""
    if table.layout.kind == "ops" or table.text("tier")[row] != _STATIC_TIER:
        return None
    if table.text("flag")[row] or "[" in table.text("notes")[row]:
        return None  # layers on devices of their own, or chunks of a size of their own
    metric = STATIC_BATCH_METRICS.get(str(table.text("metric")[row]))
    text = _scenario(table, row, names)
    return None if text is None or metric is None else (metric[0], text)


def _scenario(table: MeasurementTable, row: int, names: LibraryNames) -> str | None:
    hw, name, engine, version, weights, kv = (
        str(table.text(column)[row])
        for column in ("hw", "model", "engine", "engine_version", "weights_dtype", "kv_dtype")
    )
    system, _ = names.system(hw, _size(table, "n_devices", row) or 1)
    model, _ = names.model_definition(name)
    runtime = find_engine_runtime(names, engine, version, _size(table, "year", row))
    if system is None or model is None or runtime is None or weights not in WEIGHT_DTYPES:
        return None
    stored, products, head = WEIGHT_DTYPES[weights]
    types = {"weights": stored, "activations": products, "kv": kv, "lm_head": head}
    split = {degree: value for degree in _SPLIT if (value := _size(table, degree, row))}
    batch, prompt, output = (
        _size(table, column, row) or 1 for column in ("batch_or_concurrency", "isl", "osl")
    )
    fields = {
        "system": system.component.name,
        "model": model.component.name,
        "runtime": runtime.component.name,
        "precision": {name: value for name, value in types.items() if value},
        "parallel": split,
    }
    parts = [
        *(f"use {item.module} {{ {item.component.name} }}" for item in (system, model, runtime)),
        format_short_block(
            "workload once", {"batch": batch, "prompt": f"{prompt} tok", "output": f"{output} tok"}
        ),
        format_block("deployment here", fields),
        format_short_block("scenario row", {"deployment": "here", "workload": "once"}),
    ]
    return format_accel_file("row", ("\n".join(parts),))


def _size(table: MeasurementTable, column: str, row: int) -> int:
    """Return a number of a row as a whole one, 0 where there is none."""
    return int(np.nan_to_num(table.number(column)[row]))
