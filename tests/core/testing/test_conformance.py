"""The conformance kit: built-in strategies and workloads pass it, and models that break a rule do not."""

# ruff: noqa: RUF012 - samples of the conformance kit are class attributes that nothing changes
from __future__ import annotations

import attrs
import numpy as np
import pytest

from accelscope.core.errors import DimensionError, UsageError
from accelscope.core.ir.constants import NO_TIME
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.numeric.term import Term, term
from accelscope.core.plugin.records import InterconnectModel, MemoryModel
from accelscope.core.spec.spec import quantity, spec
from accelscope.core.testing.builders import (
    iterate_terms,
    make_fabric,
    make_op,
    make_part,
    make_spec,
    make_traffic,
    parse_term,
)
from accelscope.core.testing.conformance import ComputeConformance, InterconnectConformance, MemoryConformance
from accelscope.core.testing.conformance_plans import StrategyConformance, WorkloadConformance
from accelscope.plugins.compute.matrix import MATRIX
from accelscope.plugins.parallelism.cache import DECODE_CONTEXT
from accelscope.plugins.parallelism.context import CONTEXT
from accelscope.plugins.parallelism.data import DATA
from accelscope.plugins.parallelism.expert import EXPERT
from accelscope.plugins.parallelism.fsdp import SHARDING
from accelscope.plugins.parallelism.pipeline import PIPELINE
from accelscope.plugins.parallelism.tensor import TENSOR
from accelscope.plugins.workload.decoder.decoder import DECODER

pytestmark = pytest.mark.smoke


class TestTensor(StrategyConformance):
    model = TENSOR
    sample = {"tp": "4"}


class TestPipeline(StrategyConformance):
    model = PIPELINE
    sample = {"pp": "4"}


class TestData(StrategyConformance):
    model = DATA
    sample = {"dp": "2"}


class TestExpert(StrategyConformance):
    model = EXPERT


class TestRing(StrategyConformance):
    model = CONTEXT
    sample = {"cp": "4"}


class TestUlysses(StrategyConformance):
    model = CONTEXT
    sample = {"cp": "4", "cp_method": "all_to_all"}


class TestCache(StrategyConformance):
    model = DECODE_CONTEXT


class TestSharding(StrategyConformance):
    model = SHARDING
    sample = {"zero_stage": "3"}


class TestDecoder(WorkloadConformance):
    model = DECODER
    sample = {
        "layers": "32",
        "hidden": "4096",
        "heads": "32",
        "kv_heads": "8",
        "head_dim": "128",
        "ffn": "14336",
        "vocab": "128256",
    }


@spec(kind="memory", select={"class": ("tape",)}, default=False)
class Tape:
    """A tape."""

    capacity: Term = quantity("B", doc="bytes of a tape", gt=0)
    bandwidth: Term = quantity("B/s", doc="bytes a second", gt=0)


TAPE = MemoryModel(
    name="tape",
    doc="A tape.",
    spec=Tape,
    order=90,
    serve=lambda part, traffic: Usage(time=traffic.bytes / part.spec.bandwidth),
    capacity=lambda part: part.spec.capacity,
    peak=lambda part: part.spec.bandwidth,
)


class Tapes(MemoryConformance):
    model = TAPE
    sample = {"capacity": "18 TB", "bandwidth": "400 MB/s"}


def kit(serve):
    tests = Tapes()
    tests.model = attrs.evolve(TAPE, serve=serve)
    return tests


class TestTape(Tapes):
    """A stranger's model passes with a handful of lines."""


def test_a_model_that_sums_over_a_sweep_is_caught():
    tests = kit(
        lambda part, traffic: Usage(
            time=Term(traffic.bytes.value.sum(), traffic.bytes.dimension) / part.spec.bandwidth
        )
    )
    with pytest.raises(AssertionError, match="in a sweep"):
        tests.test_a_sweep_equals_its_points()


def test_a_model_with_a_fixed_cost_is_caught():
    tests = kit(lambda part, traffic: Usage(time=traffic.bytes / part.spec.bandwidth + term(1.0, "s")))
    with pytest.raises(AssertionError):
        tests.test_no_traffic_takes_no_time()


def test_a_model_that_slows_down_with_bandwidth_is_caught():
    tests = kit(lambda part, traffic: Usage(time=traffic.bytes * part.spec.bandwidth / term(1.0, "B^2/s^2")))
    with pytest.raises(AssertionError, match="bandwidth"):
        tests.test_twice_a_bandwidth_is_never_slower()


