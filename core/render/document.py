"""What a verb shows a person: sentences and tables in order, as text, Markdown or HTML. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from attrs import frozen

from accelscope.core.render.table import Table
from accelscope.core.render.table_formats import format_table_html, format_table_markdown
from accelscope.core.render.table_text import format_tables_text
from accelscope.core.render.text_style import PLAIN_STYLE, Mark, TextStyle


@frozen
class Paragraph:
    """One or several lines of text.

    Attributes:
        text: its lines; in a terminal, a line that is too long is continued on the next one.
        mark: what it says about itself.
        heading: level of a heading in Markdown and HTML, from 1; 0 for text.
        indent: spaces before the lines that continue a line.
    """

    text: str
    mark: Mark = Mark.PLAIN
    heading: int = 0
    indent: str = ""


Block = str | Paragraph | Table
"""A part of a document; a plain text is a paragraph."""


def format_document_text(blocks: Iterable[Block], style: TextStyle = PLAIN_STYLE) -> str:
    """Return blocks as text that ends in a new line, with an empty line between two.

    Tables that follow each other say once which of their columns are hidden.
    """
    parts = []
    for is_table, group in groupby(_clean(blocks), key=lambda block: isinstance(block, Table)):
        if is_table:
            parts.append(format_tables_text([block for block in group if isinstance(block, Table)], style))
        else:
            parts.extend(_paragraph_text(block, style) for block in group if isinstance(block, Paragraph))
    return "\n\n".join(parts) + "\n"


def format_document_markdown(blocks: Iterable[Block]) -> str:
    """Return blocks as Markdown that ends in a new line; the title of a table is a heading above it."""
    return "\n\n".join(part for block in _clean(blocks) for part in _markdown(block)) + "\n"


def format_document_html(blocks: Iterable[Block]) -> str:
    """Return blocks as the body of a page."""
    return "\n".join(part for block in _clean(blocks) for part in _html(block))


def _clean(blocks: Iterable[Block]) -> Iterator[Paragraph | Table]:
    """Yield the blocks that show something, plain texts as paragraphs."""
    for block in blocks:
        if isinstance(block, Table):
            if block.rows:
                yield block
        else:
            paragraph = Paragraph(block) if isinstance(block, str) else block
            if paragraph.text:
                yield paragraph


def _paragraph_text(block: Paragraph, style: TextStyle) -> str:
    wrapped = style.wrap(block.text, block.indent)
    return "\n".join(style.paint(line, block.mark) for line in wrapped.split("\n"))


def _markdown(block: Paragraph | Table) -> Sequence[str]:
    if isinstance(block, Paragraph):
        return (f"{'#' * block.heading} {block.text}" if block.heading else block.text,)
    title = (f"### {block.title}",) if block.title else ()
    return (*title, format_table_markdown(block))


def _html(block: Paragraph | Table) -> Sequence[str]:
    if isinstance(block, Paragraph):
        tag = f"h{block.heading}" if block.heading else "p"
        return tuple(f"<{tag}>{escape(line)}</{tag}>" for line in block.text.split("\n"))
    title = (f"<h2>{escape(block.title)}</h2>",) if block.title else ()
    return (*title, format_table_html(block))
