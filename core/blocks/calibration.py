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
    dtypes: Any = listing(doc="data types that it computes in; without them all")
    stored: Any = listing(doc="data types that its weights or KV cache are stored in; without them all")
    compute: Term | None = fraction(doc="share of the engine's peak that a large one reaches", optional=True)
    bandwidth: Term | None = fraction(
        doc="share of the peak bandwidth that it reaches at the memory that holds the weights", optional=True
    )
    start: Term | None = quantity(
        "s",
        doc="what an execution takes beside its work: launch, ramp-up and tail",
        ge=0,
        optional=True,
        plausible=(1e-7, 1e-3),
    )
    overlap: Term | None = quantity(
        doc="exponent p of (compute^p + memory^p)^(1/p): 1 is one after the other, large is all at once",
        ge=1,
        optional=True,
    )
    least_k: Term | None = count(
        doc="least length of k that is worth a split of its own in a product; longer than any k where it splits none",
        optional=True,
    )
    least_tile: Term | None = count(
        doc="rows and columns of a product's tile below which a smaller one takes no less time", optional=True
    )
    exponentials: Term | None = fraction(
        doc="share of the rate of special functions that an attention reaches", optional=True
    )
    block_start: Term | None = quantity(
        "s",
        doc="what a thread block of an attention takes beside its loop over keys",
        ge=0,
        optional=True,
        plausible=(1e-8, 1e-3),
    )
    stream: Term | None = quantity(
        "B/s", doc="rate at which one core reads KV cache: bytes in flight over latency", gt=0, optional=True
    )
    rows: Term | None = count(doc="query rows of a thread block of an attention", optional=True)
    pack: Term | None = count(
        doc="most query heads of a KV head that share thread blocks; in a larger group each has its own",
        optional=True,
    )
    lone: Term | None = fraction(
        doc="share of `block_start` that a block of one query head takes where each sequence has one new token",
        optional=True,
    )
    masked: Term | None = fraction(
        doc="share of the pairs outside of a window that an attention computes all the same", optional=True
    )
    chain: Term | None = count(
        doc="most chunks of a sequence that a kernel of linear attention takes one after the other",
        optional=True,
    )
    least_context: Term | None = count(
        doc="least length of context that is worth a split of its own in an attention", optional=True
    )
    gather: Term | None = quantity(
        doc="times that rows of experts are moved once more, at the peak of the home memory, to sort, gather and scatter "
        "them beside their products",
        ge=0,
        optional=True,
    )
    step: Term | None = quantity(
        "s", doc="what each further step of a collective takes", ge=0, optional=True, plausible=(1e-10, 1e-4)
    )
    eager: Term | None = fraction(
        doc="share of its own rate that a collective reaches with the protocol for small messages",
        optional=True,
    )
    bulk: Term | None = quantity(
        "s",
        doc="further start of a collective's protocol for large messages",
        ge=0,
        optional=True,
        plausible=(1e-7, 1e-3),
    )
    own: Term | None = quantity(
        doc="time a rank takes for its own part of a collective's bytes, over that of sending as many",
        ge=0,
        optional=True,
    )
    points: Term | None = count(doc="measurements that the values are fitted to", optional=True)
    spread: Term | None = quantity(
        doc="standard deviation of the logarithm of measured over predicted time, on points not fitted to",
        gt=0,
        optional=True,
    )


@spec(kind="gemm", within=("calibration",))
class CalibratedGemm:
    """Calibration of matrix multiplication by a table."""

    efficiency: Any = anything(doc="achieved share of peak: a number, a curve or a table")


@spec(kind="calibration", within=("file",))
class Calibration:
    """What was measured of a device, a family or a class of devices, and takes the place of general defaults."""

    applies_to: Any = ref(
        "package", doc="the device that was measured, or its name", optional=True, text_too=True
    )
    family: str | None = choice(doc="family of the devices that were measured", optional=True)
    model: str | None = choice(doc="model of the engines of the devices that were measured", optional=True)
    runtime: str | None = choice(doc="software whose kernels were measured; without it any", optional=True)
    backend: str | None = choice(doc="which of the runtime's kernels; without it any", optional=True)
    release: str | None = text(doc="release of the runtime, such as 0.19.0; without it any")
    kernel_launch: Term | None = quantity("s", doc="time of starting one operation", ge=0, optional=True)
    gemm: Any = block("gemm", doc="matrix multiplication by a table")
    kernels: tuple[Part[Any], ...] = blocks("kernel", doc="classes of kernel")


@frozen(kw_only=True, eq=False)
class CalibrationLayer:
    """Kernels of one calibration.

    Attributes:
        origin: what was measured: `device`, `family` or `model`, or `given` by the deployment.
        runtime: whose kernels, or None for any; backend: which of them; release: of the runtime.
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
        release=calibration.release,
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
        found = _likeness(kernel.dtypes, dtype) * 4 + _likeness(kernel.stored, stored or dtype)
        if _likeness(kernel.dtypes, dtype) and _likeness(kernel.stored, stored or dtype) and found > rank:
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
