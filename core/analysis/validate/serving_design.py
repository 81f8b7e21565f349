"""Rows of served models as designs: rows of one model on one system under one engine are one design on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import fields_dict, frozen

from accelscope.core.analysis.validate.library_names import LibraryNames, PublishedModel
from accelscope.core.analysis.validate.row_design import make_row_parts
from accelscope.core.analysis.validate.static_batch import WEIGHT_DTYPES
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.assemble.parallelism import make_strategies
from accelscope.core.assemble.parts import DesignParts, PrecisionRequest
from accelscope.core.assemble.precision import FALLBACK_DTYPE
from accelscope.core.blocks.scenario import Load
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


def make_served_parts(
    rows: MeasurementTable,
    names: LibraryNames,
    item: LibraryDefinition,
    split: ParallelDegrees,
    load: Load,
) -> tuple[DesignParts | None, str]:
    """Return the parts of rows of one device, model, engine, data types and number of devices; or None and why not.

    Args:
        rows: they differ in sizes, load and degrees of parallelism alone.
        names: the library and the plugins.
        item: the runtime that serves them.
        split: degrees of parallelism, arrays over the rows.
        load: arrays over the rows.
    """
    hw, name = (str(rows.text(column)[0]) for column in ("hw", "model"))
    machine, reason = names.machine(hw, int(np.nan_to_num(rows.number("n_devices")[0], nan=1.0)))
    published, unknown = names.model(name)
    if machine is None or published is None:
        return None, reason if machine is None else unknown
    precision, reason = _precision(rows, published, item.component.name)
    if precision is None:
        return None, reason
    return make_row_parts(
        names,
        runtime=item,
        machine=machine,
        published=published,
        precision=precision,
        strategies=build_row_strategies(names, split),
        load=load,
    ), ""


def build_row_strategies(names: LibraryNames, split: ParallelDegrees) -> tuple[Any, ...]:
    """Return the strategies with the degrees of each row.

    Experts that lie on the ranks of one replica get their tokens there; only those of several have to be sent theirs.
    """
    exchange = "all_to_all" if np.any(split.ep > split.tp) else "replicated"
    degrees: dict[str, Any] = {name: term(getattr(split, name)) for name in fields_dict(ParallelDegrees)}
    return make_strategies(names.registry, degrees | {"ep_dispatch": exchange})


def _precision(
    rows: MeasurementTable, published: PublishedModel, runtime: str
) -> tuple[PrecisionRequest | None, str]:
    """Return the data types of rows; a model whose experts are published in a row's type keeps the rest as published."""
    dtype, kv = str(rows.text("weights_dtype")[0]), str(rows.text("kv_dtype")[0])
    if dtype not in WEIGHT_DTYPES:
        return None, f"no data type {dtype}" if dtype else "no data type"
    weights, activations, head = WEIGHT_DTYPES[dtype]
    narrow = DTYPE_BITS[weights] < DTYPE_BITS[FALLBACK_DTYPE]
    if kv not in DTYPE_BITS:
        kv = "fp8" if runtime in _FP8_CACHE_RUNTIMES and narrow else FALLBACK_DTYPE
    experts = getattr(getattr(published.model.spec, "experts", None), "weight_dtype", None)
    if experts == weights:
        weights = published.precision.weights or FALLBACK_DTYPE
        activations = published.precision.activations or FALLBACK_DTYPE
    return PrecisionRequest(weights=weights, activations=activations, kv=kv, lm_head=head, widen=True), ""
