"""The best of several combinations at each point: allowed ones first, then by preferences and goals in their order."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from accelscope.core.numeric.term import Array
from accelscope.core.sweep.judged_points import JudgedPoints


@frozen(kw_only=True, eq=False)
class BestCombinations:
    """The best at each point.

    Attributes:
        block: one column of points.
        place: which of the combinations it is.
    """

    block: JudgedPoints
    place: Array


def choose_best_combinations(block: JudgedPoints) -> BestCombinations:
    """Return the best combination of each row of a block of two dimensions.

    One that breaks nothing goes before one that breaks a limit or a requirement; of those that break some, the one that
    breaks the fewest. Then the first key decides, where that is equal the next one, and last the order of the text.
    """
    if block.feasible.shape[1] == 1:
        place = np.zeros(block.feasible.shape[0], dtype=int)
        return BestCombinations(block=block.reshape_points((-1,)), place=place)
    left = np.ones(block.feasible.shape, dtype=bool)
    for key in (block.broken, *block.keys):
        ranked = np.where(left, np.where(np.isnan(key), np.inf, key), np.inf)
        left &= ranked <= ranked.min(axis=1, keepdims=True)
    place = np.argmax(left, axis=1)
    rows = np.arange(place.size)
    return BestCombinations(
        block=block.replace_arrays(item[rows, place] for item in block.list_arrays()), place=place
    )