def test_a_model_that_writes_into_its_inputs_is_caught():
    def serve(part, traffic):
        traffic.weights.value[...] = 0.0
        return Usage(time=NO_TIME)

    with pytest.raises(ValueError, match="read-only"):
        kit(serve).test_a_sweep_equals_its_points()


def test_a_model_with_a_numpy_warning_is_caught():
    tests = kit(
        lambda part, traffic: Usage(
            time=traffic.bytes / part.spec.bandwidth / (traffic.bytes / traffic.bytes)
        )
    )
    with pytest.raises(FloatingPointError):
        tests.test_no_traffic_takes_no_time()


def test_a_model_that_returns_bytes_for_time_is_caught():
    with pytest.raises(AssertionError, match="time"):
        kit(lambda part, traffic: Usage(time=traffic.bytes)).test_units_are_right()


def test_an_engine_that_beats_its_peak_is_caught():
    class Fast(ComputeConformance):
        model = attrs.evolve(MATRIX, run=lambda part, op, device: Usage(time=NO_TIME))
        sample = {"ops": {"bf16": "512 MAC/cycle"}}

    with pytest.raises(AssertionError, match="faster than the peak"):
        Fast().test_no_engine_beats_its_peak()


def test_a_network_that_charges_a_single_rank_is_caught():
    class Toll(InterconnectConformance):
        model = InterconnectModel(
            name="toll",
            doc="Charges everybody.",
            patterns=("toll",),
            transfer=lambda fabric, collective: Usage(
                time=term(1.0, "s") + collective.bytes * 0.0 / term(1.0, "B/s")
            ),
        )

    with pytest.raises(AssertionError):
        Toll().test_one_rank_or_no_bytes_take_no_time()


class Halving(StrategyConformance):
    model = attrs.evolve(TENSOR, shard=lambda spec, plan, machine: halved(plan, ranks=1.0))
    sample = {"tp": "2"}


def halved(plan, ranks):
    ops = tuple(attrs.evolve(op, flops=op.flops / 2.0) for op in plan.ops)
    return attrs.evolve(plan, ops=ops, ranks=plan.ranks * ranks)


def test_a_strategy_that_loses_work_is_caught():
    with pytest.raises(AssertionError, match="work is lost"):
        Halving().test_nothing_is_lost()
    tests = Halving()
    tests.model = attrs.evolve(TENSOR, shard=lambda spec, plan, machine: halved(plan, ranks=2.0))
    tests.test_nothing_is_lost()


def test_a_strategy_whose_ranks_do_not_exist_is_caught():
    tests = Halving()
    extra = Collective(name="sum", kind="all_reduce", bytes=term(1.0, "B"), ranks=term(4.0))
    tests.model = attrs.evolve(
        TENSOR, shard=lambda spec, plan, machine: attrs.evolve(plan, collectives=(extra,))
    )
    with pytest.raises(AssertionError, match="more ranks"):
        tests.test_communication_is_of_ranks_that_exist()


def test_a_sample_with_an_unknown_field_is_an_error():
    with pytest.raises(UsageError, match="colour"):
        make_spec(Tape, {"capacity": "1 B", "bandwidth": "1 B/s", "colour": "red"})


def test_a_text_without_a_number_is_an_error():
    with pytest.raises(UsageError, match="much"):
        parse_term("much")


def test_helpers_take_texts_numbers_and_arrays():
    assert parse_term("1_024 MiB").to("GiB") == 1.0
    assert parse_term(2.0, "GB").to("MB") == 2000.0
    assert parse_term(np.array([1.0, 2.0]), "s").value.shape == (2,)


def test_terms_of_a_record_are_found_with_their_places():
    usage = TAPE.serve(make_part(TAPE, Tapes.sample), make_traffic("1 GB"))
    assert [path for path, _ in iterate_terms(usage)] == ["time"]


def test_an_operation_has_the_flops_and_bytes_of_its_shape():
    op = make_op("gemm", m=2.0, n=3.0, k=5.0)
    assert op.flops.to("op") == 60.0
    assert (op.weights + op.reads + op.writes).to("B") == 2 * (15 + 10 + 6)


def test_a_fabric_takes_a_curve():
    fabric = make_fabric("ring", {"bandwidth": "1 GB/s/dir", "efficiency": {"1 B": "10%", "1 MB": "90%"}})
    assert float(fabric.link.efficiency.at(term(1.0, "MB")).value) == pytest.approx(0.9)


def test_mixing_units_in_a_model_is_an_error():
    with pytest.raises(DimensionError):
        kit(lambda part, traffic: Usage(time=traffic.bytes + term(1.0, "s"))).usage(1.0)
