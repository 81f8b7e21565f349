"""Checks of a decoder: its sizes against each other, and its declared numbers against its sizes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Term, term
from accelscope.core.plugin.records import Check
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.plugins.workload.decoder.parameters import count_parameters, kv_bytes_per_token
from accelscope.plugins.workload.decoder.size_rules import SizeRule, find_missing_fields, list_size_rules
from accelscope.plugins.workload.decoder.spec import Decoder

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design

_TOLERATED = 0.01  # published totals are rounded to two or three digits


def check_decoder_sizes(design: Design) -> Iterable[Diagnostic | Limit]:
    """Refuse sizes that no decoder can have; points of a sweep that have them are infeasible instead."""
    spec = design.model.spec
    if not isinstance(spec, Decoder):
        return
    name = design.model.name
    for absent, reason in find_missing_fields(spec):
        yield Diagnostic(
            code="A106",
            message=f"`{name}` needs `{absent}`: {reason}",
            help=f"add `{absent} = ...` to the model",
        )
    for rule in list_size_rules(spec):
        if np.size(rule.used.value) > 1 or np.size(rule.available.value) > 1:
            yield Limit(
                name=rule.name,
                used=rule.used,
                available=rule.available,
                reason=f"no decoder can be built: {rule.name} does not hold",
                condition=True,
            )
        elif np.any(rule.used.value > rule.available.value):
            yield _broken(name, rule)


def _broken(name: str, rule: SizeRule) -> Diagnostic:
    said = "does not divide" if rule.relation == "divides" else "is more than"
    value, bound = (f"{float(item.value.flat[0]):g}" for item in (rule.value, rule.bound))
    return Diagnostic(
        code="A107",
        message=f"`{name}.{rule.field}` is {value}, which {said} the {bound} of `{rule.other}`",
        help="compare the model with its published configuration",
    )


def check_declared_parameters(design: Design) -> Iterable[Diagnostic | Limit]:
    """Warn where `params` or `kv_per_token` differ by more than 1 % from what the structure gives."""
    spec = design.model.spec
    if not isinstance(spec, Decoder):
        return
    name = design.model.name
    if spec.params is not None:
        yield from _compared(
            f"`{name}.params`", spec.params, count_parameters(spec), 1e9, " billion parameters"
        )
    if spec.kv_per_token is not None:
        token = term(1.0, "tok")
        given = spec.kv_per_token
        given = given * token if given.dimension == (term(1.0, "B") / token).dimension else given
        yield from _compared(
            f"`{name}.kv_per_token`", given, kv_bytes_per_token(spec), 1e3, " kB for a token"
        )


def _compared(what: str, given: Term, counted: Term, scale: float, unit: str) -> Iterable[Diagnostic]:
    if np.size(given.value) != 1 or np.size(counted.value) != 1:
        return  # a sweep over the structure leaves the declaration of the published model behind
    said, found = float(given.value.flat[0]), float(counted.value.flat[0])
    if abs(said / found - 1) <= _TOLERATED:
        return
    yield Diagnostic(
        code="A404",
        message=f"{what} says {said / scale:.5g}{unit}, but the sizes give {found / scale:.5g}",
        help="compare layers, hidden, ffn, heads, kv_heads, vocab, experts and `tied_embeddings` with the published configuration",
    )


DECLARED_PARAMETERS = Check(
    name="declared_parameters",
    doc="Published parameters and KV bytes agree with the structure of a decoder.",
    run=check_declared_parameters,
)

POSSIBLE_DECODER = Check(
    name="possible_decoder",
    doc="Sizes of a decoder fit each other: heads, experts, their groups, dense layers and windows.",
    run=check_decoder_sizes,
)
