"""Diagnostics for people and machines: terminal text with source lines, JSON, GitHub annotations. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from attrs import frozen

from accelscope.core.render.source_excerpt import (
    EXCERPT_WIDTH,
    SpanLabel,
    build_excerpt,
    strip_control_characters,
)
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span

_TEXT_STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "frame": "bold blue",
    "label": "blue",
    "strong": "bold",
}


def render_diagnostics(
    diagnostics: Iterable[Diagnostic], *, width: int = EXCERPT_WIDTH, color: bool = False
) -> str:
    """Return diagnostics as terminal text, an empty line between two, or "" where there are none.

    Args:
        diagnostics: in the order to print.
        width: cells of the terminal; longer source lines are cut around the place.
        color: whether to use ANSI colours.
    """
    paint = _TextStyler(color)
    return "\n".join(_one(item, width, paint) for item in diagnostics)


def summarize_diagnostics(diagnostics: Sequence[Diagnostic]) -> str:
    """Return such as `2 errors, 1 warning`, or "" where there are none."""
    counts = {word: sum(item.severity == word for item in diagnostics) for word in ("error", "warning")}
    return ", ".join(f"{n} {word}" + ("s" if n > 1 else "") for word, n in counts.items() if n)


def format_diagnostics_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Return diagnostics as a JSON list; lines and columns count from 1, ends are exclusive."""
    return json.dumps([_as_object(item) for item in diagnostics], indent=2, ensure_ascii=False)


def format_github_annotations(diagnostics: Iterable[Diagnostic]) -> str:
    """Return diagnostics as workflow commands that GitHub shows beside the lines."""
    return "\n".join(_annotation(item) for item in diagnostics)


@frozen
class _TextStyler:
    """Puts text into a style, or leaves it plain."""

    color: bool

    def __call__(self, text: str, style: str) -> str:
        """Return the text in a style of `STYLES`."""
        if not self.color or not text:
            return text
        from rich.color import ColorSystem
        from rich.style import Style

        return Style.parse(_TEXT_STYLES[style]).render(text, color_system=ColorSystem.STANDARD)


def _one(item: Diagnostic, width: int, paint: _TextStyler) -> str:
    head = f"{item.severity}[{item.code}]"
    lines = [f"{paint(head, item.severity)}{paint(': ' + strip_control_characters(item.message), 'strong')}"]
    gutter = 1
    if item.span is not None:
        marks = [
            SpanLabel(item.span, item.label, True),
            *(SpanLabel(label.span, label.text, False) for label in item.labels),
        ]
        gutter = max(len(str(_last_line(mark.span))) for mark in marks)
        lines.extend(_frames(marks, gutter, width, paint, item.severity))
    for word, text in (
        *(("note", note) for note in item.notes),
        *((("help", item.help),) if item.help else ()),
    ):
        lines.append(_remark(word, text, gutter, paint))
    return "\n".join(lines) + "\n"


def _frames(marks: list[SpanLabel], gutter: int, width: int, paint: _TextStyler, severity: str) -> list[str]:
    """Return one frame of source lines for each file, that of the finding first."""
    sources = list(dict.fromkeys(mark.span.source for mark in marks))
    lines = []
    for source in sources:
        own = [mark for mark in marks if mark.span.source is source]
        arrow = "-->" if source is sources[0] else ":::"
        lines.append(f"{' ' * gutter}{paint(arrow, 'frame')} {strip_control_characters(str(own[0].span))}")
        lines.append(paint(" " * gutter + " |", "frame"))
        for row in build_excerpt(own, max(width - gutter - 3, 20)):
            number = f"{row.number:>{gutter}}" if row.number else " " * gutter
            if row.gap:
                lines.append(paint("...", "frame"))
            elif row.number:
                lines.append(f"{paint(f'{number} |', 'frame')} {row.text}".rstrip())
            else:
                style = severity if row.primary else "label"
                lines.append(f"{paint(f'{number} |', 'frame')} {row.indent}{paint(row.text, style)}")
    return lines


def _remark(word: str, text: str, gutter: int, paint: _TextStyler) -> str:
    first, *rest = text.split("\n")
    indent = " " * (gutter + 3 + len(word) + 2)
    lines = [
        f"{' ' * gutter} {paint('=', 'frame')} {paint(word, 'strong')}: {strip_control_characters(first)}"
    ]
    return "\n".join([*lines, *(indent + strip_control_characters(line) for line in rest)])


def _last_line(span: Span) -> int:
    return span.source.position(max(span.start, span.end - 1))[0]


def _as_object(item: Diagnostic) -> dict[str, object]:
    return {
        "code": item.code,
        "severity": item.severity,
        "title": item.title,
        **_place(item.span),
        "message": item.message,
        "label": item.label,
        "labels": [{**_place(label.span), "message": label.text} for label in item.labels],
        "notes": list(item.notes),
        "help": item.help,
        "replacement": item.replacement,
    }


def _place(span: Span | None) -> dict[str, object]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _annotation(item: Diagnostic) -> str:
    place = _place(item.span)
    properties: dict[str, object] = {}
    if item.span is not None:
        properties = {"file": place["file"], "line": place["line"], "col": place["column"]}
        if place["line"] == place["end_line"]:
            properties["endColumn"] = place["end_column"]
        else:
            properties["endLine"] = place["end_line"]
    properties["title"] = f"{item.code} {item.title}"
    text = "\n".join((item.message, *item.notes, *((f"help: {item.help}",) if item.help else ())))
    listed = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in properties.items())
    return f"::{item.severity} {listed}::{_escaped(text, '')}"


def _escaped(text: str, more: str) -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
