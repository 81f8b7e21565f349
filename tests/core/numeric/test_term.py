from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.errors import DimensionError
from accelscope.core.numeric.term import (
    as_term,
    ceil,
    floor,
    log2,
    maximum,
    minimum,
    sqrt,
    term,
    total,
    where,
)
from accelscope.dsl.values.values import Origin

ORIGIN = Origin(span=None, how="default", text="datasheet")


def test_bytes_over_bandwidth_is_a_time() -> None:
    assert (term(6, "TB") / term(3, "TB/s")).to("ms") == pytest.approx(2000)


def test_sums_of_different_dimensions_are_refused() -> None:
    with pytest.raises(DimensionError, match=r"mixes B and s"):
        term(1, "B") + term(1, "s")


def test_a_comparison_of_different_dimensions_is_refused() -> None:
    with pytest.raises(DimensionError):
        _ = term(1, "B") < term(1, "s")


def test_a_maximum_of_different_dimensions_is_refused() -> None:
    with pytest.raises(DimensionError):
        maximum(term(1, "B"), term(1, "B"), term(1, "s"))


def test_a_term_in_a_unit_of_another_dimension_is_refused() -> None:
    with pytest.raises(DimensionError, match="`GB`"):
        term(1, "s").to("GB")


def test_arrays_stay_unexpanded() -> None:
    rows = term(np.arange(1.0, 4.0).reshape(3, 1))
    columns = term(np.arange(1.0, 5.0).reshape(1, 4))
    assert (rows * 2.0).value.shape == (3, 1)
    assert (rows * columns).value.shape == (3, 4)


def test_rounding_forgives_a_last_digit() -> None:
    assert ceil(as_term(3.0000000001)).value == 3
    assert floor(as_term(2.9999999999)).value == 3
    assert ceil(as_term(3.01)).value == 4


def test_the_square_root_of_a_length_has_no_dimension_to_have() -> None:
    with pytest.raises(DimensionError):
        sqrt(term(4, "m"))
    assert sqrt(term(4, "m^2")).to("m") == 2


def test_a_logarithm_needs_a_plain_number() -> None:
    with pytest.raises(DimensionError):
        log2(term(8, "B"))


def test_a_total_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        total(())


def test_a_traced_term_keeps_its_parts() -> None:
    bandwidth = term(2, "TB/s", origin=ORIGIN, label="bandwidth")
    node = (term(4, "TB") / bandwidth).named("time").node
    assert node is not None
    assert (node.label, node.op, node.value) == ("time", "/", 2.0)
    assert [part.label for part in node.parts] == [None, "bandwidth"]


def test_an_untraced_term_keeps_nothing() -> None:
    assert (term(4, "TB") / term(2, "TB/s")).named("time").node is None


def test_where_follows_the_chosen_branch() -> None:
    left = term(1, "s", origin=ORIGIN, label="left")
    right = term(2, "s", origin=ORIGIN, label="right")
    chosen = where(np.array(False), left, right)
    assert chosen.node is not None
    assert (chosen.node.label, chosen.value) == ("right", 2.0)


def test_minimum_takes_plain_numbers() -> None:
    assert minimum(as_term(3.0), 2.0).value == 2.0
