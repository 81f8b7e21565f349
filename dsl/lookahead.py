"""Questions about a parse that has stopped: which terminals fit here, what comes next in the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from accelscope.dsl.tables import Row, Tables

OPENING: Final = frozenset({"LBRACE", "LSQB", "LPAR"})
MATE: Final = {"RBRACE": "{", "RSQB": "[", "RPAR": "("}
SEPARATORS: Final = frozenset({"COMMA", "SEMICOLON", "_NL"})
STARTERS: Final = frozenset({"USE", "LET", "CONNECT", "SWEEP", "CHECK", "GOAL"})

_AFTER_NAME: Final = frozenset({"EQUAL", "LBRACE", "LSQB", "COLON", "AT", "NAME", "STRING", "EXTENDS"})
_AT_LINE_START: Final = _AFTER_NAME | {"COMPARE", "NUMBER", "QUANTITY", "DATE", "CONST"}
_AFTER_LABEL: Final = frozenset({"LBRACE", "LSQB", "COLON", "EXTENDS", "AT"})


class Terminal(NamedTuple):
    """A piece of the text as the scanner alone sees it."""

    kind: str
    start: int
    end: int


def terminals(tables: Tables, text: str, at: int = 0) -> Iterator[Terminal]:
    """Yield the terminals of a text from an offset, with every keyword as a keyword."""
    scan, words, kinds = tables.scan.match, tables.words, tables.kinds
    while (found := scan(text, at)) and found.lastindex:
        start, at = found.span(found.lastindex)
        kind = kinds[found.lastindex]
        yield Terminal(words.get(found[1], "NAME") if kind == "NAME" else kind, start, at)


def fits(states: list[Row], *kinds: str, height: int | None = None) -> bool:
    """Say whether terminals can be taken one after the other, without touching the stack of states.

    Args:
        states: the stack.
        kinds: the terminals to play through.
        height: how much of the stack counts; all of it by default.
    """
    height = len(states) if height is None else height
    above: list[Row] = []  # what would stand on the stack above `height`
    for kind in kinds:
        while True:
            action = (above[-1] if above else states[height - 1]).get(kind)
            if action.__class__ is not tuple:
                break
            drop = min(action[0], len(above))
            del above[len(above) - drop :]
            height -= action[0] - drop
            above.append((above[-1] if above else states[height - 1])[action[1]])
        if action is None:
            return False
        above.append(action)
    return True


def expected(states: list[Row]) -> frozenset[str]:
    """Return exactly the terminals that could stand on top of a stack."""
    return frozenset(kind for kind in states[-1] if kind.lstrip("_$").isupper() and fits(states, kind))


def starts_statement(states: list[Row], height: int | None = None) -> bool:
    """Say whether a statement may start on top of the stack cut to a height."""
    return fits(states, "LET", height=height)


def looks_like_statement(tables: Tables, text: str, at: int, *, line_start: bool) -> bool:
    """Guess whether a statement starts at an offset; stricter in the middle of a line."""
    ahead = terminals(tables, text, at)
    first = next(ahead, None)
    if first is None or first.kind in STARTERS or first.kind == "DOC":
        return first is not None
    if first.kind != "NAME":
        return False
    second = next(ahead, None)
    while second is not None and second.kind == "DOT" and next(ahead, None) is not None:
        second = next(ahead, None)
    if second is None or second.kind not in (_AT_LINE_START if line_start else _AFTER_NAME):
        return False
    if line_start or second.kind in ("EQUAL", "LBRACE"):
        return True
    third = next(ahead, None)
    return second.kind in ("NAME", "STRING") and third is not None and third.kind in _AFTER_LABEL


def first_on_line(text: str, at: int) -> bool:
    """Say whether only blanks precede an offset on its line."""
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t\f\r\ufeff")


def line_end(text: str, at: int) -> int:
    """Return where the line that holds an offset ends, without blanks."""
    stop = text.find("\n", at)
    return at + len(text[at : len(text) if stop < 0 else stop].rstrip(" \t\r"))
