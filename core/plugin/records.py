"""What plugins yield: frozen records of a name, a spec class and pure functions.

Every record's `doc` is one sentence for `accelscope models`; `contract` is the version of the seam it was written for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from attrs import field, frozen

from accelscope.core.ir.hardware import ComputeModel, InterconnectModel, MemoryModel
from accelscope.core.ir.layer import LayerModel
from accelscope.core.ir.plan import WorkloadModel
from accelscope.core.ir.record import CONTRACT, RECORD_NAME
from accelscope.core.ir.strategy import Strategy
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Term
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.values.units import Unit

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design
    from accelscope.core.evaluate.evaluate import Evaluation
    from accelscope.core.query.result import Result

__all__ = [
    "Check",
    "ComputeModel",
    "InterconnectModel",
    "KindRecord",
    "LayerModel",
    "LibraryFolder",
    "MemoryModel",
    "Metric",
    "Report",
    "Strategy",
    "Unit",
    "WorkloadModel",
]


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

    name: str = field(validator=RECORD_NAME)
    doc: str
    unit: str
    compute: Callable[[Evaluation], Term | None]
    better: str = "low"
    headline: bool = True
    of: str = "serving"
    given: Callable[[Evaluation], bool] | None = None
    at_most: Callable[[Evaluation], Term | None] | None = None
    contract: int = CONTRACT


@frozen(kw_only=True)
class Report:
    """Writes results in one format, selected by `--format`.

    Attributes:
        write: results to a stream; it may leave out operations that matter little.
        write_all: the same with nothing left out, for `--all`; None if `write` leaves nothing out.
    """

    name: str = field(validator=RECORD_NAME)
    doc: str
    write: Callable[[tuple[Result, ...], TextIO], None]
    write_all: Callable[[tuple[Result, ...], TextIO], None] | None = None
    contract: int = CONTRACT


@frozen(kw_only=True)
class Check:
    """Looks at an assembled design for what single blocks cannot show."""

    name: str = field(validator=RECORD_NAME)
    doc: str
    run: Callable[[Design], Iterable[Diagnostic | Limit]]
    contract: int = CONTRACT


@frozen(kw_only=True)
class KindRecord:
    """A kind of block that carries data but selects no model, such as `yield`."""

    name: str = field(validator=RECORD_NAME)
    doc: str
    spec: type
    contract: int = CONTRACT


@frozen(kw_only=True)
class LibraryFolder:
    """A folder of `.accel` files; `<folder>/nvidia.accel` of namespace `std` is used as `std.nvidia`."""

    name: str = field(validator=RECORD_NAME)
    doc: str
    path: Path
    contract: int = CONTRACT


Records = Mapping[str, Mapping[str, Any]]
"""Family to name to record."""
