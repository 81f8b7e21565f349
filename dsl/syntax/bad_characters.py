"""Characters that do not start a token: unclosed quotes, typographic operators, prices, invisible characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.syntax.lookahead import accepts_terminals, find_line_end
from accelscope.dsl.syntax.parse_state import ParseState, SyntaxProblem

# character: what to write, and the token to continue with (None if continuing could mislead)
_REPLACEMENTS: Final[Mapping[str, tuple[str, str | None]]] = {
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
    """Return the error for a character, and whether the parse continues with the likely token in its place."""
    text, start = cursor.source.text, problem.start
    if text[start] == '"':
        return _unclosed_string(cursor, start)
    if price := _PRICE.match(text, start):
        correct = f"{price[1]} USD{price[2]}"
        finding = _finding(
            cursor,
            start,
            price.end(),
            "A001",
            "the currency unit must follow the number",
            f"write `{correct}`",
        )
        value = (float(price[1].replace("_", "")), f"USD{price[2]}")
        return finding, _continue_with(cursor, "QUANTITY", value, start, price.end())
    if quoted := _QUOTED.match(text, start):
        finding = _finding(
            cursor, start, quoted.end(), "A003", 'a string must be in straight double quotes `"`', None
        )
        return finding, _continue_with(cursor, "STRING", quoted[1] or quoted[2] or "", start, quoted.end())
    return _unknown_character(cursor, start)


def _unclosed_string(cursor: ParseState, start: int) -> tuple[Diagnostic, bool]:
    text = cursor.source.text
    if text.startswith('"""', start):
        finding = _finding(
            cursor, start, start + 3, "A004", 'the string that starts with `"""` has no closing `"""`', None
        )
        return finding, _continue_with(cursor, "STRING", text[start + 3 :], start, len(text))
    end = max(find_line_end(text, start), start + 1)
    help_text = 'add `"` at its end; a string of several lines is written in `"""`'
    finding = _finding(cursor, start, end, "A004", "the string has no closing quote on its line", help_text)
    return finding, _continue_with(cursor, "STRING", text[start + 1 : end], start, end)


def _unknown_character(cursor: ParseState, start: int) -> tuple[Diagnostic, bool]:
    text = cursor.source.text
    character = text[start]
    end = start + 1
    while end < len(text) and text[end] == character:
        end += 1
    replacement, kind = _REPLACEMENTS.get(character, (None, None))
    if character.isspace() or unicodedata.category(character).startswith(("C", "Z")):
        name = unicodedata.name(character, "a control character").lower()
        message = f"an invisible character: U+{ord(character):04X}, {name}"
        finding = _finding(cursor, start, end, "A003", message, "delete it, or replace it with a space")
        cursor.seek(end)
        return finding, True
    if character.isalpha():
        message, hint = f"names consist of the letters a to z, digits and `_`, not `{character}`", None
    else:
        message, hint = f"`{character}` is not valid here", f"write `{replacement}`" if replacement else None
    finding = _finding(cursor, start, end, "A003", message, hint)
    return finding, kind is not None and _continue_with(cursor, kind, replacement, start, start + 1)


def _finding(
    cursor: ParseState, start: int, end: int, code: str, message: str, hint: str | None
) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=Span(cursor.source, start, end), help=hint)


def _continue_with(cursor: ParseState, kind: str, value: Any, start: int, end: int) -> bool:
    """Feed a token to the parser if it is valid here; return whether it was."""
    if not accepts_terminals(cursor.parser, kind):
        return False
    try:
        cursor.put(kind, value, start, end)
    except SyntaxProblem:
        return False
    cursor.seek(end)
    return True
