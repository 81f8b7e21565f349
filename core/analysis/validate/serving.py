"""Rows of models under load to predictions: closed loops, pools of prefill and decode, and maximum load.

Rows of one model, device, engine, data type and number of devices are one evaluation on arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from attrs import evolve

from accelscope.core.analysis.validate.disaggregated import make_pool_parts, read_pool_degrees
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.row_design import build_row_design
from accelscope.core.analysis.validate.serving_design import (
    ParallelDegrees,
    make_served_parts,
    read_parallel_degrees,
)
from accelscope.core.analysis.validate.static_batch import evaluate_row_design, find_engine_runtime
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.assemble.design import Design
from accelscope.core.assemble.parts import DesignParts
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.scenario import Load, Scheduler, SpeculativeDecoding
from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.evaluate.serving.closed_loop import DEFAULT_BURST_SHARE
from accelscope.core.library.definitions import LibraryDefinition
from accelscope.core.numeric.term import Array, term
from accelscope.core.query.feasibility import ONLY_MEMORY, check_limits

LENGTH_FACTORS: Mapping[str, float] = {"inferencex_via_aiconfigurator": 0.9}
"""By source: mean lengths of prompts and answers over the nominal ones, where they are drawn at random (InferenceX:
evenly from 0.8 to 1 times the nominal length)."""
MAX_LOAD_REQUESTS = 3000.0
"""Requests of a run at maximum load, all sent at once: what TensorRT-LLM's performance page says of most lengths."""
MAX_LOAD_SEQUENCES = 2048.0
"""Sequences that an engine runs at once at maximum load: the default `max_batch_size` of TensorRT-LLM."""
EQUAL_LENGTH_CORRELATION = 0.9
"""Bunching of prompts that go first where all requests have the same lengths: they begin and end together."""
SERVING_SPREADS: Mapping[tuple[str, str], float] = {
    ("B", "tpot_ms"): 0.14,
    ("B", "ttft_ms"): 0.42,
    ("C", "throughput_out_tok_s"): 0.35,
    ("G", "tpot_ms"): 0.50,
    ("G", "ttft_ms"): 1.0,
}
"""Standard deviation of the logarithm of measured over predicted, by tier and metric, on configurations not fitted to."""
POOLS, LOADED = "G", "C"
"""Tiers of rows with pools of prefill and decode, and of those at maximum load."""
UNKNOWN_SPECULATION_FLAG = "spec_decode_unknown"
"""Flag of rows of which the source does not say whether they propose tokens ahead."""
_KEYS = ("tier", "hw", "model", "weights_dtype", "kv_dtype")


def predict_serving_rows(rows: MeasurementTable, names: LibraryNames) -> Prediction:
    """Return the prediction of each row of a tier under load."""
    found = Prediction.empty(len(rows))
    for item, places in group_serving_rows(rows, names):
        group = rows.take(places)
        if item is None:
            found.skip(places, f"the library has no runtime {group.text('engine')[0]}")
        else:
            found.update(places, _predict(group, names, item))
    return found


