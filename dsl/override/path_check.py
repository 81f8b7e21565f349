"""Whether a whole path leads anywhere: each name is a member, a field, or something that the component uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from accelscope.dsl.diagnostics.problems import NOT_FOUND, EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.fields import TOP_LEVEL_KIND
from accelscope.dsl.interpret.scope import Scope, resolve_name
from accelscope.dsl.schema.schema import KindSchema, schema_of_kind
from accelscope.dsl.syntax.nodes import Name
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import Attribute


def check_path(scenario: Component, path: tuple[str, ...]) -> tuple[EvaluationFailed, int] | None:
    """Return what is wrong with a path from a scenario and with which of its names, or None."""
    at = scenario
    for place, name in enumerate(path):
        last = place == len(path) - 1
        try:
            if last:
                _end(at, name)
                return None
            inner = _step(at, name)
        except PoisonedValue:
            return None
        except EvaluationFailed as problem:
            return problem, place
        if inner is None:
            return _beyond(at, path, place)
        at = inner
    return None


def _end(at: Component, name: str) -> None:
    """See that a name can be set in a component.

    Raises:
        Problem: it cannot.
    """
    fields = at.session.fields
    if _is_block(at, name):
        raise EvaluationFailed(
            "A101", f"`{name}` is a block, not a value", help=f"set a value in it: `{name}.FIELD=...`"
        )
    if at.has(name) or name in fields.of(at) or _free(fields.schema(at), name):
        return
    if name == "count":
        if not _counted(at):
            raise _unknown(at, name)
        return
    if _outside(at, name) is NOT_FOUND or not _mentions(at, name):
        raise _unknown(at, name)


def _is_block(at: Component, name: str) -> bool:
    """Say whether a name is a block of a component, given or possible, rather than a field."""
    fields = at.session.fields
    member = at.index().members.get(name)
    if member is not None and member.sort == "child":
        return name not in fields.of(at)
    return member is None and name not in fields.of(at) and name in fields.inner_kinds(at.kind)


def _step(at: Component, name: str) -> Component | None:
    """Return the component behind a name of a path; None for a settings block that no text gives.

    Raises:
        Problem: the path ends before, or leads nowhere; Poisoned, where that cannot be told.
    """
    fields = at.session.fields
    if at.has(name):
        found = at.get(name)
        value = found.value if isinstance(found, Attribute) else found
        if value is None:
            raise PoisonedValue
        if isinstance(value, Component):
            return value
        raise EvaluationFailed("A202", f"`{name}` is a value, so nothing in it can be set")
    outside = _outside(at, name)
    if isinstance(outside, Component) and (_mentions(at, name) or _joined(at, name)):
        return outside
    if fields.may_hold(at.kind, name) and not at.children(name):
        return None
    if name in ("count", "shape", "name"):
        raise EvaluationFailed("A202", f"`{name}` is a value, so nothing in it can be set")
    if name in fields.of(at):
        raise EvaluationFailed("A202", f"`{name}` is not given in `{at.name}`, so nothing in it can be set")
    raise _unknown(at, name)


def _beyond(at: Component, path: tuple[str, ...], place: int) -> tuple[EvaluationFailed, int] | None:
    """Return what is wrong with the names in a settings block that no text gives."""
    fields, outer = at.session.fields, at.kind
    while place + 1 < len(path):
        kind, name = path[place], path[place + 1]
        schema = schema_of_kind(fields.schemas, kind, outer)
        known = schema.all_fields() if schema is not None else {}
        place, last = place + 1, place + 2 == len(path)
        if schema is None or (last and (name in known or _free(schema, name))):
            return None
        if last or not fields.may_hold(kind, name):
            notes, help = _listed("its fields are", known), did_you_mean(name, known)
            return EvaluationFailed("A202", f"`{kind}` has no member `{name}`", notes=notes, help=help), place
        outer = kind
    return None


def _free(schema: KindSchema | None, name: str) -> bool:
    """Say whether a block takes names of its own, such as `ops { bf16 = ... }`, and this one among them."""
    entries = [block.entries for block in schema.blocks()] if schema is not None else []
    return any(entry is not None and (not entry.choices or name in entry.choices) for entry in entries)


def _counted(at: Component) -> bool:
    """Say whether there can be several: a part with a name stands in another, settings and definitions do not."""
    given = at.block
    return given is not None and at.parent is not None and given.block.label is not None


def _unknown(at: Component, name: str) -> EvaluationFailed:
    """Return the problem of a name that cannot be set, with what could be."""
    fields = at.session.fields.of(at)
    message = f"`{at.name}` has no member `{name}`"
    if name == "count":
        notes = ("what is counted is a part with a name in another block", *_listed("its fields are", fields))
        return EvaluationFailed("A202", message, notes=notes)
    names = [*at.names(), *fields, *(("count",) if _counted(at) else ())]
    notes = _listed(f"its `{name}` blocks are", [child.name for child in at.children(name)])
    return EvaluationFailed("A202", message, notes=notes, help=did_you_mean(name, names))


def _listed(words: str, names: Iterable[str]) -> tuple[str, ...]:
    shown = ", ".join(f"`{name}`" for name in names)
    return (f"{words} {shown}",) if shown else ()


# ---- what a component uses of its file


def _outside(at: Component, name: str) -> object:
    """Return what a name means at the top of the files of a component's texts, unless it is a part of the way to it."""
    for scope in _files(at):
        value = resolve_name(scope, name)
        if value is not NOT_FOUND:
            itself = isinstance(value, Component) and any(_built_on(up, value) for up in _upwards(at))
            return NOT_FOUND if itself else value
    return NOT_FOUND


def _files(at: Component) -> Iterator[Scope]:
    for layer in at.layer_list():
        if not layer.settings and layer.outer is not None:
            *_, top = layer.outer.chain()
            if top.component is not None and top.component.kind == TOP_LEVEL_KIND:
                yield top


def _upwards(at: Component | None) -> Iterator[Component]:
    while at is not None:
        yield at
        at = at.parent


def _built_on(at: Component, base: Component) -> bool:
    given = base.block
    return given is not None and any(layer.block is given.block for layer in at.layer_list())


def _mentions(at: Component, name: str) -> bool:
    """Say whether a text of a component has a name."""
    return any(
        isinstance(node, Name) and node.id == name
        for layer in at.layer_list()
        for node in walk_nodes(layer.statements)
    )


def _joined(at: Component, name: str) -> bool:
    """Say whether a component is connected over a link of this name."""
    for up in _upwards(at):
        for item in up.connections():
            ends = [end.components for end in (item.left, item.right) if end is not None]
            if item.via is not None and item.via.name == name and any(at in end for end in ends):
                return True
    return False
