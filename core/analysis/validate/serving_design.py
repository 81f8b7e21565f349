"""Rows of served models as designs: rows of one model on one system under one engine are one design on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import fields_dict, frozen

from accelscope.core.analysis.validate.library_names import LibraryNames, PublishedModel
from accelscope.core.analysis.validate.static_batch import WEIGHT_DTYPES
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.assemble.assemble import FALLBACK_DTYPE
from accelscope.core.assemble.design import Design, SystemCost
from accelscope.core.assemble.engine_selection import find_matrix_engine
from accelscope.core.assemble.expert_precision import with_narrow_experts
from accelscope.core.assemble.parallelism import make_strategies
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.runtime import NO_OVERHEAD_PROFILE, Runtime, build_engine_profile, device_names
from accelscope.core.blocks.scenario import Load, MemoryPolicy, Scheduler
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Precision
from accelscope.core.library.definitions import LibraryDefinition
from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.core.numeric.term import Array, term

_FP8_CACHE_RUNTIMES = ("tensorrt_llm",)
"""Runtimes whose published checkpoints in 8 and 4 bits come with a KV cache in fp8 (TensorRT-LLM's quantisation)."""


@frozen(kw_only=True, eq=False)
class ParallelDegrees:
    """Degrees of parallelism of each row."""

    tp: Array
    pp: Array
    ep: Array
    dp: Array


def read_parallel_degrees(rows: MeasurementTable) -> ParallelDegrees:
    """Return the degrees that rows give; what they do not give is 1."""
    degrees = {name: np.nan_to_num(rows.number(name), nan=1.0) for name in fields_dict(ParallelDegrees)}
    return ParallelDegrees(**{name: np.maximum(value, 1.0) for name, value in degrees.items()})


def build_served_design(
    rows: MeasurementTable,
    names: LibraryNames,
    item: LibraryDefinition | None,
    split: ParallelDegrees,
    load: Load,
) -> tuple[Design | None, str]:
    """Return the design of rows of one device, model, engine, data types and number of devices; or None and why not.

    Args:
        rows: they differ in sizes, load and degrees of parallelism alone.
        item: the runtime that serves them, or None where the library lacks it.
        load: arrays over the rows.
    """
    hw, name, engine = (str(rows.text(column)[0]) for column in ("hw", "model", "engine"))
    devices = int(np.nan_to_num(rows.number("n_devices")[0], nan=1.0))
    machine, reason = names.machine(hw, devices, engine=engine)
    published, unknown = names.model(name)
    if machine is None or published is None:
        return None, reason if machine is None else unknown
    binder = Binder(names.registry)
    pace = NO_OVERHEAD_PROFILE
    if item is not None:
        runtime: Runtime = binder.bind_as(item.component, Runtime)
        pace = build_engine_profile(item.component.name, runtime, device_names(machine.device))
    precision, reason = _precision(rows, machine, published, pace.name, names)
    if precision is None:
        return None, reason
    design = Design(
        scenario="row",
        machine=machine,
        model=published.model,
        precision=precision,
        strategies=build_row_strategies(names, split),
        load=load,
        memory=binder.default_of(MemoryPolicy, "memory"),
        scheduler=binder.default_of(Scheduler, "scheduler"),
        money=SystemCost(),
        runtime=pace,
    )
    return with_narrow_experts(design, names.registry), ""


def build_row_strategies(names: LibraryNames, split: ParallelDegrees) -> tuple[Any, ...]:
    """Return the strategies with the degrees of each row.

    Experts that lie on the ranks of one replica get their tokens there; only those of several have to be sent theirs.
    """
    exchange = "all_to_all" if np.any(split.ep > split.tp) else "replicated"
    degrees: dict[str, Any] = {name: term(getattr(split, name)) for name in fields_dict(ParallelDegrees)}
    return make_strategies(names.registry, degrees | {"ep_exchange": exchange})


def _precision(
    rows: MeasurementTable, machine: Machine, published: PublishedModel, runtime: str, names: LibraryNames
) -> tuple[Precision | None, str]:
    """Return the data types of rows; a model whose experts are published in a row's type keeps the rest as published."""
    dtype, kv = str(rows.text("weights_dtype")[0]), str(rows.text("kv_dtype")[0])
    if dtype not in WEIGHT_DTYPES:
        return None, f"no data type {dtype}" if dtype else "no data type"
    weights, activations, _ = WEIGHT_DTYPES[dtype]
    narrow = DTYPE_BITS[weights] < DTYPE_BITS[FALLBACK_DTYPE]
    experts = getattr(getattr(published.model.spec, "experts", None), "weights", None)
    if experts == weights:
        weights = published.precision.get("weights", FALLBACK_DTYPE)
        activations = published.precision.get("activations", FALLBACK_DTYPE)
    if find_matrix_engine(machine.device, activations) is None:
        activations = FALLBACK_DTYPE
    if kv not in DTYPE_BITS:
        kv = "fp8" if runtime in _FP8_CACHE_RUNTIMES and narrow else FALLBACK_DTYPE
    return Precision(weights=weights, activations=activations, kv=kv), ""
