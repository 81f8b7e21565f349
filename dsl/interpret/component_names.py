"""What a component is called and where it is written, from the texts that shape it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.interpret.layers import (
    BlockDeclaration,
    ComponentLayer,
    InheritedComponent,
    inherit_layers,
)

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component


class ComponentNames:
    """The names and places of a component."""

    __slots__ = ("name", "parent", "parts")
    name: str
    parent: Component | None
    parts: list[BlockDeclaration | ComponentLayer | InheritedComponent]

    @property
    def path(self) -> str:
        """The names from the top of the file to this component, with dots."""
        above = self.parent.path if self.parent is not None else ""
        return f"{above}.{self.name}" if above else self.name

    @property
    def block(self) -> BlockDeclaration | None:
        """The strongest text that gives the component as a block."""
        for part in reversed(self.parts):
            if isinstance(part, BlockDeclaration):
                return part
            if isinstance(part, InheritedComponent):
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
                part.component.doc
                if isinstance(part, InheritedComponent)
                else part.doc
                if isinstance(part, BlockDeclaration)
                else ""
            )
            if doc:
                return doc
        return ""

    @property
    def definition(self) -> str:
        """The name of the nearest named base, such as `H100_SXM` for `gpu`; its own name without one."""
        for part in reversed(self.parts):
            if isinstance(part, InheritedComponent):
                return part.component.definition
            if isinstance(part, BlockDeclaration) and part.block.bases and part.block.relation == ":":
                end = part.block.bases[0]
                return end.span(part.scope.source).text.rpartition(".")[2]
        return self.name


def build_layers(component: Component) -> list[ComponentLayer]:
    """Return the layers of a component from its parts; a new base drops what weaker parts say."""
    layers: list[ComponentLayer] = []
    for part in component.parts:
        if isinstance(part, ComponentLayer):
            layers.append(part)
        elif isinstance(part, InheritedComponent):
            component.broken |= part.component.broken
            layers.extend(inherit_layers([part.component]))
        else:
            if part.block.bases:
                bases = component.session.bases(component, part)
                component.broken |= len(bases) < len(part.block.bases) or any(base.broken for base in bases)
                layers = inherit_layers(bases)
            layers.append(_written(component, part))
    return layers


def _written(component: Component, given: BlockDeclaration) -> ComponentLayer:
    block = given.block
    return ComponentLayer(
        given.scope.source,
        given.scope,
        statements=block.body.statements if block.body else (),
        cites=block.cites,
        enclosing=given.layer,
        own=given.layer.own,
        block=block,
        title=component.name,
    )
