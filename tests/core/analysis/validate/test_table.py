"""Tables of measurements: what is read, and how each mistake is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from accelscope.core.analysis.validate.table import KERNEL_LAYOUT, read_tables
from accelscope.core.errors import UsageError
from tests.support.paths import MEASURED

KERNELS = MEASURED / "ops.csv"
LINES = KERNELS.read_text().splitlines()


def written(folder: Path, *lines: str) -> str:
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def changed(line: str, column: str, value: str) -> str:
    """A line of the table with another value in a column; no field of these lines is quoted."""
    fields = line.split(",")
    fields[LINES[0].split(",").index(column)] = value
    return ",".join(fields)


def message(*names: str, **options) -> str:
    with pytest.raises(UsageError) as caught:
        read_tables(names, **options)
    return str(caught.value)


def test_the_columns_say_which_table_it_is():
    kinds = [table.layout.kind for table in read_tables([str(MEASURED / "e2e.csv"), str(KERNELS)])]
    assert kinds == ["e2e", "ops"]


def test_numbers_text_and_empty_fields():
    (table,) = read_tables([str(KERNELS)])
    first = table.take(np.array([0]))
    assert first.text("hw")[0] == "H100-SXM"
    assert first.number("m")[0] == 3072
    assert np.isnan(first.number("tokens")[0])
    assert first.places[0] == f"{KERNELS}:2"
    assert len(table) == len(LINES) - 1


def test_a_compressed_table_is_the_same(tmp_path):
    path = tmp_path / "ops.csv.gz"
    path.write_bytes(gzip.compress(KERNELS.read_bytes()))
    (plain,), (packed,) = read_tables([str(KERNELS)]), read_tables([str(path)])
    assert list(plain.text("id")) == list(packed.text("id"))


def test_files_of_one_layout_are_joined():
    (table,) = read_tables([str(KERNELS), str(KERNELS)])
    assert len(table) == 2 * (len(LINES) - 1)


def test_a_byte_order_mark_and_spaces_are_no_part_of_a_value(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join((LINES[0], changed(LINES[1], "hw", " H100-SXM "))).encode())
    (table,) = read_tables([str(path)])
    assert table.text("hw")[0] == "H100-SXM"


def test_columns_that_no_prediction_reads_may_be_missing(tmp_path):
    kept = [at for at, name in enumerate(LINES[0].split(",")) if name not in KERNEL_LAYOUT.notes]
    lines = [",".join(line.split(",")[at] for at in kept) for line in LINES[:3]]
    (table,) = read_tables([written(tmp_path, *lines)])
    assert list(table.text("flag")) == ["", ""]


def test_a_missing_column_is_named(tmp_path):
    name = written(tmp_path, LINES[0].replace(",kv_len", ""), LINES[1])
    assert f"{name}:1: column `kv_len` is missing" in message(name)


def test_an_unknown_column_is_named_with_the_one_that_was_meant(tmp_path):
    name = written(tmp_path, LINES[0].replace(",engine,", ",enginee,"), LINES[1])
    assert f"{name}:1: column `enginee` is unknown in a table of ops" in message(name)
    assert "did you mean `engine`" in message(name)


def test_a_column_that_is_there_twice_is_named(tmp_path):
    name = written(tmp_path, LINES[0] + ",hw", LINES[1] + ",H100-SXM")
    assert f"{name}:1: column `hw` is there 2 times" in message(name)


@pytest.mark.parametrize("value", ["fast", "nan", "inf", "1e999", "1_000", "0x10", "12 us"])
def test_an_unreadable_number_is_named_by_line_and_column(tmp_path, value):
    name = written(tmp_path, LINES[0], LINES[1], changed(LINES[2], "m", value))
    assert f"{name}:3: column `m`: `{value}` is not a number" in message(name)


def test_measured_times_are_above_zero_and_sizes_are_not_below(tmp_path):
    name = written(tmp_path, LINES[0], changed(LINES[1], "latency_us", "0"), changed(LINES[2], "k", "-1"))
    assert f"{name}:2: column `latency_us`: `0` is not above 0" in message(name)
    assert f"{name}:3: column `k`: `-1` is below 0" in message(name)


def test_all_mistakes_are_named_at_once_up_to_twenty(tmp_path):
    name = written(tmp_path, LINES[0], *(changed(line, "m", "x") for line in LINES[1:26]))
    found = message(name).splitlines()
    assert len(found) == 21
    assert found[-1] == "and 5 more"


def test_a_row_with_too_few_fields_is_named(tmp_path):
    name = written(tmp_path, LINES[0], "a,b,c")
    assert f"{name}:2: 3 fields where the first line names {len(LINES[0].split(','))} columns" in message(
        name
    )


@pytest.mark.parametrize("column", ["id", "hw", "op"])
def test_what_every_row_needs_is_not_empty(tmp_path, column):
    name = written(tmp_path, LINES[0], changed(LINES[1], column, ""))
    assert f"{name}:2: column `{column}` is empty" in message(name)


def test_a_table_of_something_else_and_no_table_at_all(tmp_path):
    assert "no column of measurements" in message(written(tmp_path, "date,weather", "today,rain"))
    assert "no column of measurements" in message(written(tmp_path))
    assert "no such file" in message(str(tmp_path / "absent.csv"))


def test_broken_files_are_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(gzip.compress(KERNELS.read_bytes())[:-20])
    assert "no complete gzip file" in message(str(path))
    path.write_bytes(KERNELS.read_bytes() + b"\xff\xfe")
    assert "not UTF-8" in message(str(path))


def test_a_kind_that_the_columns_are_not_of_is_refused():
    assert "column `op` is unknown in a table of e2e" in message(str(KERNELS), kind="e2e")


def test_without_its_measured_column_a_table_is_read_blind_only(tmp_path):
    at = LINES[0].split(",").index("latency_us")
    lines = [
        ",".join(field for place, field in enumerate(line.split(",")) if place != at) for line in LINES[:2]
    ]
    name = written(tmp_path, *lines)
    assert "column `latency_us` is missing" in message(name)
    (table,) = read_tables([name], blind=True)
    assert np.isnan(table.number("latency_us")[0])
