"""The formatter of `accelscope fmt`: sets indentation, spaces and the spelling of units; keeps lines and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from attrs import define, field
from lark import Token

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.syntax.grammar import locate_token
from accelscope.dsl.syntax.lookahead import END_TERMINAL, MATCHING_BRACKETS, OPENING_BRACKETS
from accelscope.dsl.syntax.parser import parse_with_terminals
from accelscope.dsl.values.unit_spelling import spell_unit

_INDENT: Final = "  "
_GOES_ON: Final = frozenset(
    {"PLUS", "MINUS", "STAR", "SLASH", "CROSS", "CARET", "UPTO", "COMPARE", "AND", "OR", "THEN", "ELSE", "TO"}
)
_VALUE: Final = frozenset({"NAME", "NUMBER", "QUANTITY", "STRING", "DATE", "CONST", "RPAR", "RSQB", "RBRACE"})
_NO_SPACE_AFTER: Final = frozenset({"LPAR", "LSQB", "DOT", "AT"})
_NO_SPACE_BEFORE: Final = frozenset({"RPAR", "RSQB", "COMMA", "SEMICOLON", "DOT"})
_POSTFIX_OF: Final = frozenset({"NAME", "RPAR", "RSQB", "RBRACE"})
_SPELLING: Final = {"PLUSMINUS_ASCII": "±", "CROSS": "*"}


@define
class _Token:
    kind: str
    text: str


@define
class _Line:
    """A line of the text: its tokens, the comment after them with its column, and the open brackets before it."""

    tokens: list[_Token] = field(factory=list)
    comment: str = ""
    column: int = 0
    depth: int = 0
    code: str = ""


def format_text(source: SourceText) -> str:
    """Return a text in the canonical layout; a text with syntax errors is returned unchanged.

    The result parses to the same tree, up to the spelling of units, and formats to itself.
    """
    _, findings, tokens = parse_with_terminals(source)
    if findings:
        return source.text
    lines = _lines(source.text, tokens)
    _indent(lines)
    for line in lines:
        line.code = _spaced(line.tokens)
    _align(lines)
    return "".join(f"{text}\n" for text in _squeezed(map(_rendered, lines)))


# ---- lines ------------------------------------------------------------------------------------------------


def _lines(text: str, tokens: Iterable[Token]) -> list[_Line]:
    lines = [_Line()]
    last = 0
    for token in tokens:
        kind, (start, end) = token.type, locate_token(token)
        if kind == "_NL":
            _break(lines, text[:0] if start == end else text[last:end], _column(text, start))
        elif kind == END_TERMINAL:
            rest = text[last:].strip(" \t\f\r\ufeff")
            lines[-1].comment, lines[-1].column = (
                rest,
                _column(text, start - len(text[last:].lstrip(" \t\f\r\ufeff"))),
            )
        else:
            lines[-1].tokens.append(_Token(kind, _canonical_token(kind, text[start:end])))
        last = end
    return lines


def _break(lines: list[_Line], between: str, column: int) -> None:
    """Start new lines for the line ends in a stretch of whitespace and comments."""
    first, *others = between.split("\n")
    lines[-1].comment, lines[-1].column = first.strip(" \t\f\r\ufeff"), column
    for other in others[:-1]:
        lines.append(_Line(comment=other.strip(" \t\f\r\ufeff")))
    lines.append(_Line())


def _column(text: str, offset: int) -> int:
    return len(text[text.rfind("\n", 0, offset) + 1 : offset].expandtabs(8))


def _canonical_token(kind: str, text: str) -> str:
    if kind == "QUANTITY":
        number, unit = re.match(r"([\d_.]+(?:[eE][+-]?\d+)?)[ \t]*(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
        unit = spell_unit(unit)
        return f"{number}{unit}" if unit.startswith("%") else f"{number} {unit}"
    if kind == "DOC":
        return f"## {text[2:].strip()}".rstrip()
    if kind == "STRING":
        return text.replace("\r\n", "\n")
    return _SPELLING.get(kind, text)


def _indent(lines: list[_Line]) -> None:
    depth, goes_on = 0, False
    for line in lines:
        kinds = [token.kind for token in line.tokens]
        leading = next((n for n, kind in enumerate(kinds) if kind not in MATCHING_BRACKETS), len(kinds))
        line.depth = max(0, depth - leading) + (1 if goes_on and not leading else 0)
        depth += sum((kind in OPENING_BRACKETS) - (kind in MATCHING_BRACKETS) for kind in kinds)
        if kinds:
            goes_on = kinds[-1] in _GOES_ON


# ---- spaces -----------------------------------------------------------------------------------------------


def _spaced(tokens: list[_Token]) -> str:
    parts: list[str] = []
    before: _Token | None = None
    unary = False
    for n, token in enumerate(tokens):
        if before is not None and not unary and not _joined(tokens, n):
            parts.append(" ")
        parts.append(token.text)
        unary = token.kind == "MINUS" and (before is None or before.kind not in _VALUE)
        before = token
    return "".join(parts)


def _joined(tokens: list[_Token], n: int) -> bool:
    """Return whether a token follows the one before it without a space."""
    before, kind = tokens[n - 1], tokens[n].kind
    if before.kind in _NO_SPACE_AFTER or kind in _NO_SPACE_BEFORE:
        return True
    if before.kind == "LBRACE" or kind == "RBRACE":
        return before.kind == "LBRACE" and kind == "RBRACE"
    if kind in ("LPAR", "LSQB"):
        return before.kind in _POSTFIX_OF or (kind == "LSQB" and before.kind == "STRING")
    if "CARET" in (kind, before.kind):
        left = n - 1 if kind == "CARET" else n - 2
        return left >= 0 and tokens[left].kind in _VALUE - {"QUANTITY"}
    if "UPTO" in (kind, before.kind):
        left = n - 1 if kind == "UPTO" else n - 2
        pair = {tokens[at].kind if 0 <= at < len(tokens) else "" for at in (left, left + 2)}
        return pair <= {"NUMBER", "NAME"}
    return before.kind == "CROSS" and n >= 2 and tokens[n - 2].kind == "STEP"


# ---- columns ----------------------------------------------------------------------------------------------


def _align(lines: list[_Line]) -> None:
    """Align the `=` of adjacent assignments, and the `{` of adjacent one-line blocks."""
    run: list[tuple[_Line, int]] = []
    shared: tuple[object, ...] | None = None
    for line in [*lines, _Line()]:
        shape = _shape(line)
        if shape is None or shape[0] != shared:
            _pad(run)
            run = []
        if shape is not None:
            shared = shape[0]
            run.append((line, shape[1]))
            if not _closed(line):
                shared = None


def _shape(line: _Line) -> tuple[tuple[object, ...], int] | None:
    """Return what adjacent lines must share and the column to align, or None for other lines."""
    kinds = [token.kind for token in line.tokens]
    equal, brace = (kinds.index(kind) if kind in kinds else len(kinds) for kind in ("EQUAL", "LBRACE"))
    at = min(equal, brace)
    if at in (0, len(kinds)) or kinds[0] not in ("NAME", "LET") or _several(line.tokens[at:]):
        return None
    width = len(_spaced(line.tokens[:at]))
    if equal < brace:
        plain = all(kind in ("NAME", "DOT", "LET") for kind in kinds[:at])
        return (("=", line.depth, kinds[0]), width) if plain else None
    return (("{", line.depth, line.tokens[0].text), width) if at > 1 and _closed(line) else None


def _several(tokens: list[_Token]) -> bool:
    depth = 0
    for token in tokens[:-1]:
        depth += (token.kind in OPENING_BRACKETS) - (token.kind in MATCHING_BRACKETS)
        if depth == 0 and token.kind in ("COMMA", "SEMICOLON"):
            return True
    return False


def _closed(line: _Line) -> bool:
    return (
        sum((token.kind in OPENING_BRACKETS) - (token.kind in MATCHING_BRACKETS) for token in line.tokens)
        == 0
    )


def _pad(run: list[tuple[_Line, int]]) -> None:
    width = max((at for _, at in run), default=0)
    for line, at in run:
        line.code = line.code[:at] + " " * (width - at) + line.code[at:]


def _rendered(line: _Line) -> str:
    code = _INDENT * line.depth + line.code if line.tokens else ""
    comment = re.sub(r"^//(?=#)", "# ", line.comment)
    comment = re.sub(r"^//", "#", comment)
    if not code or not comment:
        return (code or (_INDENT * line.depth + comment if comment else "")).rstrip()
    width = len(code) - code.rfind("\n") - 1
    return f"{code}{' ' * max(2, line.column - width)}{comment}"


def _squeezed(texts: Iterable[str]) -> list[str]:
    """Return lines with runs of empty lines reduced to one, and none at either end."""
    kept: list[str] = []
    for text in texts:
        if text or (kept and kept[-1]):
            kept.append(text)
    while kept and not kept[-1]:
        kept.pop()
    return kept
