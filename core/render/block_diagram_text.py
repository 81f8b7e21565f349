"""A picture as a tree of text. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from accelscope.core.render.block_diagram import DiagramBlock, DiagramLink

DIAGRAM_TEXT_WIDTH = 100


def render_diagram_text(block: DiagramBlock) -> str:
    """Return a block and everything in it as indented lines; a link stands below the blocks that it joins."""
    return "\n".join(_lines(block, "", ""))


def _lines(block: DiagramBlock, first: str, rest: str) -> Iterator[str]:
    yield from _wrapped(first + block.label, block.told, rest + ("│ " if block.children else "  "))
    below: list[DiagramBlock | DiagramLink] = [*block.children, *block.links]
    for at, item in enumerate(below):
        last = at == len(below) - 1
        corner, stem = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if isinstance(item, DiagramLink):
            yield from _wire(item, rest + corner.replace("─", "┄"))
        else:
            yield from _lines(item, rest + corner, rest + stem)


def _wrapped(start: str, told: tuple[str, ...], indent: str) -> Iterator[str]:
    """Yield a label and what is told of it, on further lines where one is too short."""
    line = start
    gap = "  "
    for part in told:
        if len(line) + len(gap) + len(part) >= DIAGRAM_TEXT_WIDTH and line != start:
            yield line + ("," if gap == ", " else "")
            line, gap = f"{indent}    {part}", ", "
            continue
        line, gap = f"{line}{gap}{part}", ", "
    yield line


def _wire(wire: DiagramLink, start: str) -> Iterator[str]:
    ends = wire.left if wire.right is None else f"{wire.left} ↔ {wire.right}"
    yield f"{start}{ends}: {wire.text}"
