"""The grammar as a Lark parser: LALR(1) with the contextual lexer, its tables cached for the user.

Lark checks itself whether the grammar, Lark or Python has changed (`Lark.load` would not accept callbacks). The cache is a
pickle, so it is in a directory that only the user can write, never next to the code. Without such a directory the tables
are built at each start, which takes 0.2 s.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, cast

from lark import Lark, TextSlice, Token
from lark.parsers.lalr_interactive_parser import InteractiveParser

from accelscope.dsl.syntax.builders import NODE_BUILDERS
from accelscope.dsl.syntax.transformer import build_transformer

GRAMMAR_FILE: Final = Path(__file__).with_name("grammar.lark")
_WORDS: Final = re.compile(r"(?:\(\?:)?([a-z|]+)\)?\\b")


@lru_cache(maxsize=1)
def load_grammar() -> Lark:
    """Return the parser of the language; a process builds it once."""
    folder = find_grammar_cache()
    return Lark(
        GRAMMAR_FILE.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        start=["start", "override", "scanned"],
        keep_all_tokens=True,
        transformer=build_transformer(NODE_BUILDERS),
        cache=str(folder / f"grammar-{sys.implementation.cache_tag}.lark") if folder else False,
    )


def find_grammar_cache() -> Path | None:
    """Return a directory for the tables that only the user can write, or None if there is none."""
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    try:
        folder = Path(os.environ.get(name) or Path.home() / ".cache") / "accelscope"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except (OSError, RuntimeError):
        return None
    if sys.platform == "win32":
        return folder  # in the profile of the user
    private = status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return folder if private and stat.S_ISDIR(status.st_mode) else None


@lru_cache(maxsize=1)
def list_keywords() -> Mapping[str, str]:
    """Return the keywords of the grammar, each with its token type."""
    matches = [
        (_WORDS.fullmatch(terminal.pattern.value), terminal.name) for terminal in load_grammar().terminals
    ]
    return {word: name for match, name in matches if match for word in match[1].split("|")}


def start_parser(text: str, rule: str = "start") -> InteractiveParser:
    """Return a parser at the start of a text.

    Args:
        text: the text.
        rule: the rule that the whole text must match: "start" for a file, or "override".
    """
    return load_grammar().parse_interactive(text, start=rule)


def scan_terminals(text: str, at: int = 0) -> Iterator[Token]:
    """Yield the tokens of a text from an offset; every keyword is one, and `OTHER` is any unknown character."""
    scanner = load_grammar().parse_interactive(TextSlice(text, at, len(text)), start="scanned")
    return lex(scanner)


def lex(parser: InteractiveParser) -> Iterator[Token]:
    """Yield the tokens ahead of a parser; the type of each depends on the state of the parser at that time."""
    return cast(Iterator[Token], parser.lexer_thread.lex(parser.parser_state))  # type: ignore[no-untyped-call]


def locate_token(token: Token) -> tuple[int, int]:
    """Return the offsets of the start and the end of a token."""
    return cast(tuple[int, int], (token.start_pos, token.end_pos))
