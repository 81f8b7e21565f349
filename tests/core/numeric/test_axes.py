from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelscope.core.ir.operation import Step
from accelscope.core.numeric.axes import iterate_chunk_slices, reshape_along, slice_terms
from accelscope.core.numeric.term import Term, term


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 50))
def test_chunks_cover_every_point_once(shape: list[int], limit: int) -> None:
    seen = np.zeros(shape, dtype=int)
    for where in iterate_chunk_slices(tuple(shape), limit):
        seen[where] += 1
        assert seen[where].size <= limit
    assert np.all(seen == 1)


def test_a_single_point_is_one_chunk() -> None:
    assert list(iterate_chunk_slices(())) == [()]


def test_an_array_varies_along_its_own_dimension() -> None:
    assert reshape_along(np.arange(3.0), 1, 3).shape == (1, 3, 1)


def test_a_block_is_cut_from_every_term_of_a_nest() -> None:
    step = Step(
        phase="decode",
        sequences=Term(np.arange(4.0).reshape(4, 1)),
        tokens=term(1.0),
        context=Term(np.arange(3.0).reshape(1, 3)),
    )
    cut = slice_terms(step, (slice(1, 3), slice(2, 3)))
    assert cut.sequences.value.ravel() == pytest.approx([1, 2])
    assert cut.context.value.ravel() == pytest.approx([2])
    assert cut.tokens is step.tokens
