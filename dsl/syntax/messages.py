"""Messages of syntax errors: what was expected, what the text has, and a likely fix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.diagnostics.suggest import find_closest_word
from accelscope.dsl.syntax.grammar import list_keywords, locate_token
from accelscope.dsl.syntax.lookahead import (
    END_TERMINAL,
    MATCHING_BRACKETS,
    STATEMENT_KEYWORDS,
    is_first_on_line,
)
from accelscope.dsl.syntax.parse_state import ParseState, SyntaxProblem

PUNCTUATION: Final[Mapping[str, str]] = {
    "BOTH": "<->",
    "TO": "->",
    "PLUSMINUS_ASCII": "+/-",
    "UPTO": "..",
    "AT": "@",
    "CARET": "^",
    "COLON": ":",
    "COMMA": ",",
    "CROSS": "×",
    "DOT": ".",
    "EQUAL": "=",
    "LBRACE": "{",
    "LPAR": "(",
    "LSQB": "[",
    "MINUS": "-",
    "PLUS": "+",
    "PLUSMINUS": "±",
    "RBRACE": "}",
    "RPAR": ")",
    "RSQB": "]",
    "SEMICOLON": ";",
    "SLASH": "/",
    "STAR": "*",
    "TILDE": "~",
}
_OPERATORS: Final = frozenset(
    {"PLUS", "MINUS", "STAR", "SLASH", "CROSS", "CARET", "UPTO", "COMPARE", "AND", "OR"}
)
_ENDS: Final = frozenset({"COMMA", "SEMICOLON", "_NL"})
_EXTRAS: Final = _OPERATORS | {
    "AT",
    "PLUSMINUS",
    "PLUSMINUS_ASCII",
    "TILDE",
    "SEMICOLON",
    "DOT",
    "LSQB",
    "LPAR",
    "_NL",
}
_VALUE: Final = frozenset({"NAME", "NUMBER", "QUANTITY", "STRING", "DATE", "CONST"})
_IN_VALUE: Final = _VALUE | {"IF", "NOT", "MINUS", "LBRACE", "LSQB", "LPAR", "MULTIPLE", "CROSS", "_NL"}


def syntax_error(cursor: ParseState, problem: SyntaxProblem) -> Diagnostic:
    """Return the error for a token that is not valid where it is."""
    fit = frozenset(cursor.parser.accepts())  # type: ignore[no-untyped-call]
    start, end = _place(cursor.source.text, cursor, problem)
    return Diagnostic(
        code="A001",
        message=_message(cursor, problem, fit),
        span=Span(cursor.source, start, end),
        help=_help(cursor, problem, fit),
    )


def _place(text: str, cursor: ParseState, problem: SyntaxProblem) -> tuple[int, int]:
    """Return the place of the error: the token, or for a line end the end of the last token."""
    if problem.kind in ("_NL", END_TERMINAL) and cursor.last <= problem.start:
        return cursor.last, cursor.last
    return problem.start, problem.end


def _message(cursor: ParseState, problem: SyntaxProblem, fit: frozenset[str]) -> str:
    actual = describe_terminal(cursor.source.text, problem)
    if fit >= _VALUE:
        return f"expected a value, not {actual}"
    if _statement_complete(fit) and problem.kind not in MATCHING_BRACKETS:
        return f"unexpected {actual}: the statement is already complete"
    if problem.kind in MATCHING_BRACKETS and not _opener(cursor, problem.kind):
        return f"{actual} has no matching opening bracket"
    if _starts(fit):
        return f"expected a statement, not {actual}"
    return f"expected {_list(name_terminals(fit))}, not {actual}"


def _opener(cursor: ParseState, kind: str) -> bool:
    return any(token.type == MATCHING_BRACKETS[kind] for token in cursor.open())


def _statement_complete(fit: frozenset[str]) -> bool:
    ends = fit >= {"COMMA", "SEMICOLON", "_NL"} or END_TERMINAL in fit
    return ends and "LET" not in fit and "EQUAL" not in fit


def _starts(fit: frozenset[str]) -> bool:
    return "LET" in fit


def describe_terminal(text: str, problem: SyntaxProblem) -> str:
    """Return the token of an error in words."""
    if problem.kind == "_NL":
        return "the end of the line"
    if problem.kind == END_TERMINAL:
        return "the end of the text"
    if problem.kind == "DOC":
        return "a documentation line"
    if problem.kind == "STRING":
        return "a string"
    piece = text[problem.start : problem.end]
    return f"`{piece}`" if len(piece) <= 40 else f"`{piece[:37]}...`"


def name_terminals(fit: frozenset[str]) -> list[str]:
    """Return token types in words, the most helpful first, with one word for a family of types."""
    if fit >= {"EQUAL", "LBRACE", "STRING"}:
        return ["`=`", "a label", "`{`"]
    if fit >= {"EQUAL", "DOT"}:
        return ["`=`"]
    named: list[str] = []
    rest = set(fit)
    if rest >= _VALUE:
        named.append("a value")
        rest -= _IN_VALUE
    elif rest & _OPERATORS and rest & (_ENDS | {"RSQB", "RPAR", "RBRACE"}):
        rest -= _EXTRAS - ({"COMMA"} if "_NL" in rest else set())
    for kind in sorted(rest, key=lambda kind: (kind in PUNCTUATION, kind)):
        named.append(_word(kind))
    return list(dict.fromkeys(named))


def _word(kind: str) -> str:
    if kind in PUNCTUATION:
        return f"`{PUNCTUATION[kind]}`"
    special = {
        "NAME": "a name",
        "NUMBER": "a number",
        "QUANTITY": "a number with a unit",
        "STRING": "a string",
        "_NL": "the end of the line",
        END_TERMINAL: "the end of the text",
        "DOC": "a documentation line",
        "SPACING": "`log` or `lin`",
        "COMPARE": "a comparison",
        "MULTIPLE": "a factor such as `x2`",
    }
    return special.get(kind, f"`{kind.lower()}`")


def _list(items: list[str]) -> str:
    if len(items) > 6:
        items = [*items[:6], "a similar token"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}" if items else "the end"


# ---- fixes ------------------------------------------------------------------------------------------------


def _help(cursor: ParseState, problem: SyntaxProblem, fit: frozenset[str]) -> str | None:
    text, start = cursor.source.text, problem.start
    piece = text[start : problem.end]
    before = text[:start].rstrip(" \t") if start < 200 else text[start - 200 : start].rstrip(" \t")
    return (
        _operator_help(piece, problem.kind, fit, text, start)
        or _number_help(problem, before, text)
        or _word_help(cursor, problem, piece, fit)
        or _shape_help(problem, piece, fit)
    )


def _operator_help(piece: str, kind: str, fit: frozenset[str], text: str, start: int) -> str | None:
    if kind == "COMPARE" and "EQUAL" in fit:
        return f"`{piece}` is a comparison; write `=` to assign a value"
    if kind == "EQUAL" and "COMPARE" in fit:
        return "`=` assigns a value; write `==` to compare"
    if kind in ("EQUAL", "COMPARE") and kind not in fit and text[start - 1 : start] in ("=", "<", ">", "!"):
        return f"write `{text[start - 1]}=` without a space or another character"
    if (kind == "COLON" and "EQUAL" in fit) or (kind in _VALUE and text[:start].rstrip(" \t").endswith(":")):
        return "write `=` to assign a value"
    if kind == "SEMICOLON" and "COMMA" in fit:
        return "write `,` between the items"
    if kind == "TO" and "BOTH" not in fit and "EQUAL" in fit:
        return "edges are written `connect a -> b`"
    if kind in _OPERATORS | {"PLUSMINUS", "PLUSMINUS_ASCII", "TILDE", "AT", "UPTO"} and is_first_on_line(
        text, start
    ):
        return f"a line cannot start with `{piece}`: the statement ended with the line above; put `{piece}` at the end of that line"
    return None


def _number_help(problem: SyntaxProblem, before: str, text: str) -> str | None:
    if problem.kind == "DOT":
        digits = re.match(r"\d+", text[problem.end : problem.end + 20])
        if digits and not before.endswith(tuple("0123456789")):
            return f"write `0.{digits[0]}`"
        number = re.search(r"[\d_]+$", before)
        if number:
            return f"write `{number[0]}` or `{number[0]}.0`"
    groups = re.search(r"(?<![\w.])(\d{1,3}(?:,\d{3})*),$", before)
    if (
        problem.kind in ("NUMBER", "QUANTITY")
        and groups
        and re.match(r"\d{3}(?!\d)", text[problem.start :][:4])
    ):
        return f"group digits with `_`: `{groups[1].replace(',', '_')}_{text[problem.start :][:3]}`"
    unit = re.search(r"\d[ \t]+([a-z]{4,20})$", before)
    near = find_closest_word(unit[1], ("step", "points", "when", "else", "then"), 0.7) if unit else None
    return f"did you mean `{near}`?" if unit and near not in (None, unit[1]) else None


def _word_help(cursor: ParseState, problem: SyntaxProblem, piece: str, fit: frozenset[str]) -> str | None:
    known = list_keywords()
    if problem.kind == "NAME" and len(piece) < 40:
        near = find_closest_word(
            piece, [word for word, kind in known.items() if kind in fit and len(word) > 2], 0.7
        )
        if near and near != piece:
            return f"did you mean `{near}`?"
    first = _first_word(cursor)
    if (
        first is not None
        and known.get(first) in STATEMENT_KEYWORDS
        and problem.kind in ("EQUAL", "LBRACE", "DOT", "COLON")
    ):
        return f"`{first}` is a keyword that starts a statement, so it cannot be a name here"
    if first and first not in known:
        near = find_closest_word(
            first, [word for word, kind in known.items() if kind in STATEMENT_KEYWORDS], 0.75
        )
        if near:
            return f"did you mean `{near}`?"
    return None


def _first_word(cursor: ParseState) -> str | None:
    """Return the first word of the current statement."""
    text = cursor.source.text
    line = text.rfind("\n", 0, cursor.last) + 1
    start = max([line, *(locate_token(token)[1] for token in cursor.open())])
    match = re.compile(r"[ \t]*([A-Za-z_]\w{0,40})\b").match(text, start)
    return match[1] if match else None


def _shape_help(problem: SyntaxProblem, piece: str, fit: frozenset[str]) -> str | None:
    if problem.kind == "DOC":
        return "`##` documents the next item and needs a line of its own; write `#` for a comment"
    if fit >= {"EQUAL", "LBRACE", "STRING"}:
        return "write `name = value`, or `kind label { ... }` for a block"
    if (
        _statement_complete(fit)
        and "COMMA" in fit
        and problem.kind
        in (
            "NAME",
            "STRING",
            "NUMBER",
            "QUANTITY",
            "LBRACE",
            "LSQB",
        )
    ):
        return "start a new line, or write `,` before it"
    if "COMMA" in fit and problem.kind in _VALUE:
        return "write `,` before it"
    return None
