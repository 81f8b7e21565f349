"""The example of a long prompt: a ring divides its time, a pipeline does not, and division by heads holds copies of the cache."""

from __future__ import annotations

import pytest

from accelscope.core.session import Session
from tests.support.paths import EXAMPLES

EXAMPLE = str(EXAMPLES / "long_context.accel")


@pytest.fixture(scope="module")
def points(shell: Session):
    return {result.scenario: result.point() for result in shell.evaluate(EXAMPLE, bars=False)}


def metric(point, name: str) -> float:
    return float(point["metrics"][name]["value"])


def test_a_ring_shares_the_prompt_among_its_ranks(points):
    assert metric(points["ring"], "ttft") < metric(points["pipeline"], "ttft") / 14


def test_heads_are_copied_beyond_their_number_and_fill_the_memory(points):
    assert points["ring"]["feasible"] and points["pipeline"]["feasible"]
    broken = [row["name"] for row in points["ulysses"]["limits"] if row["used"] > row["available"]]
    assert broken == ["memory"]


def test_all_to_alls_are_waited_for_and_a_ring_is_not(points):
    def waits(name: str, part: str) -> float:
        return sum(row["seconds"] for row in points[name]["breakdown"] if part in row["op"])

    assert waits("ring", "attention_ring") < 1e-3 * metric(points["ring"], "ttft")
    assert waits("ulysses", "attention_context_dispatch") > 1e-3 * metric(points["ulysses"], "ttft")


def test_no_less_of_the_prompt_is_worked_on_than_there_is(points):
    one = metric(points["pipeline"], "ttft")
    assert metric(points["ring"], "ttft") > one / 16 / 1.2
