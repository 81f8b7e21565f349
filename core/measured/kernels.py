"""Rows of kernels to predictions: the operation of a kernel model on a device of the library, costed like any layer's.

Rows of one device, operation, data type and engine are one evaluation on arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, fields_dict

from accelscope.core.assemble import WIDENED
from accelscope.core.bind import Binder
from accelscope.core.cost import OpCost, Setting, cost_of, multiplier
from accelscope.core.dtypes import BITS, bytes_of
from accelscope.core.measured.forms import COLLECTIVES, DTYPES, EXCHANGES, FORMS, words_of
from accelscope.core.measured.names import Names
from accelscope.core.measured.predict import Prediction
from accelscope.core.measured.table import Table
from accelscope.core.network import transfer
from accelscope.core.term import Array, Term, term
from accelscope.core.work import ONE, Collective, Device, Machine, Plan, Precision, Step

if TYPE_CHECKING:
    from accelscope.core.registry import Registry

_MICROSECONDS = 1e6
_STEP = Step(phase="decode", sequences=ONE, tokens=ONE, context=ONE * 0.0)
_FARTHEST = ("given", "device", "family", "model", "none")
"""Where kernels' parameters may be from, the nearest first."""


def predict(rows: Table, names: Names) -> Prediction:
    """Return the time in us of each row of a table of kernels."""
    found = Prediction.empty(len(rows))
    for (hw, op, kernel, dtype, _, engine), places in rows.groups(
        "hw", "op", "kernel", "dtype", "kv_dtype", "engine"
    ):
        group = rows.take(places)
        if op in FORMS:
            made = _kernels(group, names, hw, op, words_of(op, kernel, dtype, engine))
        elif op in COLLECTIVES or op in EXCHANGES:
            made = _collectives(group, names, hw, op)
        else:
            made = Prediction.empty(len(group), f"no model of op {op}")
        found.update(places, made)
    return found


def _kernels(rows: Table, names: Names, hw: str, op: str, words: dict[str, Any]) -> Prediction:
    """Predict rows that differ in their sizes alone."""
    found = Prediction.empty(len(rows))
    every = np.arange(len(rows))
    machine, reason = names.machine(hw, engine=rows.text("engine")[0])
    if machine is None:
        found.skip(every, reason)
        return found
    precision, reason = _precision(rows, machine.device, names.registry)
    form = FORMS[op]
    if precision is None or form.family not in names.registry.workloads:
        found.skip(every, reason or f"no installed plugin builds `{form.family}`")
        return found
    given = _given(rows, tuple(form.columns.values()))
    found.skip(~given, f"op {op} without all of {', '.join(form.columns.values())}")
    for present, absent in _variants(rows, form.optional):
        places = np.flatnonzero(given & present)
        if places.size:
            fields = {
                name: column for name, column in (form.columns | form.optional).items() if name not in absent
            }
            _run(
                rows.take(places),
                places,
                names.registry,
                machine,
                precision,
                form.family,
                fields,
                words,
                found,
            )
    return found


def _variants(rows: Table, optional: Any) -> list[tuple[Array, set[str]]]:
    """Return which rows give an optional field and which do not."""
    every = np.full(len(rows), True)
    for name, column in optional.items():
        values = rows.number(column)
        has = np.nan_to_num(values) > 0
        return [(has, set()), (~has, {name})]
    return [(every, set())]


def _run(
    rows: Table,
    places: Array,
    registry: Registry,
    machine: Machine,
    precision: Precision,
    family: str,
    columns: dict[str, str],
    words: dict[str, Any],
    found: Prediction,
) -> None:
    model = registry.workloads[family]
    sizes = {name: term(rows.number(column)) for name, column in columns.items()}
    plan = _plan(model, model.spec(**sizes, **words), precision)
    plan = _spread(plan, rows, machine, registry)
    costs = [cost_of(op, plan, machine.device, registry, Setting()) for op in plan.ops]
    seconds = sum(np.broadcast_to(cost.seconds.value, len(rows)) for cost in costs)
    spread = sum(cost.seconds.value * _spread_of(cost, machine.device) for cost in costs) / seconds
    found.put(places, seconds * _MICROSECONDS, spread, _origin(costs))


def _plan(model: Any, spec: Any, precision: Precision) -> Plan:
    workload = model.build(spec, _STEP, precision)
    return Plan(ops=workload.ops, residency=workload.residency, workload=workload)


