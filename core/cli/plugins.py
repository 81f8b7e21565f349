"""`plugins`: who is installed, what each registers, and what does not work."""

from __future__ import annotations

import json

import rich_click as click

from accelscope.core.cli.common import open_session, print_message
from accelscope.core.cli.main import FINDINGS, OK, GlobalOptions
from accelscope.core.plugin.identity import Plugin, PluginFailure
from accelscope.core.plugin.registry import Registry
from accelscope.core.render.table import tabulate


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def plugins(settings: GlobalOptions, form: str) -> int:
    """List the plugins with distribution, version and what each registers.

    Exits with 1 where one does not work. The cause is shown; everything else still works.
    """
    registry = open_session(settings).registry
    found = [_about(registry, plugin) for plugin in _all(registry)]
    if form == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        rows = [
            [str(item[key]) for key in ("name", "distribution", "version", "state")] + [_brief(item)]
            for item in found
        ]
        click.echo(tabulate(rows, ("PLUGIN", "DISTRIBUTION", "VERSION", "STATE", "REGISTERS")))
        for failed in registry.failures:
            print_message(f"error: {failed.error}")
    return FINDINGS if registry.failures else OK


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


def _brief(item: dict[str, object]) -> str:
    families = item["registers"]
    assert isinstance(families, dict)
    return "; ".join(f"{family}: {', '.join(names)}" for family, names in families.items())
