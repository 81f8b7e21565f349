"""Base class of tests that every kind of layer has to pass.

from accelscope.core.testing.conformance_layers import LayerConformance

class TestRetention(LayerConformance):
    model = RETENTION
    sample = {"layers": "24", "heads": "16", "key_dim": "256", "value_dim": "512"}
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from accelscope.core.ir.layer import LayerModel, LayerPass
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.numeric.term import Term, term, total
from accelscope.core.testing.builders import TermLike, make_spec, parse_term
from accelscope.core.testing.conformance import SWEEP_FACTORS, SpecConformance, assert_point_matches_sweep
from accelscope.core.workload.layer_pass import build_layer_pass

_BF16 = Precision(weights="bf16", activations="bf16", kv="bf16")
_BYTES = term(2.0, "B")


def make_layer_pass(
    phase: str = "prefill",
    *,
    hidden: TermLike = 4096.0,
    sequences: TermLike = 4.0,
    tokens: TermLike = 512.0,
    context: TermLike = 0.0,
) -> LayerPass:
    """Return one pass in bf16.

    Args:
        phase: name of a `Phase`.
        hidden: width of the residual stream.
        sequences: in the pass.
        tokens: new ones of each sequence.
        context: tokens of each sequence that are cached before.
    """
    step = Step(
        phase=phase, sequences=parse_term(sequences), tokens=parse_term(tokens), context=parse_term(context)
    )
    return build_layer_pass(step, _BF16, parse_term(hidden))


class LayerConformance(SpecConformance):
    """What holds of any kind of layer.

    Attributes:
        hidden: width of the residual stream that the sample fits.
    """

    model: ClassVar[LayerModel]
    hidden: ClassVar[float] = 4096.0

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Kind of the block: a layer has one of its own."""
        from accelscope.core.spec.spec import read_spec_info

        return str(read_spec_info(self.model.spec).kind)

    def spec(self) -> Any:
        """Return the bound sample."""
        return make_spec(self.model.spec, self.sample)

    def ops(self, phase: str = "prefill", **sizes: Any) -> tuple[Op, ...]:
        """Return the operations of a pass, with numpy warnings as errors."""
        with np.errstate(all="raise"):
            return self.model.build(self.spec(), make_layer_pass(phase, hidden=self.hidden, **sizes))

    def test_every_phase_has_work(self) -> None:
        """Prompts, decoding and training all compute, with names that occur once."""
        for phase, tokens in (("prefill", 512.0), ("decode", 1.0), ("forward", 512.0)):
            ops = self.ops(phase, tokens=tokens)
            assert ops, f"no operation in {phase}"
            assert len({op.name for op in ops}) == len(ops), f"two operations of {phase} have one name"
            assert float(_flops(ops).value) > 0.0, f"no work in {phase}"

    def test_a_sweep_equals_its_points(self) -> None:
        """What is built for a whole sweep of sequences is, at each point, what is built for that point alone."""
        swept = self.ops(sequences=4.0 * SWEEP_FACTORS)
        for index, factor in enumerate(SWEEP_FACTORS):
            alone = self.ops(sequences=4.0 * factor)
            for whole, single in zip(swept, alone, strict=True):
                assert_point_matches_sweep(whole, single, index)

    def test_twice_the_sequences_are_twice_the_work(self) -> None:
        """Operations of layers without experts grow with the sequences of a pass."""
        once, twice = _flops(self.ops(sequences=4.0)), _flops(self.ops(sequences=8.0))
        assert np.isclose(twice.value, 2.0 * once.value, rtol=1e-9)

    def test_a_long_pass_reads_the_active_parameters(self) -> None:
        """The weights that a pass of many tokens reads are the parameters that a token uses, within 2 %."""
        count = self.model.active_parameters or self.model.parameters
        parameters = count(self.spec(), term(self.hidden)) * _BYTES
        read = total(op.weights * op.repeat for op in self.ops(tokens=4096.0))
        assert np.isclose(read.value, parameters.value, rtol=0.02), f"{read} read, {parameters} counted"

    def test_what_a_sequence_keeps_grows_as_declared(self) -> None:
        """The cache of one more token is `cache_per_token`, and nothing grows without it."""
        if self.model.cache is None:
            return
        before = make_layer_pass("decode", hidden=self.hidden, tokens=1.0, context=1000.0)
        after = make_layer_pass("decode", hidden=self.hidden, tokens=1.0, context=1001.0)
        each = self.model.cache_per_token
        expected = 0.0 if each is None else float(each(self.spec(), before).value)
        grown = self.model.cache(self.spec(), after) - self.model.cache(self.spec(), before)
        assert np.isclose(float(grown.value), expected, rtol=1e-9, atol=1e-9)


def _flops(ops: tuple[Op, ...]) -> Term:
    return total(op.flops * op.repeat for op in ops)
