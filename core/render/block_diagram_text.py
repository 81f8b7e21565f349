"""A picture as a tree of text. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from accelscope.core.render.block_diagram import DiagramBlock, DiagramLink
from accelscope.core.render.text_style import wrap_cell

DIAGRAM_TEXT_WIDTH = 100


def render_diagram_text(block: DiagramBlock, width: int | None = None) -> str:
    """Return a block and everything in it as indented lines; a link stands below the blocks that it joins.

    Args:
        block: the outermost one.
        width: most cells of a line; 100 without one.
    """
    return "\n".join(_lines(block, "", "", min(width or DIAGRAM_TEXT_WIDTH, DIAGRAM_TEXT_WIDTH)))


def _lines(block: DiagramBlock, first: str, rest: str, width: int) -> Iterator[str]:
    indent = rest + ("│ " if block.children else "  ")
    yield from _wrapped(first + block.label, block.told, indent, width)
    below: list[DiagramBlock | DiagramLink] = [*block.children, *block.links]
    for at, item in enumerate(below):
        last = at == len(below) - 1
        corner, stem = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if isinstance(item, DiagramLink):
            yield from _wire(item, rest + corner.replace("─", "┄"), rest + stem, width)
        else:
            yield from _lines(item, rest + corner, rest + stem, width)


def _wrapped(start: str, facts: tuple[str, ...], indent: str, width: int) -> Iterator[str]:
    """Yield a label and its facts; those that one line has no room for are on further lines."""
    line = start
    gap = "  "
    for part in facts:
        if len(line) + len(gap) + len(part) >= width and line != start:
            yield line + ("," if gap == ", " else "")
            line, gap = f"{indent}    {part}", ", "
            continue
        line, gap = f"{line}{gap}{part}", ", "
    yield line


def _wire(wire: DiagramLink, start: str, rest: str, width: int) -> Iterator[str]:
    ends = wire.left if wire.right is None else f"{wire.left} ↔ {wire.right}"
    first, *others = wrap_cell(f"{ends}: {wire.text}", width - len(start))
    yield start + first
    yield from (f"{rest}    {line}" for line in others)
