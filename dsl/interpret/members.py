"""Reading the layers of a component into one index: which name is what, and who says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.layers import Binding, BlockDeclaration, ComponentLayer, Member, PathSetting
from accelscope.dsl.interpret.scope import BUILT_IN_MEMBERS, Scope, defines_name
from accelscope.dsl.syntax.nodes import (
    AssignStatement,
    Attr,
    BlockStatement,
    CheckStatement,
    ConnectPatternStatement,
    ConnectStatement,
    DocComment,
    Expr,
    GoalStatement,
    LetStatement,
    Name,
    Statement,
    SweepStatement,
    UseStatement,
)

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component


class ScopedStatement:
    """A statement that is no member (connect, check, sweep, goal, use) with where it stands."""

    __slots__ = ("layer", "scope", "statement")

    def __init__(self, statement: Statement, scope: Scope, layer: ComponentLayer) -> None:
        self.statement, self.scope, self.layer = statement, scope, layer

    @property
    def span(self) -> Span:
        """The place of the statement."""
        return self.statement.span(self.layer.source)


class MemberIndex:
    """All members and statements of a component; sources have a name space of their own.

    `aliases` holds the former names that the texts use, each with the present name that its member has.
    """

    __slots__ = ("aliases", "checks", "connects", "goals", "members", "sources", "sweeps", "uses")

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.sources: dict[str, Member] = {}
        self.aliases: dict[str, str] = {}
        self.connects: list[ScopedStatement] = []
        self.checks: list[ScopedStatement] = []
        self.sweeps: list[ScopedStatement] = []
        self.goals: list[ScopedStatement] = []
        self.uses: list[ScopedStatement] = []


class _Place:
    """Where statements are being read into an index."""

    __slots__ = ("component", "index", "later", "layer", "scope")

    def __init__(self, component: Component, index: MemberIndex, layer: ComponentLayer) -> None:
        self.component, self.index, self.layer = component, index, layer
        self.scope = Scope(layer.source, layer.outer, component=component, layer=layer)
        self.later: list[PathSetting] = []


def build_member_index(component: Component) -> MemberIndex:
    """Return the index of a component, strongest layer last."""
    index = MemberIndex()
    for layer in component.layer_list():
        place = _Place(component, index, layer)
        doc: list[str] = []
        for statement in layer.statements:
            if type(statement) is DocComment:
                doc.append(statement.text)
                continue
            _READERS[type(statement)](place, statement, "\n".join(doc))
            doc.clear()
        for setting in (*place.later, *layer.settings):
            _set(place, setting)
    return index


def _let(place: _Place, statement: LetStatement, doc: str) -> None:
    start = statement.start + len("let ")
    at = Span(place.layer.source, start, start + len(statement.name))
    binding = _binding(place, at, statement.value, doc, statement.params)
    if statement.params is not None and len(set(statement.params)) < len(statement.params):
        place.component.session.report(
            EvaluationFailed("A103", f"`{statement.name}` has a parameter twice", at)
        )
    _valued(place.index, statement.name, "let").bindings.append(binding)


def _binding(
    place: _Place, at: Span, value: Expr, doc: str, params: tuple[str, ...] | None = None
) -> Binding:
    span = value.span(place.layer.source)
    return Binding(place.scope, place.layer, node=value, params=params, span=span, at=at, doc=doc)


def _assign(place: _Place, statement: AssignStatement, doc: str) -> None:
    target = statement.target
    if type(target) is Name:
        span = target.span(place.layer.source)
        name = _present_name(place, target.id, span)
        member = place.index.members.get(name)
        sort = "let" if member is not None and member.sort == "let" else "attribute"
        bindings = _valued(place.index, name, sort).bindings
        earlier = next((item.at for item in bindings if item.layer is place.layer), None)
        if earlier is not None and earlier.text != target.id:
            _given_twice(place, name, span, earlier)
        bindings.append(_binding(place, span, statement.value, doc))
        return
    try:
        names = flatten_path(target, place.layer)
    except EvaluationFailed as problem:
        place.component.session.report(problem)
        return
    setting = PathSetting(
        tuple(name for name, _ in names),
        tuple(span for _, span in names),
        place.scope,
        node=statement.value,
        span=statement.value.span(place.layer.source),
    )
    place.later.append(setting)


def _present_name(place: _Place, name: str, span: Span) -> str:
    """Return the present name of a field or inner block; a former one is noted, unless a `let` is called so."""
    member = place.index.members.get(name)
    if member is not None and member.sort == "let":
        return name
    session = place.component.session
    present = session.fields.present_name(place.component, name)
    if present != name:
        place.index.aliases[name] = present
        session.former_names.note(span, present)
    return present


def _given_twice(place: _Place, name: str, span: Span, earlier: Span) -> None:
    """Report a member that one text gives under its present and its former name."""
    former, present = (earlier, span) if span.text == name else (span, earlier)
    note = f"`{former.text}` is the former name of `{present.text}`"
    message = f"`{name}` is given twice in this block"
    place.component.session.report(
        EvaluationFailed("A103", message, span, notes=(note,), help="remove one of the two")
    )


def flatten_path(target: Expr, layer: ComponentLayer) -> list[tuple[str, Span]]:
    """Return the names of a dotted path with their places.

    Raises:
        Problem: the path has a subscript or is no path.
    """
    names: list[tuple[str, Span]] = []
    at = target
    while type(at) is Attr:
        names.append((at.name, Span(layer.source, at.end - len(at.name), at.end)))
        at = at.base
    if type(at) is not Name:
        raise EvaluationFailed(
            "A211",
            "a path to set is made of names only",
            at.span(layer.source),
            help="all instances of a block are alike: leave the subscript out",
        )
    names.append((at.id, at.span(layer.source)))
    return names[::-1]


def _valued(index: MemberIndex, name: str, sort: str) -> Member:
    """Return the member that takes a value, in place of what weaker layers say of it."""
    member = index.members.get(name)
    if member is None or member.sort in ("child", "borrowed"):
        member = index.members[name] = Member(name, sort)
    member.sort = sort
    member.amends.clear()
    return member


def _block(place: _Place, statement: BlockStatement, doc: str) -> None:
    start = statement.start
    word = Span(place.layer.source, start, start + len(statement.kind))
    kind = place.component.session.fields.present_kind(place.component.kind, statement.kind)
    if kind != statement.kind:
        place.component.session.former_names.note(word, kind)
        if statement.label is None:
            place.index.aliases[statement.kind] = kind
    name = statement.label or kind
    table = place.index.sources if statement.kind == "source" else place.index.members
    member = table.get(name)
    if member is None or member.sort != "child":
        member = table[name] = Member(name, "child", kind)
    elif member.kind != kind:
        message = f"`{name}` is both a `{member.kind}` and a `{kind}`"
        place.component.session.report(EvaluationFailed("A103", message, Span(word.source, start, start + 1)))
        return
    blocks = (part for part in member.parts if isinstance(part, BlockDeclaration))
    earlier = next((part.block for part in blocks if part.layer is place.layer), None)
    if earlier is not None and earlier.kind != statement.kind:
        _given_twice(place, name, word, Span(word.source, earlier.start, earlier.start + len(earlier.kind)))
    member.parts.append(BlockDeclaration(statement, place.scope, place.layer, doc))


def _keep(name: str) -> _StatementReader:
    def read(place: _Place, statement: Statement, doc: str) -> None:
        getattr(place.index, name).append(ScopedStatement(statement, place.scope, place.layer))

    return read


def _set(place: _Place, setting: PathSetting) -> None:
    first = _present_name(place, setting.path[0], setting.spans[0])
    setting = setting.with_first(first)
    member = place.index.members.get(first)
    if len(setting.path) == 1:
        _set_value(place, setting, member)
        return
    if member is None:
        member = _reached(place, setting)
    if member is None:
        place.component.session.report(unknown_member(place.component, place.index, first, setting.spans[0]))
        return
    layer = ComponentLayer(
        setting.scope.source,
        setting.scope,
        settings=(setting.rest(),),
        enclosing=setting.scope.layer,
        own=False,
        title=place.layer.title,
    )
    (member.amends if member.sort in ("attribute", "let") else member.parts).append(layer)


def _set_value(place: _Place, setting: PathSetting, member: Member | None) -> None:
    name, component = setting.path[0], place.component
    is_field = name == "count" or name in component.session.fields.of(component)
    around = any(defines_name(layer.outer, name) for layer in component.layer_list() if not layer.settings)
    if member is None and not is_field and not around:
        component.session.report(unknown_member(component, place.index, name, setting.spans[0]))
        return
    is_let = member.sort == "let" if member is not None else around and not is_field
    scope = setting.scope
    if setting.how != "file":
        scope = Scope(scope.source, scope, component=component, layer=place.layer)
    binding = Binding(
        scope,
        place.layer,
        node=setting.node,
        ready=setting.ready,
        span=setting.span,
        at=setting.spans[0],
        how=setting.how,
        text=setting.text,
    )
    _valued(place.index, name, "let" if is_let else "attribute").bindings.append(binding)


def _reached(place: _Place, setting: PathSetting) -> Member | None:
    """Return the member for the first name of a path that no layer gives: borrowed from around, or a new child."""
    name, component = setting.path[0], place.component
    for layer in reversed(component.layer_list()):
        if not layer.settings and defines_name(layer.outer, name):
            member = Member(name, "borrowed", scope=layer.outer)
            break
    else:
        if not component.session.fields.may_hold(component.kind, name):
            return None
        member = Member(name, "child", name)
    place.index.members[name] = member
    return member


def unknown_member(
    component: Component, index: MemberIndex, name: str, span: Span | None = None
) -> EvaluationFailed:
    """Return the problem of a name that a component does not have."""
    names = [*index.members, *component.session.fields.of(component), *BUILT_IN_MEMBERS]
    return EvaluationFailed(
        "A202", f"`{component.name}` has no member `{name}`", span, help=did_you_mean(name, names)
    )


_StatementReader: TypeAlias = Callable[[_Place, Statement, str], None]

_READERS: dict[type, Callable[..., None]] = {
    LetStatement: _let,
    AssignStatement: _assign,
    BlockStatement: _block,
    ConnectStatement: _keep("connects"),
    ConnectPatternStatement: _keep("connects"),
    CheckStatement: _keep("checks"),
    SweepStatement: _keep("sweeps"),
    GoalStatement: _keep("goals"),
    UseStatement: _keep("uses"),
}
