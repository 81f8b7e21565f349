"""Whether a path can be set: each name is a member, a field, or something that the component uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from accelscope.dsl.diagnostics.problems import NOT_FOUND, EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.connections import evaluate_connections
from accelscope.dsl.interpret.layers import Scope
from accelscope.dsl.interpret.scope import resolve_name
from accelscope.dsl.schema.schema import KindSchema, schema_of_kind
from accelscope.dsl.schema.schema_index import TOP_LEVEL_KIND
from accelscope.dsl.syntax.nodes import Name
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import Attribute


def check_path(scenario: Component, path: tuple[str, ...]) -> tuple[EvaluationFailed, int] | None:
    """Return the error of a path from a scenario and the index of the name at fault, or None."""
    component = scenario
    for position, name in enumerate(path):
        try:
            if position == len(path) - 1:
                _check_last(component, name)
                return None
            inner = _step_into(component, name)
        except PoisonedValue:
            return None
        except EvaluationFailed as problem:
            return problem, position
        if inner is None:
            return _check_absent_block(component, path, position)
        component = inner
    return None


def _check_last(component: Component, name: str) -> None:
    """Check that a name can be set in a component.

    Raises:
        EvaluationFailed: it cannot.
    """
    fields = component.interpreter.fields
    if _is_block(component, name):
        raise EvaluationFailed(
            "A101", f"`{name}` is a block, not a value", help=f"set one of its fields: `{name}.FIELD=...`"
        )
    if component.has(name) or name in fields.of(component) or _takes_entry(fields.schema(component), name):
        return
    if name == "count":
        if not _may_have_count(component):
            raise _unknown_member(component, name)
        return
    if _file_value(component, name) is NOT_FOUND or not _mentions(component, name):
        raise _unknown_member(component, name)


def _is_block(component: Component, name: str) -> bool:
    """Return whether a name is a block of a component, present or allowed, rather than a field."""
    fields = component.interpreter.fields
    member = component.index().members.get(name)
    if member is not None and member.sort == "child":
        return name not in fields.of(component)
    return member is None and name not in fields.of(component) and name in fields.inner_kinds(component.kind)


def _step_into(component: Component, name: str) -> Component | None:
    """Return the component that a name of a path refers to, or None for a settings block that no text has.

    Raises:
        EvaluationFailed: the name is a value, or there is no such member.
        PoisonedValue: the member has an error, which has been reported.
    """
    fields = component.interpreter.fields
    if component.has(name):
        member = component.get(name)
        value = member.value if isinstance(member, Attribute) else member
        if value is None:
            raise PoisonedValue
        if isinstance(value, Component):
            return value
        raise EvaluationFailed("A202", f"`{name}` is a value, so it has no fields to set")
    from_file = _file_value(component, name)
    if isinstance(from_file, Component) and (_mentions(component, name) or _connects_over(component, name)):
        return from_file
    if fields.may_hold(component.kind, name) and not component.children(name):
        return None
    if name in ("count", "shape", "name"):
        raise EvaluationFailed("A202", f"`{name}` is a value, so it has no fields to set")
    if name in fields.of(component):
        raise EvaluationFailed(
            "A202", f"`{component.name}` has no value for `{name}`, so no field of it can be set"
        )
    raise _unknown_member(component, name)


def _check_absent_block(
    component: Component, path: tuple[str, ...], position: int
) -> tuple[EvaluationFailed, int] | None:
    """Return the error of the names in a settings block that no text has, or None."""
    fields, outer = component.interpreter.fields, component.kind
    while position + 1 < len(path):
        kind, name = path[position], path[position + 1]
        schema = schema_of_kind(fields.schemas, kind, outer)
        known = schema.all_fields() if schema is not None else {}
        position, last = position + 1, position + 2 == len(path)
        if schema is None or (last and (name in known or _takes_entry(schema, name))):
            return None
        if last or not fields.may_hold(kind, name):
            notes, help = _list_note("its fields are", known), did_you_mean(name, known)
            return EvaluationFailed(
                "A202", f"`{kind}` has no member `{name}`", notes=notes, help=help
            ), position
        outer = kind
    return None


def _takes_entry(schema: KindSchema | None, name: str) -> bool:
    """Return whether a block takes free entries such as `ops { bf16 = ... }`, and this name is allowed as one."""
    entries = [block.entries for block in schema.blocks()] if schema is not None else []
    return any(entry is not None and (not entry.choices or name in entry.choices) for entry in entries)


def _may_have_count(component: Component) -> bool:
    """Return whether a block can have a count: a part with a label can, settings and definitions cannot."""
    declaration = component.block
    return declaration is not None and component.parent is not None and declaration.block.label is not None


def _unknown_member(component: Component, name: str) -> EvaluationFailed:
    """Return the error for a name that cannot be set, with the names that can."""
    fields = component.interpreter.fields.of(component)
    message = f"`{component.name}` has no member `{name}`"
    if name == "count":
        notes = (
            "only a labelled block inside another block has a count",
            *_list_note("its fields are", fields),
        )
        return EvaluationFailed("A202", message, notes=notes)
    names = [*component.names(), *fields, *(("count",) if _may_have_count(component) else ())]
    notes = _list_note(f"its `{name}` blocks are", [child.name for child in component.children(name)])
    return EvaluationFailed("A202", message, notes=notes, help=did_you_mean(name, names))


def _list_note(words: str, names: Iterable[str]) -> tuple[str, ...]:
    shown = ", ".join(f"`{name}`" for name in names)
    return (f"{words} {shown}",) if shown else ()


# ---- what a component uses from its file


def _file_value(component: Component, name: str) -> object:
    """Return the value of a name at the top of the files of a component's texts, unless it is one of its own bases."""
    for scope in _files(component):
        value = resolve_name(scope, name)
        if value is not NOT_FOUND:
            is_base = isinstance(value, Component) and any(
                _inherits_from(outer, value) for outer in _enclosing(component)
            )
            return NOT_FOUND if is_base else value
    return NOT_FOUND


def _files(component: Component) -> Iterator[Scope]:
    for layer in component.layer_list():
        if not layer.settings and layer.outer is not None:
            *_, top = layer.outer.chain()
            if top.component is not None and top.component.kind == TOP_LEVEL_KIND:
                yield top


def _enclosing(component: Component | None) -> Iterator[Component]:
    while component is not None:
        yield component
        component = component.parent


def _inherits_from(component: Component, base: Component) -> bool:
    declaration = base.block
    return declaration is not None and any(
        layer.block is declaration.block for layer in component.layer_list()
    )


def _mentions(component: Component, name: str) -> bool:
    """Return whether a text of a component uses a name."""
    return any(
        isinstance(node, Name) and node.id == name
        for layer in component.layer_list()
        for node in walk_nodes(layer.statements)
    )


def _connects_over(component: Component, name: str) -> bool:
    """Return whether a component is connected over a link of this name."""
    for outer in _enclosing(component):
        for item in evaluate_connections(outer):
            ends = [end.components for end in (item.left, item.right) if end is not None]
            if item.via is not None and item.via.name == name and any(component in end for end in ends):
                return True
    return False
