"""One pass of a decoder: what its layers see, its sizes, and the data types of experts and of lm_head."""

from __future__ import annotations

from attrs import evolve, frozen

from accelscope.core.ir.layer import LayerPass
from accelscope.core.ir.operation import Precision, Step
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, term
from accelscope.core.workload.layer_pass import SIXTEEN_BIT_BYTES, describe_pass
from accelscope.plugins.workload.decoder.shape import DecoderShape


@frozen(kw_only=True, eq=False)
class ForwardPass(LayerPass):
    """One pass: a decoder's sizes, how many tokens it works on, and how wide their numbers are.

    Attributes:
        shape: the decoder's sizes.
        expert_dtype: data type that routed experts compute in.
        stored_expert: data type of the weights of routed experts.
        stored_head: data type of lm_head and embedding, or None for `wide_dtype`.
        head: bytes of a number of lm_head and embedding.
        expert: bytes of a weight of a routed expert.
    """

    shape: DecoderShape
    stored_expert: str
    expert_dtype: str
    stored_head: str | None
    head: Term
    expert: Term

    def in_experts(self) -> ForwardPass:
        """Return the same pass as routed experts compute it."""
        return evolve(
            self, dtype=self.expert_dtype, gemm_input_bytes=term(bytes_per_element(self.expert_dtype), "B")
        )


def build_forward_pass(shape: DecoderShape, step: Step, precision: Precision) -> ForwardPass:
    """Return one pass of a decoder."""
    weight = bytes_per_element(precision.weights)
    expert = shape.routing.weights if shape.routing and shape.routing.weights else precision.weights
    return ForwardPass(
        shape=shape,
        stored_expert=expert,
        expert_dtype=precision.experts or precision.activations,
        head=term(
            bytes_per_element(precision.head) if precision.head else max(weight, SIXTEEN_BIT_BYTES), "B"
        ),
        stored_head=precision.head,
        expert=term(bytes_per_element(expert), "B"),
        **describe_pass(step, precision, shape.hidden),
    )
