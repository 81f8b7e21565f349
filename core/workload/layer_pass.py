"""One pass of a model in plain numbers, from a step and the data types of a deployment."""

from __future__ import annotations

from typing import Any

from accelscope.core.ir.layer import LayerPass
from accelscope.core.ir.operation import Precision, Step
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, term

SIXTEEN_BIT_BYTES = 2.0
"""Bytes of a number that is not quantised, at least."""


def describe_pass(step: Step, precision: Precision, hidden: Term) -> dict[str, Any]:
    """Return the fields of a `LayerPass` by name, for classes that add their own.

    Args:
        step: the pass over a batch.
        precision: data types by role.
        hidden: width of the residual stream, a plain number.
    """
    narrow, weight = bytes_per_element(precision.activations), bytes_per_element(precision.weights)
    return {
        "phase": step.phase,
        "decode": step.phase is Phase.DECODE,
        "hidden": hidden,
        "sequences": step.sequences,
        "tokens": step.tokens,
        "context": step.context,
        "rows": step.sequences * step.tokens,
        "dtype": precision.activations,
        "stored": precision.weights,
        "stored_kv": precision.kv,
        "wide_dtype": precision.activations if narrow >= SIXTEEN_BIT_BYTES else "bf16",
        "gemm_input_bytes": term(narrow, "B"),
        "wide": term(max(narrow, SIXTEEN_BIT_BYTES), "B"),
        "weight": term(weight, "B"),
        "outer": term(max(weight, SIXTEEN_BIT_BYTES), "B"),
        "kv": term(bytes_per_element(precision.kv), "B"),
    }


def build_layer_pass(step: Step, precision: Precision, hidden: Term) -> LayerPass:
    """Return one pass of a model as its layers see it.

    Args:
        step: the pass over a batch.
        precision: data types by role.
        hidden: width of the residual stream, a plain number.
    """
    return LayerPass(**describe_pass(step, precision, hidden))
