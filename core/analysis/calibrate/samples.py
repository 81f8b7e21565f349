"""Rows of measured kernels as samples of a fit: what ran where, what it took, and what it costs for given parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, fields_dict, frozen

from accelscope.core.analysis.calibrate.parameters import ParameterValues, parameters_to_terms
from accelscope.core.analysis.validate.kernel_rows import EXPERT_EXCHANGES, implementation_of
from accelscope.core.analysis.validate.kernels import (
    KernelRowGroup,
    cost_row_group,
    exchange_time,
    group_kernel_rows,
)
from accelscope.core.analysis.validate.library_names import LibraryNames, backend_of
from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.blocks.calibration import CalibrationLayer, DeviceKernels, Kernel
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Plan
from accelscope.core.numeric.term import Array, Term
from accelscope.core.plugin.registry import Registry
from accelscope.core.spec.spec import fields_of

_MICROSECOND = 1e-6
_TWIN = {"fp16": "bf16"}
_SHAPE = (
    "n", "k", "heads", "kv_heads", "head_dim", "window", "hidden", "inter", "experts", "topk", "tp", "ep", "bytes",
    "devices",
)  # fmt: skip
"""Columns that make a configuration: what a model and its split decide, and a load does not."""


@frozen(kw_only=True)
class KernelVariant:
    """What a parameter is of: one class of kernel in one data type."""

    kernel: str
    dtype: str
    stored: str


@frozen(kw_only=True, eq=False)
class KernelSample:
    """Rows of one kernel on one device.

    Attributes:
        device, family, model: of the device: its name, its family, the model of its engines.
        runtime, backend, release: software, which of its kernels, and of which release.
        measured: s of each row.
        configuration: what must not be both fitted to and judged on, for each row.
        rows: places in the table.
    """

    subject: KernelVariant
    device: str
    family: str | None
    model: str
    runtime: str | None
    backend: str | None
    release: str | None
    group: KernelRowGroup
    measured: Array
    configuration: Array
    rows: Array

    def __len__(self) -> int:
        return len(self.measured)

    @property
    def environment(self) -> tuple[str, str | None]:
        """What decides how fast the other kernels are that its rows hold: the device and the runtime."""
        return self.device, self.runtime


OtherKernels = Mapping[tuple[str, str | None], Sequence[CalibrationLayer]]
"""What is known of other kernels than the fitted one, by device and runtime."""


def collect_kernel_samples(rows: MeasurementTable, names: LibraryNames) -> tuple[KernelSample, ...]:
    """Return the samples of a table of kernels, collectives behind operations; rows that nothing describes are left out."""
    ignored = Prediction.empty(len(rows))
    found = [_sample(rows, group, names) for group in group_kernel_rows(rows, names, ignored)]
    return tuple(sorted(found, key=lambda sample: sample.group.exchange is not None))


def _sample(rows: MeasurementTable, group: KernelRowGroup, names: LibraryNames) -> KernelSample:
    own = rows.take(group.places)
    device = group.machine.device
    engine, kernel = own.text("engine")[0], own.text("kernel")[0]
    runtime = names.runtime(engine)
    if group.exchange is not None:
        subject = KernelVariant(kernel=group.exchange.kernel, dtype="", stored="")
        kernel = implementation_of(kernel) if own.text("op")[0] in EXPERT_EXCHANGES else ""
    else:
        subject = kernel_variant_of(max(group.plan.ops, key=lambda op: float(np.max(op.flops.value))))
    return KernelSample(
        subject=subject,
        device=device.name,
        family=device.package.family,
        model=device.engines[0].model.name if device.engines else "",
        runtime=runtime,
        backend=backend_of(kernel),
        release=own.text("engine_version")[0] or None,
        group=group,
        measured=own.number("latency_us") * _MICROSECOND,
        configuration=_configurations(own),
        rows=group.places,
    )


def kernel_variant_of(op: Op) -> KernelVariant:
    """Return what the kernel of an operation is known by."""
    stored = op.stored or op.dtype
    return KernelVariant(
        kernel=op.kernel or op.kind,
        dtype=_TWIN.get(op.dtype, op.dtype),
        stored=_TWIN.get(stored, stored),
    )


def _configurations(rows: MeasurementTable) -> Array:
    columns = [rows.text("op"), *(rows.number(name) for name in _SHAPE)]
    return np.array(["|".join(map(str, values)) for values in zip(*columns, strict=True)], dtype=object)


def predict_sample_times(
    sample: KernelSample, values: ParameterValues, others: Sequence[CalibrationLayer], registry: Registry
) -> Array:
    """Return the s of each row for parameters of the sample's own kernel.

    Args:
        sample: rows of one kernel on one device.
        values: value of each parameter of the kernel.
        others: what is known of the other kernels that the rows hold.
        registry: models of kernels.
    """
    kernel = build_kernel(sample.subject, values)
    own = CalibrationLayer(origin="given", runtime=None, kernels={sample.subject.kernel: (kernel,)})
    if sample.group.exchange is not None:
        time = exchange_time(sample.group, registry, DeviceKernels((own,)))
        return np.broadcast_to(time.value, sample.measured.shape)
    costs = cost_row_group(sample.group, registry, DeviceKernels((own, *others)))
    found: Array = np.sum(
        [np.broadcast_to(cost.seconds.value, sample.measured.shape) for cost in costs], axis=0
    )
    return found


def build_kernel(subject: KernelVariant, values: ParameterValues, **about: float) -> Kernel:
    """Return a kernel with the given parameters and nothing else."""
    fields: dict[str, Any] = dict.fromkeys(fields_of(Kernel))
    fields |= {"op": subject.kernel}
    if subject.dtype:
        fields |= {"dtypes": (subject.dtype,), "storage_dtypes": (subject.stored,)}
    return Kernel(**(fields | parameters_to_terms(Kernel, {**values, **about})))


def take_sample_rows(sample: KernelSample, rows: Array) -> KernelSample:
    """Return some rows of a sample, by a mask or by places."""
    length = len(sample)

    def some(items: Sequence[Term]) -> Term:
        return Term(_rows(items[0], length)[rows], items[0].dimension)

    group = evolve(sample.group, places=sample.group.places[rows])
    if group.exchange is None:
        group = evolve(group, plan=_mapped((group.plan,), some))
    else:
        group = evolve(group, exchange=_with_terms((group.exchange,), some))
    return evolve(
        sample,
        group=group,
        measured=sample.measured[rows],
        configuration=sample.configuration[rows],
        rows=sample.rows[rows],
    )


def merge_samples(samples: Iterable[KernelSample]) -> Iterator[KernelSample]:
    """Yield samples of one device and kernel as one, whatever backend they are of.

    Those of several runtimes stay apart where their rows hold other kernels, which each runtime has its own of.
    """
    found: dict[object, list[KernelSample]] = {}
    for sample in samples:
        shape: object = tuple((op.name, op.kernel, op.dtype, op.stored) for op in sample.group.plan.ops)
        shape = id(sample.group.machine) if sample.group.exchange is not None else shape
        around: object = sample.environment if len(sample.group.plan.ops) > 1 else sample.device
        found.setdefault((around, sample.subject, shape), []).append(sample)
    for same in found.values():
        yield same[0] if len(same) == 1 else _joined(same)


def _joined(samples: Sequence[KernelSample]) -> KernelSample:
    lengths = [len(sample) for sample in samples]

    def joined(items: Sequence[Term]) -> Term:
        values = [_rows(item, length) for item, length in zip(items, lengths, strict=True)]
        return Term(np.concatenate(values), items[0].dimension)

    def column(name: str) -> Array:
        return np.concatenate([getattr(sample, name) for sample in samples])

    groups = [sample.group for sample in samples]
    group = evolve(groups[0], places=np.concatenate([group.places for group in groups]))
    exchanges = [item.exchange for item in groups if item.exchange is not None]
    if exchanges:
        group = evolve(group, exchange=_with_terms(exchanges, joined))
    else:
        group = evolve(group, plan=_mapped([item.plan for item in groups], joined))
    return evolve(
        samples[0],
        group=group,
        measured=column("measured"),
        configuration=column("configuration"),
        rows=column("rows"),
    )


def _mapped(plans: Sequence[Plan], make: Callable[[Sequence[Term]], Term]) -> Plan:
    """Return the first of plans of the same form, each of whose terms is made of those of all."""
    ops = tuple(_with_terms(same, make) for same in zip(*(plan.ops for plan in plans), strict=True))
    return evolve(plans[0], ops=ops, residency=_with_terms([plan.residency for plan in plans], make))


def _with_terms(things: Sequence[Any], make: Callable[[Sequence[Term]], Term]) -> Any:
    """Return the first of some things, each of whose terms is made of those of all."""
    names = [name for name in fields_dict(type(things[0])) if isinstance(getattr(things[0], name), Term)]
    return evolve(things[0], **{name: make([getattr(thing, name) for thing in things]) for name in names})


def _rows(item: Term, length: int) -> Array:
    return np.broadcast_to(item.value, (length,))
