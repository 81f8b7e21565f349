"""Warnings about values that are right by their schema but look like a slip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.interpret.layers import Binding, BlockDeclaration
from accelscope.dsl.schema.schema import FieldSchema
from accelscope.dsl.syntax.nodes import Annotated, Expr, Name, Number
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import CurveValue, Quantity, Symbol

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

_ON_CHIP = frozenset({"cache", "scratchpad", "regfile", "sram"})


def strip_annotation(node: Expr | None) -> Expr | None:
    """Return an expression without its tolerance and citations."""
    return node.expr if isinstance(node, Annotated) else node


def lint_shadowed_word(field: FieldSchema, binding: Binding, value: object) -> Diagnostic | None:
    """Warn of a word that a field takes where a `let` of the same name gives another value."""
    node = strip_annotation(binding.node)
    if field.type != "choice" or not isinstance(node, Name) or node.id not in field.choices:
        return None
    if isinstance(value, Symbol) and value.name == node.id:
        return None
    return Diagnostic(
        code="A402",
        message=f"`{node.id}` is also a `let`, whose value is used here",
        span=binding.span,
        help=f"rename the `let`, so that `{field.name}` gets the word",
    )


def lint_decimal_sram(component: Component, name: str, binding: Binding) -> Diagnostic | None:
    """Warn of an on-chip memory whose capacity is given in powers of 1000."""
    if component.kind != "memory" or name != "capacity":
        return None
    chosen = component.attributes().get("class")
    if chosen is None or not isinstance(chosen.value, Symbol) or chosen.value.name not in _ON_CHIP:
        return None
    node = strip_annotation(binding.node)
    if not isinstance(node, Number) or node.unit not in ("kB", "MB", "GB"):
        return None
    binary = {"kB": "KiB", "MB": "MiB", "GB": "GiB"}[node.unit]
    return Diagnostic(
        code="A403",
        message=f"an on-chip memory of {node.value:g} {node.unit}, which is a power of 1000",
        span=binding.span,
        help=f"write `{node.value:g} {binary}` if the data sheet means powers of two",
    )


def lint_uncited_number(field: FieldSchema, binding: Binding, value: object) -> Diagnostic | None:
    """Warn of a number written in a text without a source."""
    if field.type != "quantity" or not any(isinstance(node, Number) for node in walk_nodes(binding.node)):
        return None
    quantities = [y for _, y in value.points] if isinstance(value, CurveValue) else [value]
    if all(isinstance(item, Quantity) and item.cites for item in quantities):
        return None
    return Diagnostic(
        code="A401",
        message=f"`{field.name}` cites no source",
        span=binding.span,
        help='add `@source` behind the value or its block, or `@"estimate: why"`',
    )


def lint_stale_entries(entries: Component) -> Diagnostic | None:
    """Warn of inherited entries beside new ones, where the same text changes the count of the block around them.

    An heir with half as many engines of twice the rate has to give the rates of all types: those that it does not give
    stay the ones of the smaller engine.
    """
    block = entries.parent
    if block is None or not _recounted(block):
        return None
    members = {name: item for name, item in entries.index().members.items() if item.sort == "attribute"}
    new = [item.bindings[-1] for item in members.values() if item.bindings[-1].layer.own]
    left = [f"`{name}`" for name, item in members.items() if not item.bindings[-1].layer.own]
    if not new or not left:
        return None
    return Diagnostic(
        code="A406",
        message=f"`{block.name}` has another count than it inherits, and still the inherited {', '.join(left)} in `{entries.name}`",
        span=new[0].at,
        help=f"give all `{entries.name}` anew, also those that stay",
    )


def _recounted(block: Component) -> bool:
    """Say whether the text of a component opens an inherited block with another count."""
    opened = [part for part in block.parts if isinstance(part, BlockDeclaration) and part.block.dims]
    if len(opened) < 2 or not opened[-1].layer.own or opened[-2].layer.own:
        return False
    return _dims(opened[-1]) != _dims(opened[-2])


def _dims(given: BlockDeclaration) -> list[str]:
    return [node.span(given.scope.source).text for node in given.block.dims]
