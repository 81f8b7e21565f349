"""Base classes of tests that every parallelism strategy and every workload has to pass.

from accelscope.core.testing.conformance_plans import StrategyConformance

class TestTensorParallelism(StrategyConformance):
    model = TENSOR
    sample = {"tp": "4"}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import attrs
import numpy as np

from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.plan import Plan, Residency, Workload
from accelscope.core.ir.vocabulary import Split
from accelscope.core.numeric.term import Term, term
from accelscope.core.plugin.records import Strategy, WorkloadModel
from accelscope.core.testing.builders import TermLike, make_device, make_op, make_spec, parse_term
from accelscope.core.testing.conformance import SWEEP_FACTORS, SpecConformance, assert_point_matches_sweep

BF16_PRECISION = Precision(weights="bf16", activations="bf16", kv="bf16")


def make_step(
    phase: str = "decode", *, sequences: TermLike = 4.0, tokens: TermLike = 1.0, context: TermLike = 1024.0
) -> Step:
    """Return one pass over a batch, with counts as the evaluation gives them: plain numbers.

    Args:
        phase: name of a `Phase`.
        sequences: in the pass.
        tokens: new ones of each sequence.
        context: tokens of each sequence that are cached before.
    """
    return Step(
        phase=phase, sequences=parse_term(sequences), tokens=parse_term(tokens), context=parse_term(context)
    )


def make_plan(rows: TermLike = 4.0) -> Plan:
    """Return the plan of one device for a small transformer: two products, an attention and a norm in each layer."""
    ops = (
        attrs.evolve(
            make_op("gemm", m=rows, n=6144.0, k=4096.0, name="qkv"), split=Split.COLUMN, repeat=term(32.0)
        ),
        attrs.evolve(
            make_op("attention", m=rows, n=1024.0, k=128.0, groups=8.0, name="attend"), split=Split.HEADS
        ),
        attrs.evolve(
            make_op("gemm", m=rows, n=4096.0, k=4096.0, name="out"), split=Split.ROW, repeat=term(32.0)
        ),
        make_op("elementwise", m=rows, n=4096.0, k=1.0, name="norm"),
    )
    sizes = Residency(weights=term(16.0, "GB"), kv=term(1.0, "GB"), activations=term(0.1, "GB"))
    workload = Workload(
        ops=ops,
        residency=sizes,
        activation=parse_term(rows) * term(8192.0, "B"),
        layers=term(32.0),
        heads=term(32.0),
        kv_heads=term(8.0),
        parameters=term(8e9),
        active_parameters=term(8e9),
    )
    return Plan(ops=ops, residency=sizes, workload=workload)


class StrategyConformance(SpecConformance):
    """What holds of a parallelism strategy.

    Attributes:
        sample: degrees above one, which divide 32 layers, 32 heads and 8 KV heads.
        off: fields with which the strategy does nothing; by default all of them absent.
    """

    model: ClassVar[Strategy]
    kind = "parallel"
    off: ClassVar[Mapping[str, Any]] = {}

    def shard_plan(self, rows: TermLike, fields: Mapping[str, Any] | None = None) -> Plan:
        """Return the plan after the strategy, with numpy warnings as errors."""
        machine = Machine(device=make_device(), devices=term(64.0), tiers=())
        spec = make_spec(self.model.spec, self.sample if fields is None else fields)
        with np.errstate(all="raise"):
            return self.model.shard(spec, make_plan(rows), machine)

    def test_a_sweep_equals_its_points(self) -> None:
        """An array of sizes gives what each size gives alone; this also shows that inputs are left alone."""
        whole = self.shard_plan(SWEEP_FACTORS)
        for index, point in enumerate(SWEEP_FACTORS):
            assert_point_matches_sweep(whole, self.shard_plan(point), index)

    def test_switched_off_it_changes_nothing(self) -> None:
        """With its fields absent a strategy leaves operations, collectives in effect, residency and step alone."""
        before, after = make_plan(), self.shard_plan(4.0, self.off)
        assert [op.name for op in before.ops] == [op.name for op in after.ops]
        for old, new in zip(before.ops, after.ops, strict=True):
            assert np.allclose(old.flops.value, new.flops.value), f"`{new.name}` changes"
        assert all(np.all(item.ranks.value <= 1.0) for item in after.collectives), (
            "a collective of one rank is left"
        )
        assert np.allclose(before.residency.weights.value, after.residency.weights.value)
        step = make_step()
        assert_same_step(step, self.model.split(make_spec(self.model.spec, self.off), step))

    def test_no_device_does_more_than_without_it(self) -> None:
        """Dividing never adds work or memory to a device."""
        before, after = make_plan(), self.shard_plan(4.0)
        assert np.all(_work(after) <= _work(before) * (1 + 1e-9)), "a device does more work"
        assert np.all(after.residency.weights.value <= before.residency.weights.value * (1 + 1e-9))
        assert np.all(after.ranks.value * after.replicas.value >= 1.0)

    def test_nothing_is_lost(self) -> None:
        """All ranks together do no less work, and hold no fewer weights and KV cache, than one device would.

        What they do or hold several times (norms, KV heads, the fullest rank's experts) comes on top of that.
        """
        before, after = make_plan(), self.shard_plan(4.0)
        ranks = after.ranks / before.ranks
        assert np.all((_sum(after) * ranks).value >= _work(before) * (1 - 1e-9)), "work is lost"
        for name in ("weights", "kv"):
            one, part = getattr(before.residency, name), getattr(after.residency, name)
            assert np.all((part * ranks).value >= one.value * (1 - 1e-9)), f"bytes of `{name}` are lost"

    def test_communication_is_of_ranks_that_exist(self) -> None:
        """Collectives have names of their own, some ranks among those of the plan, and no negative bytes."""
        after = self.shard_plan(4.0)
        names = [item.name for item in after.collectives]
        assert len(set(names)) == len(names), names
        for item in after.collectives:
            assert np.all(item.ranks.value <= after.ranks.value), (
                f"`{item.name}` has more ranks than the plan"
            )
            assert np.all(item.bytes.value >= 0.0) and np.all(item.repeat.value >= 0.0), item.name

    def test_rules_of_the_split_give_their_reason(self) -> None:
        """A limit says which rule a degree breaks, and the sample breaks none."""
        for limit in self.shard_plan(4.0).limits:
            assert limit.reason.strip(), f"limit `{limit.name}` needs a reason"
            assert np.all(limit.used.value <= limit.available.value), f"the sample breaks `{limit.name}`"


class WorkloadConformance(SpecConformance):
    """What holds of a workload model."""

    model: ClassVar[WorkloadModel]
    kind = "model"

    def build_workload(self, step: Step) -> Workload:
        """Return the workload of a pass, with numpy warnings as errors."""
        with np.errstate(all="raise"):
            return self.model.build(make_spec(self.model.spec, self.sample), step, BF16_PRECISION)

    def steps(self, sequences: TermLike) -> Iterator[Step]:
        """Yield a decode and a prefill pass over some sequences."""
        yield make_step("decode", sequences=sequences)
        yield make_step("prefill", sequences=sequences, tokens=512.0, context=0.0)

    def test_a_sweep_equals_its_points(self) -> None:
        """An array of batch sizes gives what each size gives alone."""
        for index, point in enumerate(SWEEP_FACTORS):
            for whole, alone in zip(self.steps(SWEEP_FACTORS), self.steps(point), strict=True):
                assert_point_matches_sweep(self.build_workload(whole), self.build_workload(alone), index)

    def test_names_of_operations_are_unique(self) -> None:
        """Breakdowns and explanations name operations."""
        for step in self.steps(4.0):
            names = [op.name for op in self.build_workload(step).ops]
            assert len(set(names)) == len(names), names

    def test_all_sizes_are_positive(self) -> None:
        """No operation has negative work, and some operation has work."""
        for step in self.steps(4.0):
            workload = self.build_workload(step)
            for op in workload.ops:
                for value in (op.flops, op.weights, op.reads, op.writes, op.kv_read, op.kv_write, op.repeat):
                    assert np.all(value.value >= 0.0), op.name
            assert _work(workload) > 0.0

    def test_weights_do_not_depend_on_the_batch(self) -> None:
        """Residency of weights is that of the model."""
        few, many = (
            self.build_workload(make_step(sequences=count)).residency.weights.value for count in (1.0, 64.0)
        )
        assert np.allclose(few, many)

    def test_a_longer_context_never_needs_less(self) -> None:
        """KV cache and work of a decode pass grow with the context."""
        short, long = (self.build_workload(make_step(context=length)) for length in (128.0, 8192.0))
        assert np.all(long.residency.kv.value >= short.residency.kv.value)
        assert _work(long) >= _work(short)


def assert_same_step(expected: Step, found: Step) -> None:
    """Assert that two passes are the same."""
    assert expected.phase == found.phase
    for name in ("sequences", "tokens", "context"):
        assert np.allclose(getattr(expected, name).value, getattr(found, name).value), name


def _sum(plan: Plan | Workload) -> Term:
    return sum((_all(op) for op in plan.ops), term(0.0, "op"))


def _work(plan: Plan | Workload) -> Any:
    return _sum(plan).value


def _all(op: Op) -> Term:
    return op.flops * op.repeat
