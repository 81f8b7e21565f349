"""Text that no terminal starts with: unclosed quotes, foreign signs, prices, hidden characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from accelscope.dsl.diagnostics import Diagnostic, Span
from accelscope.dsl.engine import Engine, Problem
from accelscope.dsl.lookahead import fits, line_end

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


def mend(engine: Engine, problem: Problem) -> tuple[Diagnostic, bool]:
    """Return what is wrong with a character, and whether the engine reads on as if it were right."""
    text, start = engine.source.text, problem.start
    if text[start] == '"':
        return _unclosed_text(engine, start)
    if price := _PRICE.match(text, start):
        meant = f"{price[1]} USD{price[2]}"
        finding = _finding(
            engine, start, price.end(), "A001", "money has its unit behind the number", f"write `{meant}`"
        )
        value = (float(price[1].replace("_", "")), f"USD{price[2]}")
        return finding, _go_on(engine, "QUANTITY", value, start, price.end())
    if quoted := _QUOTED.match(text, start):
        finding = _finding(
            engine, start, quoted.end(), "A003", 'a text stands in straight double quotes `"`', None
        )
        return finding, _go_on(engine, "STRING", quoted[1] or quoted[2] or "", start, quoted.end())
    return _foreign(engine, start)


def _unclosed_text(engine: Engine, start: int) -> tuple[Diagnostic, bool]:
    text = engine.source.text
    if text.startswith('"""', start):
        finding = _finding(
            engine, start, start + 3, "A004", 'the text opened by `"""` has no closing `"""`', None
        )
        return finding, _go_on(engine, "STRING", text[start + 3 :], start, len(text))
    end = max(line_end(text, start), start + 1)
    help_text = 'write `"` at its end; a text of several lines stands in `"""`'
    finding = _finding(engine, start, end, "A004", "the text has no closing quote on its line", help_text)
    return finding, _go_on(engine, "STRING", text[start + 1 : end], start, end)


def _foreign(engine: Engine, start: int) -> tuple[Diagnostic, bool]:
    text = engine.source.text
    sign = text[start]
    end = start + 1
    while end < len(text) and text[end] == sign:
        end += 1
    meant, kind = _MEANT.get(sign, (None, None))
    if sign.isspace() or unicodedata.category(sign).startswith(("C", "Z")):
        name = unicodedata.name(sign, "a control character").lower()
        message = f"a character that cannot be seen: U+{ord(sign):04X}, {name}"
        finding = _finding(engine, start, end, "A003", message, "delete it, or write a plain space")
        engine.at = end
        return finding, True
    if sign.isalpha():
        message, hint = f"names have the letters a to z, digits and `_`, not `{sign}`", None
    else:
        message, hint = f"`{sign}` has no meaning here", f"write `{meant}`" if meant else None
    finding = _finding(engine, start, end, "A003", message, hint)
    return finding, kind is not None and _go_on(engine, kind, meant, start, start + 1)


def _finding(engine: Engine, start: int, end: int, code: str, message: str, hint: str | None) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=Span(engine.source, start, end), help=hint)


def _go_on(engine: Engine, kind: str, value: Any, start: int, end: int) -> bool:
    """Take what was meant, if it fits, and say whether it did."""
    if not fits(engine.states, kind):
        return False
    try:
        engine.take(kind, value, start, end)
    except Problem:
        return False
    engine.at = end
    return True
