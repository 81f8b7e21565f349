"""Rows of static batches and of their power to predictions: a deployment under a runtime, evaluated on arrays.

Rows of one device, model, pair of data types and runtime are one evaluation; batch, lengths and degrees of parallelism
are arrays over them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.validate.kernel_rows import MEASURED_DTYPES
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.row_design import build_row_design, make_row_parts
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.assemble.design import Design
from accelscope.core.assemble.parallelism import make_strategies
from accelscope.core.assemble.parts import PrecisionRequest
from accelscope.core.blocks.runtime import NamedRuntime
from accelscope.core.blocks.scenario import Load
from accelscope.core.evaluate.model_error import estimate_runtime_spread, find_measurement_origin
from accelscope.core.ir.constants import NO_BYTES
from accelscope.core.library.definitions import LibraryDefinition
from accelscope.core.numeric.term import Array, Term, term
from accelscope.core.plugin.records import Strategy
from accelscope.core.query.feasibility import ENGINES_PAD, LimitCheck
from accelscope.core.query.points import EvaluatedPoints, evaluate_points

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

WEIGHT_DTYPES: Mapping[str, tuple[str, str, str | None]] = {
    **{name: (*types, None) for name, types in MEASURED_DTYPES.items()},
    "w8a16": ("int8", "bf16", None),
    "w4a16": ("int4", "bf16", None),
    "int8": ("int8", "fp16", None),
    "int4": ("int4", "fp16", None),
    "fp4": ("nvfp4", "nvfp4", None),
    "q4_0": ("q4_0", "fp16", "q6_k"),
    "q4_k_m": ("q4_k_m", "fp16", "q6_k"),
    "q8_0": ("q8_0", "fp16", "q8_0"),
}
"""By the `weights_dtype` column: data types of weights, of the activations they are multiplied with, and of lm_head."""
STATIC_BATCH_METRICS: Mapping[str, tuple[str, float]] = {
    "ttft_ms": ("ttft", 1e3),
    "prefill_ms": ("ttft", 1e3),
    "tpot_ms": ("tpot", 1e3),
    "e2e_s": ("e2e_latency", 1.0),
    "throughput_out_tok_s": ("throughput", 1.0),
    "decode_tok_s": ("decode_throughput", 1.0),
    "prefill_tok_s": ("prefill_throughput", 1.0),
    "power_w": ("power", 1.0),
}
"""By the `metric` column: the metric of an evaluation, and how many of the column's unit are one of its own."""
UNKNOWN_RESERVE = NO_BYTES
"""What an engine keeps free of weights and KV cache in a static batch. Publishers do not say it, and most of these engines
allocate nothing ahead, so a batch that ran is not taken for one that does not fit."""
_CHUNK = re.compile(r"\[chunk=(\d+)\]")
_LAYERS = "layer_split"
"""Flag of rows whose `tp` counts devices that hold layers, not parts of layers."""
_DEGREES = ("tp", "pp", "dp", "ep")


@frozen(kw_only=True)
class StaticBatchKey:
    """What the rows of one evaluation share."""

    hw: str
    model: str
    weights: str
    kv: str
    runtime: str


def predict_static_batch_rows(rows: MeasurementTable, names: LibraryNames) -> Prediction:
    """Return the prediction of each row: a time, a rate or a power of a static batch."""
    found = Prediction.empty(len(rows))
    for key, places in group_static_batch_rows(rows, names, found):
        part = rows.take(places)
        design, reason = build_static_batch_design(key, part, names)
        if design is None:
            found.skip(places, reason)
            continue
        _fill(found, places, part, design, names)
    return found


def group_static_batch_rows(
    rows: MeasurementTable, names: LibraryNames, found: Prediction
) -> Iterator[tuple[StaticBatchKey, Array]]:
    """Yield the rows that one evaluation tells; those of unknown runtimes are skipped."""
    alike: dict[StaticBatchKey, list[Array]] = {}
    columns = ("hw", "model", "weights_dtype", "kv_dtype", "engine", "engine_version")
    for (hw, model, weights, kv, engine, version), places in rows.groups(*columns):
        years = rows.number("year")[places]
        for year in np.unique(np.nan_to_num(years)):
            same = places[np.nan_to_num(years) == year]
            item = find_engine_runtime(names, engine, version, int(year))
            if item is None:
                found.skip(same, f"the library has no runtime {engine}")
                continue
            alike.setdefault(
                StaticBatchKey(hw=hw, model=model, weights=weights, kv=kv, runtime=item.component.name), []
            ).append(same)
    for key, parts in alike.items():
        yield key, np.concatenate(parts)


def find_engine_runtime(
    names: LibraryNames, engine: str, version: str, year: int
) -> LibraryDefinition | None:
    """Return the runtime that an engine of some version is: its own block, that of its line or year, or the newest."""
    words = version.split(".")
    lines = [".".join(words[:upto]) for upto in range(len(words), 0, -1)] if version else []
    for text in (*(f"{engine} {line}" for line in lines), f"{engine} {year}", engine):
        item = names.runtime_definition(text)
        if item is not None:
            return item
    return None


