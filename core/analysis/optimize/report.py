"""A search of a study as a table, JSON or CSV. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accelscope.core.render.document import Block, Paragraph, format_document_text
from accelscope.core.render.result import format_axis_value, format_with_unit
from accelscope.core.render.table import Column, Table, make_table
from accelscope.core.render.table_formats import format_json, format_table_csv
from accelscope.core.render.text_style import PLAIN_STYLE, Mark, TextStyle

_CLOSE = 0.005
"""Relative difference of a goal that a table makes nothing of."""
_ROWS = 40
"""Points of a front that a table shows."""


def format_search_json(found: Mapping[str, Any]) -> str:
    """Return the whole as one object."""
    return format_json(found)


def format_search_csv(found: Mapping[str, Any]) -> str:
    """Return one line for each point of the front: axes, goals, metrics; each with its unit in the title."""
    metrics = found["front"][0]["metrics"] if found["front"] else {}
    named = [*found["axes"], *found["goals"], *({"name": name, **entry} for name, entry in metrics.items())]
    columns = [Column(item["name"], unit=item["unit"]) for item in named]
    columns += [Column("bound_by"), Column("bound_share")]
    rows = []
    for row in found["front"]:
        bound = row["bound_by"] or {"resource": "", "share": ""}
        values = [row["metrics"].get(name, {"value": None})["value"] for name in metrics]
        rows.append(
            [*row["point"].values(), *row["goals"].values(), *values, bound["resource"], bound["share"]]
        )
    return format_table_csv(make_table(columns, rows))


def format_search_table(found: Mapping[str, Any], style: TextStyle = PLAIN_STYLE) -> str:
    """Return the best points in one sentence, what was searched, and the front.

    Args:
        found: as `search_to_dict` makes it.
        style: width and colour of the text.
    """
    return format_document_text(build_search_blocks(found), style)


def build_search_blocks(found: Mapping[str, Any]) -> Iterator[Block]:
    """Yield the best points in one sentence, what was searched, and the table of the front.

    Args:
        found: as `search_to_dict` makes it.
    """
    if not found["front"]:
        first = f"{found['study']}: no point keeps all limits and requirements"
        yield Paragraph("\n".join((first, summarize_search(found)[0])), Mark.BAD, indent="  ")
        return
    yield Paragraph("\n".join((_summarize_best(found), *summarize_search(found))), indent="  ")
    worth = drop_similar_points(found)
    shown = thin_front(worth)
    table = _front_table(found, shown)
    fixed = _fixed_columns(table, len(found["goals"]))
    yield table.take([at for at in range(len(table.columns)) if at not in fixed])
    notes = []
    beside = len(found["front"]) - len(worth)
    if beside:
        notes.append(
            f"and {beside} more that are better by less than {_CLOSE:.1%} in what they are better in"
        )
    if len(shown) < len(worth):
        notes.append(f"{len(shown)} of {len(worth)} points; --format csv or json has all")
    if fixed:
        same = ", ".join(
            f"{found['axes'][at - len(found['goals'])]['name']} = {table.rows[0][at].text}" for at in fixed
        )
        notes.append(f"the same at all of them: {same}")
    yield Paragraph("\n".join(notes), indent="  ")


def _summarize_best(found: Mapping[str, Any]) -> str:
    """Return the best value of each goal, and the point that has the first of them."""
    parts = []
    for at, goal in enumerate(found["goals"]):
        name = goal["name"]
        low = goal["word"] == "minimize"
        row = (min if low else max)(found["front"], key=lambda row: row["goals"][name])
        value = format_with_unit(row["goals"][name], goal["unit"])
        point = ", ".join(
            f"{shorten_axis_path(axis['name'])} = {format_axis_value(value)} {axis['unit']}".rstrip()
            for value, axis in zip(row["point"].values(), found["axes"], strict=True)
        )
        parts.append(f"{'lowest' if low else 'highest'} {name} {value}" + (f" at {point}" if not at else ""))
    return f"{found['study']}: {'; '.join(parts)}"


def _front_table(found: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> Table:
    columns = [
        *(Column(goal["name"], align="right") for goal in found["goals"]),
        *(
            Column(
                axis["name"],
                title=shorten_axis_path(axis["name"]),
                align="right",
                wraps=True,
                priority=1 + at,
            )
            for at, axis in enumerate(found["axes"])
        ),
        Column("bound_by", title="BOUND BY"),
    ]
    return make_table(columns, [_row(found, row) for row in points])


def _fixed_columns(table: Table, goals: int) -> list[int]:
    """Return the columns of axes that have one value in all rows."""
    return [
        at for at in range(goals, len(table.columns) - 1) if len({row[at].text for row in table.rows}) == 1
    ]


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
