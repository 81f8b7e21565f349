"""Results as JSON: an object for one, a list for several; a swept one has `axes` and `points`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from accelscope.core.plugin.records import Report
from accelscope.core.query.result import Result

_POINTS = '\n  "points": []'


def write_json_report(results: tuple[Result, ...], stream: TextIO) -> None:
    """Write results as one JSON text, point by point; a number that is not finite is null."""
    if len(results) == 1:
        stream.writelines(_object(results[0]))
    else:
        for number, result in enumerate(results):
            stream.write(",\n  " if number else "[\n  ")
            stream.writelines(_indented(text, 1) for text in _object(result))
        stream.write("\n]" if results else "[]")
    stream.write("\n")


def _object(result: Result) -> Iterator[str]:
    """Yield the pieces of one object, so that the points of a sweep are never all in memory as text."""
    if not result.axes:
        yield _text(result.point())
        return
    axes = [{"name": axis.name, "unit": axis.unit, "values": list(axis.values)} for axis in result.axes]
    frame = {"scenario": result.scenario, "axes": axes, "points": [], "manifest": dict(result.manifest)}
    before, _, after = _text(frame).partition(_POINTS)
    yield before + _POINTS[:-1]
    for number, point in enumerate(result.points()):
        yield (",\n    " if number else "\n    ") + _indented(_text(point), 2)
    yield "\n  ]" + after


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)


def _indented(text: str, levels: int) -> str:
    return text.replace("\n", "\n" + "  " * levels)


JSON = Report(
    name="json", doc="one object, or a list of several; the contract for programs", write=write_json_report
)
