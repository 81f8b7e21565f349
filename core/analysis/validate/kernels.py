"""Rows of kernels to predictions: the operation of a kernel model on a device of the library, costed like any layer's.

Rows of one device, operation, data type and engine are one evaluation on arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.validate.kernel_rows import (
    COLLECTIVES,
    EXPERT_EXCHANGES,
    KERNEL_ROW_MAPPINGS,
    MEASURED_DTYPES,
    NARROWED_EXCHANGES,
    PER_RANK_COLLECTIVES,
    KernelRowMapping,
    collective_kernel_class,
    implementation_of,
    infer_expert_visits,
    infer_kernel_options,
)
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.assemble.engine_selection import find_matrix_engine
from accelscope.core.assemble.parallelism import make_strategies
from accelscope.core.assemble.parts import PrecisionRequest
from accelscope.core.assemble.precision import FALLBACK_DTYPE, resolve_precision
from accelscope.core.blocks.calibration import CalibratedKernel, DeviceKernels
from accelscope.core.evaluate.collective_cost import compute_collective_cost
from accelscope.core.evaluate.model_error import estimate_kernel_spread
from accelscope.core.evaluate.op_cost import OpCost, PassContext, compute_op_cost
from accelscope.core.ir.constants import NO_BYTES, ONE
from accelscope.core.ir.hardware import Device, Machine
from accelscope.core.ir.operation import Precision, Step
from accelscope.core.ir.plan import Collective, Plan, Residency, Workload
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.dtypes import DTYPE_BITS, bytes_per_element
from accelscope.core.numeric.term import Array, Term, term

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

_MICROSECONDS = 1e6
_UNKEPT = term(np.inf, "B")
_STEP = Step(phase=Phase.DECODE, sequences=ONE, tokens=ONE, context=ONE * 0.0)
_FARTHEST = ("given", "device", "family", "model", "none")
"""Where kernels' parameters may be from, the nearest first."""


@frozen(kw_only=True, eq=False)
class KernelRowGroup:
    """Rows that differ in their sizes alone: one evaluation on arrays.

    Attributes:
        places: of the rows in their table.
        plan: the operations, arrays over the rows.
        machine: what runs them.
        exchange: the collective that they are, where they are no operations; the plan has none then.
    """

    places: Array
    plan: Plan
    machine: Machine
    exchange: Collective | None = None


def predict_kernel_rows(rows: MeasurementTable, names: LibraryNames) -> Prediction:
    """Return the time in us of each row of a table of kernels."""
    found = Prediction.empty(len(rows))
    for group in group_kernel_rows(rows, names, found):
        package = group.machine.device.package
        if group.exchange is not None:
            time = np.broadcast_to(exchange_time(group, names.registry).value, group.places.shape)
            known = lookup_exchange_kernel(group)
            found.put(
                group.places, time * _MICROSECONDS, estimate_kernel_spread(known, package), known.origin
            )
            continue
        costs = cost_row_group(group, names.registry)
        each = [np.broadcast_to(cost.seconds.value, group.places.shape) for cost in costs]
        seconds = np.sum(each, axis=0)
        shares = [
            part / seconds * estimate_kernel_spread(cost.known, package)
            for part, cost in zip(each, costs, strict=True)
        ]
        found.put(group.places, seconds * _MICROSECONDS, np.sum(shares, axis=0), _origin(costs))
    return found


def group_kernel_rows(
    rows: MeasurementTable, names: LibraryNames, found: Prediction
) -> Iterator[KernelRowGroup]:
    """Yield the rows that are operations of a device or collectives of several, group by group.

    Args:
        rows: table of measured kernels.
        names: resolves the names in the table.
        found: takes the reasons of rows that no group holds.
    """
    for (_, op, kernel, dtype, _, engine, _, dist), places in rows.groups(
        "hw", "op", "kernel", "dtype", "kv_dtype", "engine", "engine_version", "dist"
    ):
        if op in KERNEL_ROW_MAPPINGS:
            yield from _groups(
                rows.take(places), places, names, infer_kernel_options(op, kernel, dtype, engine, dist), found
            )
        elif op in COLLECTIVES or op in EXPERT_EXCHANGES:
            yield from _exchanges(rows.take(places), places, names, found)
        else:
            found.skip(places, f"no model of op {op}")


def cost_row_group(
    group: KernelRowGroup, registry: Registry, kernels: DeviceKernels | None = None
) -> list[OpCost]:
    """Return what the operations of a group cost.

    Args:
        group: rows that are one evaluation.
        registry: loaded plugins.
        kernels: what is assumed of its kernels in place of the calibrations of the library.
    """
    device = group.machine.device
    if kernels is not None:
        device = evolve(device, kernels=kernels)
    return [compute_op_cost(op, group.plan, device, PassContext()) for op in group.plan.ops]


