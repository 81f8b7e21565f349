"""`plugins`: who is installed, what each registers, and what does not work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import open_session, print_message
from accelscope.core.cli.main import FINDINGS, OK, GlobalOptions
from accelscope.core.cli.options import output_options
from accelscope.core.io.output import open_output
from accelscope.core.plugin.identity import Plugin, PluginFailure
from accelscope.core.plugin.registry import Registry
from accelscope.core.render.document import Block, format_document_text
from accelscope.core.render.table import Cell, Column, make_table
from accelscope.core.render.table_formats import format_json
from accelscope.core.render.text_style import Mark, describe_stream

_COLUMNS = (
    Column("plugin"),
    Column("distribution", priority=1),
    Column("version", priority=1),
    Column("state"),
    Column("registers", wraps=True),
)


@click.command(cls=VerbCommand)
@output_options("table", "json")
@click.pass_obj
def plugins(settings: GlobalOptions, form: str, output: str | None) -> int:
    """List the plugins with distribution, version and what each registers.

    Exits with 1 if one does not work. The cause is shown; everything else still works.
    """
    registry = open_session(settings).registry
    found = [_about(registry, plugin) for plugin in _all(registry)]
    with open_output(output) as stream:
        if form == "json":
            stream.write(format_json(found))
        else:
            stream.write(format_document_text(_blocks(found), describe_stream(stream)))
    if form != "json":
        for failed in registry.failures:
            print_message(f"error: {failed.error}")
    return FINDINGS if registry.failures else OK


def _blocks(found: Sequence[Mapping[str, object]]) -> Iterator[Block]:
    """Yield how many plugins work, and the table of them."""
    states = [item["state"] for item in found]
    others = [f"{states.count(word)} {word}" for word in ("failed", "disabled") if word in states]
    yield "; ".join([f"{states.count('ok')} of {len(found)} plugins work", *others])
    rows: list[list[Cell | str]] = []
    for item in found:
        state = str(item["state"])
        mark = {"ok": Mark.GOOD, "failed": Mark.BAD}.get(state, Mark.DIM)
        names = [str(item[key]) for key in ("name", "distribution", "version")]
        rows.append([*names, Cell(state, mark=mark), _brief(item)])
    yield make_table(_COLUMNS, rows)


def _all(registry: Registry) -> list[Plugin]:
    failed = {item.plugin for item in registry.failures}
    return sorted({*registry.plugins, *registry.disabled_plugins, *failed})


def _about(registry: Registry, plugin: Plugin) -> dict[str, object]:
    failures = [item for item in registry.failures if item.plugin == plugin]
    state = "disabled" if plugin in registry.disabled_plugins else "failed" if failures else "ok"
    families: dict[str, list[str]] = {}
    for item in registry.catalogue.of_plugin(plugin):
        families.setdefault(item.family, []).append(item.name)
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": state,
        "registers": families,
        "failures": [_cause(item) for item in failures],
    }


def _cause(item: PluginFailure) -> str:
    return str(item.error)


def _brief(item: Mapping[str, object]) -> str:
    families = item["registers"]
    assert isinstance(families, dict)
    return "; ".join(f"{family}: {', '.join(names)}" for family, names in families.items())
