"""Rows of training to predictions: a step of training under a runtime, evaluated on arrays.

Rows of one device, model, data type and runtime that compute the same things again are one evaluation. What a row does not
say follows from what fits in memory: the runtime's ZeRO stage where the states fit, else full sharding where nothing else
divides the layers, else adapters alone are trained; and of the ways to compute activations again the least that fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.validate.kernel_rows import MEASURED_DTYPES
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.row_design import build_row_design, make_row_parts
from accelscope.core.analysis.validate.static_batch import find_engine_runtime
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.assemble.design import Design
from accelscope.core.assemble.parallelism import make_strategies
from accelscope.core.assemble.parts import PrecisionRequest
from accelscope.core.assemble.training_load import make_training_load
from accelscope.core.blocks.scenario import Training
from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.evaluate.training.step import training_memory_limit
from accelscope.core.ir.hardware import Machine
from accelscope.core.numeric.term import Array, Term, term
from accelscope.core.plugin.records import Strategy
from accelscope.core.query.feasibility import TRAINING_HEADROOM, check_limits
from accelscope.core.query.points import evaluate_points
from accelscope.core.spec.spec import fields_of

TRAINING_DTYPES: Mapping[str, tuple[str, str]] = {
    **MEASURED_DTYPES,
    "mxfp8": ("mxfp8", "mxfp8"),
    "fp4": ("nvfp4", "nvfp4"),
}
"""By the `weights_dtype` column: the type of the recipe, of weights and of the activations that they are multiplied with."""
ASSUMED_ADAPTER_RANK = 16.0
"""Rank of adapters where a row does not give it: Hu et al., "LoRA", arXiv 2106.09685, and recipes use 8 to 64."""
ASSUMED_BATCH = 2.0
"""Sequences of a device where a row gives no batch."""
_NOTES: Mapping[str, re.Pattern[str]] = {
    "micro_batch": re.compile(r"(?:microbatch|micro-batch|MBS)[ =]+(\d+)", re.IGNORECASE),
    "cp": re.compile(r"\bCP[ =]+(\d+)"),
    "interleave": re.compile(r"\bVP[ =]+(\d+)"),
}
"""By field: the number that the notes of a row give it."""
_STAGES: Mapping[str, float] = {"FULL_SHARD": 3.0, "SHARD_GRAD_OP": 2.0, "NO_SHARD": 0.0}
"""ZeRO stage by sharding strategy of torch FSDP."""
_AGAIN = re.compile(r"act ckpt (True|False)|(full recompute)|(selective)", re.IGNORECASE)
_LORA = re.compile(r"\blora\b(?! table)", re.IGNORECASE)
RECOMPUTE_MODES = ("none", "selective", "full")
TRAINING_ROW_METRICS = ("train_tok_s", "train_seq_s")


@frozen(kw_only=True)
class TrainingRowKey:
    """What the rows of one evaluation share; `recompute` is "" where they do not say."""

    hw: str
    model: str
    dtype: str
    runtime: str
    recompute: str
    adapters: bool


def predict_training_rows(rows: MeasurementTable, names: LibraryNames) -> Prediction:
    """Return the prediction of each row: tokens or sequences a second of a step of training."""
    found = Prediction.empty(len(rows))
    for key, places in group_training_rows(rows, names, found):
        for made, tried, fits in evaluate_training_rows(key, places, rows, names, found):
            _fill(found, tried, fits, rows.take(tried), made)
    return found


def group_training_rows(
    rows: MeasurementTable, names: LibraryNames, found: Prediction
) -> Iterator[tuple[TrainingRowKey, Array]]:
    """Yield the rows that one evaluation tells; those of unknown runtimes and data types are skipped."""
    notes = [str(note) for note in rows.text("notes")]
    said = np.array([_recompute(note) for note in notes], dtype=object)
    lora = np.array([bool(_LORA.search(note.replace("SFT/LoRA", ""))) for note in notes])
    alike: dict[TrainingRowKey, list[Array]] = {}
    columns = ("hw", "model", "weights_dtype", "engine", "engine_version", "metric")
    for (hw, model, dtype, engine, version, metric), places in rows.groups(*columns):
        item = find_engine_runtime(names, f"{engine.removesuffix(' training')} training", version, 0)
        if item is None:
            found.skip(places, f"the library has no runtime that trains and is called {engine}")
            continue
        if metric not in TRAINING_ROW_METRICS or dtype not in TRAINING_DTYPES:
            found.skip(places, f"{metric} in {dtype} is not predicted of training")
            continue
        for again in np.unique(said[places]):
            for only in (False, True):
                key = TrainingRowKey(
                    hw=hw, model=model, dtype=dtype, runtime=item.name, recompute=str(again), adapters=only
                )
                alike.setdefault(key, []).append(places[(said[places] == again) & (lora[places] == only)])
    for key, parts in alike.items():
        together = np.concatenate(parts)
        if together.size:
            yield key, together


def _recompute(note: str) -> str:
    """Return what notes say is computed again, "" where they say nothing."""
    match = _AGAIN.search(note)
    if match is None:
        return ""
    if match[1]:
        return "full" if match[1].lower() == "true" else "none"
    return "full" if match[2] else "selective"


def evaluate_training_rows(
    key: TrainingRowKey, places: Array, rows: MeasurementTable, names: LibraryNames, found: Prediction
) -> Iterator[tuple[Evaluation, Array, Array]]:
    """Yield evaluations, each with the rows that were tried and for which of them it holds: the least that fits.

    What fits in no way is taken as it stands, with as much computed again as possible.
    """
    left, plain = places, None
    recomputes = (key.recompute,) if key.recompute else RECOMPUTE_MODES
    for adapters, zero in _WAYS[key.adapters]:
        for recompute in recomputes:
            if not left.size:
                return
            tried = rows.take(left)
            design, reason = build_training_design(
                key, tried, names, recompute=recompute, adapters=adapters, zero=zero
            )
            if design is None:
                found.skip(left, reason)
                return
            fits = _fits(design, left.size, names)
            fits &= _allowed(tried, adapters=adapters and not key.adapters, zero=zero)
            if fits.any():
                yield _evaluated(design, names), left, fits
            if zero is None and adapters == key.adapters:
                plain = design, left
            left = left[~fits]
    if left.size and plain is not None:
        yield _evaluated(plain[0], names), plain[1], np.isin(plain[1], left)


def _evaluated(design: Design, names: LibraryNames) -> Evaluation:
    return evaluate_points(design).evaluation


_WAYS: Mapping[bool, tuple[tuple[bool, float | None], ...]] = {
    True: ((True, None),),
    False: ((False, None), (False, 3.0), (True, None)),
}
"""By whether a row says that adapters are trained: whether they are, and the ZeRO stage where the row does not give it."""


def _allowed(rows: MeasurementTable, *, adapters: bool, zero: float | None) -> Array:
    """Return where a way may be guessed: nothing where a row says how states are sharded; Megatron shards fully only
    where layers are not divided otherwise.
    """
    whole = np.full(len(rows), True)
    if zero is None and not adapters:
        return whole
    said = np.isfinite(_stage(rows, np.nan))
    divided = (_count(rows, "tp") > 1) | (_count(rows, "pp") > 1)
    return np.asarray(~said & (divided if adapters else ~divided))


def _fits(design: Design, size: int, names: LibraryNames) -> Array:
    assert design.training is not None  # rows of training ask for a step
    with np.errstate(all="ignore"):
        limit = training_memory_limit(design, design.training)
    (check,) = check_limits((limit,), TRAINING_HEADROOM)
    return np.array(np.broadcast_to(check.kept, size))


def build_training_design(
    key: TrainingRowKey,
    rows: MeasurementTable,
    names: LibraryNames,
    *,
    recompute: str,
    adapters: bool,
    zero: float | None,
) -> tuple[Design | None, str]:
    """Return the design of rows that share device, model, data type and runtime, on arrays; or None and the reason."""
    item = names.runtime_definition(key.runtime.rpartition(".")[2])
    published, reason = names.model(key.model)
    machine = None if published is None else build_training_machine(key.hw, rows, names)
    if published is None or machine is None or item is None:
        return None, reason or f"the library has no network of {key.hw}"
    weights, activations = TRAINING_DTYPES[key.dtype]
    training = build_training_step(rows, recompute, adapters)
    parts = make_row_parts(
        names,
        runtime=item,
        machine=machine,
        published=published,
        precision=PrecisionRequest(weights=weights, activations=activations, widen=True),
        strategies=_strategies(rows, names, zero),
        load=make_training_load(training),
    )
    return build_row_design(evolve(parts, training=training), names)


def build_training_machine(hw: str, rows: MeasurementTable, names: LibraryNames) -> Machine | None:
    """Return a system for the largest of some rows: that of the library, or one with more groups of its outermost tier."""
    devices = int(np.nanmax(np.nan_to_num(rows.number("n_devices"), nan=1.0)))
    for wanted in _halves(devices):
        machine, _ = names.machine(hw, wanted)
        if machine is None:
            continue
        if wanted == devices or len(machine.tiers) < 2:
            return machine if wanted == devices else None
        *inner, outer = machine.tiers
        groups = outer.size * (devices / machine.devices)
        return evolve(machine, devices=term(float(devices)), tiers=(*inner, evolve(outer, size=groups)))
    return None


def _halves(devices: int) -> Iterator[int]:
    while devices >= 1:
        yield devices
        devices //= 2


def _count(rows: MeasurementTable, name: str) -> Array:
    found: Array = np.maximum(np.nan_to_num(rows.number(name), nan=1.0), 1.0)
    return found


def _noted(rows: MeasurementTable, name: str) -> Array:
    found = [_NOTES[name].search(str(note)) for note in rows.text("notes")]
    return np.array([float(match[1]) if match else 1.0 for match in found])


def _stage(rows: MeasurementTable, otherwise: float) -> Array:
    notes = [str(note) for note in rows.text("notes")]
    return np.array(
        [next((stage for word, stage in _STAGES.items() if word in note), otherwise) for note in notes]
    )


def _strategies(
    rows: MeasurementTable, names: LibraryNames, zero: float | None
) -> tuple[tuple[Strategy, Any], ...]:
    tp, pp, cp = _count(rows, "tp"), _count(rows, "pp"), _noted(rows, "cp")
    dp = np.maximum(np.round(_count(rows, "n_devices") / (tp * pp * cp)), 1.0)
    given = {"tp": tp, "pp": pp, "cp": cp, "dp": dp, "ep": _count(rows, "ep")}
    given["virtual_stages"] = _noted(rows, "interleave")
    given["zero_stage"] = _stage(rows, 1.0) if zero is None else np.full(len(rows), zero)
    degrees: dict[str, Any] = {name: Term(value) for name, value in given.items()}
    return make_strategies(names.registry, degrees | {"sp": True})


def build_training_step(rows: MeasurementTable, recompute: str, adapters: bool) -> Training:
    """Return the step of training of rows, on arrays."""
    fields = fields_of(Training)
    default = {
        name: term(fields[name].default, fields[name].units[0] if fields[name].units else "")
        for name in ("optimizer_bytes_per_param", "bf16_layer_fraction")
    }
    devices, micro = _count(rows, "n_devices"), _noted(rows, "micro_batch")
    batch = rows.number("batch_or_concurrency")
    batch = np.where(np.isfinite(batch), batch, ASSUMED_BATCH * devices)
    return Training(
        batch=Term(batch),
        sequence_length=term(_count(rows, "isl"), "tok"),
        micro_batch=Term(micro),
        recompute=recompute,
        optimizer_bytes_per_param=default["optimizer_bytes_per_param"],
        bf16_layer_fraction=default["bf16_layer_fraction"],
        lora_rank=Term(np.array(ASSUMED_ADAPTER_RANK)) if adapters else None,
    )


def _fill(found: Prediction, tried: Array, fits: Array, rows: MeasurementTable, made: Evaluation) -> None:
    step = made.training
    assert step is not None  # rows of training are evaluated as such
    batch, tokens = made.batch, rows.number("isl")
    rate = np.broadcast_to(batch.value / step.time.value, len(rows))
    value = np.where(rows.text("metric") == "train_tok_s", rate * tokens, rate)
    spread = made.design.runtime.log_error_std or made.design.machine.device.package.model_log_error_std
    found.put(tried[fits], value[fits], float(np.max(spread.value)), "runtime")
