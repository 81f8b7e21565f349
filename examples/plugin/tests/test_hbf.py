"""The flash model keeps the promises of every memory model, and does what is special about it."""

from __future__ import annotations

from accelscope_acme.hbf import HBF

from accelscope.core.testing.builders import make_op, make_part, make_traffic
from accelscope.core.testing.conformance import MemoryConformance

STACK = {"class": "hbf", "capacity": "512 GB", "bandwidth": "1.6 TB/s", "write_bandwidth": "8 GB/s"}


class TestHbf(MemoryConformance):
    """The tests of every memory model."""

    model = HBF
    sample = STACK


def test_one_byte_costs_a_page():
    part = make_part(HBF, STACK | {"latency": "0 s"})
    byte, page = (HBF.serve(part, make_traffic(size, op=reading())).time.value for size in ("1 B", "65536 B"))
    assert byte == page


def test_reading_approaches_the_achieved_bandwidth():
    time = HBF.serve(make_part(HBF, STACK, count=8), make_traffic("100 GB", op=reading())).time
    assert abs(float(time.value) / (100e9 / (8 * 1.6e12 * 0.8)) - 1) < 0.01


def test_writing_is_slower_than_reading():
    part = make_part(HBF, STACK)
    read, mixed = (HBF.serve(part, make_traffic("1 GB", op=op)).time.value for op in (reading(), make_op()))
    assert mixed > read


def reading():
    """Return an operation that writes nothing."""
    from attrs import evolve

    op = make_op()
    return evolve(op, writes=op.writes * 0.0)
