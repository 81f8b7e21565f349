"""`library`: the descriptions that plugins ship."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from accelscope.core.cli.command import VerbGroup
from accelscope.core.cli.common import open_session, print_diagnostics, print_message
from accelscope.core.cli.main import FINDINGS, OK, GlobalOptions
from accelscope.core.cli.options import output_options, root_option
from accelscope.core.errors import UsageError
from accelscope.core.io.files import ACCEL_SUFFIX, split_file_argument
from accelscope.core.io.output import open_output
from accelscope.core.render.document import Block, Paragraph, format_document_text
from accelscope.core.render.table import Column, make_table
from accelscope.core.render.table_formats import format_json
from accelscope.core.render.text_style import TextStyle, describe_stream
from accelscope.dsl.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.library.definitions import LibraryDefinition
    from accelscope.core.render.library_tables import DefinitionFacts
    from accelscope.core.session import Session
    from accelscope.dsl.diagnostics.diagnostics import Diagnostic

_FIELD_COLUMNS = (
    Column("field", wraps=True),
    Column("value", wraps=True),
    Column("tolerance", priority=1),
    Column("source", wraps=True, priority=2),
)


@click.group(cls=VerbGroup)
def library() -> None:
    """List, show, search or check the descriptions that plugins ship."""


@library.command("list")
@click.argument("module", required=False)
@click.option("--vendor", metavar="NAME", help="Only what a vendor makes, and systems of it.")
@click.option("--kind", metavar="NAME", help="Only of a kind: package (accelerators), node, model, link, ...")
@click.option("--class", "class_", metavar="NAME", help="Only of an engine or memory: systolic, hbm3e, ...")
@click.option("--all", "everything", is_flag=True, help="Also list links, dies, data types and other parts.")
@output_options("table", "json")
@click.pass_obj
def list_(
    settings: GlobalOptions,
    module: str | None,
    kind: str | None,
    vendor: str | None,
    class_: str | None,
    everything: bool,
    form: str,
    output: str | None,
) -> None:
    """List accelerators, systems and models with their peaks, memory and sizes.

    With a MODULE such as `std.nvidia` everything that it defines, without one what systems are made of is left out.
    Peaks are dense, in FLOP/s of bf16 unless another type is named. Memory of a system is that of all its devices,
    its network what one device sends to its nearest neighbours, one way. `--class` is of the columns ENGINE and CLASS:
    the engine with the peak, and the memory that holds weights. JSON always has all.
    """
    from accelscope.core.library.definitions import list_definitions
    from accelscope.core.render.library_search import list_vendors
    from accelscope.core.render.library_tables import (
        PRIMARY_KINDS,
        build_library_blocks,
        classify_hardware,
        is_base_model,
    )

    session = open_session(settings)
    _refuse_unknown(module, session)
    found = list(list_definitions(session, module))
    if kind is None and form == "table" and module is None and not everything:
        found = [item for item in found if item.component.kind in PRIMARY_KINDS and not is_base_model(item)]
    found = _only("--kind", kind, found, lambda item: (item.component.kind,))
    found = _only("--vendor", vendor, found, lambda item: list_vendors(item.component))
    known = _known(found, session)
    found = _only("--class", class_, found, lambda item: classify_hardware(known[item.name]))
    with open_output(output) as stream:
        stream.write(_listed(found, form, known, build_library_blocks, describe_stream(stream)))


@library.command()
@click.argument("words", nargs=-1, required=True)
@output_options("table", "json")
@click.pass_obj
def search(settings: GlobalOptions, words: tuple[str, ...], form: str, output: str | None) -> None:
    """List the definitions that hold all WORDS, each word anywhere in them, the closest first.

    Looked into are names, aliases, vendor, kind, documentation, what a definition extends, and names, kinds and classes
    of the blocks in it, such as `wafer sram` or `google systolic`. Case, hyphens and underscores do not matter.
    """
    from accelscope.core.library.definitions import list_definitions
    from accelscope.core.render.library_search import search_definitions
    from accelscope.core.render.library_tables import build_match_blocks

    session = open_session(settings)
    everything = list(list_definitions(session))
    wanted = [word for text in words for word in text.split()]
    found = search_definitions(everything, wanted)
    with open_output(output) as stream:
        known = _known(found, session)
        stream.write(_listed(found, form, known, build_match_blocks, describe_stream(stream)))
    if not found:
        print_message(_nothing(everything, wanted))


@library.command()
@click.argument("name")
@root_option()
@click.option("--picture/--no-picture", default=True, help="Whether a picture of the blocks comes first.")
@output_options("table", "json", "svg")
@click.pass_obj
def show(
    settings: GlobalOptions, name: str, form: str, picture: bool, root: tuple[str, ...], output: str | None
) -> None:
    """Show one definition: its blocks as a picture, then all values with tolerances and sources.

    NAME is a full name, a short name or an alias, in any case, or FILE.accel:NAME for a definition of a file.
    `--format svg -o FILE` draws the picture.
    """
    session = open_session(settings, root)
    item = _one(session, name)
    with open_output(output) as stream:
        if form == "json":
            text = format_json(_whole(item, session))
        elif form == "svg":
            text = _svg(item, session)
        else:
            style = describe_stream(stream)
            text = format_document_text(_shown(item, session, picture, style.width), style)
        stream.write(text.rstrip("\n") + "\n")


@library.command()
@click.argument("module", required=False)
@click.pass_obj
def check(settings: GlobalOptions, module: str | None) -> int:
    """Check all modules, or one, with lints: values without a source, implausible ones, failed checks.

    Exits with 1 where something is found.
    """
    from accelscope.dsl.check.program import load_program

    session = open_session(settings)
    _refuse_unknown(module, session)
    names = [module] if module is not None else list(session.library.modules())
    found: list[Diagnostic] = []
    for name in names:
        source = session.library.library(name)
        if source is not None:
            found.extend(load_program(source, session.language()).check(lint=True))
    found = list(dict.fromkeys(found))
    print_diagnostics(found, sys.stdout)
    if not found:
        print_message(f"{len(names)} module{'s' * (len(names) > 1)}: nothing found")
    return FINDINGS if found else OK


def _refuse_unknown(module: str | None, session: Session) -> None:
    known = session.library.modules()
    if module is not None and module not in known:
        hint = did_you_mean(module, known) or f"there are {', '.join(known)}"
        raise UsageError(f"there is no module `{module}`; {hint}")


def _one(session: Session, name: str) -> LibraryDefinition:
    """Return the only definition of a name, or of `FILE.accel:NAME`."""
    from accelscope.core.library.definitions import find_definitions, list_definitions, load_file_definition
    from accelscope.core.render.library_search import suggest_definitions
    from accelscope.core.render.library_tables import PRIMARY_KINDS

    file, label = split_file_argument(name)
    if file:
        return load_file_definition(session, file, label)
    if name.endswith(ACCEL_SUFFIX):
        raise UsageError(f"`{name}` is a file; say which of its definitions, as `{name}:NAME`")
    everything = list(list_definitions(session))
    found = find_definitions(everything, name)
    if not found:
        raise UsageError(
            f"the library holds no `{name}`; {suggest_definitions(everything, name, PRIMARY_KINDS)}"
        )
    if len(found) > 1:
        raise UsageError(f"`{name}` is any of {', '.join(f'`{item.name}`' for item in found)}")
    return found[0]


def _nothing(everything: Sequence[LibraryDefinition], words: Sequence[str]) -> str:
    """Return why a search finds nothing: a word that is nowhere, or how much each of them finds alone."""
    from accelscope.core.render.library_search import search_definitions
    from accelscope.core.render.library_tables import PRIMARY_KINDS

    alone = {word: len(search_definitions(everything, [word])) for word in words}
    absent = [word for word, count in alone.items() if not count]
    if absent:
        known = [item.component.name for item in everything if item.component.kind in PRIMARY_KINDS]
        meant = did_you_mean(absent[0], known)
        return f"nothing in the library holds `{absent[0]}`" + (f"; {meant}" if meant else "")
    counts = ", ".join(f"`{word}` finds {count}" for word, count in alone.items())
    return f"nothing in the library holds all of `{' '.join(words)}`; alone, {counts}"


def _shown(item: LibraryDefinition, session: Session, picture: bool, width: int | None) -> Iterator[Block]:
    """Yield what a definition is, a picture of its blocks, and its values."""
    from accelscope.core.library.definitions import list_resolved_values
    from accelscope.core.render.library_tables import read_definition_facts, summarize_facts

    component = item.component
    facts = summarize_facts(read_definition_facts(item, session.registry))
    title = f"{component.kind} {item.name}" + (f": {item.doc}" if item.doc else "")
    yield f"{title}\n{facts}" if facts else title
    if picture and _drawable(item):
        from accelscope.core.render.block_diagram import build_block_diagram
        from accelscope.core.render.block_diagram_text import render_diagram_text

        yield Paragraph(
            render_diagram_text(build_block_diagram(component, session.registry), width), indent="    "
        )
    rows = [
        (row["path"], row["value"], row["tolerance"], row["source"])
        for row in list_resolved_values(component)
    ]
    yield make_table(_FIELD_COLUMNS, rows)


def _whole(item: LibraryDefinition, session: Session) -> dict[str, Any]:
    from accelscope.core.library.definitions import list_resolved_values
    from accelscope.core.render.library_tables import read_definition_facts, summarize_definition

    return summarize_definition(item, read_definition_facts(item, session.registry)) | {
        "fields": list(list_resolved_values(item.component))
    }


def _svg(item: LibraryDefinition, session: Session) -> str:
    from accelscope.core.render.block_diagram import build_block_diagram
    from accelscope.core.render.block_diagram_svg import render_diagram_svg

    if not _drawable(item):
        raise UsageError(
            f"a {item.component.kind} has no blocks to draw; `{item.name}` needs another --format"
        )
    return render_diagram_svg(build_block_diagram(item.component, session.registry))


def _drawable(item: LibraryDefinition) -> bool:
    """Say whether a definition is hardware with blocks in it."""
    from accelscope.core.render.block_diagram import DIAGRAM_KINDS

    component = item.component
    return component.kind in DIAGRAM_KINDS and any(
        child.kind in DIAGRAM_KINDS for child in component.children()
    )


def _only(
    option: str,
    asked: str | None,
    found: list[LibraryDefinition],
    words: Callable[[LibraryDefinition], Iterable[str]],
) -> list[LibraryDefinition]:
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


def _known(found: Iterable[LibraryDefinition], session: Session) -> dict[str, DefinitionFacts]:
    from accelscope.core.render.library_tables import read_definition_facts

    return {item.name: read_definition_facts(item, session.registry) for item in found}


def _listed(
    found: Sequence[LibraryDefinition],
    form: str,
    known: Mapping[str, DefinitionFacts],
    blocks: Callable[[Sequence[LibraryDefinition], Mapping[str, DefinitionFacts]], Iterator[Block]],
    style: TextStyle,
) -> str:
    """Return definitions as JSON or as the text of some blocks; the text of none is empty."""
    if form == "json":
        from accelscope.core.render.library_tables import summarize_definition

        return format_json([summarize_definition(item, known[item.name]) for item in found])
    return format_document_text(blocks(found, known), style) if found else ""
