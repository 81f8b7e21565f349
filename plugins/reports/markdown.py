"""Results as Markdown, for issues, pull requests and notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from accelscope.core.plugin.records import Report
from accelscope.core.query.result import Result
from accelscope.core.render.document import Block, Paragraph, format_document_markdown
from accelscope.core.render.result import build_result_blocks
from accelscope.core.render.table import Table


def write_markdown_report(results: tuple[Result, ...], stream: TextIO) -> None:
    """Write one section for each result, with all operations and points."""
    sections = (format_document_markdown(_blocks(result)) for result in results)
    stream.write("\n".join(sections))


def _blocks(result: Result) -> Iterator[Block]:
    """Yield a heading, the answer, and the tables; notes are in italics."""
    yield Paragraph(result.scenario, heading=2)
    answer, *rest = build_result_blocks(result, every_row=True)
    yield answer
    for block in rest:
        if isinstance(block, Table):
            yield block
        else:
            text = block.text if isinstance(block, Paragraph) else block
            yield from (f"*{line.strip().removeprefix('note: ')}*" for line in text.splitlines())


MARKDOWN = Report(name="md", doc="Markdown tables", write=write_markdown_report)
