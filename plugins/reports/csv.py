"""Results as CSV: one row for each point; units are in the first row, behind the names."""

from __future__ import annotations

import csv
from typing import TextIO

from accelscope.core.plugin.records import Report
from accelscope.core.query.result import Result
from accelscope.core.render.columns import iterate_column_blocks, list_column_types, list_column_units


def write_csv_report(results: tuple[Result, ...], stream: TextIO) -> None:
    """Write the points of all results under one header; a column that a result lacks stays empty."""
    heads = list(dict.fromkeys(name for result in results for name in list_column_types(result)))
    known = {name: unit for result in results for name, unit in list_column_units(result).items()}
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([f"{name} [{known[name]}]" if name in known else name for name in heads])
    for result in results:
        for table in iterate_column_blocks(result):
            empty = [None] * len(table["scenario"])
            writer.writerows(zip(*(map(_cell, table.get(name, empty)) for name in heads), strict=True))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, float) else str(value)
    return f"'{text}" if text[:1] in ("=", "@") else text  # a spreadsheet must not run a name as a formula


CSV = Report(name="csv", doc="one row for each point", write=write_csv_report)
