"""The identity of a component: its names, its place in the text, and the parts that it is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from attrs import frozen

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.layers import BlockDeclaration, ComponentLayer, MemberIndex
from accelscope.dsl.values.values import Quantity

_T = TypeVar("_T")


class ComponentBase:
    """The names and places of a component; `Component` adds its values.

    Attributes:
        interpreter: what evaluates it.
        name: its label, or its kind if it has none.
        kind: the word in front of the label.
        parent: the component around it, or None at the top of a file.
        parts: what it is made of, weakest first.
        broken: whether a base could not be used, so that members may be missing.
        dims: the evaluated dimensions, or a mark while there are none.
    """

    __slots__ = ("_memo", "broken", "dims", "interpreter", "kind", "name", "parent", "parts")

    is_file = False
    """Whether this is the top level of a file."""
    parent: ComponentBase | None

    def __init__(
        self,
        interpreter: EvaluationContext,
        name: str,
        kind: str,
        parts: list[ComponentPart],
    ) -> None:
        interpreter.spend_component()
        self.interpreter, self.name, self.kind, self.parts = interpreter, name, kind, parts
        self.broken = False
        self.dims: object = NOT_FOUND
        self._memo: dict[Callable[[Any], object], Any] | None = None

    # ---- names and places

    def __repr__(self) -> str:
        return f"<{self.kind} {self.path}>"

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
        declaration = self.block
        return declaration.block.span(declaration.scope.source) if declaration else None

    @property
    def doc(self) -> str:
        """The `##` comments in front of the block."""
        for part in reversed(self.parts):
            doc = ""
            if isinstance(part, InheritedComponent):
                doc = part.component.doc
            elif isinstance(part, BlockDeclaration):
                doc = part.doc
            if doc:
                return doc
        return ""

    @property
    def definition(self) -> str:
        """The name of the nearest named base, such as `H100_SXM` for `gpu`; its own name if there is none."""
        for part in reversed(self.parts):
            if isinstance(part, InheritedComponent):
                return part.component.definition
            if isinstance(part, BlockDeclaration) and part.block.bases and part.block.relation == ":":
                base = part.block.bases[0]
                return base.span(part.scope.source).text.rpartition(".")[2]
        return self.name

    # ---- what `Component` computes

    def value(self, name: str) -> object:
        """Return the value of a member, or NOT_FOUND."""
        raise NotImplementedError

    def has(self, name: str) -> bool:
        """Return whether there is a member of this name."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """Return the names of all members."""
        raise NotImplementedError

    def built_in(self, name: str) -> object:
        """Return `count`, `shape`, `name`, `self` or `parent`."""
        raise NotImplementedError

    def source(self, name: str) -> ComponentBase | None:
        """Return a `source` block of this component, or None."""
        raise NotImplementedError

    def layer_list(self) -> list[ComponentLayer]:
        """Return the layers, weakest first."""
        raise NotImplementedError

    def index(self) -> MemberIndex:
        """Return the members and statements of the layers."""
        raise NotImplementedError

    @property
    def count(self) -> Quantity:
        """The number of instances."""
        raise NotImplementedError

    def memoize(self, compute: Callable[[Any], _T]) -> _T:
        """Return the result of a function of this component, computed at the first call only.

        Args:
            compute: a function of the component; its identity is the key.
        """
        if self._memo is None:
            self._memo = {}
        if compute not in self._memo:
            self._memo[compute] = compute(self)
        return self._memo[compute]  # type: ignore[no-any-return]


@frozen(eq=False)
class InheritedComponent:
    """All layers of another component, as a base or for a changed copy."""

    component: ComponentBase


ComponentPart: TypeAlias = BlockDeclaration | ComponentLayer | InheritedComponent
"""What a component is made of: a block, a text that changes it, or another component."""