def _spread(plan: Plan, rows: Table, machine: Machine, registry: Registry) -> Plan:
    """Divide experts over ranks as the strategies do: `ep` ranks with whole experts, of which `tp` share each."""
    if plan.workload.experts is None:
        return plan
    ep, tp = (np.nan_to_num(rows.number(name), nan=1.0) for name in ("ep", "tp"))
    return sharded(plan, machine, registry, ep=term(ep), tp=term(ep * tp))


def sharded(plan: Plan, machine: Machine, registry: Registry, **degrees: Term) -> Plan:
    """Return a plan divided by the strategies with the given degrees, the others at their defaults."""
    binder = Binder(registry)
    for strategy in registry.strategies:
        spec = binder.default_of(strategy.spec, "parallel")
        own = {name: value for name, value in degrees.items() if name in fields_dict(strategy.spec)}
        plan = strategy.shard(evolve(spec, **own), plan, machine)
    return plan


def _collectives(rows: Table, names: Names, hw: str, op: str) -> Prediction:
    """Predict collectives on systems of as many devices as each row has."""
    found = Prediction.empty(len(rows))
    columns = (
        ("bytes", "devices") if op in COLLECTIVES else ("tokens", "hidden", "experts", "topk", "devices")
    )
    given = _given(rows, columns)
    found.skip(~given, f"op {op} without all of {', '.join(columns)}")
    devices, nodes = rows.number("devices"), np.nan_to_num(rows.number("nodes"), nan=1.0)
    engine = rows.text("engine")[0]
    for count, spread in sorted({*zip(devices[given], nodes[given], strict=True)}):
        places = np.flatnonzero(given & (devices == count) & (nodes == spread))
        machine, reason = names.machine(hw, int(count), int(spread), engine)
        if machine is None:
            found.skip(places, reason)
            continue
        group = rows.take(places)
        item = _collective(group, op, machine, names.registry)
        seconds = np.broadcast_to(transfer(machine, item, names.registry).time.value, len(group))
        found.put(places, seconds * _MICROSECONDS, _model_spread(machine.device))
    return found


def _collective(rows: Table, op: str, machine: Machine, registry: Registry) -> Collective:
    ranks = term(rows.number("devices"))
    if op in COLLECTIVES:
        return Collective(name=op, kind=COLLECTIVES[op], bytes=term(rows.number("bytes"), "B"), ranks=ranks)
    model = registry.workloads["moe"]
    sizes = {name: term(rows.number(name)) for name in ("tokens", "hidden", "experts", "topk")}
    spec = model.spec(**sizes, inter=ONE)
    wide = Precision(weights=WIDENED, activations=WIDENED, kv=WIDENED)
    plan = sharded(_plan(model, spec, wide), machine, registry, ep=ranks, dp=ranks)
    item = next(item for item in plan.collectives if item.name == EXCHANGES[op])
    dtype = DTYPES.get(rows.text("dtype")[0], (WIDENED, WIDENED))[1]
    return evolve(item, bytes=item.bytes * (bytes_of(dtype) / bytes_of(WIDENED)))


def _precision(rows: Table, device: Device, registry: Registry) -> tuple[Precision | None, str]:
    """Return the data types of a group: narrow weights are widened where a device cannot multiply in their type."""
    dtype, kv = rows.text("dtype")[0], rows.text("kv_dtype")[0]
    if dtype not in DTYPES:
        return None, f"no data type {dtype}" if dtype else "no data type"
    weights, activations = DTYPES[dtype]
    if multiplier(device, activations, registry) is None:
        activations = WIDENED
    if multiplier(device, activations, registry) is None:
        return None, f"{device.name} multiplies nothing in {activations}"
    return Precision(weights=weights, activations=activations, kv=kv if kv in BITS else WIDENED), ""


def _given(rows: Table, columns: tuple[str, ...]) -> Array:
    return np.all([np.nan_to_num(rows.number(name)) > 0 for name in columns], axis=0)


def _spread_of(cost: OpCost, device: Device) -> Array | float:
    spread = cost.known.kernel.spread
    return _model_spread(device) if spread is None else spread.value


def _model_spread(device: Device) -> float:
    return float(np.max(device.package.model_spread.value))


def _origin(costs: list[OpCost]) -> str:
    """Return where the parameters are from that were measured farthest away."""
    return max((cost.known.origin for cost in costs), key=lambda origin: _FARTHEST.index(origin))
