from __future__ import annotations

import os

import pytest
from hypothesis import given
from lark import Lark, UnexpectedInput

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.printer import unparse_file
from accelscope.dsl.syntax.grammar import (
    GRAMMAR_FILE,
    find_grammar_cache,
    list_keywords,
    load_grammar,
    scan_terminals,
)
from accelscope.dsl.syntax.parser import parse
from tests.support.budgets import examples
from tests.support.sample_texts import ALL
from tests.support.strategies import files

LARK = Lark(
    GRAMMAR_FILE.read_text(encoding="utf-8"),
    parser="lalr",
    lexer="contextual",
    strict=True,
    start=["start", "scanned"],
    keep_all_tokens=True,
)


def tree(text):
    file, findings = parse(SourceText("t", text))
    assert findings == ()
    return file


def test_grammar_is_strict_lalr():
    assert LARK.parse("a = 1\n", start="start")


@pytest.mark.parametrize("text", ALL)
def test_lark_accepts_what_the_parser_accepts(text):
    tree(text)
    LARK.parse(text, start="start")


@examples()
@given(files(SourceText("t", "")))
def test_lark_accepts_printed_trees(file):
    LARK.parse(unparse_file(file), start="start")


@pytest.mark.parametrize(
    "text", ["a = \n", "a b c\n", "x = 1 2\n", "f(1) = 2\n", "a { b = 1\n", "let = 3\n", "use 4\n"]
)
def test_lark_rejects_what_the_parser_rejects(text):
    with pytest.raises(UnexpectedInput):
        LARK.parse(text, start="start")
    assert parse(SourceText("t", text))[1]


def test_any_text_is_scanned_with_every_terminal_but_multiple():
    (rule,) = [rule for rule in LARK.rules if rule.origin.name == "scanned" and len(rule.expansion) == 1]
    choices = {step.expansion[0].name for step in LARK.rules if step.origin.name == "_any"}
    assert rule and choices == {terminal.name for terminal in LARK.terminals} - {
        "MULTIPLE",
        "REMARK",
        "BLANK",
    }
    text = 'a = 1 ?\n"x'
    assert [token.type for token in scan_terminals(text)] == [
        "NAME",
        "EQUAL",
        "NUMBER",
        "OTHER",
        "_NL",
        "OTHER",
        "NAME",
    ]
    assert [token.start_pos for token in scan_terminals(text, 4)] == [4, 6, 7, 8, 9]


def test_keywords_are_whole_words():
    assert list_keywords()["tune"] == "SWEEP" and list_keywords()["in"] == "IN" and "a" not in list_keywords()
    for word, kind in list_keywords().items():
        assert [token.type for token in scan_terminals(word)] == [kind]
        assert [token.type for token in scan_terminals(f"{word}s")] == ["NAME"]
    assert parse(SourceText("t", "a = b andc\n"))[1]


# ---- the cache of its tables ------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    load_grammar.cache_clear()
    yield tmp_path / "accelscope"
    load_grammar.cache_clear()


def test_tables_are_cached_for_the_user_alone(cache):
    assert tree("a = 1\n").statements
    (file,) = cache.iterdir()
    assert os.name == "nt" or cache.stat().st_mode & 0o777 == 0o700
    before = file.stat().st_mtime_ns
    load_grammar.cache_clear()
    assert tree("a = 1\n").statements
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("data", [b"", b"{", b"\x80\x04K\x01.", b"\xff\xfe"])
def test_damaged_tables_are_made_afresh(cache, data):
    load_grammar()
    (file,) = cache.iterdir()
    good = file.read_bytes()
    for damaged in (data, good[: len(good) // 2], good.split(b"\n")[0] + b"\n" + data):
        file.write_bytes(damaged)
        load_grammar.cache_clear()
        assert tree("a = 1\n").statements
        assert file.stat().st_size > len(good) // 2


def test_no_cache_where_none_can_be(cache):
    cache.write_text("in the way")
    assert find_grammar_cache() is None
    assert tree("a = 1\n").statements


@pytest.mark.skipif(os.name == "nt", reason="modes of directories are of Unix")
def test_no_cache_in_a_directory_that_others_write(cache):
    cache.mkdir()
    cache.chmod(0o770)
    assert find_grammar_cache() is None
    assert tree("a = 1\n").statements
    assert not list(cache.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_no_cache_behind_a_link(cache, tmp_path):
    cache.symlink_to(tmp_path)
    assert find_grammar_cache() is None