def _groups(
    rows: MeasurementTable, places: Array, names: LibraryNames, words: dict[str, Any], found: Prediction
) -> Iterator[KernelRowGroup]:
    """Yield rows of one device, operation and data type: those with each optional field, and those without."""
    hw, op, engine = (rows.text(name)[0] for name in ("hw", "op", "engine"))
    registry, form = names.registry, KERNEL_ROW_MAPPINGS[op]
    release = rows.text("engine_version")[0]
    machine, reason = names.kernel_machine(hw, engine=engine, kernel=rows.text("kernel")[0], release=release)
    precision = None
    if machine is not None:
        precision, reason = _precision(rows, machine.device)
    if form.family not in registry.workloads:
        reason = f"no installed plugin builds `{form.family}`{registry.describe_absent()}"
    if machine is None or precision is None or reason:
        found.skip(places, reason)
        return
    given = _given(rows, tuple(form.columns.values()))
    found.skip(places[~given], f"op {op} without all of {', '.join(form.columns.values())}")
    for present, columns in _variants(rows, form):
        kept = np.flatnonzero(given & present)
        if kept.size:
            group = rows.take(kept)
            sizes = {name: names.size(group, column) for name, column in columns.items()}
            model = registry.workloads[form.family]
            plan = _plan(model, model.spec(**sizes, **words), precision)
            plan = _cold(plan) if form.cold else plan
            yield KernelRowGroup(
                places=places[kept], plan=_spread(plan, group, machine, registry), machine=machine
            )


def _variants(rows: MeasurementTable, form: KernelRowMapping) -> Iterator[tuple[Array, dict[str, str]]]:
    """Yield which rows give each set of optional fields, with the columns of their fields."""
    given = {name: _given(rows, (column,)) for name, column in form.optional.items()}
    for chosen in product((False, True), repeat=len(given)):
        names = [name for name, wanted in zip(given, chosen, strict=True) if wanted]
        present = np.full(len(rows), True)
        for name, has in given.items():
            present &= has if name in names else ~has
        yield present, {**form.columns, **{name: form.optional[name] for name in names}}


def _plan(model: Any, spec: Any, precision: Precision) -> Plan:
    workload = model.build(spec, _STEP, precision)
    return Plan(ops=workload.ops, residency=workload.residency, workload=workload)


def _cold(plan: Plan) -> Plan:
    """Return a plan before whose weights are used again so much else is that no cache keeps any."""
    return evolve(plan, residency=evolve(plan.residency, weights=_UNKEPT))


def _spread(plan: Plan, rows: MeasurementTable, machine: Machine, registry: Registry) -> Plan:
    """Divide experts over ranks as the strategies do: `ep` ranks with whole experts, of which `tp` share each."""
    if plan.workload.experts is None:
        return plan
    ep, tp = (np.nan_to_num(rows.number(name), nan=1.0) for name in ("ep", "tp"))
    visits = infer_expert_visits(rows.text("engine")[0], rows.text("kernel")[0])
    return shard_plan(plan, machine, registry, ep=term(ep), tp=term(ep * tp), ep_remote_tokens=visits)


def shard_plan(plan: Plan, machine: Machine, registry: Registry, **degrees: Term | str) -> Plan:
    """Return a plan divided by the strategies with the given degrees, the others at their defaults."""
    for strategy, spec in make_strategies(registry, degrees):
        plan = strategy.shard(spec, plan, machine)
    return plan


def _exchanges(
    rows: MeasurementTable, whole: Array, names: LibraryNames, found: Prediction
) -> Iterator[KernelRowGroup]:
    """Yield collectives of one device and software, those of as many devices and nodes together.

    Args:
        rows: rows of one device, operation and software.
        whole: places of the rows in their table.
        names: resolves the names in the table.
        found: takes the reasons of rows that no group holds.
    """
    hw, op, engine, kernel = (rows.text(name)[0] for name in ("hw", "op", "engine", "kernel"))
    backend = implementation_of(kernel) if op in EXPERT_EXCHANGES else ""
    network = kernel.casefold().rpartition(" ")[2]
    release = rows.text("engine_version")[0]
    sizes = ("bytes",) if op in COLLECTIVES else ("tokens", "hidden", "experts", "topk")
    given = _given(rows, (*sizes, "devices"))
    found.skip(whole[~given], f"op {op} without all of {', '.join((*sizes, 'devices'))}")
    devices, nodes = rows.number("devices"), np.nan_to_num(rows.number("nodes"), nan=1.0)
    for count, spread in sorted({*zip(devices[given], nodes[given], strict=True)}):
        places = np.flatnonzero(given & (devices == count) & (nodes == spread))
        machine, reason = names.kernel_machine(
            hw, int(count), int(spread), engine=engine, kernel=backend, release=release, network=network
        )
        if machine is None:
            found.skip(whole[places], reason)
            continue
        item = _collective(rows.take(places), op, machine, names)
        yield KernelRowGroup(places=whole[places], plan=_nothing(), machine=machine, exchange=item)


