"""How work in equal pieces spreads over equal units: padding, waves, and splitting few pieces further.

Shared by the models of matrix engines and of systolic arrays.
"""

from __future__ import annotations

from accelscope.core.term import Term, ceil, floor, maximum, minimum


def tiles(size: Term, tile: Term | float) -> Term:
    """Return how many tiles cover a size; none for a size of zero."""
    return ceil(size / tile)


def splits(pieces: Term, units: Term, most: Term) -> Term:
    """Return into how many parts each piece is divided so that few pieces keep all units busy.

    Args:
        pieces: independent pieces of work.
        units: units that work at once.
        most: the most parts that are worth it.
    """
    return maximum(minimum(floor(units / maximum(pieces, 1.0)), floor(most)), 1.0)


def rounds(pieces: Term, units: Term) -> Term:
    """Return how often every unit has to take a piece: the waves of a launch.

    The last wave is as long as a full one: NVIDIA, "Matrix multiplication background user's guide", section
    "Wave quantization".
    """
    return ceil(pieces / units)