def build_static_batch_design(
    key: StaticBatchKey, rows: MeasurementTable, names: LibraryNames
) -> tuple[Design | None, str]:
    """Return the design of rows that share device, model, data types and runtime, on arrays; or None and the reason."""
    if key.weights not in WEIGHT_DTYPES:
        return None, f"data type {key.weights} is not known"
    item = names.runtime_definition(key.runtime)
    devices = int(np.nanmax(np.nan_to_num(rows.number("n_devices"), nan=1.0)))
    machine, reason = names.machine(key.hw, devices)
    if machine is None or item is None:
        return None, reason
    published, reason = names.model(key.model)
    if published is None:
        return None, reason
    weights, activations, head = WEIGHT_DTYPES[key.weights]
    parts = make_row_parts(
        names,
        runtime=item,
        machine=machine,
        published=published,
        precision=PrecisionRequest(
            weights=weights, activations=activations, kv=key.kv or None, lm_head=head, widen=True
        ),
        strategies=_strategies(rows, names),
        load=_load(rows),
        reserve=UNKNOWN_RESERVE,
    )
    return build_row_design(evolve(parts, runtime=_chunked(parts.runtime, rows)), names)


def _strategies(rows: MeasurementTable, names: LibraryNames) -> tuple[tuple[Strategy, Any], ...]:
    given = {name: np.nan_to_num(rows.number(name), nan=1.0) for name in _DEGREES}
    layered = rows.text("flag") == _LAYERS
    given["pp"] = np.where(layered, given["tp"], given["pp"])
    given["tp"] = np.where(layered, 1.0, given["tp"])
    return make_strategies(names.registry, {name: Term(value) for name, value in given.items()})


def _load(rows: MeasurementTable) -> Load:
    batch = np.nan_to_num(rows.number("batch_or_concurrency"), nan=1.0)
    prompt, output = (np.maximum(np.nan_to_num(rows.number(name), nan=1.0), 1.0) for name in ("isl", "osl"))
    given: dict[str, Any] = {
        "batch": Term(batch),
        "prompt": term(prompt, "tok"),
        "output": term(output, "tok"),
    }
    return Load(**given)


def _chunked(runtime: NamedRuntime | None, rows: MeasurementTable) -> NamedRuntime | None:
    """Return a runtime whose passes have the prompt tokens that notes give (`[chunk=16]`); its own where they do not."""
    matches = [_CHUNK.search(str(note)) for note in rows.text("notes")]
    if runtime is None or not any(matches):
        return runtime
    usual = runtime.spec.prefill_chunk_size
    other = np.inf if usual is None else float(usual.value)
    chunk = term(np.array([float(match[1]) if match else other for match in matches]), "tok")
    spec: Any = runtime.spec
    return evolve(runtime, spec=evolve(spec, prefill_chunk_size=chunk))


def _fill(
    found: Prediction, places: Array, rows: MeasurementTable, design: Design, names: LibraryNames
) -> None:
    """Predict some rows, and skip those that no device holds or no metric tells."""
    points, values = evaluate_row_design(design, rows, names.registry)
    spread = estimate_runtime_spread(design.runtime, design.machine.device.package)
    origin = find_measurement_origin(design.runtime)
    for (metric,), own in rows.groups("metric"):
        if metric not in STATIC_BATCH_METRICS:
            found.skip(places[own], f"metric {metric} is not predicted of a static batch")
        elif not np.isfinite(values[own]).any():
            found.skip(
                places[own], f"the library gives too little of {design.machine.device.name} for {metric}"
            )
        else:
            found.put(places[own], values[own], spread, origin)
    _skip_infeasible(found, places, points.checks)


def evaluate_row_design(
    design: Design, rows: MeasurementTable, registry: Registry
) -> tuple[EvaluatedPoints, Array]:
    """Return the points of a design of rows, and the value of each row in its unit along the last dimension.

    A value is NaN if the description gives too little for its metric, or no metric predicts it.

    Args:
        design: terms have one array dimension, that of the rows, behind any others.
        rows: measured.
        registry: the plugins.
    """
    scales = {metric: STATIC_BATCH_METRICS.get(metric, ("", 1.0)) for (metric,), _ in rows.groups("metric")}
    used = (registry.metrics[name] for name in dict.fromkeys(name for name, _ in scales.values()) if name)
    points = evaluate_points(design, used, shape=(len(rows),), policy=ENGINES_PAD)
    shape = np.broadcast_shapes(points.evaluation.decode.time.value.shape, (len(rows),))
    values = np.full(shape, np.nan)
    for (metric,), own in rows.groups("metric"):
        name, scale = scales[metric]
        if name in points.metrics:
            values[..., own] = np.broadcast_to(points.metrics[name] * scale, shape)[..., own]
    return points, values


def _skip_infeasible(found: Prediction, places: Array, checks: Iterable[LimitCheck]) -> None:
    """Skip rows that cannot have run as they are described."""
    for check in checks:
        if check.broken.any():
            broken = np.broadcast_to(check.broken, places.shape)
            found.skip(places[broken], check.limit.reason or check.limit.name)
