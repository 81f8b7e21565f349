"""The texts that shape a component, weakest to strongest, and what they say about each member."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import SourceText, Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND
from accelscope.dsl.syntax.nodes import BlockStatement, Cite, Expr, Statement

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component
    from accelscope.dsl.interpret.scope import Scope
    from accelscope.dsl.values.values import Citation


class PathSetting:
    """A value given from outside along a path: `iod.mall.capacity = 48 MiB`, or an override of the command line.

    `spans` are the places of the path's names, for messages; `node` or `ready` is the value.
    """

    __slots__ = ("how", "node", "path", "ready", "scope", "span", "spans", "text")

    def __init__(
        self,
        path: tuple[str, ...],
        spans: tuple[Span, ...],
        scope: Scope,
        *,
        node: Expr | None = None,
        ready: object = NOT_FOUND,
        how: str = "file",
        text: str = "",
        span: Span | None = None,
    ) -> None:
        self.path, self.spans, self.scope = path, spans, scope
        self.node, self.ready, self.how, self.text, self.span = node, ready, how, text, span

    def rest(self) -> PathSetting:
        """Return the setting as the first component of the path sees it."""
        return self._along(self.path[1:], self.spans[1:])

    def with_first(self, name: str) -> PathSetting:
        """Return the setting with another first name of the path."""
        return self if name == self.path[0] else self._along((name, *self.path[1:]), self.spans)

    def _along(self, path: tuple[str, ...], spans: tuple[Span, ...]) -> PathSetting:
        return PathSetting(
            path,
            spans,
            self.scope,
            node=self.node,
            ready=self.ready,
            how=self.how,
            text=self.text,
            span=self.span,
        )


class ComponentLayer:
    """One text that shapes a component: statements, and the scope around them.

    `own` says that the component itself wrote it, so that its checks belong to it. `enclosing` is the layer
    that the text stands in, whose citations it falls back on.
    """

    __slots__ = (
        "_heirs",
        "block",
        "cites",
        "enclosing",
        "known_cites",
        "outer",
        "own",
        "settings",
        "source",
        "statements",
        "title",
    )

    def __init__(
        self,
        source: SourceText,
        outer: Scope | None,
        *,
        statements: tuple[Statement, ...] = (),
        settings: tuple[PathSetting, ...] = (),
        cites: tuple[Cite, ...] = (),
        enclosing: ComponentLayer | None = None,
        own: bool = True,
        block: BlockStatement | None = None,
        title: str = "",
    ) -> None:
        self.source, self.outer, self.statements, self.settings = source, outer, statements, settings
        self.cites, self.enclosing, self.own, self.block, self.title = cites, enclosing, own, block, title
        self.known_cites: tuple[Citation, ...] | None = None
        self._heirs: ComponentLayer | None = None

    def as_inherited(self) -> ComponentLayer:
        """Return the layer as an heir has it: all but the right to run its checks."""
        if not self.own:
            return self
        if self._heirs is None:
            self._heirs = ComponentLayer(
                self.source,
                self.outer,
                statements=self.statements,
                settings=self.settings,
                cites=self.cites,
                enclosing=self.enclosing,
                own=False,
                block=self.block,
                title=self.title,
            )
        return self._heirs


class BlockDeclaration:
    """A block as it is written in some layer of the parent: `memory hbm[5] : base { ... }`."""

    __slots__ = ("block", "doc", "layer", "scope")

    def __init__(self, block: BlockStatement, scope: Scope, layer: ComponentLayer, doc: str) -> None:
        self.block, self.scope, self.layer, self.doc = block, scope, layer, doc


class InheritedComponent:
    """All layers of another component, as a base or for a changed copy."""

    __slots__ = ("component",)

    def __init__(self, component: Component) -> None:
        self.component = component


class Binding:
    """One value given to a member: an expression with its scope, or a ready value; `at` is the place of the name."""

    __slots__ = ("at", "doc", "how", "layer", "node", "params", "ready", "scope", "span", "text")

    def __init__(
        self,
        scope: Scope,
        layer: ComponentLayer,
        *,
        node: Expr | None = None,
        ready: object = NOT_FOUND,
        params: tuple[str, ...] | None = None,
        span: Span | None = None,
        at: Span | None = None,
        how: str = "file",
        text: str = "",
        doc: str = "",
    ) -> None:
        self.scope, self.layer, self.node, self.ready = scope, layer, node, ready
        self.at = at or span
        self.params, self.span, self.how, self.text, self.doc = params, span, how, text, doc


class Member:
    """What all layers together say about one name.

    `sort` is "let", "attribute", "child", or "borrowed" for a component of an enclosing scope that is changed
    here only. `parts` shape a child or borrowed component; `amends` change the component an attribute refers to.
    """

    __slots__ = ("amends", "bindings", "kind", "name", "parts", "scope", "sort")

    def __init__(self, name: str, sort: str, kind: str = "", scope: Scope | None = None) -> None:
        self.name, self.sort, self.kind, self.scope = name, sort, kind, scope
        self.bindings: list[Binding] = []
        self.parts: list[BlockDeclaration | ComponentLayer | InheritedComponent] = []
        self.amends: list[ComponentLayer] = []


def inherit_layers(bases: Iterable[Component]) -> list[ComponentLayer]:
    """Return the layers that heirs get from their bases, left to right; one of a common base comes once, weakest."""
    return list(dict.fromkeys(layer.as_inherited() for base in bases for layer in base.layer_list()))
