"""What a study says of itself: bounds in `limits { }`, and in `report { }` what to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import field, frozen

from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.scenario import ReportBlock, StudyLimits
from accelscope.core.errors import DescriptionError
from accelscope.core.numeric.term import Term
from accelscope.core.plugin.registry import Registry
from accelscope.core.query.query import Query, find_base_scenario, find_query_block
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.interpret.component import Component

_IGNORED_BLOCKS = ("uncertainty",)
"""Blocks of a study that a sweep does not read: it has no error bars."""
_AUTO = "auto"


@frozen(kw_only=True)
class StudyOptions:
    """What a study says of itself; None where it says nothing.

    Attributes:
        points: most points that it may have.
        time: seconds after which a sweep stops and keeps what is done.
        chunk_time: seconds that one chunk may take, or None for a usual one.
        workers: processes; None where that is left to the machine.
        stops: whether the first failure ends the sweep.
        pareto: what is traded off: names of goals and metrics.
        group_by: axes whose values separate groups.
        notes: what was written and is not read.
    """

    points: float | None = None
    time: float | None = None
    chunk_time: float | None = None
    workers: int | None = None
    stops: bool = False
    pareto: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def read_study_options(asked: Query, registry: Registry) -> StudyOptions:
    """Return what a study, or else its scenario, says of itself.

    Raises:
        DescriptionError: a value is wrong.
    """
    owner = find_query_block(asked.program, asked.name)
    places = (owner,) if owner.kind == "scenario" else (owner, find_base_scenario(owner))
    binder = Binder(registry)
    limits = _bound(places, "limits", StudyLimits, binder)
    report = _bound(places, "report", ReportBlock, binder)
    if binder.problems:
        raise DescriptionError(tuple(binder.problems))
    return StudyOptions(
        points=_number(limits, "points"),
        time=_number(limits, "time"),
        chunk_time=_number(limits, "chunk_timeout"),
        workers=_workers(places, None if limits is None else limits.workers),
        stops=limits is not None and limits.on_error == "stop",
        pareto=_listed(report, "pareto"),
        group_by=_listed(report, "group_by"),
        notes=tuple(_unread(places)),
    )


def _bound(places: tuple[Component, ...], kind: str, cls: type, binder: Binder) -> Any:
    """Return the block of the first place that has one, bound; None where none has."""
    blocks = [block for place in places for block in place.children(kind)]
    return binder.bind_as(blocks[0], cls) if blocks else None


def _number(block: Any, name: str) -> float | None:
    value = None if block is None else getattr(block, name)
    return None if value is None else float(value.value)


def _workers(places: tuple[Component, ...], value: object) -> int | None:
    if value is None or value == _AUTO:
        return None
    number = float(value.value) if isinstance(value, Term) else 0.0
    if number < 1 or number != int(number):
        raise DescriptionError(
            (
                Diagnostic(
                    code="A107",
                    message="`workers` is a whole number from 1 up, or `auto`",
                    span=next(block.span for place in places for block in place.children("limits")),
                ),
            )
        )
    return int(number)


def _listed(block: Any, name: str) -> tuple[str, ...]:
    """Return the names of a list of words."""
    value = None if block is None else getattr(block, name)
    items = value if isinstance(value, tuple) else () if value is None else (value,)
    return tuple(item.name if isinstance(item, Component) else str(item) for item in items)


def _unread(places: tuple[Component, ...]) -> Iterator[str]:
    for place in places:
        for kind in _IGNORED_BLOCKS:
            for block in place.children(kind):
                yield f"`{kind}` of `{place.kind} {place.name}` is not read: a sweep has no error bars ({block.span})"
        for block in place.children("report"):
            if "breakdown" in block.attributes():
                yield f"`breakdown` of `report` is not read: a sweep keeps no times of single operations ({block.span})"
