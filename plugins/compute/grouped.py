"""Row tiles of grouped products, whose groups are the experts that tokens happen to visit: none has just the mean of rows."""

from __future__ import annotations

from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.term import Term, exp, maximum, minimum
from accelscope.plugins.compute.tiling import count_tiles

_FEWEST = 1e-9  # rows of a group: keeps an empty one defined
_FAR = 100.0  # tiles over rows beyond which one tile is enough, and exp would underflow


def count_row_tiles(op: Op, rows: float) -> Term:
    """Return the tiles of so many rows that cover all groups of a product.

    A group whose size is geometrically distributed with mean m, as visits of experts are between even and a power law,
    takes 1 / (1 - exp(-rows / m)) tiles in the mean: one where m is small, half a tile more than m / rows where it is
    large. Groups of a batched product are all alike.
    """
    if op.kind != OpKind.GROUPED_GEMM:
        return op.groups * count_tiles(op.m, rows)
    return op.groups / (1.0 - exp(-minimum(rows / maximum(op.m, _FEWEST), _FAR)))
