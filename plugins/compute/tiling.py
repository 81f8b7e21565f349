"""How work in equal pieces spreads over equal units: padding, waves, and splitting few pieces further.

Shared by the models of matrix engines and of systolic arrays.
"""

from __future__ import annotations

from accelscope.core.numeric.term import Term, ceil, floor, maximum, minimum


def count_tiles(size: Term, tile: Term | float) -> Term:
    """Return how many tiles cover a size; none for a size of zero."""
    return ceil(size / tile)


def count_splits(pieces: Term, units: Term, most: Term) -> Term:
    """Return into how many parts each piece is divided so that few pieces keep all units busy.

    Args:
        pieces: independent pieces of work.
        units: units that work at once.
        most: the most parts that are worth it.
    """
    return maximum(minimum(floor(units / maximum(pieces, 1.0)), floor(most)), 1.0)


def count_rounds(pieces: Term, units: Term) -> Term:
    """Return how often every unit has to take a piece: the waves of a launch.

    The last wave is as long as a full one: NVIDIA, "Matrix multiplication background user's guide", section
    "Wave quantization".
    """
    return ceil(pieces / units)


def count_waves(pieces: Term, units: Term, tail: Term) -> Term:
    """Return the waves of a launch whose units take their next piece as soon as they are done with one.

    Args:
        pieces: number of pieces of work, such as tiles.
        units: number of units that work at the same time, such as cores.
        tail: share of the last wave that is waited for whole: 1 for pieces that all take alike (`rounds`), 0 for work
            that spreads evenly whatever its pieces, as with persistent kernels (Osama et al., Stream-K, PPoPP 2023);
            any work takes at least one wave.
    """
    even = pieces / units
    return tail * ceil(even) + (1.0 - tail) * maximum(even, 1.0)
