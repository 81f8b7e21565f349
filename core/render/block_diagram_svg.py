"""A picture as one SVG without references to anything outside: boxes in boxes, links as brackets beside them. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from html import escape

from attrs import field, frozen

from accelscope.core.render.block_diagram import DiagramBlock, DiagramLink
from accelscope.core.render.source_excerpt import display_width

_CHAR, _LINE, _PAD, _GAP = 6.7, 15, 10, 10
"""Pixels of one character of 11 px monospace, of a line, inside of a box, between boxes."""
_SHADOW = 4
_ROW = 760
"""Width of a row of boxes that hold nothing, before the next begins."""
_LANE = 16
"""Pixels between the brackets of two links."""
_TEXT = 44
"""Characters of a line in a box."""
_FILL = {
    "cluster": "#f4f5f7",
    "rack": "#eceff4",
    "node": "#e6edf5",
    "host": "#f2ece4",
    "package": "#dbe9f6",
    "die": "#cfe3d4",
    "core": "#e8f3dc",
    "engine": "#f7d9c4",
    "memory": "#f9ecb8",
    "switch": "#e4d8ee",
    "nic": "#e4d8ee",
}
_STYLE = (
    "text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1c2733}"
    ".b{font-weight:bold}rect{stroke:#5a6b7b;stroke-width:1}"
    ".w{fill:none;stroke:#8a3f2b;stroke-width:1.5}.l{fill:#8a3f2b}"
)


@frozen(kw_only=True)
class _Box:
    """A block with its size and the boxes in it, each with its place in this one."""

    block: DiagramBlock
    width: float
    height: float
    lines: tuple[str, ...]
    inner: tuple[tuple[float, float, _Box], ...] = ()
    lanes: float = field(default=0.0)


def render_diagram_svg(block: DiagramBlock) -> str:
    """Return a block and everything in it as the text of an SVG file."""
    box = _laid(block)
    width, height = box.width + 2 * _PAD + _SHADOW, box.height + 2 * _PAD + _SHADOW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
    )
    background = f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff" stroke="none"/>'
    title = f"<title>{escape(block.label)}</title>"
    return "\n".join(
        (head, title, f"<style>{_STYLE}</style>", background, *_drawn(box, _PAD, _PAD), "</svg>", "")
    )


def _laid(block: DiagramBlock) -> _Box:
    """Return the box of a block: its lines, then boxes without inner ones in rows, then the others below each other."""
    lines = tuple(_folded(block.told))
    boxes = [_laid(child) for child in block.children]
    top = _PAD + _LINE * (1 + len(lines)) + _PAD / 2
    placed: list[tuple[float, float, _Box]] = []
    joined = {name for wire in block.links for name in (wire.left, wire.right)}
    for row in _rows(boxes, joined):
        left = float(_PAD)
        for box in row:
            placed.append((left, top, box))
            left += box.width + _GAP + _SHADOW
        top += max(box.height for box in row) + _GAP + _SHADOW
    inside = max((left + box.width for left, _, box in placed), default=0.0)
    label = max(display_width(text) for text in (block.label, *lines)) * _CHAR + 2 * _PAD
    lanes = max(inside + _SHADOW, _PAD) + _GAP
    wires = max((display_width(_wire_text(wire)) * _CHAR for wire in block.links), default=0.0)
    side = _LANE * len(block.links) + wires + _PAD if block.links else 0.0
    width = max(label, (lanes + side) if block.links else inside + _SHADOW + _PAD)
    height = max(top, _text_bottom(block, placed, top)) if placed else top
    return _Box(block=block, width=width, height=height, lines=lines, inner=tuple(placed), lanes=lanes)


def _folded(told: Sequence[str]) -> Iterator[str]:
    """Yield facts joined to lines that a box is wide enough for."""
    line = ""
    for part in told:
        if line and (len(line) + len(part) + 2 > _TEXT or part.startswith("all: ")):
            yield line
            line = part
        else:
            line = f"{line}, {part}" if line else part
    if line:
        yield line


def _rows(boxes: Sequence[_Box], joined: Container[str | None]) -> Iterator[list[_Box]]:
    """Yield boxes row by row: those that hold boxes or have links, which leave to the right, have one of their own."""
    row: list[_Box] = []
    for box in boxes:
        wide = sum(item.width + _GAP for item in row) + box.width > _ROW
        alone = any(item.inner or item.block.name in joined for item in (box, *row[-1:]))
        if row and (alone or wide):
            yield row
            row = []
        row.append(box)
    if row:
        yield row


def _text_bottom(block: DiagramBlock, placed: Sequence[tuple[float, float, _Box]], top: float) -> float:
    """Return where the labels of the links end, which may be below the boxes."""
    return max((y + _LINE for _, y, _ in _wires(block, placed)), default=top)


def _wires(
    block: DiagramBlock, placed: Sequence[tuple[float, float, _Box]]
) -> Iterator[tuple[DiagramLink, float, tuple[tuple[float, float], ...]]]:
    """Yield each link with the height of its label and the right edges of the boxes it joins."""
    edges = {box.block.name: (left + box.width, top, box.height) for left, top, box in placed}
    taken: list[float] = []
    for at, wire in enumerate(block.links):
        ends = []
        for name in (wire.left, wire.right):
            if name is not None:
                right, top, height = edges[name]
                share = (at + 1) / (len(block.links) + 1)
                ends.append((right, top + height * share))
        label = sum(y for _, y in ends) / len(ends)
        while any(abs(label - other) < _LINE for other in taken):
            label += _LINE / 3
        taken.append(label)
        yield wire, label, tuple(ends)


def _wire_text(wire: DiagramLink) -> str:
    ends = wire.left if wire.right is None else f"{wire.left} ↔ {wire.right}"
    return f"{ends}: {wire.text}"


def _drawn(box: _Box, x: float, y: float) -> Iterator[str]:
    fill = _FILL.get(box.block.kind, "#ffffff")
    if box.block.times:
        for step in (2, 1):
            yield _rect(x + step * _SHADOW / 2, y + step * _SHADOW / 2, box, fill)
    yield _rect(x, y, box, fill)
    yield _text(x + _PAD, y + _PAD + _LINE - 5, box.block.label, "b")
    for at, line in enumerate(box.lines, 2):
        yield _text(x + _PAD, y + _PAD + at * _LINE - 5, line)
    for left, top, inner in box.inner:
        yield from _drawn(inner, x + left, y + top)
    for at, (wire, label, ends) in enumerate(_wires(box.block, box.inner)):
        lane = x + box.lanes + at * _LANE
        yield from _bracket(lane, y + label, [(x + right, y + height) for right, height in ends])
        after = x + box.lanes + len(box.block.links) * _LANE
        yield f'<path class="w" stroke-dasharray="2 3" d="M{lane:.1f} {y + label:.1f}H{after - 4:.1f}"/>'
        yield _text(after, y + label + 4, _wire_text(wire), "l")


def _bracket(lane: float, label: float, ends: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Yield the lines from boxes to a lane beside them, and along it."""
    heights = [height for _, height in ends] + [label]
    yield f'<path class="w" d="M{lane:.1f} {min(heights):.1f}V{max(heights):.1f}"/>'
    for right, height in ends:
        yield f'<path class="w" d="M{right:.1f} {height:.1f}H{lane:.1f}"/>'
        yield f'<circle cx="{right:.1f}" cy="{height:.1f}" r="2.5" fill="#8a3f2b"/>'


def _rect(x: float, y: float, box: _Box, fill: str) -> str:
    size = f'width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} rx="4" fill="{fill}"/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}>{escape(text)}</text>'
