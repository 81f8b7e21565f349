"""The member index of a component: which names its layers define, and who gives each value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component_base import ComponentBase
from accelscope.dsl.interpret.layers import (
    Binding,
    BlockDeclaration,
    ComponentLayer,
    Member,
    MemberIndex,
    PathSetting,
    Scope,
    ScopedStatement,
)
from accelscope.dsl.interpret.scope import BUILT_IN_MEMBERS, defines_name
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


class _LayerReader:
    """The layer that is being read into an index, and the path settings in it, which are applied last."""

    __slots__ = ("component", "index", "layer", "scope", "settings")

    def __init__(self, component: ComponentBase, index: MemberIndex, layer: ComponentLayer) -> None:
        self.component, self.index, self.layer = component, index, layer
        self.scope = Scope(layer.source, layer.outer, component=component, layer=layer)
        self.settings: list[PathSetting] = []

    def report(self, problem: EvaluationFailed) -> None:
        """Report an error of the layer."""
        self.component.interpreter.report(problem)


def build_member_index(component: ComponentBase) -> MemberIndex:
    """Return the index of a component; in each list of bindings and parts the strongest layer comes last."""
    index = MemberIndex()
    for layer in component.layer_list():
        reader = _LayerReader(component, index, layer)
        doc: list[str] = []
        for statement in layer.statements:
            if type(statement) is DocComment:
                doc.append(statement.text)
                continue
            _STATEMENT_READERS[type(statement)](reader, statement, "\n".join(doc))
            doc.clear()
        for setting in (*reader.settings, *layer.settings):
            _apply_setting(reader, setting)
    return index


# ---- one function a kind of statement


def _read_let(reader: _LayerReader, statement: LetStatement, doc: str) -> None:
    start = statement.start + len("let ")
    name_span = Span(reader.layer.source, start, start + len(statement.name))
    binding = _binding(reader, name_span, statement.value, doc, statement.params)
    if statement.params is not None and len(set(statement.params)) < len(statement.params):
        reader.report(EvaluationFailed("A103", f"`{statement.name}` repeats a parameter", name_span))
    _value_member(reader.index, statement.name, "let").bindings.append(binding)


def _read_assignment(reader: _LayerReader, statement: AssignStatement, doc: str) -> None:
    target = statement.target
    if type(target) is Name:
        span = target.span(reader.layer.source)
        name = _present_name(reader, target.id, span)
        member = reader.index.members.get(name)
        sort = "let" if member is not None and member.sort == "let" else "attribute"
        bindings = _value_member(reader.index, name, sort).bindings
        earlier = next((item.name_span for item in bindings if item.layer is reader.layer), None)
        if earlier is not None and earlier.text != target.id:
            _report_both_names(reader, name, span, earlier)
        bindings.append(_binding(reader, span, statement.value, doc))
        return
    try:
        names = flatten_path(target, reader.layer)
    except EvaluationFailed as problem:
        reader.report(problem)
        return
    setting = PathSetting(
        tuple(name for name, _ in names),
        tuple(span for _, span in names),
        reader.scope,
        node=statement.value,
        span=statement.value.span(reader.layer.source),
    )
    reader.settings.append(setting)


def _read_block(reader: _LayerReader, statement: BlockStatement, doc: str) -> None:
    source, start = reader.layer.source, statement.start
    kind_span = Span(source, start, start + len(statement.kind))
    interpreter = reader.component.interpreter
    kind = interpreter.fields.present_kind(reader.component.kind, statement.kind)
    if kind != statement.kind:
        interpreter.former_names.note(kind_span, kind)
        if statement.label is None:
            reader.index.aliases[statement.kind] = kind
    name = statement.label or kind
    table = reader.index.sources if statement.kind == "source" else reader.index.members
    member = table.get(name)
    if member is None or member.sort != "child":
        member = table[name] = Member(name, "child", kind)
    elif member.kind != kind:
        message = f"`{name}` is both a `{member.kind}` and a `{kind}`"
        reader.report(EvaluationFailed("A103", message, Span(source, start, start + 1)))
        return
    blocks = (part for part in member.parts if isinstance(part, BlockDeclaration))
    earlier = next((part.block for part in blocks if part.layer is reader.layer), None)
    if earlier is not None and earlier.kind != statement.kind:
        earlier_span = Span(source, earlier.start, earlier.start + len(earlier.kind))
        _report_both_names(reader, name, kind_span, earlier_span)
    member.parts.append(BlockDeclaration(statement, reader.scope, reader.layer, doc))


def _present_name(reader: _LayerReader, name: str, span: Span) -> str:
    """Return the present name of a field or inner block; keep a warning for a former one, unless it is a `let`."""
    member = reader.index.members.get(name)
    if member is not None and member.sort == "let":
        return name
    interpreter = reader.component.interpreter
    present = interpreter.fields.present_name(reader.component, name)
    if present != name:
        reader.index.aliases[name] = present
        interpreter.former_names.note(span, present)
    return present


def _report_both_names(reader: _LayerReader, name: str, span: Span, earlier: Span) -> None:
    """Report a member that one text defines under its present and its former name."""
    former, present = (earlier, span) if span.text == name else (span, earlier)
    note = f"`{former.text}` is the former name of `{present.text}`"
    message = f"`{name}` is repeated in this block"
    reader.report(EvaluationFailed("A103", message, span, notes=(note,), help="remove one of the two"))


def _collect_in(name: str) -> _StatementReader:
    def read(reader: _LayerReader, statement: Statement, doc: str) -> None:
        getattr(reader.index, name).append(ScopedStatement(statement, reader.scope, reader.layer))

    return read


def _binding(
    reader: _LayerReader, name_span: Span, value: Expr, doc: str, params: tuple[str, ...] | None = None
) -> Binding:
    span = value.span(reader.layer.source)
    return Binding(
        reader.scope, reader.layer, node=value, params=params, span=span, name_span=name_span, doc=doc
    )


def _value_member(index: MemberIndex, name: str, sort: str) -> Member:
    """Return the member that takes a value, in place of what weaker layers say of it."""
    member = index.members.get(name)
    if member is None or member.sort in ("child", "borrowed"):
        member = index.members[name] = Member(name, sort)
    member.sort = sort
    member.amends.clear()
    return member


# ---- values that are set along a path


def flatten_path(target: Expr, layer: ComponentLayer) -> list[tuple[str, Span]]:
    """Return the names of a dotted path with their places.

    Raises:
        EvaluationFailed: the path has a subscript or is not a path.
    """
    names: list[tuple[str, Span]] = []
    node = target
    while type(node) is Attr:
        names.append((node.name, Span(layer.source, node.end - len(node.name), node.end)))
        node = node.base
    if type(node) is not Name:
        raise EvaluationFailed(
            "A211",
            "a path that is set consists of names only",
            node.span(layer.source),
            help="all instances of a block are alike: leave the subscript out",
        )
    names.append((node.id, node.span(layer.source)))
    return names[::-1]


def _apply_setting(reader: _LayerReader, setting: PathSetting) -> None:
    first = _present_name(reader, setting.path[0], setting.spans[0])
    setting = setting.with_first(first)
    member = reader.index.members.get(first)
    if len(setting.path) == 1:
        _apply_value(reader, setting, member)
        return
    if member is None:
        member = _enclosing_or_new_member(reader, setting)
    if member is None:
        reader.report(unknown_member(reader.component, reader.index, first, setting.spans[0]))
        return
    layer = ComponentLayer(
        setting.scope.source,
        setting.scope,
        settings=(setting.rest(),),
        enclosing=setting.scope.layer,
        own=False,
        title=reader.layer.title,
    )
    if member.sort in ("attribute", "let"):
        member.amends.append(layer)
    else:
        member.parts.append(layer)


def _apply_value(reader: _LayerReader, setting: PathSetting, member: Member | None) -> None:
    name, component = setting.path[0], reader.component
    is_field = name == "count" or name in component.interpreter.fields.of(component)
    is_outside = any(
        defines_name(layer.outer, name) for layer in component.layer_list() if not layer.settings
    )
    if member is None and not is_field and not is_outside:
        reader.report(unknown_member(component, reader.index, name, setting.spans[0]))
        return
    is_let = member.sort == "let" if member is not None else is_outside and not is_field
    scope = setting.scope
    if setting.how != "file":
        scope = Scope(scope.source, scope, component=component, layer=reader.layer)
    binding = Binding(
        scope,
        reader.layer,
        node=setting.node,
        ready=setting.ready,
        span=setting.span,
        name_span=setting.spans[0],
        how=setting.how,
        text=setting.text,
    )
    _value_member(reader.index, name, "let" if is_let else "attribute").bindings.append(binding)


def _enclosing_or_new_member(reader: _LayerReader, setting: PathSetting) -> Member | None:
    """Return the member for the first name of a path that no layer gives: borrowed from around, or a new child."""
    name, component = setting.path[0], reader.component
    for layer in reversed(component.layer_list()):
        if not layer.settings and defines_name(layer.outer, name):
            member = Member(name, "borrowed", scope=layer.outer)
            break
    else:
        if not component.interpreter.fields.may_hold(component.kind, name):
            return None
        member = Member(name, "child", name)
    reader.index.members[name] = member
    return member


def unknown_member(
    component: ComponentBase, index: MemberIndex, name: str, span: Span | None = None
) -> EvaluationFailed:
    """Return the error for a name that a component does not have.

    Args:
        component: the component.
        index: its members, for suggestions.
        name: the name.
        span: the place of the name, if it is known here.
    """
    names = [*index.members, *component.interpreter.fields.of(component), *BUILT_IN_MEMBERS]
    message = f"`{component.name}` has no member `{name}`"
    return EvaluationFailed("A202", message, span, help=did_you_mean(name, names))


_StatementReader: TypeAlias = Callable[[_LayerReader, Statement, str], None]

_STATEMENT_READERS: dict[type, Callable[..., None]] = {
    LetStatement: _read_let,
    AssignStatement: _read_assignment,
    BlockStatement: _read_block,
    ConnectStatement: _collect_in("connects"),
    ConnectPatternStatement: _collect_in("connects"),
    CheckStatement: _collect_in("checks"),
    SweepStatement: _collect_in("sweeps"),
    GoalStatement: _collect_in("goals"),
    UseStatement: _collect_in("uses"),
}
