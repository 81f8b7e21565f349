from __future__ import annotations

import pytest

from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import maximum, term, total
from accelscope.core.query.explain import explain
from accelscope.core.session import Session
from accelscope.dsl.values.values import Origin


def leaf(value: float, unit: str, label: str) -> object:
    return term(value, unit, origin=Origin(span=None, how="default", text="data sheet"), label=label)


def test_the_winner_of_a_maximum_comes_first_and_is_followed() -> None:
    memory = (leaf(4, "TB", "bytes") / leaf(2, "TB/s", "bandwidth")).named("memory time")
    compute = (leaf(1, "TFLOP", "flops") / leaf(1, "TFLOP/s", "peak")).named("compute time")
    lines = [line.text for line in explain(maximum(compute, memory).named("time").node)]
    assert lines == [
        "time = 2 s",
        "memory time = 2 s",
        "bytes = 4 TB",
        "bandwidth = 2 TB/s",
        "compute time = 1 s",
    ]


def test_terms_of_a_sum_come_in_order_of_size() -> None:
    node = total((leaf(1, "s", "small"), leaf(3, "s", "large"))).named("both").node
    assert [line.text for line in explain(node)] == ["both = 4 s", "large = 3 s", "small = 1 s"]


def test_the_tree_reaches_the_lines_of_the_files_and_their_sources(shell: Session, main_job: str) -> None:
    text = shell.explain(main_job, "tpot", depth=12)
    assert "llama3_70b_on_dgx_h100.accel:" in text
    assert "nvidia.accel:" in text
    assert '@"' in text
    assert text.splitlines()[0].startswith("tpot = ")


def test_an_override_shows_in_the_tree(shell: Session, main_job: str) -> None:
    text = shell.explain(main_job, "tpot", sets=["gpu.hbm.bandwidth=3 TB/s"], depth=14)
    assert "set: 3 TB/s" in text


def test_an_unknown_metric_says_what_was_meant(shell: Session, main_job: str) -> None:
    with pytest.raises(UsageError, match="did you mean `tpot`"):
        shell.explain(main_job, "tpt")


def test_several_points_cannot_be_explained_at_once(shell: Session, main_job: str) -> None:
    with pytest.raises(UsageError, match="one point"):
        shell.explain(main_job, "tpot", sets=["tp=[4, 8]"])
