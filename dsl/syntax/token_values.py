"""Values of tokens: numbers with units, strings with escapes, dates; errors inside a token are collected."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import define, field

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span

_QUANTITY: Final = re.compile(r"([\d_.]+(?:[eE][+-]?\d+)?)[ \t]*(.*)", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\([\s\S])")
_ESCAPES: Final[Mapping[str, str]] = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}


@define(eq=False, repr=False)
class LiteralConverter:
    """Converts the tokens of one text.

    Attributes:
        source: the text.
        findings: the errors so far.
        convert: the function for each type of token, from its text and offset to a value.
    """

    source: SourceText
    findings: list[Diagnostic] = field(factory=list)
    convert: dict[str, Callable[[str, int], Any]] = field(init=False)
    _numbers: dict[str, tuple[float, str | None]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.convert = {
            "NUMBER": self.quantity,
            "QUANTITY": self.quantity,
            "STRING": self.string,
            "DATE": self.date,
        }

    def quantity(self, text: str, start: int) -> tuple[float, str | None]:
        """Return the number of `1_000` or `3.35 TB/s` and its unit as written."""
        cached = self._numbers.get(text)
        if cached is not None:
            return cached
        match = _QUANTITY.match(text)
        assert match is not None  # the terminal guarantees it
        value, unit = float(match[1].replace("_", "")), match[2] or None
        if math.isinf(value):
            self._note("this number is too large", start, text)
        elif unit and match[1] == "0" and re.fullmatch(r"[xXbBoO][0-9a-fA-F]+", unit) and unit[1:].isalnum():
            self._radix(text, start)
        else:
            self._numbers[text] = value, unit
        return value, unit

    def _radix(self, text: str, start: int) -> None:
        try:
            help = f"write `{int(text, 0)}`"
        except ValueError:
            help = "write it with the digits 0 to 9"
        self._note("numbers must be decimal", start, text, help=help)

    def string(self, text: str, start: int) -> str:
        """Return the value of a string."""
        quotes = 3 if text.startswith('"""') else 1
        if "\\" not in text:
            return text[quotes:-quotes]

        def unescape(match: re.Match[str]) -> str:
            if match[1] not in _ESCAPES:
                self._note(
                    f"`{match[0]}` is not an escape sequence",
                    start + quotes + match.start(),
                    match[0],
                    help='the escape sequences are `\\"`, `\\\\`, `\\n` and `\\t`; write `\\\\` for a backslash',
                )
            return _ESCAPES.get(match[1], match[0])

        return _ESCAPE.sub(unescape, text[quotes:-quotes])

    def date(self, text: str, start: int) -> datetime.date:
        """Return the day of `2025-06-01`."""
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            self._note("there is no such date", start, text, help="write a date as `year-month-day`")
            return datetime.date.min

    def _note(self, message: str, start: int, text: str, help: str | None = None) -> None:
        span = Span(self.source, start, start + len(text))
        self.findings.append(Diagnostic(code="A001", message=message, span=span, help=help))
