"""Results as tables for people: as wide as the terminal and coloured there, plain and aligned in a pipe."""

from __future__ import annotations

from typing import TextIO

from accelscope.core.plugin.records import Report
from accelscope.core.query.result import Result
from accelscope.core.render.document import format_document_text
from accelscope.core.render.result import build_result_blocks
from accelscope.core.render.text_style import describe_stream


def write_table_report(results: tuple[Result, ...], stream: TextIO, *, every_row: bool = False) -> None:
    """Write one section for each result.

    Args:
        results: of the scenarios.
        stream: where to.
        every_row: whether all operations and points are shown, not only those that matter most.
    """
    style = describe_stream(stream)
    sections = (
        format_document_text(build_result_blocks(result, every_row=every_row), style) for result in results
    )
    stream.write("\n".join(sections))


def write_whole_table_report(results: tuple[Result, ...], stream: TextIO) -> None:
    """Write one section for each result, with all operations and points."""
    write_table_report(results, stream, every_row=True)


TABLE = Report(
    name="table", doc="tables for people", write=write_table_report, write_all=write_whole_table_report
)
