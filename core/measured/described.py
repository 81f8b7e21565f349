"""Rows of measurements as descriptions: the `.accel` text whose scenario is what a row measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from accelscope.core.measured.forms import DTYPES, FORMS, words_of
from accelscope.core.measured.names import Names
from accelscope.core.measured.table import Table
from accelscope.core.show.shelf import Item
from accelscope.core.term import Term
from accelscope.dsl.diagnostics import Source
from accelscope.dsl.format import format_text

_METRICS: Mapping[str, str] = {
    "ttft_ms": "ttft",
    "prefill_ms": "ttft",
    "prefill_tok_s": "ttft",
    "tpot_ms": "tpot",
    "decode_tok_s": "tpot",
    "e2e_s": "e2e_latency",
    "throughput_out_tok_s": "throughput",
    "power_w": "power",
}
"""By the `metric` column: the metric of an evaluation that tells the same."""
STATIC = "A"
"""Tier of rows that one scenario says all of: static batches."""
_SPLIT = ("tp", "pp", "ep", "dp")


def text_of(table: Table, row: int, names: Names) -> tuple[str, str] | None:
    """Return a metric and the text of a file with one scenario; None where no scenario says what the row measured."""
    if table.layout.kind == "ops":
        text = _kernel(table, row, names)
        return None if text is None else ("tpot", text)
    metric = _METRICS.get(str(table.text("metric")[row]))
    text = _served(table, row, names) if table.text("tier")[row] == STATIC else None
    return None if text is None or metric is None else (metric, text)


def _kernel(table: Table, row: int, names: Names) -> str | None:
    op, kernel, dtype, engine, dist, hw, kv = (
        str(table.text(name)[row]) for name in ("op", "kernel", "dtype", "engine", "dist", "hw", "kv_dtype")
    )
    package, _ = names.device(hw)
    if package is None or op not in FORMS or dtype not in DTYPES:
        return None
    form = FORMS[op]
    sizes = {name: _size(table, column, row) for name, column in form.columns.items()}
    more = {name: _size(table, column, row) for name, column in form.optional.items()}
    fields: dict[str, Any] = {
        "family": form.family,
        **sizes,
        **{name: value for name, value in more.items() if value},
        **words_of(op, kernel, dtype, engine, dist),
    }
    weights, activations = DTYPES[dtype]
    ep, tp = (_size(table, name, row) or 1 for name in ("ep", "tp"))
    split = {"tp": ep * tp, "ep": ep} if form.family == "moe" else {"tp": 1}
    runtime = names.known_runtime(engine)
    return _text(
        (package, runtime),
        f"model kernel {{ {_listed(fields)} }}",
        "batch = 1, prompt = 1 tok, output = 1 tok",
        _deployment(package, "kernel", (weights, activations, kv), split, runtime),
    )


def _served(table: Table, row: int, names: Names) -> str | None:
    hw, name, engine, weights, kv = (
        str(table.text(name)[row]) for name in ("hw", "model", "engine", "weights_dtype", "kv_dtype")
    )
    system, _ = names.system(hw, _size(table, "n_devices", row) or 1)
    model, _ = names.named_model(name)
    if system is None or model is None or weights not in DTYPES:
        return None
    split = {degree: value for degree in _SPLIT if (value := _size(table, degree, row))}
    batch, prompt, output = (_size(table, name, row) or 1 for name in ("batch_or_concurrency", "isl", "osl"))
    types = (*DTYPES[weights], kv)
    runtime = names.known_runtime(engine)
    return _text(
        (system, model, runtime),
        "",
        f"batch = {batch}, prompt = {prompt} tok, output = {output} tok",
        _deployment(system, model.component.name, types, split, runtime),
    )


def _text(used: tuple[Item | None, ...], model: str, load: str, deployment: str) -> str:
    lines = [
        *(f"use {item.module} {{ {item.component.name} }}" for item in used if item is not None),
        model,
        f"workload once {{ {load} }}",
        deployment,
        "scenario row { deployment = here, workload = once }",
    ]
    return format_text(Source("row", "\n\n".join(line for line in lines if line) + "\n"))


def _deployment(
    system: Item, model: str, types: tuple[str, str, str], split: Mapping[str, int], runtime: Item | None
) -> str:
    roles = zip(("weights", "activations", "kv"), types, strict=True)
    precision = {role: dtype for role, dtype in roles if dtype}
    lines = [
        "deployment here {",
        f"  system = {system.component.name}",
        f"  model = {model}",
        *([f"  runtime = {runtime.component.name}"] if runtime is not None else []),
        f"  precision {{ {_listed(precision)} }}" if precision else "",
        f"  parallel {{ {_listed(split)} }}" if split else "",
        "}",
    ]
    return "\n".join(line for line in lines if line)


def _listed(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_written(value)}" for name, value in fields.items())


def _written(value: Any) -> str:
    """Return a value of a field as a description writes it."""
    return f"{float(value.value):g}" if isinstance(value, Term) else str(value).lower()


def _size(table: Table, column: str, row: int) -> int:
    """Return a number of a row as a whole one, 0 where there is none."""
    return int(np.nan_to_num(table.number(column)[row]))