def group_serving_rows(
    rows: MeasurementTable, names: LibraryNames
) -> Iterator[tuple[LibraryDefinition | None, Array]]:
    """Yield the places of rows that are one evaluation, with their runtime."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    items: dict[tuple[Any, ...], LibraryDefinition | None] = {}
    columns = [rows.text(name) for name in (*_KEYS, "engine", "engine_version")]
    numbers = [np.nan_to_num(rows.number(name)).astype(int) for name in ("year", "n_devices")]
    split = _split(rows)
    wide = split.ep > split.tp
    parts = zip(*columns, *numbers, wide, _ahead(rows), strict=True)
    for place, (*key, engine, version, year, devices, shared, ahead) in enumerate(parts):
        served = (engine, version, year)
        if served not in items:
            items[served] = find_engine_runtime(names, engine, version, year)
        item = items[served]
        name = engine if item is None else item.component.name
        items[(name,)] = item
        alike.setdefault((*key, devices, shared, ahead, name), []).append(place)
    for whole, places in alike.items():
        yield items[whole[-1:]], np.array(places, dtype=int)


def _predict(rows: MeasurementTable, names: LibraryNames, item: LibraryDefinition) -> Prediction:
    found = Prediction.empty(len(rows))
    kept, reasons = check_serving_rows(rows)
    for place in np.flatnonzero(~kept):
        found.skip(np.array([place]), reasons[place])
    places = np.flatnonzero(kept)
    if not places.size:
        return found
    group = rows.take(places)
    design, reason = build_serving_design(group, names, item)
    if design is None:
        found.skip(places, reason)
        return found
    _fill(found, places, group, design, names)
    return found


def check_serving_rows(rows: MeasurementTable) -> tuple[Array, Array]:
    """Return which rows say enough, and what the others lack."""
    clients, prompt, output = _load(rows)
    known = np.isfinite(clients) & np.isfinite(prompt) & np.isfinite(output)
    reasons = np.where(known, "", "no concurrency or no lengths").astype(object)
    if rows.text("tier")[0] == POOLS:
        reasons[known & ~read_pool_degrees(rows).known] = "the pools of the row are not known"
    return reasons == "", reasons


def build_serving_design(
    rows: MeasurementTable, names: LibraryNames, item: LibraryDefinition
) -> tuple[Design | None, str]:
    """Return the design of rows that are one evaluation; or None and the reason.

    Args:
        rows: rows of one evaluation.
        names: resolves the names in the table.
        item: the runtime that serves them.
    """
    clients, prompt, output = _load(rows)
    given: dict[str, Any] = {
        "concurrency": term(clients),
        "prompt": term(prompt, "tok"),
        "output": term(output, "tok"),
    }
    parts, reason = make_served_parts(rows, names, item, _split(rows), Load(**given))
    if parts is None:
        return None, reason
    if rows.text("tier")[0] == POOLS:
        parts = evolve(parts, pools=make_pool_parts(parts, read_pool_degrees(rows), names))
        if _ahead(rows)[0]:
            parts = evolve(
                parts, speculative=Binder(names.registry).default_of(SpeculativeDecoding, "rows.speculative")
            )
    else:
        parts = evolve(parts, scheduler=_scheduler(parts, rows))
    return build_row_design(parts, names)


def _scheduler(parts: DesignParts, rows: MeasurementTable) -> Scheduler:
    """Return how the engine of rows without pools forms batches."""
    scheduler: Any = parts.scheduler
    if rows.text("tier")[0] == LOADED:
        return evolve(scheduler, max_batch=term(MAX_LOAD_SEQUENCES))  # type: ignore[no-any-return]
    if parts.runtime is None or parts.runtime.spec.scheduling_policy != "prefill_first":
        return parts.scheduler
    same = np.array([source not in LENGTH_FACTORS for source in rows.text("source")])
    share = np.where(same, EQUAL_LENGTH_CORRELATION, DEFAULT_BURST_SHARE["prefill_first"])
    return evolve(scheduler, arrival_correlation=term(share))  # type: ignore[no-any-return]


def _ahead(rows: MeasurementTable) -> Array:
    """Return which rows are taken to propose tokens ahead: pools of DeepSeek models of which the source does not say it.

    Published pools come in pairs with the same words, one of which is about twice as fast: with the layer that the model
    has for it, and without. TensorRT-LLM's recipes for them mostly use it.
    """
    unsaid = [UNKNOWN_SPECULATION_FLAG in flag for flag in rows.text("flag")]
    return np.asarray(np.array(unsaid, dtype=bool) & (rows.text("tier") == POOLS))


def _load(rows: MeasurementTable) -> tuple[Array, Array, Array]:
    """Return clients, and mean tokens of prompts and answers."""
    factor = np.array([LENGTH_FACTORS.get(source, 1.0) for source in rows.text("source")])
    clients = rows.number("batch_or_concurrency")
    if rows.text("tier")[0] == LOADED:
        clients = np.full(len(rows), MAX_LOAD_REQUESTS)
    return clients, rows.number("isl") * factor, rows.number("osl") * factor


def _split(rows: MeasurementTable) -> ParallelDegrees:
    """Return the degrees of rows; where attention is divided by sequences, replicas share their experts."""
    split = read_parallel_degrees(rows)
    by_sequence = np.array(["attention_dp" in flag for flag in rows.text("flag")], dtype=bool) & (
        split.dp == 1.0
    )
    return ParallelDegrees(
        tp=np.where(by_sequence, 1.0, split.tp),
        pp=split.pp,
        ep=np.where(by_sequence, split.tp, split.ep),
        dp=np.where(by_sequence, split.tp, split.dp),
    )


def _fill(
    found: Prediction, places: Array, rows: MeasurementTable, design: Design, names: LibraryNames
) -> None:
    """Put the metric of each row, and skip rows that do not fit."""
    points, values = evaluate_row_design(design, rows, names.registry)
    evaluation = points.evaluation
    if rows.text("tier")[0] == LOADED:
        values = values * _filled(evaluation)
    for (metric,), own in rows.groups("metric"):
        spread = SERVING_SPREADS.get((str(rows.text("tier")[0]), metric))
        if spread is not None:
            found.put(places[own], values[own], spread, "runtime")
        else:
            found.skip(places[own], f"metric {metric} is not predicted under load")
    for check in check_limits(evaluation.limits, ONLY_MEMORY):
        if check.broken.any():
            found.skip(places[np.broadcast_to(check.broken, places.shape)], check.limit.reason)


def _filled(evaluation: Evaluation) -> Array:
    """Return the share of the steady throughput that a run of some requests reaches.

    Requests that do not fit at once follow each other; while the last ones end, nothing follows, and half of a cycle is lost.
    """
    waves = MAX_LOAD_REQUESTS / evaluation.batch.value
    return np.asarray(np.where(waves > 1.0, waves / (waves + 0.5), 1.0))
