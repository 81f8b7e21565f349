"""`library`: the descriptions that plugins ship."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import rich_click as click

from accelscope.core.cli import Settings
from accelscope.core.errors import UsageError
from accelscope.core.show.tabulate import tabulate
from accelscope.core.verbs.shared import open_session, say
from accelscope.dsl.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.show.shelf import Item

_FORMAT = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)


@click.group()
def library() -> None:
    """List, show or search the descriptions that plugins ship."""


@library.command("list")
@click.argument("module", required=False)
@_FORMAT
@click.pass_obj
def list_(settings: Settings, module: str | None, form: str) -> None:
    """List the definitions of all modules, or of one such as `std.nvidia`."""
    from accelscope.core.show.shelf import items

    session = open_session(settings)
    known = session.library.modules()
    if module is not None and module not in known:
        hint = did_you_mean(module, known)
        raise UsageError(f"there is no module `{module}`; " + (hint or f"there are {', '.join(known)}"))
    _print(items(session, module), form)


@library.command()
@click.argument("word")
@_FORMAT
@click.pass_obj
def search(settings: Settings, word: str, form: str) -> None:
    """List the definitions whose name, alias, vendor or documentation holds a word."""
    from accelscope.core.show.shelf import items

    folded = word.casefold()
    found = [item for item in items(open_session(settings)) if any(folded in text for text in item.words)]
    _print(found, form)
    say("" if found else f"nothing in the library holds `{word}`")


@library.command()
@click.argument("name")
@_FORMAT
@click.pass_obj
def show(settings: Settings, name: str, form: str) -> None:
    """Print the resolved values of one definition with their units, tolerances and sources."""
    from accelscope.core.show.shelf import fields, items, named

    session = open_session(settings)
    found = named(session, name)
    if not found:
        hint = did_you_mean(
            name, [each for item in items(session) for each in (item.name, item.component.name)]
        )
        raise UsageError(f"the library holds no `{name}`; " + (hint or "`accelscope library list` lists all"))
    if len(found) > 1:
        raise UsageError(f"`{name}` is any of {', '.join(f'`{item.name}`' for item in found)}")
    item, values = found[0], list(fields(found[0].component))
    if form == "json":
        click.echo(json.dumps(_brief(item) | {"fields": values}, indent=2, ensure_ascii=False))
        return
    click.echo(f"{item.component.kind} {item.name}" + (f": {item.doc}" if item.doc else ""))
    rows = [[value["path"], value["value"], value["tolerance"], value["source"]] for value in values]
    click.echo(tabulate(rows, ("FIELD", "VALUE", "TOLERANCE", "SOURCE")))


def _print(found: Iterable[Item], form: str) -> None:
    listed = [_brief(item) for item in found]
    if form == "json":
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif listed:
        click.echo(tabulate([list(item.values()) for item in listed], ("NAME", "KIND", "WHAT IT IS")))


def _brief(item: Item) -> dict[str, str]:
    return {"name": item.name, "kind": item.component.kind, "doc": item.doc}
