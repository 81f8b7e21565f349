"""A table once, in every format: nothing breaks inside a word or a number, and hidden columns are named."""

from __future__ import annotations

import json

import pytest

from accelscope.core.render.document import (
    Paragraph,
    format_document_html,
    format_document_markdown,
    format_document_text,
)
from accelscope.core.render.table import Cell, Column, Table, make_table
from accelscope.core.render.table_formats import (
    convert_table_to_records,
    format_json,
    format_table_csv,
    format_table_html,
    format_table_markdown,
)
from accelscope.core.render.table_text import choose_layout, format_table_text, format_tables_text
from accelscope.core.render.text_style import Mark, TextStyle, wrap_cell

WORDS = "a switch of full bandwidth between any two devices, with the fastest of five algorithms"


@pytest.fixture
def table() -> Table:
    columns = (
        Column("system"),
        Column("tpot", unit="s/tok", align="right", better="low"),
        Column("energy", align="right", priority=2),
        Column("range", title="LOW .. HIGH", align="right", priority=1),
        Column("doc", title="WHAT IT IS", wraps=True),
    )
    rows = [
        ("one", Cell("10.62 ms/tok", 0.01062), "32 J/tok", "9.249 ms/tok .. 12.18 ms/tok", WORDS),
        ("another", Cell("4 ms/tok", 0.004), "1 J/tok", "3 ms/tok .. 5 ms/tok", "short"),
    ]
    return make_table(columns, rows)


def test_columns_are_aligned_and_numbers_end_together(table: Table) -> None:
    head, first, second = format_table_text(table.take((0, 1))).splitlines()
    assert (head, first, second) == (
        "SYSTEM           TPOT",
        "one      10.62 ms/tok",
        "another      4 ms/tok",
    )


@pytest.mark.parametrize("width", range(40, 141, 4))
def test_no_line_is_wider_than_the_terminal_and_no_word_is_broken(table: Table, width: int) -> None:
    text = format_table_text(table, TextStyle(width=width))
    assert max(map(len, text.splitlines())) <= width
    assert set(WORDS.split()) <= set(text.split())
    assert "10.62 ms/tok" in text


def test_the_columns_of_the_largest_number_are_hidden_first_and_named(table: Table) -> None:
    assert choose_layout(table, None).shown == (0, 1, 2, 3, 4)
    assert choose_layout(table, 72).shown == (0, 1, 3, 4)
    text = format_table_text(table, TextStyle(width=72))
    assert "\n\nhidden for lack of room: ENERGY; " in text


def test_tables_name_what_is_hidden_once(table: Table) -> None:
    assert format_tables_text((table, table), TextStyle(width=72)).count("hidden for lack of room") == 1


def test_what_cannot_wrap_between_words_wraps_behind_signs() -> None:
    assert wrap_cell("std/nvidia.accel:144:17", 12) == ["std/nvidia.", "accel:144:17"]


def test_a_number_stays_with_its_unit_and_a_name_with_its_value() -> None:
    lines = TextStyle(width=24).wrap("about as long as 10 ms/tok at batch = 8").splitlines()
    assert lines == ["about as long as", "10 ms/tok at batch = 8"]


def test_the_best_of_a_column_is_marked(table: Table) -> None:
    assert [row[1].mark for row in table.rows] == [Mark.PLAIN, Mark.BEST]
    equal = make_table(table.columns[1:2], [(Cell("1", 1.0),), (Cell("1", 1.0),)])
    assert {row[0].mark for row in equal.rows} == {Mark.PLAIN}


def test_colour_marks_cells_and_dims_units(table: Table) -> None:
    text = format_table_text(table, TextStyle(color=True))
    assert "10.62\x1b[2m ms/tok\x1b[0m" in text
    assert "\x1b[32m\x1b[1m4 ms/tok\x1b[0m" in text
    assert "\x1b[" not in format_table_text(table, TextStyle())


def test_markdown_csv_html_and_json_hold_every_column(table: Table) -> None:
    few = table.take((0, 1))
    assert format_table_markdown(few).splitlines() == [
        "| SYSTEM | TPOT |",
        "| --- | --: |",
        "| one | 10.62 ms/tok |",
        "| another | 4 ms/tok |",
    ]
    assert format_table_csv(few) == "system,tpot [s/tok]\none,0.01062\nanother,0.004\n"
    assert json.loads(format_json(convert_table_to_records(few)))[0] == {"system": "one", "tpot": 0.01062}
    assert format_table_html(few).count("<td") == 4


def test_texts_cannot_break_out_of_their_cell() -> None:
    odd = make_table((Column("a"),), [("=1|<b>",)])
    assert format_table_markdown(odd).endswith("| =1\\|<b> |")
    assert format_table_csv(odd) == "a\n'=1|<b>\n"
    assert "<b>" not in format_table_html(odd)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="other than 2 cells"):
        make_table((Column("a"), Column("b")), [("1",)])


def test_a_document_is_text_markdown_or_html(table: Table) -> None:
    blocks = (
        Paragraph("Title", heading=2),
        "one sentence",
        table.take((0,)),
        "",
        make_table((Column("a"),), []),
    )
    assert format_document_text(blocks) == "Title\n\none sentence\n\nSYSTEM\none\nanother\n"
    assert format_document_markdown(blocks).startswith("## Title\n\none sentence\n\n| SYSTEM |")
    assert format_document_html(blocks).startswith("<h2>Title</h2>\n<p>one sentence</p>\n<div")
