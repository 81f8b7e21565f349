"""Text that no terminal starts with: unclosed quotes, foreign signs, prices, hidden characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.syntax.lookahead import accepts_terminals, find_line_end
from accelscope.dsl.syntax.parse_state import ParseState, SyntaxProblem

# sign: what to write, and the terminal to go on with (None where reading on as if it were right may mislead)
_MEANT: Final[Mapping[str, tuple[str, str | None]]] = {
    "≤": ("<=", "COMPARE"),
    "≥": (">=", "COMPARE"),
    "≠": ("!=", "COMPARE"),
    "−": ("-", "MINUS"),
    "–": ("-", "MINUS"),
    "→": ("->", "TO"),
    "↔": ("<->", "BOTH"),
    "·": ("*", "STAR"),
    "÷": ("/", "SLASH"),
    "…": ("..", "UPTO"),
    "，": (",", "COMMA"),
    "；": (";", "SEMICOLON"),
    "：": (":", "COLON"),
    "＝": ("=", "EQUAL"),
    "（": ("(", "LPAR"),
    "）": (")", "RPAR"),
    "&": ("and", None),
    "|": ("or", None),
    "!": ("not", None),
    "?": ("if test then this else other", None),
    "“": ('"', None),
    "”": ('"', None),
    "`": ('"', None),
}
_PRICE: Final = re.compile(r"\$[ \t]*(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)[ \t]*((?:/[A-Za-z]+)*)")
_QUOTED: Final = re.compile(r"'([^'\n]*)'|[“”]([^“”\n]*)[“”]")


def repair_character(cursor: ParseState, problem: SyntaxProblem) -> tuple[Diagnostic, bool]:
    """Return what is wrong with a character, and whether the cursor reads on as if it were right."""
    text, start = cursor.source.text, problem.start
    if text[start] == '"':
        return _unclosed_text(cursor, start)
    if price := _PRICE.match(text, start):
        meant = f"{price[1]} USD{price[2]}"
        finding = _finding(
            cursor, start, price.end(), "A001", "money has its unit behind the number", f"write `{meant}`"
        )
        value = (float(price[1].replace("_", "")), f"USD{price[2]}")
        return finding, _go_on(cursor, "QUANTITY", value, start, price.end())
    if quoted := _QUOTED.match(text, start):
        finding = _finding(
            cursor, start, quoted.end(), "A003", 'a text stands in straight double quotes `"`', None
        )
        return finding, _go_on(cursor, "STRING", quoted[1] or quoted[2] or "", start, quoted.end())
    return _foreign(cursor, start)


def _unclosed_text(cursor: ParseState, start: int) -> tuple[Diagnostic, bool]:
    text = cursor.source.text
    if text.startswith('"""', start):
        finding = _finding(
            cursor, start, start + 3, "A004", 'the text opened by `"""` has no closing `"""`', None
        )
        return finding, _go_on(cursor, "STRING", text[start + 3 :], start, len(text))
    end = max(find_line_end(text, start), start + 1)
    help_text = 'write `"` at its end; a text of several lines stands in `"""`'
    finding = _finding(cursor, start, end, "A004", "the text has no closing quote on its line", help_text)
    return finding, _go_on(cursor, "STRING", text[start + 1 : end], start, end)


def _foreign(cursor: ParseState, start: int) -> tuple[Diagnostic, bool]:
    text = cursor.source.text
    sign = text[start]
    end = start + 1
    while end < len(text) and text[end] == sign:
        end += 1
    meant, kind = _MEANT.get(sign, (None, None))
    if sign.isspace() or unicodedata.category(sign).startswith(("C", "Z")):
        name = unicodedata.name(sign, "a control character").lower()
        message = f"a character that cannot be seen: U+{ord(sign):04X}, {name}"
        finding = _finding(cursor, start, end, "A003", message, "delete it, or write a plain space")
        cursor.seek(end)
        return finding, True
    if sign.isalpha():
        message, hint = f"names have the letters a to z, digits and `_`, not `{sign}`", None
    else:
        message, hint = f"`{sign}` has no meaning here", f"write `{meant}`" if meant else None
    finding = _finding(cursor, start, end, "A003", message, hint)
    return finding, kind is not None and _go_on(cursor, kind, meant, start, start + 1)


def _finding(
    cursor: ParseState, start: int, end: int, code: str, message: str, hint: str | None
) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=Span(cursor.source, start, end), help=hint)


def _go_on(cursor: ParseState, kind: str, value: Any, start: int, end: int) -> bool:
    """Take what was meant, if it fits, and say whether it did."""
    if not accepts_terminals(cursor.parser, kind):
        return False
    try:
        cursor.put(kind, value, start, end)
    except SyntaxProblem:
        return False
    cursor.seek(end)
    return True