def exchange_time(group: KernelRowGroup, registry: Registry, kernels: DeviceKernels | None = None) -> Term:
    """Return the time of the collective that a group is.

    Args:
        group: rows that are one collective.
        registry: loaded plugins.
        kernels: what is assumed of its kernels in place of the calibrations of the library.
    """
    machine, item = group.machine, group.exchange
    if item is None:
        return term(0.0, "s")
    if kernels is not None:
        machine = evolve(machine, device=evolve(machine.device, kernels=kernels))
    return compute_collective_cost(machine, item).time


def _nothing() -> Plan:
    residency = Residency(weights=NO_BYTES, kv=NO_BYTES, activations=NO_BYTES)
    workload = Workload(
        ops=(), residency=residency, activation=NO_BYTES, layers=ONE, heads=ONE, kv_heads=ONE, parameters=ONE,
        active_parameters=ONE,
    )  # fmt: skip
    return Plan(ops=(), residency=workload.residency, workload=workload)


def lookup_exchange_kernel(group: KernelRowGroup) -> CalibratedKernel:
    """Return what was measured of the kernel of a collective, and of which devices."""
    item, kernels = group.exchange, group.machine.device.kernels
    return CalibratedKernel() if item is None or kernels is None else kernels.named(item.kernel)


def _collective(rows: MeasurementTable, op: str, machine: Machine, names: LibraryNames) -> Collective:
    ranks = names.size(rows, "devices")
    engine = rows.text("engine")[0].casefold()
    if op in COLLECTIVES:
        payload = names.size(rows, "bytes", "B")
        payload = payload * ranks if PER_RANK_COLLECTIVES.get(engine) == op else payload
        kernel = collective_kernel_class(op, engine, rows.text("kernel")[0].casefold())
        return Collective(name=op, kind=COLLECTIVES[op], bytes=payload, ranks=ranks, kernel=kernel)
    model = names.registry.workloads["moe"]
    columns = {"tokens": "tokens", "hidden": "hidden", "experts": "experts", "top_k": "topk"}
    spec = model.spec(**{name: names.size(rows, column) for name, column in columns.items()}, ffn=ONE)
    wide = Precision(weights=FALLBACK_DTYPE, activations=FALLBACK_DTYPE, kv=FALLBACK_DTYPE)
    plan = shard_plan(_plan(model, spec, wide), machine, names.registry, ep=ranks, dp=ranks)
    item = next(item for item in plan.collectives if item.name == EXPERT_EXCHANGES[op])
    if op not in NARROWED_EXCHANGES:
        return item
    dtype = MEASURED_DTYPES.get(rows.text("dtype")[0], (FALLBACK_DTYPE, FALLBACK_DTYPE))[1]
    return evolve(item, bytes=item.bytes * (bytes_per_element(dtype) / bytes_per_element(FALLBACK_DTYPE)))


def _precision(rows: MeasurementTable, device: Device) -> tuple[Precision | None, str]:
    """Return the data types of a group; None and the reason if the device multiplies in none that could be meant."""
    dtype, kv = rows.text("dtype")[0], rows.text("kv_dtype")[0]
    if dtype not in MEASURED_DTYPES:
        return None, f"no data type {dtype}" if dtype else "no data type"
    weights, activations = MEASURED_DTYPES[dtype]
    request = PrecisionRequest(
        weights=weights, activations=activations, kv=kv if kv in DTYPE_BITS else None, widen=True
    )
    precision = resolve_precision(request, device=device)
    if find_matrix_engine(device, precision.activations) is None:
        return None, f"{device.name} multiplies nothing in {precision.activations}"
    return precision, ""


def _given(rows: MeasurementTable, columns: tuple[str, ...]) -> Array:
    return np.asarray(np.all([np.nan_to_num(rows.number(name)) > 0 for name in columns], axis=0))


def _origin(costs: list[OpCost]) -> str:
    """Return where the parameters are from that were measured farthest away."""
    return max((cost.known.origin for cost in costs), key=lambda origin: _FARTHEST.index(origin))
