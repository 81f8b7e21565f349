"""Lookahead of a parse that has stopped: which tokens are valid here, and what follows in the text."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Final

from lark import Token, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

END_TERMINAL: Final = "$END"
OPENING_BRACKETS: Final = frozenset({"LBRACE", "LSQB", "LPAR"})
MATCHING_BRACKETS: Final = {"RBRACE": "LBRACE", "RSQB": "LSQB", "RPAR": "LPAR"}
SEPARATORS: Final = frozenset({"COMMA", "SEMICOLON", "_NL"})
STATEMENT_KEYWORDS: Final = frozenset({"USE", "LET", "CONNECT", "SWEEP", "CHECK", "GOAL"})

_AFTER_NAME: Final = frozenset({"EQUAL", "LBRACE", "LSQB", "COLON", "AT", "NAME", "STRING", "EXTENDS"})
_AT_LINE_START: Final = _AFTER_NAME | {"COMPARE", "NUMBER", "QUANTITY", "DATE", "CONST"}
_AFTER_LABEL: Final = frozenset({"LBRACE", "LSQB", "COLON", "EXTENDS", "AT"})


def accepts_terminals(parser: InteractiveParser, *kinds: str) -> bool:
    """Return whether token types are valid one after the other; the parser does not change."""
    if kinds[0] not in parser.choices():  # type: ignore[no-untyped-call]
        return False
    state = parser.parser_state
    trial = state.copy(deepcopy_values=False)
    trial.parse_conf = copy(state.parse_conf)
    trial.parse_conf.callbacks = {}
    try:
        for kind in kinds:
            trial.feed_token(Token(kind, ""), is_end=kind == END_TERMINAL)
    except UnexpectedToken:
        return False
    return True


def starts_statement(parser: InteractiveParser) -> bool:
    """Return whether a statement may start here."""
    return accepts_terminals(parser, "LET")


def looks_like_statement(ahead: Iterator[Token], *, line_start: bool) -> bool:
    """Return whether the tokens ahead probably start a statement; stricter in the middle of a line."""
    first = next(ahead, None)
    if first is None or first.type in STATEMENT_KEYWORDS or first.type == "DOC":
        return first is not None
    if first.type != "NAME":
        return False
    second = next(ahead, None)
    while second is not None and second.type == "DOT" and next(ahead, None) is not None:
        second = next(ahead, None)
    if second is None or second.type not in (_AT_LINE_START if line_start else _AFTER_NAME):
        return False
    if line_start or second.type in ("EQUAL", "LBRACE"):
        return True
    third = next(ahead, None)
    return second.type in ("NAME", "STRING") and third is not None and third.type in _AFTER_LABEL


def is_first_on_line(text: str, at: int) -> bool:
    """Return whether only whitespace precedes an offset on its line."""
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t\f\r\ufeff")


def find_line_end(text: str, at: int) -> int:
    """Return the end of the line of an offset, without trailing whitespace."""
    stop = text.find("\n", at)
    return at + len(text[at : len(text) if stop < 0 else stop].rstrip(" \t\r"))
