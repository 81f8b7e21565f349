"""A search of a study as a table, JSON or CSV. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from accelscope.core.render.result import format_axis_value, format_with_unit
from accelscope.core.render.table import tabulate

_CLOSE = 0.005
"""Relative difference of a goal that a table makes nothing of."""
_ROWS = 40
"""Points of a front that a table shows."""


def format_search_json(told: Mapping[str, Any]) -> str:
    """Return the whole as one object."""
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def format_search_csv(told: Mapping[str, Any]) -> str:
    """Return one line for each point of the front: axes, goals, metrics; each with its unit in the title."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    axes = [_head(axis["name"], axis["unit"]) for axis in told["axes"]]
    goals = [_head(goal["name"], goal["unit"]) for goal in told["goals"]]
    metrics = told["front"][0]["metrics"] if told["front"] else {}
    units = [_head(name, entry["unit"]) for name, entry in metrics.items()]
    writer.writerow([*axes, *goals, *units, "bound_by", "bound_share"])
    for row in told["front"]:
        bound = row["bound_by"] or {"resource": "", "share": ""}
        values = [row["metrics"].get(name, {"value": None})["value"] for name in metrics]
        writer.writerow(
            [*row["point"].values(), *row["goals"].values(), *values, bound["resource"], bound["share"]]
        )
    return stream.getvalue()


def format_search_table(told: Mapping[str, Any]) -> str:
    """Return what was searched, then the front."""
    lines = [*summarize_search(told), ""]
    if not told["front"]:
        return "\n".join([lines[0], "no point of these keeps all limits and requirements"]) + "\n"
    worth = drop_similar_points(told)
    rows = [_row(told, row) for row in thin_front(worth)]
    fixed = [
        at for at in range(len(told["axes"])) if len({row[len(told["goals"]) + at] for row in rows}) == 1
    ]
    heads = [goal["name"].upper() for goal in told["goals"]] + [
        shorten_axis_path(axis["name"]) for axis in told["axes"]
    ]
    kept = [at for at in range(len(heads)) if at - len(told["goals"]) not in fixed]
    names = [*(heads[at] for at in kept), "BOUND BY"]
    body = [[*(row[at] for at in kept), row[-1]] for row in rows]
    lines.append(tabulate(body, names, range(len(names) - 1)))
    beside = len(told["front"]) - len(worth)
    if beside:
        lines.append(
            f"and {beside} more that are better by less than {_CLOSE:.1%} in what they are better in"
        )
    if len(rows) < len(worth):
        lines.append(f"{len(rows)} of {len(worth)} points; --format csv or json has all")
    if fixed:
        same = ", ".join(f"{told['axes'][at]['name']} = {rows[0][len(told['goals']) + at]}" for at in fixed)
        lines += ["", f"the same at all of them: {same}"]
    return "\n".join(lines) + "\n"


def summarize_search(told: Mapping[str, Any]) -> list[str]:
    """Return what was searched, in sentences."""
    share = told["evaluations"] / told["points"]
    part = "all" if told["whole"] else f"{told['evaluations']:,} ({share:.2%})"
    part += " evaluated"
    how = "" if told["whole"] else f", {told['method']} with seed {told['seed']}"
    first = f"{told['study']}: {told['points']:,} points, {part}, {told['allowed']:,} allowed{how}"
    lines = [f"{first}, in {told['seconds']:.1f} s"]
    goals = ", ".join(f"{goal['word']} {goal['name']}" for goal in told["goals"])
    count = len(told["front"])
    lines.append(f"{count} {'points' if count != 1 else 'point'} that no other beats in all of: {goals}")
    if not told["whole"] and told["gain"] is not None:
        more = told["gain"] - 1.0
        settled = "settled" if more < 0.01 else "not settled yet: --evaluations takes more"
        lines.append(f"the last quarter of the evaluations brought {more:.1%} more hypervolume: {settled}")
    return lines


def drop_similar_points(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the points of a front without those that another one all but equals in some goals and beats in the others."""
    signs = [1.0 if goal["word"] == "minimize" else -1.0 for goal in told["goals"]]
    kept: list[Mapping[str, Any]] = []
    for row in told["front"]:
        own = list(row["goals"].values())
        others = (list(other["goals"].values()) for other in told["front"] if other is not row)
        if not any(_all_but_beaten(own, other, signs) for other in others):
            kept.append(row)
    return kept


def _all_but_beaten(own: Sequence[float], other: Sequence[float], signs: Sequence[float]) -> bool:
    """Return whether another point is at most `CLOSE` worse in each goal, and better by more in one."""
    gaps = [
        sign * (mine - its) / max(abs(mine), abs(its), 1e-300)
        for mine, its, sign in zip(own, other, signs, strict=True)
    ]
    return all(gap >= -_CLOSE for gap in gaps) and any(gap > _CLOSE for gap in gaps)


def thin_front(front: Sequence[Mapping[str, Any]], most: int = _ROWS) -> list[Mapping[str, Any]]:
    """Return at most some points of a front, evenly from its first to its last."""
    if len(front) <= most:
        return list(front)
    return [front[round(at * (len(front) - 1) / (most - 1))] for at in range(most)]


def shorten_axis_path(path: str) -> str:
    """Return the last two names of a path."""
    return ".".join(path.split(".")[-2:])


def _row(told: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    goals = [
        format_with_unit(value, goal["unit"])
        for value, goal in zip(row["goals"].values(), told["goals"], strict=True)
    ]
    axes = [
        f"{format_axis_value(value)} {axis['unit']}".strip()
        for value, axis in zip(row["point"].values(), told["axes"], strict=True)
    ]
    bound = row["bound_by"]
    return [*goals, *axes, "" if bound is None else f"{bound['resource']} {bound['share']:.0%}"]


def _head(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
