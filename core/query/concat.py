"""Pieces of a result, one a variant, joined to one result whose first axes are the variants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.numeric.axes import Axis
from accelscope.core.numeric.term import Array
from accelscope.core.query.columns import ResultColumns
from accelscope.core.query.result import BreakdownRow, LimitRow, MetricColumn, RequirementRow, Result


@frozen(kw_only=True, eq=False)
class VariantPiece:
    """The columns of one variant."""

    columns: ResultColumns
    requirements: tuple[RequirementRow, ...]
    notes: tuple[str, ...]


def concatenate_pieces(
    scenario: str, pieces: Sequence[VariantPiece], axes: tuple[Axis, ...], manifest: dict[str, Any]
) -> Result:
    """Return one result of pieces in the order of the variants, the last variant axis fastest."""
    shape = tuple(axis.size for axis in axes)
    inner = tuple(axis.size for axis in axes if axis.numeric)

    def joined(arrays: Sequence[Array | None], missing: float = np.nan) -> Array:
        full = [np.full(inner, missing) if item is None else np.broadcast_to(item, inner) for item in arrays]
        return full[0] if len(full) == 1 and len(inner) == len(shape) else np.stack(full).reshape(shape)

    return Result(
        scenario=scenario,
        axes=axes,
        feasible=joined([piece.columns.feasible for piece in pieces]).astype(bool),
        metrics=_metrics(pieces, joined),
        limits=_limits(pieces, joined),
        breakdown=_breakdown(pieces, joined),
        requirements=_requirements(pieces, joined),
        notes=tuple(dict.fromkeys(note for piece in pieces for note in piece.notes)),
        manifest=manifest,
    )


ArrayJoiner = Callable[..., Array]


def _metrics(pieces: Sequence[VariantPiece], joined: ArrayJoiner) -> dict[str, MetricColumn]:
    """Columns of all variants; one that lacks a metric has no value there."""
    found = {}
    names = dict.fromkeys(name for piece in pieces for name in piece.columns.metrics)
    for name in names:
        same = [piece.columns.metrics.get(name) for piece in pieces]
        found[name] = evolve(
            next(item for item in same if item is not None),
            value=_column([item.value if item else None for item in same], joined),
            low=_column([item.low if item else None for item in same], joined),
            high=_column([item.high if item else None for item in same], joined),
        )
    return found


def _column(arrays: list[Array | None], joined: ArrayJoiner) -> Array | None:
    return None if all(item is None for item in arrays) else joined(arrays)


def _limits(pieces: Sequence[VariantPiece], joined: ArrayJoiner) -> tuple[LimitRow, ...]:
    rows: dict[str, LimitRow] = {}
    for piece in pieces:
        rows = piece.columns.limits | rows
    same = {name: [piece.columns.limits.get(name) for piece in pieces] for name in rows}
    return tuple(
        evolve(
            row,
            used=joined([item.used if item else None for item in same[name]]),
            available=joined([item.available if item else None for item in same[name]]),
        )
        for name, row in rows.items()
    )


def _breakdown(pieces: Sequence[VariantPiece], joined: ArrayJoiner) -> tuple[BreakdownRow, ...]:
    """Rows of all variants; an operation that a variant lacks takes no time there."""
    by_piece = [
        {(row.phase, row.component, row.op): row for row in piece.columns.breakdown} for piece in pieces
    ]
    keys = dict.fromkeys(key for rows in by_piece for key in rows)
    return tuple(_row([rows.get(key) for rows in by_piece], joined) for key in keys)


def _row(same: list[BreakdownRow | None], joined: ArrayJoiner) -> BreakdownRow:
    first = next(row for row in same if row is not None)
    names = tuple(dict.fromkeys(name for row in same if row is not None for name in row.bound_by))
    winners = [
        None if row is None else np.array([names.index(name) for name in row.bound_by])[row.winner]
        for row in same
    ]
    return evolve(
        first,
        seconds=joined([row.seconds if row else None for row in same], 0.0),
        share=joined([row.share if row else None for row in same], 0.0),
        bound_by=names,
        winner=joined(winners, 0).astype(int),
    )


def _requirements(pieces: Sequence[VariantPiece], joined: ArrayJoiner) -> tuple[RequirementRow, ...]:
    found = []
    for position, row in enumerate(pieces[0].requirements):
        met = [piece.requirements[position].met for piece in pieces]
        found.append(evolve(row, met=None if any(item is None for item in met) else joined(met).astype(bool)))
    return tuple(found)
