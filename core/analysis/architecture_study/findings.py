"""The findings of a grid in sentences, made from its numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from accelscope.core.analysis.architecture_study.spread import NORMALISATIONS
from accelscope.core.analysis.jobs.phrases import (
    format_noun_count,
    format_percentage,
    format_ratio,
    format_short_number,
    join_phrases,
)

if TYPE_CHECKING:
    from accelscope.core.analysis.architecture_study.evaluated import EvaluatedGrid


def describe_winners(grid: EvaluatedGrid, wins: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield who wins where, for each normalisation."""
    titles = grid.participants.titles
    ever = {name for found in wins.values() for name, count in found.items() if count}
    single = {per: found for per, found in wins.items() if sum(1 for count in found.values() if count) == 1}
    several = [NORMALISATIONS[per] for per in wins if per not in single]
    lead = join_phrases([titles[name] for name in titles if name in ever])
    always = join_phrases(
        [f"a {_leader(found, titles)} {NORMALISATIONS[per]}" for per, found in single.items()]
    )
    if several:
        but = f"; always best is {always}" if always else ""
        yield f"No architecture is best in every cell {join_phrases(several, 'or')}: {lead} each lead in some{but}."
    else:
        yield f"In every cell the best device is {always}."
    for per, found in wins.items():
        total = sum(found.values())
        order = sorted((name for name in found if found[name]), key=lambda name: -found[name])
        if total:
            parts = [f"{titles[name]} in {format_percentage(found[name], total)}" for name in order]
            yield f"{NORMALISATIONS[per].capitalize()}, of {format_noun_count(total, 'cell')} the best device is a {join_phrases(parts)}."


def _leader(found: Mapping[str, int], titles: Mapping[str, str]) -> str:
    return titles[max(found, key=lambda name: found[name])]


def describe_close_cells(close: Mapping[str, int], cells: int, within: float) -> Iterator[str]:
    """Yield in how many cells the lead is smaller than the error of a prediction."""
    parts = [f"{count} {NORMALISATIONS[per]}" for per, count in close.items()]
    yield (
        f"A device of another architecture comes within {format_short_number(within)}x of the best, which is the error of a prediction, in so "
        f"many of {format_noun_count(cells, 'cell')}: {join_phrases(parts)}."
    )


def describe_spreads(
    grid: EvaluatedGrid, spreads: Mapping[tuple[str, str, str], tuple[float, float, float]]
) -> Iterator[str]:
    """Yield how far apart architectures lie, and which normalisation brings them closest."""
    measure = grid.measures[0]
    own = {per: spreads[key] for per in NORMALISATIONS if (key := ("architectures", measure, per)) in spreads}
    if not own:
        return
    closest = min(own, key=lambda per: own[per][1])
    widest = max(own, key=lambda per: own[per][1])
    yield (
        f"The best devices of the architectures lie {format_ratio(own[closest][1])} apart in the median cell {NORMALISATIONS[closest]}, "
        f"where they are closest, and {format_ratio(own[widest][1])} {NORMALISATIONS[widest]}, where they are farthest apart; single cells "
        f"reach from {format_short_number(own[closest][0])}x to {format_ratio(own[widest][2])}."
    )
