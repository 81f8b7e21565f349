"""Output formats: table, json, csv, md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Report


@hookimpl
def accelscope_reports() -> Iterable[Report]:
    """Yield the formats that `--format` takes."""
    from accelscope.plugins.reports.csv import CSV
    from accelscope.plugins.reports.json import JSON
    from accelscope.plugins.reports.markdown import MARKDOWN
    from accelscope.plugins.reports.table import TABLE

    yield TABLE
    yield JSON
    yield CSV
    yield MARKDOWN
