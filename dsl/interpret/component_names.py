"""What a component is called and where it is written, from the texts that shape it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.interpret.layers import Given, Heir, Layer, inherited_layers

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component


class Described:
    """The names and places of a component."""

    __slots__ = ("name", "parent", "parts")
    name: str
    parent: Component | None
    parts: list[Given | Layer | Heir]

    @property
    def path(self) -> str:
        """The names from the top of the file to this component, with dots."""
        above = self.parent.path if self.parent is not None else ""
        return f"{above}.{self.name}" if above else self.name

    @property
    def block(self) -> Given | None:
        """The strongest text that gives the component as a block."""
        for part in reversed(self.parts):
            if isinstance(part, Given):
                return part
            if isinstance(part, Heir):
                return part.component.block
        return None

    @property
    def span(self) -> Span | None:
        """The place of the block."""
        block = self.block
        return block.block.span(block.scope.source) if block else None

    @property
    def doc(self) -> str:
        """The `##` comments in front of the block."""
        for part in reversed(self.parts):
            doc = (
                part.component.doc if isinstance(part, Heir) else part.doc if isinstance(part, Given) else ""
            )
            if doc:
                return doc
        return ""

    @property
    def definition(self) -> str:
        """The name of the nearest named base, such as `H100_SXM` for `gpu`; its own name without one."""
        for part in reversed(self.parts):
            if isinstance(part, Heir):
                return part.component.definition
            if isinstance(part, Given) and part.block.bases and part.block.relation == ":":
                end = part.block.bases[0]
                return end.span(part.scope.source).text.rpartition(".")[2]
        return self.name


def bases_of(component: Component) -> list[Layer]:
    """Return the layers of a component from its parts; a new base drops what weaker parts say."""
    layers: list[Layer] = []
    for part in component.parts:
        if isinstance(part, Layer):
            layers.append(part)
        elif isinstance(part, Heir):
            component.broken |= part.component.broken
            layers.extend(inherited_layers([part.component]))
        else:
            if part.block.bases:
                bases = component.session.bases(component, part)
                component.broken |= len(bases) < len(part.block.bases) or any(base.broken for base in bases)
                layers = inherited_layers(bases)
            layers.append(_written(component, part))
    return layers


def _written(component: Component, given: Given) -> Layer:
    block = given.block
    return Layer(
        given.scope.source,
        given.scope,
        statements=block.body.statements if block.body else (),
        cites=block.cites,
        enclosing=given.layer,
        own=given.layer.own,
        block=block,
        title=component.name,
    )
