"""What plugins yield: frozen records of a name, a spec class and pure functions.

Every record's `doc` is one sentence for `accelscope models`; `contract` is the version of the seam it was written for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from attrs import field, frozen, validators

from accelscope.core.ir.hardware import Device, Fabric, Machine, Part
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.plan import Collective, Plan, Workload
from accelscope.core.ir.usage import Limit, Traffic, Usage
from accelscope.core.numeric.term import Term
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.values.units import Unit

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design
    from accelscope.core.evaluate.evaluate import Evaluation
    from accelscope.core.query.result import Result

_NAME = validators.matches_re(r"[a-z][a-z0-9_.]*")

__all__ = [
    "Check",
    "ComputeModel",
    "InterconnectModel",
    "KindRecord",
    "LibraryFolder",
    "MemoryModel",
    "Metric",
    "Report",
    "Strategy",
    "Unit",
    "WorkloadModel",
]


@frozen(kw_only=True)
class MemoryModel:
    """Serves the traffic of one level of the memory hierarchy.

    Attributes:
        spec: a spec class of kind `memory`; its `select` says which classes of memory it reads.
        order: place in the hierarchy, small is near the engines (registers 0, scratchpad 10, cache 20,
            memory-side cache 30, DRAM 40, tiers behind it 50 and up).
        serve: (part, traffic) to what it costs; `Usage.onward` is what the next level has to serve.
        capacity: (part) to the bytes of all instances on a device that can hold weights and KV, or None for a level
            that holds copies only.
        peak: (part) to the peak bytes a second of all instances on a device.
    """

    name: str = field(validator=_NAME)
    doc: str
    spec: type
    order: int
    serve: Callable[[Part[Any], Traffic], Usage]
    capacity: Callable[[Part[Any]], Term | None]
    peak: Callable[[Part[Any]], Term]
    contract: int = 1


@frozen(kw_only=True)
class ComputeModel:
    """Runs operations on one kind of engine.

    Attributes:
        spec: a spec class of kind `engine`.
        kinds: kinds of `Op` that the engine can run.
        peak: (part, dtype) to the op/s of all instances on a device, or None where it cannot compute in a dtype.
        run: (part, op, device) to what it costs.
    """

    name: str = field(validator=_NAME)
    doc: str
    spec: type
    kinds: tuple[str, ...]
    peak: Callable[[Part[Any], str], Term | None]
    run: Callable[[Part[Any], Op, Device], Usage]
    contract: int = 1


@frozen(kw_only=True)
class InterconnectModel:
    """Moves a collective over one tier of the network.

    Attributes:
        patterns: connection patterns it serves, such as `switch` or `torus`.
        spec: spec class of the settings that its `connect` block takes, or None.
        transfer: (fabric, collective, ranks in this tier) to what it costs.
    """

    name: str = field(validator=_NAME)
    doc: str
    patterns: tuple[str, ...]
    transfer: Callable[[Fabric, Collective], Usage]
    spec: type | None = None
    contract: int = 1


@frozen(kw_only=True)
class Strategy:
    """Divides a pass over devices; strategies compose in `order`.

    Attributes:
        spec: a spec class of kind `parallel`; its fields join the others in the `parallel { }` block.
        split: (spec, step) to the step of one micro-batch on one replica, before the workload is built.
        shard: (spec, plan, machine) to the plan with its ops, collectives and residency divided.
    """

    name: str = field(validator=_NAME)
    doc: str
    spec: type
    order: int
    split: Callable[[Any, Step], Step]
    shard: Callable[[Any, Plan, Machine], Plan]
    contract: int = 1


@frozen(kw_only=True)
class WorkloadModel:
    """Builds the operations of one pass of a model.

    Attributes:
        spec: a spec class of kind `model`.
        build: (spec, step, precision) to the workload.
    """

    name: str = field(validator=_NAME)
    doc: str
    spec: type
    build: Callable[[Any, Step, Precision], Workload]
    contract: int = 1


@frozen(kw_only=True)
class Metric:
    """A number of a whole evaluation.

    Attributes:
        unit: as printed and in JSON.
        compute: (evaluation) to the term, or None where a description gives too little (JSON null).
        better: "low" or "high".
        headline: whether `eval` prints it without being asked.
        of: what it is a metric of: `serving`, `training` or `any`.
        given: (evaluation) to whether it has the metric at all; without this each of its sort has.
        at_most: (evaluation) to what the metric cannot exceed, which bounds its error bar; None where nothing does.
    """

    name: str = field(validator=_NAME)
    doc: str
    unit: str
    compute: Callable[[Evaluation], Term | None]
    better: str = "low"
    headline: bool = True
    of: str = "serving"
    given: Callable[[Evaluation], bool] | None = None
    at_most: Callable[[Evaluation], Term | None] | None = None
    contract: int = 1


@frozen(kw_only=True)
class Report:
    """Writes results in one format, selected by `--format`."""

    name: str = field(validator=_NAME)
    doc: str
    write: Callable[[tuple[Result, ...], TextIO], None]
    contract: int = 1


@frozen(kw_only=True)
class Check:
    """Looks at an assembled design for what single blocks cannot show."""

    name: str = field(validator=_NAME)
    doc: str
    run: Callable[[Design], Iterable[Diagnostic | Limit]]
    contract: int = 1


@frozen(kw_only=True)
class KindRecord:
    """A kind of block that carries data but selects no model, such as `yield`."""

    name: str = field(validator=_NAME)
    doc: str
    spec: type
    contract: int = 1


@frozen(kw_only=True)
class LibraryFolder:
    """A folder of `.accel` files; `<folder>/nvidia.accel` of namespace `std` is used as `std.nvidia`."""

    name: str = field(validator=_NAME)
    doc: str
    path: Path
    contract: int = 1


Records = Mapping[str, Mapping[str, Any]]
"""Family to name to record."""
