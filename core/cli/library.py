"""`library`: the descriptions that plugins ship."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from accelscope.core.cli.common import open_session, print_diagnostics, say
from accelscope.core.cli.main import FINDINGS, OK, Settings
from accelscope.core.errors import UsageError
from accelscope.core.io.files import SUFFIX, parted
from accelscope.core.io.output import opened
from accelscope.core.render.table import tabulate
from accelscope.dsl.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.library.definitions import Item
    from accelscope.core.render.library_tables import Known
    from accelscope.core.session import Session
    from accelscope.dsl.diagnostics.diagnostics import Diagnostic

_FORMAT = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)


@click.group()
def library() -> None:
    """List, show, search or check the descriptions that plugins ship."""


@library.command("list")
@click.argument("module", required=False)
@click.option("--kind", metavar="NAME", help="Only of a kind: package (accelerators), node, model, link, ...")
@click.option("--vendor", metavar="NAME", help="Only what a vendor makes, and systems of it.")
@click.option("--class", "class_", metavar="NAME", help="Only of an engine or memory: systolic, hbm3e, ...")
@click.option("--all", "everything", is_flag=True, help="Also links, dies, data types and other parts.")
@_FORMAT
@click.pass_obj
def list_(
    settings: Settings,
    module: str | None,
    kind: str | None,
    vendor: str | None,
    class_: str | None,
    everything: bool,
    form: str,
) -> None:
    """List accelerators, systems and models with their peaks, memory and sizes.

    With a MODULE such as `std.nvidia` everything that it defines, without one what systems are made of is left out.
    Peaks are dense, in FLOP/s of bf16 unless another type is named. Memory of a system is that of all its devices,
    its network what one device sends to its nearest neighbours, one way. `--class` is of the columns ENGINE and CLASS:
    the engine with the peak, and the memory that holds weights. JSON always has all.
    """
    from accelscope.core.library.definitions import items
    from accelscope.core.render.library_search import vendors_of
    from accelscope.core.render.library_tables import MAIN, base_only, classes_of

    session = open_session(settings)
    _refuse_unknown(module, session)
    found = list(items(session, module))
    if kind is None and form == "table" and module is None and not everything:
        found = [item for item in found if item.component.kind in MAIN and not base_only(item)]
    found = _only("--kind", kind, found, lambda item: (item.component.kind,))
    found = _only("--vendor", vendor, found, lambda item: vendors_of(item.component))
    known = _known(found, session)
    found = _only("--class", class_, found, lambda item: classes_of(known[item.name]))
    _print(found, form, known)


@library.command()
@click.argument("words", nargs=-1, required=True)
@_FORMAT
@click.pass_obj
def search(settings: Settings, words: tuple[str, ...], form: str) -> None:
    """List the definitions that hold all WORDS, each word anywhere in them, the closest first.

    Looked into are names, aliases, vendor, kind, documentation, what a definition extends, and names, kinds and classes
    of the blocks in it, such as `wafer sram` or `google systolic`. Case, hyphens and underscores do not matter.
    """
    from accelscope.core.library.definitions import items
    from accelscope.core.render.library_search import searched

    session = open_session(settings)
    everything = list(items(session))
    wanted = [word for text in words for word in text.split()]
    found = searched(everything, wanted)
    _print(found, form, _known(found, session), ranked=True)
    if not found:
        say(_nothing(everything, wanted))


@library.command()
@click.argument("name")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "svg"]), default="table", show_default=True
)
@click.option("--picture/--no-picture", default=True, help="Whether the table begins with the blocks.")
@click.option("--root", multiple=True, metavar="DIR", help="Also allow `use` of files below DIR.")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of to standard output.")
@click.pass_obj
def show(
    settings: Settings, name: str, form: str, picture: bool, root: tuple[str, ...], output: str | None
) -> None:
    """Show one definition: its blocks as a picture, then all values with tolerances and sources.

    NAME is a full name, a short name or an alias, in any case, or FILE.accel:NAME for a definition of a file.
    `--format svg -o FILE` draws the picture.
    """
    session = open_session(settings, root)
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
    from accelscope.dsl.check.program import load

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
    """Return the only definition of a name, or of `FILE.accel:NAME`."""
    from accelscope.core.library.definitions import items, named, of_file
    from accelscope.core.render.library_search import hint
    from accelscope.core.render.library_tables import MAIN

    file, label = parted(name)
    if file:
        return of_file(session, file, label)
    if name.endswith(SUFFIX):
        raise UsageError(f"`{name}` is a file; say which of its definitions, as `{name}:NAME`")
    everything = list(items(session))
    found = named(everything, name)
    if not found:
        raise UsageError(f"the library holds no `{name}`; {hint(everything, name, MAIN)}")
    if len(found) > 1:
        raise UsageError(f"`{name}` is any of {', '.join(f'`{item.name}`' for item in found)}")
    return found[0]


def _nothing(everything: Sequence[Item], words: Sequence[str]) -> str:
    """Return why a search finds nothing: a word that is nowhere, or how much each of them finds alone."""
    from accelscope.core.render.library_search import searched
    from accelscope.core.render.library_tables import MAIN

    alone = {word: len(searched(everything, [word])) for word in words}
    absent = [word for word, count in alone.items() if not count]
    if absent:
        known = [item.component.name for item in everything if item.component.kind in MAIN]
        meant = did_you_mean(absent[0], known)
        return f"nothing in the library holds `{absent[0]}`" + (f"; {meant}" if meant else "")
    counts = ", ".join(f"`{word}` finds {count}" for word, count in alone.items())
    return f"nothing in the library holds all of `{' '.join(words)}`; alone, {counts}"


def _table(item: Item, session: Session, picture: bool) -> str:
    from accelscope.core.library.definitions import fields
    from accelscope.core.render.library_tables import glance, known_of

    component = item.component
    told = glance(known_of(item, session.registry))
    parts = [
        f"{component.kind} {item.name}"
        + (f": {item.doc}" if item.doc else "")
        + (f"\n{told}" if told else "")
    ]
    if picture and _drawable(item):
        from accelscope.core.render.block_diagram import picture_of
        from accelscope.core.render.block_diagram_text import drawn

        parts.append(drawn(picture_of(component, session.registry)))
    rows = [[row["path"], row["value"], row["tolerance"], row["source"]] for row in fields(component)]
    parts.append(tabulate(rows, ("FIELD", "VALUE", "TOLERANCE", "SOURCE")))
    return "\n\n".join(parts)


def _whole(item: Item, session: Session) -> dict[str, Any]:
    from accelscope.core.library.definitions import fields
    from accelscope.core.render.library_tables import known_of, plain

    return plain(item, known_of(item, session.registry)) | {"fields": list(fields(item.component))}


def _svg(item: Item, session: Session) -> str:
    from accelscope.core.render.block_diagram import picture_of
    from accelscope.core.render.block_diagram_svg import svg

    if not _drawable(item):
        raise UsageError(
            f"a {item.component.kind} has no blocks to draw; `{item.name}` needs another --format"
        )
    return svg(picture_of(item.component, session.registry))


def _drawable(item: Item) -> bool:
    """Say whether a definition is hardware with blocks in it."""
    from accelscope.core.render.block_diagram import DRAWN

    component = item.component
    return component.kind in DRAWN and any(child.kind in DRAWN for child in component.children())


def _only(
    option: str, asked: str | None, found: list[Item], words: Callable[[Item], Iterable[str]]
) -> list[Item]:
    """Return what has a word, in any case; all where none is asked for; refuse a word that nothing has."""
    if asked is None:
        return found
    having = [(item, frozenset(words(item))) for item in found]
    kept = [item for item, own in having if asked.casefold() in map(str.casefold, own)]
    if not kept:
        known = sorted({word for _, own in having for word in own})
        meant = did_you_mean(asked, known) or f"there are {', '.join(known) or 'none'}"
        raise UsageError(f"{option}: nothing here is of `{asked}`; {meant}")
    return kept


def _known(found: Iterable[Item], session: Session) -> dict[str, Known]:
    from accelscope.core.render.library_tables import known_of

    return {item.name: known_of(item, session.registry) for item in found}


def _print(found: Sequence[Item], form: str, known: Mapping[str, Known], *, ranked: bool = False) -> None:
    from accelscope.core.render.library_tables import found_table, plain, tables

    if form == "json":
        listed = [plain(item, known[item.name]) for item in found]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif found:
        click.echo(found_table(found, known) if ranked else tables(found, known))
