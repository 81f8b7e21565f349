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

from accelscope.core.bind import Binder
from accelscope.core.cost import multiplier
from accelscope.core.design import Design, Money
from accelscope.core.evaluate import Evaluation, evaluate
from accelscope.core.measured.forms import DTYPES
from accelscope.core.measured.names import Names
from accelscope.core.measured.predict import Prediction
from accelscope.core.measured.static_batch import runtime_item
from accelscope.core.measured.table import Table
from accelscope.core.records import Strategy
from accelscope.core.runtime import Runtime, device_names, pace_of
from accelscope.core.scenario import MemoryPolicy, Scheduler, Training
from accelscope.core.spec import fields_of
from accelscope.core.term import Array, Term, term
from accelscope.core.training import load_of
from accelscope.core.work import Machine, Precision

TYPES: Mapping[str, tuple[str, str]] = {**DTYPES, "mxfp8": ("mxfp8", "mxfp8"), "fp4": ("nvfp4", "nvfp4")}
"""By the `weights_dtype` column: the type of the recipe, of weights and of the activations that they are multiplied with."""
RANK = 16.0
"""Rank of adapters where a row does not give it: Hu et al., "LoRA", arXiv 2106.09685, and recipes use 8 to 64."""
ROOM = 0.95
"""Share of the memory that states and activations take at most: the rest is fragments and buffers of communication."""
ASSUMED_BATCH = 2.0
"""Sequences of a device where a row gives no batch."""
_NOTES: Mapping[str, re.Pattern[str]] = {
    "micro_batch": re.compile(r"(?:microbatch|micro-batch|MBS)[ =]+(\d+)", re.I),
    "cp": re.compile(r"\bCP[ =]+(\d+)"),
    "interleave": re.compile(r"\bVP[ =]+(\d+)"),
}
"""By field: the number that the notes of a row give it."""
_STAGES: Mapping[str, float] = {"FULL_SHARD": 3.0, "SHARD_GRAD_OP": 2.0, "NO_SHARD": 0.0}
"""ZeRO stage by sharding strategy of torch FSDP."""
_AGAIN = re.compile(r"act ckpt (True|False)|(full recompute)|(selective)", re.I)
_LORA = re.compile(r"\blora\b(?! table)", re.I)
RECOMPUTES = ("none", "selective", "full")
METRICS = ("train_tok_s", "train_seq_s")


@frozen(kw_only=True)
class _Key:
    """What the rows of one evaluation share; None where a row does not say."""

    hw: str
    model: str
    dtype: str
    runtime: str
    recompute: str | None
    adapters: bool | None


def predict(rows: Table, names: Names) -> Prediction:
    """Return the prediction of each row: tokens or sequences a second of a step of training."""
    found = Prediction.empty(len(rows))
    for key, places in _groups(rows, names, found):
        for made, own in evaluations(key, places, rows, names, found):
            _fill(found, own, rows.take(own), made)
    return found


def _groups(rows: Table, names: Names, found: Prediction) -> Iterator[tuple[_Key, Array]]:
    notes = rows.text("notes")
    said = np.array([_recompute(str(note)) or "" for note in notes], dtype=object)
    lora = np.array([bool(_LORA.search(str(note).replace("SFT/LoRA", ""))) for note in notes])
    columns = ("hw", "model", "weights_dtype", "engine", "engine_version", "metric")
    for (hw, model, dtype, engine, version, metric), places in rows.groups(*columns):
        item = runtime_item(names, f"{engine} training".replace("training training", "training"), version, 0)
        if item is None:
            found.skip(places, f"the library has no runtime {engine}")
            continue
        if metric not in METRICS or dtype not in TYPES:
            found.skip(places, f"{metric} in {dtype} is not predicted of training")
            continue
        for again in np.unique(said[places]):
            for only in (False, True):
                own = places[(said[places] == again) & (lora[places] == only)]
                if own.size:
                    yield (
                        _Key(
                            hw=hw,
                            model=model,
                            dtype=dtype,
                            runtime=item.name,
                            recompute=str(again) or None,
                            adapters=only or None,
                        ),
                        own,
                    )


def _recompute(note: str) -> str | None:
    match = _AGAIN.search(note)
    if match is None:
        return None
    if match[1]:
        return "full" if match[1].lower() == "true" else "none"
    return "full" if match[2] else "selective"


def evaluations(
    key: _Key, places: Array, rows: Table, names: Names, found: Prediction
) -> Iterator[tuple[Evaluation, Array]]:
    """Yield evaluations of rows, each with the rows that it holds for: the least that memory forces them to."""
    left = places
    recomputes = RECOMPUTES if key.recompute is None else (key.recompute,)
    first = None
    for adapters, zero in _ways(key):
        for recompute in recomputes:
            if not left.size:
                return
            made, reason = _evaluated(key, rows.take(left), names, recompute, adapters, zero)
            if made is None:
                found.skip(left, reason)
                return
            first = first or (made, recompute)
            fits = _fits(made, left.size) & _allowed(rows.take(left), adapters, zero)
            if fits.any():
                yield _taken_of(key, rows, left[fits], names, recompute, adapters, zero), left[fits]
            left = left[~fits]
    if left.size:
        yield _taken_of(key, rows, left, names, recomputes[-1], False, None), left


def _ways(key: _Key) -> tuple[tuple[bool, float | None], ...]:
    """Return what is trained and sharded, in the order in which they are tried: as the row says, then fully sharded."""
    if key.adapters:
        return ((True, None),)
    return ((False, None), (False, 3.0), (True, None))


