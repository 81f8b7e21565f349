"""What starting an operation takes: a launch, and the way of its operands over the fabric between the cores of a die."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from accelscope.core.ir.constants import NO_TIME, ONE
from accelscope.core.ir.hardware import Device, Fabric
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Term, maximum, sqrt, total, where


def compute_launch_time(op: Op, plan: Plan, package: Any, measured: Term | None = None) -> Term:
    """Return the s that starting one execution of an operation takes.

    `launch_granularity` of the package says what one start covers: each kernel of an operation, all operations of a layer (which
    share its start evenly), or all of a pass.

    Args:
        op: the operation.
        plan: plan of the pass that the operation is in.
        package: package of the device.
        measured: what was measured of the operation's own kernels, all of them together.
    """
    each: Term = package.kernel_launch
    if measured is not None and package.launch_granularity == "op":
        return measured.named("kernel start")
    if package.launch_granularity == "pass":
        return (each / count_executions(plan.ops)).named("share of the launch of a pass")
    if package.launch_granularity == "layer" and op.layered:
        layers = plan.workload.layers / plan.stages
        layered = tuple(item for item in plan.ops if item.layered)
        return (each * layers / count_executions(layered)).named("share of the launch of a layer")
    return (each * op.launches).named("kernel launch")


def count_executions(ops: tuple[Op, ...]) -> Term:
    """Return how many operations a device executes in a pass, those without work aside."""
    return maximum(total(where(has_work(op), op.repeat, op.repeat * 0.0) for op in ops), 1.0)


def has_work(op: Op) -> Any:
    """Return where an operation has anything to do, as an array of booleans."""
    return (op.flops.value > 0.0) | ((op.weights + op.reads + op.writes + op.kv_read).value > 0.0)


def compute_operand_transfer(op: Op, device: Device, places: Term = ONE) -> Term:
    """Return the s that operands of a product travel between the cores of a die; none where nothing is said of it.

    On a grid of R rows and C columns, the input comes in at C columns and travels down R cores, and partial sums
    travel along C cores to R rows.

    Args:
        op: the operation.
        device: device with a fabric between its cores.
        places: into how many equal places the grid is divided, one for each operation that lies on it.
    """
    if device.fabric is None or not op.kind.multiplies_matrices or len(device.fabric.shape) < 2:
        return NO_TIME
    edge = sqrt(maximum(places, 1.0))
    rows, columns = (maximum(side / edge, 1.0) for side in device.fabric.shape[:2])
    spread = Collective(
        name=f"{op.name} operands", kind=CollectiveKind.BROADCAST, bytes=op.reads / columns, ranks=rows
    )
    summed = Collective(
        name=f"{op.name} sums", kind=CollectiveKind.REDUCE, bytes=op.writes / rows, ranks=columns
    )
    time = _along(device.fabric, rows, spread) + _along(device.fabric, columns, summed)
    return time.named("way over the die")


def _along(fabric: Fabric, cores: Term, item: Collective) -> Term:
    line = evolve(fabric, size=cores, shape=(cores,))
    return fabric.model.transfer(line, item).time
