"""Results as JSON: an object for one, a list for several; a swept one has `axes` and `points`."""

from __future__ import annotations

import json
from typing import Any, TextIO

from accelscope.core.records import Report
from accelscope.core.result import Result


def _object(result: Result) -> dict[str, Any]:
    if not result.axes:
        return result.point()
    return {
        "scenario": result.scenario,
        "axes": [{"name": axis.name, "unit": axis.unit, "values": list(axis.values)} for axis in result.axes],
        "points": list(result.points()),
        "manifest": dict(result.manifest),
    }


def write(results: tuple[Result, ...], stream: TextIO) -> None:
    """Write results as one JSON text; a number that is not finite is null."""
    objects = [_object(result) for result in results]
    json.dump(
        objects[0] if len(objects) == 1 else objects, stream, indent=2, ensure_ascii=False, allow_nan=False
    )
    stream.write("\n")


JSON = Report(name="json", doc="one object, or a list of several; the contract for programs", write=write)
