"""The data model of the interpreter: scopes, the texts that shape a component, and what they say about each member.

It evaluates nothing and knows no component: the owner of a scope is a protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from attrs import define, field

from accelscope.dsl.diagnostics.diagnostics import SourceText, Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND
from accelscope.dsl.schema.schema_index import PlacedBlock
from accelscope.dsl.syntax.nodes import BlockStatement, Cite, Expr, Statement
from accelscope.dsl.values.values import Citation


class ScopeOwner(PlacedBlock, Protocol):
    """The component whose members a scope looks up."""

    @property
    def name(self) -> str:
        """The name of the component."""

    def value(self, name: str) -> object:
        """Return the value of a member, or NOT_FOUND."""

    def has(self, name: str) -> bool:
        """Return whether there is a member of this name."""

    def names(self) -> Iterable[str]:
        """Return the names of all members."""

    def built_in(self, name: str) -> object:
        """Return `count`, `shape`, `name`, `self` or `parent`."""

    def source(self, name: str) -> ScopeOwner | None:
        """Return a `source` block, or None."""

    def index(self) -> MemberIndex:
        """Return the members and statements."""


class Scope:
    """One step of a chain of scopes: the members of a component, or names such as parameters and metrics."""

    __slots__ = ("component", "layer", "names", "outer", "source")

    def __init__(
        self,
        source: SourceText,
        outer: Scope | None,
        *,
        component: ScopeOwner | None = None,
        layer: ComponentLayer | None = None,
        names: Mapping[str, object] | None = None,
    ) -> None:
        self.source = source
        self.outer = outer
        self.component = component
        self.layer = layer
        self.names = names

    def chain(self) -> Iterator[Scope]:
        """Yield this scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer


# ---- what shapes a component


@define(eq=False)
class PathSetting:
    """A value set along a path: `iod.mall.capacity = 48 MiB` in a block, or an override of the command line.

    Attributes:
        path: the names.
        spans: the place of each name, for messages.
        scope: where the names of the value are looked up.
        node: the value as syntax, or None if it is `ready`.
        ready: the value itself, or NOT_FOUND if it is still syntax.
        how: "file", or "set" for an override.
        text: the value as written, for explanations of overrides.
        span: the place of the value.
    """

    path: tuple[str, ...]
    spans: tuple[Span, ...]
    scope: Scope
    node: Expr | None = field(default=None, kw_only=True)
    ready: object = field(default=NOT_FOUND, kw_only=True)
    how: str = field(default="file", kw_only=True)
    text: str = field(default="", kw_only=True)
    span: Span | None = field(default=None, kw_only=True)

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


@define(eq=False)
class ComponentLayer:
    """One text that shapes a component: its statements, and the scope around them.

    Attributes:
        source: the text that the statements are in.
        outer: the scope around the text, or None for a file.
        statements: the statements of the text.
        settings: values that are set along paths.
        cites: the citations of the block.
        enclosing: the layer around the text, whose citations apply if this one has none.
        own: whether the component wrote the text itself; its checks run only then.
        block: the statement, if the text is a block.
        title: the name of the component or file, for explanations.
        resolved_cites: the citations once they have been evaluated.
    """

    source: SourceText
    outer: Scope | None
    statements: tuple[Statement, ...] = field(default=(), kw_only=True)
    settings: tuple[PathSetting, ...] = field(default=(), kw_only=True)
    cites: tuple[Cite, ...] = field(default=(), kw_only=True)
    enclosing: ComponentLayer | None = field(default=None, kw_only=True)
    own: bool = field(default=True, kw_only=True)
    block: BlockStatement | None = field(default=None, kw_only=True)
    title: str = field(default="", kw_only=True)
    resolved_cites: tuple[Citation, ...] | None = field(default=None, init=False)
    _inherited: ComponentLayer | None = field(default=None, init=False)

    def as_inherited(self) -> ComponentLayer:
        """Return the layer as a derived block has it: the same, but its checks do not run again."""
        if not self.own:
            return self
        if self._inherited is None:
            self._inherited = ComponentLayer(
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
        return self._inherited


@define(eq=False)
class BlockDeclaration:
    """A block as written in some layer of its parent: `memory hbm[5] : base { ... }`, with its `##` comments."""

    block: BlockStatement
    scope: Scope
    layer: ComponentLayer
    doc: str


# ---- what a component holds


@define(eq=False)
class Binding:
    """One value given to a member.

    Attributes:
        scope: where the names of the value are looked up.
        layer: the text that gives the value.
        node: the value as syntax, or None if it is `ready`.
        ready: the value itself, or NOT_FOUND if it is still syntax.
        params: the parameters of a function, or None.
        span: the place of the value.
        name_span: the place of the name.
        how: "file", or "set" for an override.
        text: the value as written, for explanations of overrides.
        doc: the `##` comments in front of it.
    """

    scope: Scope
    layer: ComponentLayer
    node: Expr | None = field(default=None, kw_only=True)
    ready: object = field(default=NOT_FOUND, kw_only=True)
    params: tuple[str, ...] | None = field(default=None, kw_only=True)
    span: Span | None = field(default=None, kw_only=True)
    name_span: Span | None = field(default=None, kw_only=True)
    how: str = field(default="file", kw_only=True)
    text: str = field(default="", kw_only=True)
    doc: str = field(default="", kw_only=True)


@define(eq=False)
class Member:
    """What all layers together say about one name.

    Attributes:
        name: the name.
        sort: "let", "attribute", "child", or "borrowed" for a component of an enclosing scope that is changed here only.
        kind: the kind of a child.
        scope: where a borrowed component is looked up.
        bindings: the values of a `let` or an attribute, weakest first.
        parts: what shapes a child or a borrowed component.
        amends: changes of the component that an attribute refers to.
    """

    name: str
    sort: str
    kind: str = ""
    scope: Scope | None = None
    bindings: list[Binding] = field(factory=list)
    parts: list[BlockDeclaration | ComponentLayer] = field(factory=list)
    amends: list[ComponentLayer] = field(factory=list)


@define(eq=False)
class ScopedStatement:
    """A statement that is not a member (connect, check, sweep, goal, use), with its scope and its layer."""

    statement: Statement
    scope: Scope
    layer: ComponentLayer

    @property
    def span(self) -> Span:
        """The place of the statement."""
        return self.statement.span(self.layer.source)


@define(eq=False)
class MemberIndex:
    """The members and statements of a component.

    Attributes:
        members: the members by name.
        sources: `source` blocks, which have a name space of their own.
        aliases: former names that the texts use, each with the present name of its member.
        connects: `connect` statements.
        checks: `assert`, `check`, `require` and `prefer` statements.
        sweeps: `sweep` and `tune` statements.
        goals: `minimize` and `maximize` statements.
        uses: `use` statements.
    """

    members: dict[str, Member] = field(factory=dict)
    sources: dict[str, Member] = field(factory=dict)
    aliases: dict[str, str] = field(factory=dict)
    connects: list[ScopedStatement] = field(factory=list)
    checks: list[ScopedStatement] = field(factory=list)
    sweeps: list[ScopedStatement] = field(factory=list)
    goals: list[ScopedStatement] = field(factory=list)
    uses: list[ScopedStatement] = field(factory=list)
