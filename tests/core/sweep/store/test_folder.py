"""A store holds whole parts of one question only."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from accelscope.core.errors import UsageError
from accelscope.core.sweep.store import atomic, open_store
from accelscope.core.sweep.store.failures import ChunkFailure, summarize_failures
from accelscope.core.sweep.store.folder import open_writable_store
from accelscope.core.sweep.store.parts import StoreColumn, encode_part

COLUMNS = (
    StoreColumn(name="model", type="name", axis=True),
    StoreColumn(name="batch", axis=True),
    StoreColumn(name="feasible", type="yes or no"),
    StoreColumn(name="tpot", unit="s/tok"),
)
QUESTION = {
    "asked": "study s",
    "files": {"a.accel": "00"},
    "overrides": [],
    "points": 6,
    "chunks": 3,
    "axes": [
        {"name": "model", "unit": "", "values": ["small", "large"]},
        {"name": "batch", "unit": "", "values": [1.0, 2.0, 4.0]},
    ],
    "columns": [
        {"name": item.name, "unit": item.unit, "type": item.type, "axis": item.axis} for item in COLUMNS
    ],
}


def table(number: int) -> dict[str, np.ndarray]:
    """Points of a chunk of two: the grid of two models and three batches, the last axis fastest."""
    at = np.array([2 * number, 2 * number + 1])
    return {
        "model": np.array(["small", "large"], dtype=object)[at // 3],
        "batch": np.array([1.0, 2.0, 4.0])[at % 3],
        "feasible": at != 4,
        "tpot": np.where(at == 4, np.nan, at / 1000),
    }


def part(number: int) -> bytes:
    return encode_part(table(number), COLUMNS)


def test_the_same_points_give_the_same_bytes() -> None:
    assert part(1) == part(1)
    assert part(1) != part(2)


def test_readers_give_the_points_in_order_with_their_units(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    with open_writable_store(tmp_path / "s", QUESTION) as store:
        for number in (2, 0, 1):
            store.add(number, part(number))
    reader = open_store(tmp_path / "s")
    found = reader.to_arrow()
    assert found.column("batch").to_pylist() == [1, 2, 4, 1, 2, 4]
    assert found.schema.field("tpot").metadata == {b"unit": b"s/tok"}
    frame = reader.to_pandas(["model", "tpot"])
    assert frame["model"].tolist() == ["small"] * 3 + ["large"] * 3
    assert frame.attrs["units"] == {"tpot": "s/tok"}
    assert np.isnan(frame["tpot"][4])


def test_a_dataset_has_a_dimension_for_each_axis_and_reads_what_is_looked_at(tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    with open_writable_store(tmp_path / "s", QUESTION) as store:
        store.add(0, part(0))
        store.add(2, part(2))
    found = open_store(tmp_path / "s").to_xarray()
    assert dict(found.sizes) == {"model": 2, "batch": 3}
    assert found["tpot"].attrs == {"units": "s/tok"}
    assert not found["tpot"].variable._in_memory
    expected = [[0.0, 0.001, np.nan], [np.nan, np.nan, 0.005]]
    np.testing.assert_equal(found["tpot"].values, expected)
    assert float(found["tpot"].sel(model="large", batch=4)) == 0.005
    assert found["feasible"].values.tolist() == [[True, True, False], [False, False, True]]


def test_a_store_of_another_question_is_refused_with_what_differs(tmp_path: Path) -> None:
    with open_writable_store(tmp_path / "s", QUESTION) as store:
        store.add(0, part(0))
    other = QUESTION | {"overrides": ["batch=2"], "files": {"a.accel": "11"}}
    with (
        pytest.raises(UsageError, match="another question") as caught,
        open_writable_store(tmp_path / "s", other, resume=True),
    ):
        pass
    assert 'files.a.accel: "00" in the store, "11" now' in str(caught.value)
    assert 'overrides: [] in the store, ["batch=2"] now' in str(caught.value)


def test_a_store_is_continued_only_where_that_is_asked_for(tmp_path: Path) -> None:
    with open_writable_store(tmp_path / "s", QUESTION) as store:
        store.add(1, part(1))
    with pytest.raises(UsageError, match="--resume"), open_writable_store(tmp_path / "s", QUESTION):
        pass
    with open_writable_store(tmp_path / "s", QUESTION, resume=True) as store:
        assert list(store.done()) == [0, 1, 0]


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match=r"letter\.txt"), open_writable_store(tmp_path, QUESTION):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    with (
        open_writable_store(tmp_path / "s", QUESTION),
        pytest.raises(UsageError, match="another process"),
        open_writable_store(tmp_path / "s", QUESTION, resume=True),
    ):
        pass


def test_what_is_half_written_or_cut_off_is_no_part(tmp_path: Path) -> None:
    with open_writable_store(tmp_path / "s", QUESTION) as store:
        for number in range(3):
            store.add(number, part(number))
    paths = list(open_store(tmp_path / "s").parts())
    paths[0].write_bytes(part(0)[:100])
    left = paths[1].with_name(f".{paths[1].name}.12-ab{atomic.TEMPORARY_SUFFIX}")
    left.write_bytes(b"half")
    with open_writable_store(tmp_path / "s", QUESTION, resume=True) as store:
        assert list(store.done()) == [0, 1, 1]
        assert not left.exists()
    assert open_store(tmp_path / "s").to_arrow().num_rows == 4


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch, failing: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with open_writable_store(tmp_path / "s", QUESTION) as store:
        store.add(0, part(0))
        monkeypatch.setattr(os, failing, full)
        with pytest.raises(UsageError, match=r"no space left on device; .* --resume"):
            store.add(1, part(1))
        monkeypatch.undo()
        assert list(store.done()) == [1, 0, 0]
    assert [path for path in (tmp_path / "s").rglob("*") if path.name.endswith(atomic.TEMPORARY_SUFFIX)] == []


def test_failures_are_kept_without_times_and_told_by_reason(tmp_path: Path) -> None:
    why = {"reason": "raised", "plugin": "cold", "distribution": "accelscope-cold"}
    with open_writable_store(tmp_path / "s", QUESTION) as store:
        for chunk in (2, 0):
            store.add_failure(ChunkFailure(chunk=chunk, first=2 * chunk, points=2, **why))
    found = open_store(tmp_path / "s").failures
    assert [item.chunk for item in found] == [0, 2]
    assert found[0].plugin == "cold"
    assert summarize_failures(found) == ("2 chunks (4 points) failed: raised",)
    kept = json.loads((tmp_path / "s" / "failures" / "000000002.json").read_text())
    assert kept == {"chunk": 2, "first": 4, "points": 2, **why}


def test_an_unknown_column_is_refused_with_a_guess(tmp_path: Path) -> None:
    with open_writable_store(tmp_path / "s", QUESTION):
        pass
    with pytest.raises(UsageError, match="tpot"):
        open_store(tmp_path / "s").to_arrow(["tpott"])


def test_a_folder_that_is_no_store_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no store of a sweep"):
        open_store(tmp_path)
