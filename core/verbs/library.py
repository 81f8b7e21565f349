"""`library`: the descriptions that plugins ship."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from accelscope.core.cli import FINDINGS, OK, Settings
from accelscope.core.errors import UsageError
from accelscope.core.output import opened
from accelscope.core.show.tabulate import tabulate
from accelscope.core.verbs.shared import open_session, print_diagnostics, say
from accelscope.dsl.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.session import Session
    from accelscope.core.show.shelf import Item
    from accelscope.dsl.diagnostics import Diagnostic

_FORMAT = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)


@click.group()
def library() -> None:
    """List, show, search or check the descriptions that plugins ship."""


@library.command("list")
@click.argument("module", required=False)
@click.option("--kind", metavar="NAME", help="Only package, node, model, link, ...")
@click.option("--all", "everything", is_flag=True, help="Also links, dies, data types and other parts.")
@_FORMAT
@click.pass_obj
def list_(settings: Settings, module: str | None, kind: str | None, everything: bool, form: str) -> None:
    """List accelerators, systems and models with their peaks, memory and sizes.

    With a MODULE such as `std.nvidia` everything that it defines, without one what systems are made of is left out.
    Peaks are dense, in FLOP/s of bf16 unless another type is named. Memory of a system is that of all its devices,
    its network what one device sends to its nearest neighbours, one way. JSON always has all.
    """
    from accelscope.core.show.listing import MAIN, base_only
    from accelscope.core.show.shelf import items

    session = open_session(settings)
    _refuse_unknown(module, session)
    found = list(items(session, module))
    if kind is not None:
        kinds = sorted({item.component.kind for item in found})
        if kind not in kinds:
            hint = did_you_mean(kind, kinds) or f"there are {', '.join(kinds)}"
            raise UsageError(f"--kind: nothing is of kind `{kind}`; {hint}")
        found = [item for item in found if item.component.kind == kind]
    elif form == "table" and module is None and not everything:
        found = [item for item in found if item.component.kind in MAIN and not base_only(item)]
    _print(found, form, session)


@library.command()
@click.argument("words", nargs=-1, required=True)
@_FORMAT
@click.pass_obj
def search(settings: Settings, words: tuple[str, ...], form: str) -> None:
    """List the definitions that hold all WORDS, the best first.

    Words are looked for in names, aliases, vendor, kind, documentation, and the classes of memories and engines.
    """
    from accelscope.core.show.shelf import items, searched

    session = open_session(settings)
    everything = list(items(session))
    found = searched(everything, words)
    _print(found, form, session, ranked=True)
    if not found:
        hints = (did_you_mean(word.casefold(), _vocabulary(everything)) for word in words)
        hint = next((text for text in hints if text), "")
        say(f"nothing in the library holds `{' '.join(words)}`" + (f"; {hint}" if hint else ""))


@library.command()
@click.argument("name")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "svg"]), default="table", show_default=True
)
@click.option("--picture/--no-picture", default=True, help="Whether the table begins with the blocks.")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of to standard output.")
@click.pass_obj
def show(settings: Settings, name: str, form: str, picture: bool, output: str | None) -> None:
    """Show one definition: its blocks as a picture, then all values with tolerances and sources.

    NAME is a full name, a short name or an alias, in any case. `--format svg -o FILE` draws the picture.
    """
    session = open_session(settings)
    item = _one(session, name)
    with opened(output) as stream:
        if form == "json":
            text = json.dumps(_whole(item, session), indent=2, ensure_ascii=False)
        elif form == "svg":
            text = _svg(item, session)
        else:
            text = _table(item, session, picture)
        stream.write(text.rstrip("\n") + "\n")


@library.command()
@click.argument("module", required=False)
@click.pass_obj
def check(settings: Settings, module: str | None) -> int:
    """Check all modules, or one, with lints: values without a source, implausible ones, failed checks.

    Exits with 1 where something is found.
    """
    from accelscope.dsl.program import load

    session = open_session(settings)
    _refuse_unknown(module, session)
    names = [module] if module is not None else list(session.library.modules())
    found: list[Diagnostic] = []
    for name in names:
        source = session.library.library(name)
        if source is not None:
            found.extend(load(source, session.language()).check(lint=True))
    found = list(dict.fromkeys(found))
    print_diagnostics(found, settings, sys.stdout)
    if not found:
        say(f"{len(names)} module{'s' * (len(names) > 1)}: nothing found")
    return FINDINGS if found else OK


def _refuse_unknown(module: str | None, session: Session) -> None:
    known = session.library.modules()
    if module is not None and module not in known:
        hint = did_you_mean(module, known) or f"there are {', '.join(known)}"
        raise UsageError(f"there is no module `{module}`; {hint}")


def _one(session: Session, name: str) -> Item:
    """Return the only definition of a name."""
    from accelscope.core.show.shelf import items, named

    everything = list(items(session))
    found = named(everything, name)
    if not found:
        hint = did_you_mean(name, _vocabulary(everything))
        raise UsageError(f"the library holds no `{name}`; " + (hint or "`accelscope library list` lists all"))
    if len(found) > 1:
        raise UsageError(f"`{name}` is any of {', '.join(f'`{item.name}`' for item in found)}")
    return found[0]


def _vocabulary(everything: Sequence[Item]) -> list[str]:
    """Return the names by which definitions are asked for; short ones only, since a hint weighs 500 at most."""
    from accelscope.core.show.listing import MAIN

    return sorted({item.component.name for item in everything if item.component.kind in MAIN})


def _table(item: Item, session: Session, picture: bool) -> str:
    from accelscope.core.show.shelf import fields

    component = item.component
    parts = [f"{component.kind} {item.name}" + (f": {item.doc}" if item.doc else "")]
    if picture and _drawable(item):
        from accelscope.core.show.picture import picture_of
        from accelscope.core.show.picture_text import drawn

        parts.append(drawn(picture_of(component, session.registry)))
    rows = [[row["path"], row["value"], row["tolerance"], row["source"]] for row in fields(component)]
    parts.append(tabulate(rows, ("FIELD", "VALUE", "TOLERANCE", "SOURCE")))
    return "\n\n".join(parts)


def _whole(item: Item, session: Session) -> dict[str, Any]:
    from accelscope.core.show.listing import known_of, plain
    from accelscope.core.show.shelf import fields

    return plain(item, known_of(item, session.registry)) | {"fields": list(fields(item.component))}


def _svg(item: Item, session: Session) -> str:
    from accelscope.core.show.picture import picture_of
    from accelscope.core.show.picture_svg import svg

    if not _drawable(item):
        raise UsageError(
            f"a {item.component.kind} has no blocks to draw; `{item.name}` needs another --format"
        )
    return svg(picture_of(item.component, session.registry))


def _drawable(item: Item) -> bool:
    """Say whether a definition is hardware with blocks in it."""
    from accelscope.core.show.picture import DRAWN

    component = item.component
    return component.kind in DRAWN and any(child.kind in DRAWN for child in component.children())


def _print(found: Sequence[Item], form: str, session: Session, *, ranked: bool = False) -> None:
    from accelscope.core.show.listing import found_table, known_of, plain, tables

    known = {item.name: known_of(item, session.registry) for item in found}
    if form == "json":
        listed = [plain(item, known[item.name]) for item in found]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif found:
        click.echo(found_table(found, known) if ranked else tables(found, known))
