"""Base classes of tests that every model has to pass; a plugin author inherits one and gives a model and a sample.

    from accelscope.core.testing.conformance import MemoryConformance

    class TestFlash(MemoryConformance):
        model = FLASH
        sample = {"capacity": "1 TB", "bandwidth": "8 GB/s"}

Strategies and workloads have theirs in `accelscope.core.testing.conformance_plans`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import numpy as np

from accelscope.core.ir.hardware import EnginePart, MemoryPart
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.numeric.term import Term, term
from accelscope.core.plugin.records import ComputeModel, InterconnectModel, MemoryModel
from accelscope.core.spec.spec import fields_of, read_spec_info
from accelscope.core.testing.builders import (
    TermLike,
    double_each_rate,
    iterate_terms,
    make_device,
    make_fabric,
    make_op,
    make_part,
    make_traffic,
    parse_term,
    trace_terms,
)

TOLERANCE = 1e-12
"""Relative difference allowed between a sweep and its points one by one."""

SWEEP_FACTORS = np.array([0.25, 1.0, 3.0, 64.0, 1000.0])
_DIMENSIONS = {"time": "s", "energy": "J"}


def assert_point_matches_sweep(whole: Any, alone: Any, index: int) -> None:
    """Assert that every term of a swept record has, at one point, the value of the record of that point alone."""
    pairs = zip(iterate_terms(whole), iterate_terms(alone), strict=True)
    for (path, swept), (_, single) in pairs:
        found = np.broadcast_to(swept.value, SWEEP_FACTORS.shape)[index] if swept.value.ndim else swept.value
        message = f"`{path}` of point {index} is {found} in a sweep and {single.value} alone"
        assert np.allclose(found, single.value, rtol=TOLERANCE, atol=0.0, equal_nan=True), message


def assert_dimensions(usage: Usage) -> None:
    """Assert that time is in s, energy in J, and that each limit compares like with like."""
    for name, unit in _DIMENSIONS.items():
        found = getattr(usage, name)
        assert found is None or found.dimension == term(1.0, unit).dimension, f"`{name}` is {found.dimension}"
    for limit in usage.limits:
        assert limit.used.dimension == limit.available.dimension, f"limit `{limit.name}` mixes dimensions"


def assert_explained(plain: Usage, explained: Usage) -> None:
    """Assert that tracing changes no number, and that a time can be followed back to the fields it comes from."""
    for (path, left), (_, right) in zip(iterate_terms(plain), iterate_terms(explained), strict=True):
        assert np.array_equal(left.value, right.value), f"`{path}` changes when it is traced"
    assert explained.time.node is not None, "the time is not computed from terms, so `explain` cannot show it"


def assert_not_slower(fast: Term, slow: Term, why: str) -> None:
    """Assert that a time is nowhere above another, rounding apart."""
    assert np.all(fast.value <= slow.value * (1 + TOLERANCE)), f"{why}: {fast.value} s against {slow.value} s"


class SpecConformance:
    """What holds of the spec of any model."""

    model: ClassVar[Any]
    sample: ClassVar[Mapping[str, Any]] = {}
    kind: ClassVar[str]

    def test_the_record_says_what_it_is(self) -> None:
        """A record has a sentence, and its spec is of the kind of its family."""
        assert self.model.doc.strip(), "a model needs a doc sentence"
        if self.model.spec is not None:
            assert read_spec_info(self.model.spec).kind == self.kind

    def test_every_field_is_documented_and_every_default_sourced(self) -> None:
        """A field has a sentence, and a default says where it comes from."""
        for name, field in fields_of(self.model.spec).items() if self.model.spec is not None else ():
            assert field.doc.strip(), f"`{name}` needs a doc"
            assert field.default is None or (field.source or "").strip(), (
                f"the default of `{name}` needs a source"
            )


class MemoryConformance(SpecConformance):
    """What holds of a model of memory.

    Attributes:
        place: arguments of `make_part`, such as count, clock or level.
    """

    model: ClassVar[MemoryModel]
    kind = "memory"
    place: ClassVar[Mapping[str, Any]] = {}

    def part(self) -> MemoryPart[Any]:
        """Return the part under test."""
        return make_part(self.model, self.sample, **self.place)

    def usage(self, scale: TermLike, part: MemoryPart[Any] | None = None, *, trace: bool = False) -> Usage:
        """Return what scaled traffic costs, with numpy warnings as errors."""
        factor = parse_term(scale)
        traffic = make_traffic(
            factor * term(1.0, "MB"),
            activations=factor * term(0.5, "MB"),
            kv=factor * term(2.0, "MB"),
            footprint=factor * term(50.0, "MB"),
        )
        with np.errstate(all="raise"):
            return self.model.serve(part or self.part(), trace_terms(traffic) if trace else traffic)

    def test_it_can_be_explained(self) -> None:
        """At one point, tracing gives the same numbers and the way to them."""
        assert_explained(self.usage(1.0), self.usage(1.0, trace_terms(self.part()), trace=True))

    def test_a_sweep_equals_its_points(self) -> None:
        """An array of traffic gives what each point gives alone; this also shows that inputs are left alone."""
        whole = self.usage(SWEEP_FACTORS)
        for index, point in enumerate(SWEEP_FACTORS):
            assert_point_matches_sweep(whole, self.usage(point), index)

    def test_no_traffic_takes_no_time(self) -> None:
        """Zero bytes cost zero time."""
        assert np.all(self.usage(0.0).time.value == 0.0)

    def test_more_traffic_is_never_faster(self) -> None:
        """Time grows with bytes."""
        assert np.all(
            np.diff(np.broadcast_to(self.usage(SWEEP_FACTORS).time.value, SWEEP_FACTORS.shape)) >= 0.0
        )

    def test_twice_a_bandwidth_is_never_slower(self) -> None:
        """Doubling any rate of the spec does not add time."""
        part = self.part()
        for path, faster in double_each_rate(part.spec):
            assert_not_slower(
                self.usage(SWEEP_FACTORS, attrs.evolve(part, spec=faster)).time,
                self.usage(SWEEP_FACTORS).time,
                path,
            )

    def test_units_are_right(self) -> None:
        """Time, energy, peak and capacity have their dimensions; nothing passed on is more than what came."""
        usage, part = self.usage(SWEEP_FACTORS), self.part()
        assert_dimensions(usage)
        assert self.model.peak(part).dimension == term(1.0, "B/s").dimension
        capacity = self.model.capacity(part)
        assert capacity is None or capacity.dimension == term(1.0, "B").dimension
        if usage.onward is not None:
            came = SWEEP_FACTORS * term(3.5, "MB").value
            assert np.all(usage.onward.bytes.value <= came * (1 + TOLERANCE)), "more goes on than came"


class ComputeConformance(SpecConformance):
    """What holds of a model of an engine.

    Attributes:
        place: arguments of `make_part`, such as count, cores, clock or level.
        dtype: a data type that the sample computes in.
    """

    model: ClassVar[ComputeModel]
    kind = "engine"
    place: ClassVar[Mapping[str, Any]] = {}
    dtype: ClassVar[str] = "bf16"

    def part(self) -> EnginePart[Any]:
        """Return the part under test."""
        return make_part(self.model, self.sample, **self.place)

    def usage(self, kind: str, rows: TermLike, part: EnginePart[Any] | None = None) -> Usage:
        """Return what an operation with some rows costs, with numpy warnings as errors."""
        given = part or self.part()
        op = make_op(kind, m=rows, n=1000.0, k=128.0, groups=3.0, dtype=self.dtype)
        with np.errstate(all="raise"):
            return self.model.run(given, op, make_device(engines=(given,)))

    def test_it_can_be_explained(self) -> None:
        """At one point, tracing gives the same numbers and the way to them."""
        for kind in self.model.kinds:
            assert_explained(self.usage(kind, 64.0), self.usage(kind, 64.0, trace_terms(self.part())))

    def test_a_sweep_equals_its_points(self) -> None:
        """An array of sizes gives what each size gives alone; this also shows that inputs are left alone."""
        for kind in self.model.kinds:
            whole = self.usage(kind, SWEEP_FACTORS)
            for index, point in enumerate(SWEEP_FACTORS):
                assert_point_matches_sweep(whole, self.usage(kind, point), index)

    def test_no_work_takes_no_time(self) -> None:
        """Zero rows cost zero time."""
        for kind in self.model.kinds:
            assert np.all(self.usage(kind, 0.0).time.value == 0.0), kind

    def test_no_engine_beats_its_peak(self) -> None:
        """Time is at least operations over peak."""
        peak = self.model.peak(self.part(), self.dtype)
        assert peak is not None, f"the sample cannot compute in {self.dtype}"
        for kind in set(self.model.kinds) - {"gather"}:
            op = make_op(kind, m=SWEEP_FACTORS, n=1000.0, k=128.0, groups=3.0, dtype=self.dtype)
            assert_not_slower(
                op.flops / peak, self.usage(kind, SWEEP_FACTORS).time, f"{kind} is faster than the peak"
            )

    def test_twice_a_rate_is_never_slower(self) -> None:
        """Doubling any rate of the spec does not add time."""
        part = self.part()
        for path, faster in double_each_rate(part.spec):
            for kind in self.model.kinds:
                usage = self.usage(kind, SWEEP_FACTORS, attrs.evolve(part, spec=faster))
                assert_not_slower(
                    usage.time, self.usage(kind, SWEEP_FACTORS).time, f"{kind} with twice `{path}`"
                )

    def test_units_are_right(self) -> None:
        """Time, energy and peak have their dimensions."""
        for kind in self.model.kinds:
            assert_dimensions(self.usage(kind, SWEEP_FACTORS))
        peak = self.model.peak(self.part(), self.dtype)
        assert peak is not None and peak.dimension == term(1.0, "op/s").dimension


class InterconnectConformance(SpecConformance):
    """What holds of a model of a network tier.

    Attributes:
        sample: fields of the link.
        fabric: further arguments of `make_fabric`, such as links, size, shape, switch or settings.
        kinds: collectives that the model knows.
    """

    model: ClassVar[InterconnectModel]
    kind = "connect"
    sample: ClassVar[Mapping[str, Any]] = {"bandwidth": "25 GB/s/dir", "latency": "1 us"}
    fabric: ClassVar[Mapping[str, Any]] = {}
    kinds: ClassVar[Sequence[str]] = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv")

    def usage(
        self, pattern: str, kind: str, *, scale: TermLike = 1.0, ranks: TermLike = 8.0, faster: float = 1.0
    ) -> Usage:
        """Return what a collective of `scale` MB costs, with numpy warnings as errors."""
        link = {**self.sample, "bandwidth": parse_term(self.sample["bandwidth"]) * faster}
        fabric = make_fabric(pattern, link, **self.fabric)
        size = parse_term(parse_term(scale) * term(1.0, "MB"))
        with np.errstate(all="raise"):
            return self.model.transfer(
                fabric, Collective(name="test", kind=kind, bytes=size, ranks=parse_term(ranks))
            )

    def test_a_sweep_equals_its_points(self) -> None:
        """Arrays of sizes and of ranks give what each point gives alone."""
        ranks = np.array([1.0, 2.0, 3.0, 4.0, 8.0])
        for pattern, kind in self._cases():
            whole = self.usage(pattern, kind, scale=SWEEP_FACTORS, ranks=ranks)
            for index, point in enumerate(SWEEP_FACTORS):
                assert_point_matches_sweep(
                    whole, self.usage(pattern, kind, scale=point, ranks=ranks[index]), index
                )

    def test_one_rank_or_no_bytes_take_no_time(self) -> None:
        """A collective of one device, or of nothing, costs nothing."""
        for pattern, kind in self._cases():
            assert np.all(self.usage(pattern, kind, scale=SWEEP_FACTORS, ranks=1.0).time.value == 0.0), kind
            assert np.all(self.usage(pattern, kind, scale=0.0).time.value == 0.0), kind

    def test_more_bytes_are_never_faster(self) -> None:
        """Time grows with bytes."""
        for pattern, kind in self._cases():
            assert np.all(np.diff(self.usage(pattern, kind, scale=SWEEP_FACTORS).time.value) >= 0.0), kind

    def test_twice_the_bandwidth_is_never_slower(self) -> None:
        """Faster links do not add time."""
        for pattern, kind in self._cases():
            usage = self.usage(pattern, kind, scale=SWEEP_FACTORS, faster=2.0)
            assert_not_slower(usage.time, self.usage(pattern, kind, scale=SWEEP_FACTORS).time, kind)

    def test_units_are_right(self) -> None:
        """Time and energy have their dimensions."""
        for pattern, kind in self._cases():
            assert_dimensions(self.usage(pattern, kind, scale=SWEEP_FACTORS))

    def _cases(self) -> Iterator[tuple[str, str]]:
        for pattern in self.model.patterns:
            for kind in self.kinds:
                yield pattern, kind
