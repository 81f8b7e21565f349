"""Limits as a person and a program see them: shares of resources, conditions that hold or are broken."""

from __future__ import annotations

from accelscope.core.render.result import build_limit_table, describe_exceeded_limits


def rows_of(point):
    texts = ([cell.text for cell in row] for row in build_limit_table(point).rows)
    return {name: rest for name, *rest in texts}


def test_a_condition_holds_and_has_no_share(shell, main_job):
    point = shell.evaluate(main_job, bars=False)[0].point()
    assert rows_of(point)["tp divides heads"] == ["", "", "holds"]
    assert rows_of(point)["devices"] == ["8", "8", "100%"]
    flagged = {limit["name"]: limit.get("condition") for limit in point["limits"]}
    assert flagged["tp divides heads"] is True
    assert flagged["memory"] is None


def test_a_broken_condition_says_why(shell, main_job):
    point = shell.evaluate(main_job, sets=["tp=3"], bars=False)[0].point()
    assert rows_of(point)["tp divides heads"] == ["", "", "broken: tp = 3 does not divide 64 heads"]
    assert "tp divides heads: tp = 3 does not divide 64 heads" in list(describe_exceeded_limits(point))
