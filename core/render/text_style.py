"""How text looks where it goes: the width of a line and colour, from the terminal, the environment and `--color`."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from enum import Enum
from typing import Any, TextIO

from attrs import frozen

_NO_BREAK = "\0"
_KEPT_SPACE = re.compile(r"(?<=\d) (?=\S)| (?== )|(?<= =) ")
"""A space within a number and its unit, or around the sign of `name = value`, where a line must not break."""


class Mark(Enum):
    """What a piece of text says about itself; a terminal shows it as colour."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    BEST = "best"
    DIM = "dim"
    HEADING = "heading"


_LOOKS: dict[Mark, dict[str, Any]] = {
    Mark.GOOD: {"fg": "green"},
    Mark.BAD: {"fg": "red", "bold": True},
    Mark.BEST: {"fg": "green", "bold": True},
    Mark.DIM: {"dim": True},
    Mark.HEADING: {"bold": True},
}


@frozen(kw_only=True)
class TextStyle:
    """Width and colour of text.

    Attributes:
        width: most cells of a line; None if lines may be of any length, as in a pipe.
        color: whether marks are shown as colour.
    """

    width: int | None = None
    color: bool = False

    def paint(self, text: str, mark: Mark) -> str:
        """Return a text in the colour of a mark; the text itself without colour, or if the mark has none."""
        if not self.color or mark not in _LOOKS or not text:
            return text
        from click import style

        return style(text, **_LOOKS[mark])

    def wrap(self, text: str, indent: str = "") -> str:
        """Return a text whose lines are no longer than the width, broken between words.

        A word that is longer than a line, such as a path, is broken behind a sign.

        Args:
            text: one or several lines; the spaces that a line begins with are kept.
            indent: further spaces before the lines that continue one.
        """
        if self.width is None:
            return text
        return "\n".join(
            line for part in text.split("\n") for line in _wrap_line(part, self.width, indent) or [""]
        )


PLAIN_STYLE = TextStyle()
"""Lines of any length without colour."""


def describe_stream(stream: TextIO) -> TextStyle:
    """Return the width and colour of what is written to a stream.

    The width is that of the terminal, which the variable COLUMNS may override; a pipe or a file has lines of any length.
    `--color` and `--no-color` decide on colour, then NO_COLOR, then FORCE_COLOR, then whether the stream is a terminal.
    """
    width = shutil.get_terminal_size().columns if stream.isatty() else None
    return TextStyle(width=width, color=uses_color(stream))


def uses_color(stream: TextIO) -> bool:
    """Say whether colour goes to a stream."""
    from click.globals import resolve_color_default

    flag = resolve_color_default()
    if flag is not None:
        return flag
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def wrap_cell(text: str, width: int) -> list[str]:
    """Return the lines of a text in a column: broken between words, then behind signs such as `/`, `.` and `_`."""
    lines: list[str] = []
    for line in _wrap_words(text, width) or [""]:
        lines.extend(_break_word(line, width))
    return lines


def find_longest_word(text: str) -> int:
    """Return the cells of the longest word of a text; a number with its unit is one word, and so is `name = value`."""
    return max(map(len, _bind_units(text).split()), default=0)


def _wrap_line(line: str, width: int, indent: str) -> list[str]:
    start = line[: len(line) - len(line.lstrip(" "))]
    first, *rest = wrap_cell(line.strip(" "), max(width - len(start) - len(indent), 20))
    return [start + first, *(start + indent + part for part in rest)]


def _wrap_words(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(_bind_units(text), max(width, 1), break_long_words=False, break_on_hyphens=False)
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _bind_units(text: str) -> str:
    return _KEPT_SPACE.sub(_NO_BREAK, text)


def _break_word(line: str, width: int) -> list[str]:
    """Return the pieces of a line that is too long for a column; it has no space, so it breaks behind a sign."""
    if len(line) <= width:
        return [line]
    pieces, current = [], ""
    for part in re.findall(r"[^/._:,=@-]*[/._:,=@-]+|[^/._:,=@-]+$", line):
        if current and len(current) + len(part) > width:
            pieces.append(current)
            current = ""
        current += part
    return [*pieces, current] if current else pieces