def _allowed(rows: Table, adapters: bool, zero: float | None) -> Array:
    """Return where a way may be guessed: nothing where a row says how states are sharded; Megatron shards fully only
    where layers are not divided otherwise.
    """
    whole = np.full(len(rows), True)
    if zero is None and not adapters:
        return whole
    said = np.isfinite(_stage(rows, np.nan))
    divided = (_count(rows, "tp") > 1) | (_count(rows, "pp") > 1)
    return np.asarray(~said & (divided if adapters else ~divided))


def _fits(made: Evaluation, size: int) -> Array:
    limit = next(limit for limit in made.limits if limit.name == "memory")
    return np.broadcast_to(limit.used.value <= limit.available.value * ROOM, size)


def _taken_of(
    key: _Key, rows: Table, places: Array, names: Names, recompute: str, adapters: bool, zero: float | None
) -> Evaluation:
    made, reason = _evaluated(key, rows.take(places), names, recompute, adapters, zero)
    assert made is not None, reason  # the same rows were evaluated before
    return made


def _evaluated(
    key: _Key, rows: Table, names: Names, recompute: str, adapters: bool, zero: float | None
) -> tuple[Evaluation | None, str]:
    design, reason = design_of(key, rows, names, recompute=recompute, adapters=adapters, zero=zero)
    if design is None:
        return None, reason
    with np.errstate(all="ignore"):
        return evaluate(design, names.registry), ""


def design_of(
    key: _Key, rows: Table, names: Names, *, recompute: str, adapters: bool, zero: float | None
) -> tuple[Design | None, str]:
    """Return the design of rows that share device, model, data type and runtime, on arrays; or None and the reason."""
    item = names.known_runtime(key.runtime.rpartition(".")[2])
    published, reason = names.model(key.model)
    machine = None if published is None else machine_for(key.hw, rows, names)
    if published is None or machine is None or item is None:
        return None, reason or f"the library has no network of {key.hw}"
    binder = Binder(names.registry)
    runtime: Runtime = binder.bind_as(item.component, Runtime)
    training = training_of_rows(rows, binder, recompute, adapters)
    return Design(
        scenario="rows",
        machine=machine,
        model=published.model,
        precision=_precision(key.dtype, machine, names),
        strategies=_strategies(rows, names, binder, zero),
        load=load_of(training),
        training=training,
        memory=binder.default_of(MemoryPolicy, "rows.memory"),
        scheduler=binder.default_of(Scheduler, "rows.scheduler"),
        money=Money(),
        runtime=pace_of(item.component.name, runtime, device_names(machine.device)),
    ), ""


def machine_for(hw: str, rows: Table, names: Names) -> Machine | None:
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


def _precision(dtype: str, machine: Machine, names: Names) -> Precision:
    weights, activations = TYPES[dtype]
    if multiplier(machine.device, activations, names.registry) is None:
        weights = activations = "bf16"
    return Precision(weights=weights, activations=activations, kv="bf16")


def _count(rows: Table, name: str) -> Array:
    return np.maximum(np.nan_to_num(rows.number(name), nan=1.0), 1.0)


def _noted(rows: Table, name: str) -> Array:
    found = [_NOTES[name].search(str(note)) for note in rows.text("notes")]
    return np.array([float(match[1]) if match else 1.0 for match in found])


def _stage(rows: Table, otherwise: float) -> Array:
    notes = [str(note) for note in rows.text("notes")]
    return np.array(
        [next((stage for word, stage in _STAGES.items() if word in note), otherwise) for note in notes]
    )


def _strategies(
    rows: Table, names: Names, binder: Binder, zero: float | None
) -> tuple[tuple[Strategy, Any], ...]:
    tp, pp, cp = _count(rows, "tp"), _count(rows, "pp"), _noted(rows, "cp")
    dp = np.maximum(np.round(_count(rows, "n_devices") / (tp * pp * cp)), 1.0)
    given = {"tp": tp, "pp": pp, "cp": cp, "dp": dp, "ep": _count(rows, "ep")}
    given["interleave"] = _noted(rows, "interleave")
    given["zero"] = _stage(rows, 1.0) if zero is None else np.full(len(rows), zero)
    found = []
    for strategy in names.registry.strategies:
        spec = binder.default_of(strategy.spec, "rows.parallel")
        own = {name: Term(value) for name, value in given.items() if hasattr(spec, name)}
        if hasattr(spec, "sp"):
            own["sp"] = True
        found.append((strategy, evolve(spec, **own)))
    return tuple(found)


def training_of_rows(rows: Table, binder: Binder, recompute: str, adapters: bool) -> Training:
    """Return the step of training of rows, on arrays."""
    told = fields_of(Training)
    default = {
        name: term(told[name]["default"], told[name]["units"][0] if told[name]["units"] else "")
        for name in ("states", "wide")
    }
    devices, micro = _count(rows, "n_devices"), _noted(rows, "micro_batch")
    batch = rows.number("batch_or_concurrency")
    batch = np.where(np.isfinite(batch), batch, ASSUMED_BATCH * devices)
    return Training(
        batch=Term(batch),
        sequence=term(_count(rows, "isl"), "tok"),
        micro_batch=Term(micro),
        recompute=recompute,
        states=default["states"],
        wide=default["wide"],
        adapter_rank=Term(np.array(RANK)) if adapters else None,
    )


def _fill(found: Prediction, places: Array, rows: Table, made: Evaluation) -> None:
    step = made.training
    assert step is not None  # rows of training are evaluated as such
    batch, tokens = made.design.load.batch, rows.number("isl")
    assert batch is not None  # rows give it, or it is assumed
    rate = np.broadcast_to(batch.value / step.time.value, len(rows))
    value = np.where(rows.text("metric") == "train_tok_s", rate * tokens, rate)
    spread = made.design.runtime.spread or made.design.machine.device.package.model_spread
    found.put(places, value, float(np.max(spread.value)), "runtime")
