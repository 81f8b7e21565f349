"""What was measured of kernels: a few physical parameters of each class of kernel on a device, and who they hold for.

A kernel takes start + (compute^p + memory^p)^(1/p). Its compute time comes from the model of the engine and its memory
time from those of the memory levels; calibrations say which share of the peaks it reaches, what starting it takes, and
how well the two overlap. What nobody measured on a device comes from its family (siblings of a vendor and generation),
then from its class (devices whose engines one model serves), and else from the defaults of the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from accelscope.core.ir.hardware import Device, Part
from accelscope.core.ir.operation import Op
from accelscope.core.numeric.dtypes import DTYPE_BITS, SAME_RATE_DTYPES
from accelscope.core.numeric.term import Term, maximum, power, term, total, where
from accelscope.core.spec.spec import (
    anything,
    block,
    blocks,
    choice,
    count,
    fraction,
    listing,
    quantity,
    ref,
    spec,
    text,
)


@spec(kind="kernel", within=("calibration",))
class Kernel:
    """One class of kernel: the shares of the peaks that it reaches, and what it takes beside its work."""

    op: str = choice(doc="class of kernel, such as gemm or attention_decode")
    dtypes: Any = listing(doc="data types in which the kernel computes; if absent, all")
    storage_dtypes: Any = listing(
        aliases=("stored",), doc="data types in which its weights or KV cache are stored; if absent, all"
    )
    compute_efficiency: Term | None = fraction(
        aliases=("compute",),
        doc="fraction of the engine's peak rate that a large problem achieves",
        optional=True,
    )
    bandwidth_efficiency: Term | None = fraction(
        aliases=("bandwidth",),
        doc="fraction of peak bandwidth achieved at the memory that holds the weights, or, for a collective, of the links",
        optional=True,
    )
    fixed_overhead: Term | None = quantity(
        "s",
        aliases=("start",),
        doc="time of one execution that does not depend on its size: launch, ramp-up and tail",
        ge=0,
        optional=True,
        plausible=(1e-7, 1e-3),
    )
    overlap_exponent: Term | None = quantity(
        aliases=("overlap",),
        doc="exponent p of (compute^p + memory^p)^(1/p): 1 means no overlap of compute and memory time, a large value full overlap",
        ge=1,
        optional=True,
    )
    min_split_k: Term | None = count(
        aliases=("least_k",),
        doc="minimum k per split of a split-K product; a value above any k disables splitting",
        optional=True,
    )
    min_tile_dim: Term | None = count(
        aliases=("least_tile",),
        doc="rows and columns of a thread-block tile below which a smaller tile is no faster",
        optional=True,
    )
    sfu_efficiency: Term | None = fraction(
        aliases=("exponentials",),
        doc="fraction of the peak special-function rate that attention achieves",
        optional=True,
    )
    block_overhead: Term | None = quantity(
        "s",
        aliases=("block_start",),
        doc="time of an attention thread block outside its loop over keys",
        ge=0,
        optional=True,
        plausible=(1e-8, 1e-3),
    )
    kv_read_rate_per_core: Term | None = quantity(
        "B/s",
        aliases=("stream",),
        doc="maximum rate at which one core reads KV cache: bytes in flight over memory latency",
        gt=0,
        optional=True,
    )
    query_rows_per_block: Term | None = count(
        aliases=("rows",), doc="query rows of one attention thread block", optional=True
    )
    max_heads_per_block: Term | None = count(
        aliases=("pack",),
        doc="maximum query heads of a KV head that are packed into one thread block; in a larger group each head has its own block",
        optional=True,
    )
    single_head_overhead_ratio: Term | None = fraction(
        aliases=("lone",),
        doc="overhead of a decode thread block with one query head, as a fraction of the overhead of a block of several heads",
        optional=True,
    )
    masked_compute_fraction: Term | None = fraction(
        aliases=("masked",),
        doc="fraction of the query-key pairs outside a sliding window that attention computes nevertheless",
        optional=True,
    )
    max_sequential_chunks: Term | None = count(
        aliases=("chain",),
        doc="maximum chunks of a sequence that a linear-attention kernel processes one after the other",
        optional=True,
    )
    min_split_context: Term | None = count(
        aliases=("least_context",),
        doc="minimum context length per split of a split-KV attention",
        optional=True,
    )
    gather_scatter_passes: Term | None = quantity(
        aliases=("gather",),
        doc="additional passes over expert inputs and outputs, at peak memory bandwidth, to sort, gather and scatter them",
        ge=0,
        optional=True,
    )
    step_latency: Term | None = quantity(
        "s",
        aliases=("step",),
        doc="latency of each further step of a collective",
        ge=0,
        optional=True,
        plausible=(1e-10, 1e-4),
    )
    small_message_efficiency: Term | None = fraction(
        aliases=("eager",),
        doc="rate of a collective's small-message protocol as a fraction of its large-message rate",
        optional=True,
    )
    large_message_startup: Term | None = quantity(
        "s",
        aliases=("bulk",),
        doc="additional startup time of a collective's large-message protocol",
        ge=0,
        optional=True,
        plausible=(1e-7, 1e-3),
    )
    local_copy_cost: Term | None = quantity(
        aliases=("own",),
        doc="cost of a rank's local copy of its own part of a collective, relative to sending the same bytes",
        ge=0,
        optional=True,
    )
    measurement_count: Term | None = count(
        aliases=("points",), doc="number of measurements the values are fitted to", optional=True
    )
    log_error_std: Term | None = quantity(
        aliases=("spread",),
        doc="standard deviation of the logarithm of measured over predicted time, on held-out measurements",
        gt=0,
        optional=True,
    )


@spec(kind="gemm", within=("calibration",))
class CalibratedGemm:
    """Calibration of matrix multiplication by a table."""

    efficiency: Any = anything(doc="achieved fraction of peak: a number, a curve or a table")


@spec(kind="calibration", within=("file",))
class Calibration:
    """What was measured of a device, a family or a class of devices, and takes the place of general defaults."""

    applies_to: Any = ref(
        "package", doc="device that was measured, or its name", optional=True, text_too=True
    )
    family: str | None = choice(doc="device family that was measured", optional=True)
    engine_model: str | None = choice(
        aliases=("model",),
        doc="engine model (such as matrix or systolic) of the devices that were measured",
        optional=True,
    )
    runtime: str | None = choice(doc="runtime whose kernels were measured; if absent, any", optional=True)
    backend: str | None = choice(doc="kernel backend of the runtime; if absent, any", optional=True)
    runtime_version: str | None = text(
        aliases=("release",), doc="version of the runtime, such as 0.19.0; if absent, any"
    )
    kernel_launch: Term | None = quantity("s", doc="launch overhead of one operation", ge=0, optional=True)
    gemm: Any = block("gemm", doc="matrix multiplication by a table")
    kernels: tuple[Part[Any], ...] = blocks("kernel", doc="classes of kernel")


@frozen(kw_only=True, eq=False)
class CalibrationLayer:
    """Kernels of one calibration.

    Attributes:
        origin: what was measured: `device`, `family` or `model`, or `given` by the deployment.
        runtime: runtime whose kernels were measured, or None for any.
        backend: backend of the runtime, or None for any.
        release: release of the runtime, or None for any.
        kernels: by class of kernel.
    """

    origin: str
    runtime: str | None
    backend: str | None = None
    release: str | None = None
    kernels: Mapping[str, tuple[Kernel, ...]]


def build_calibration_layer(calibration: Calibration, origin: str) -> CalibrationLayer:
    """Return the kernels of a calibration by class."""
    found: dict[str, tuple[Kernel, ...]] = {}
    for part in calibration.kernels:
        found[part.spec.op] = (*found.get(part.spec.op, ()), part.spec)
    return CalibrationLayer(
        origin=origin,
        runtime=calibration.runtime,
        backend=calibration.backend,
        release=calibration.runtime_version,
        kernels=found,
    )


_SECOND = term(1.0, "s")
_NOTHING: dict[str, Any] = {"op": "unknown"}
UNCALIBRATED_KERNEL = Kernel(**_NOTHING)
"""A class of kernel that nothing was measured of."""


@frozen(kw_only=True, eq=False)
class CalibratedKernel:
    """A kernel with where it is from: `device`, `family`, `model`, `given`, or `none`."""

    kernel: Kernel = UNCALIBRATED_KERNEL
    origin: str = "none"
    runtime: str | None = None


@frozen(eq=False)
class DeviceKernels:
    """All that was measured and holds for a device, nearest first."""

    layers: tuple[CalibrationLayer, ...] = ()

    def of(self, op: Op) -> CalibratedKernel:
        """Return what is known of the kernel that runs an operation."""
        return self.named(op.kernel or op.kind, op.dtype, op.stored)

    def named(self, kernel: str, dtype: str = "", stored: str = "") -> CalibratedKernel:
        """Return what is known of a class of kernel, such as that of a collective."""
        for layer in self.layers:
            best = select_nearest_kernel(layer.kernels.get(kernel, ()), dtype, stored)
            if best is not None:
                return CalibratedKernel(kernel=best, origin=layer.origin, runtime=layer.runtime)
        return CalibratedKernel()


def select_nearest_kernel(kernels: Iterable[Kernel], dtype: str, stored: str) -> Kernel | None:
    """Return the kernel of a data type, or else of one of the same width in the same storage; None without one."""
    best, rank = None, 0
    for kernel in kernels:
        found = _likeness(kernel.dtypes, dtype) * 4 + _likeness(kernel.storage_dtypes, stored or dtype)
        if (
            _likeness(kernel.dtypes, dtype)
            and _likeness(kernel.storage_dtypes, stored or dtype)
            and found > rank
        ):
            best, rank = kernel, found
    return best


def _likeness(listed: Any, dtype: str) -> int:
    """Return 3 for the data type itself or its twin, 2 where all hold, 1 for one of the same width, 0 for others."""
    if not listed:
        return 2
    if dtype in listed or SAME_RATE_DTYPES.get(dtype) in listed:
        return 3
    return 1 if any(_width(name) == _width(dtype) for name in listed) else 0


def _width(dtype: str) -> int:
    """Return the whole bits of an element, scales of block formats aside."""
    return int(DTYPE_BITS.get(dtype, 0))


def overlap_times(times: tuple[Term, ...], exponent: Term | None) -> Term:
    """Return the time of work on several resources at once: the longest, or (sum of t^p)^(1/p) for an exponent p."""
    longest = maximum(*times)
    if exponent is None or len(times) == 1:
        return longest
    scale = where(longest > longest * 0.0, longest, longest * 0.0 + _SECOND)
    shares = total(power(time / scale, exponent) for time in times)
    return longest * power(shares, 1.0 / exponent)


def kernel_for(device: Device, op: Op) -> Kernel:
    """Return what was measured of the kernel that runs an operation on a device; fields are None where nothing was."""
    known: Kernel = device.kernels.of(op).kernel if device.kernels is not None else UNCALIBRATED_KERNEL
    return known


def value_or_default(value: Term | None, otherwise: Any) -> Any:
    """Return a calibrated value, or else what a model has."""
    return otherwise if value is None else value


CALIBRATION_BLOCKS = (Kernel, CalibratedGemm, Calibration)
"""Every spec of this module, in the order of the documentation."""
