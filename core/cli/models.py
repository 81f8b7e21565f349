"""`models`: what the plugins can model, and the fields of one model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import rich_click as click

from accelscope.core.cli.common import open_session
from accelscope.core.cli.main import GlobalOptions
from accelscope.core.errors import UsageError
from accelscope.core.render.table import tabulate
from accelscope.dsl.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.render.model_docs import ModelDoc


@click.command()
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def models(settings: GlobalOptions, name: str | None, form: str) -> None:
    """List the models of all plugins and the kinds of block, or print the fields of one.

    For each field: its type, unit, default with the source of the default, bounds, and what it means.
    """
    from accelscope.core.render.model_docs import find_model_docs, list_model_docs

    registry = open_session(settings).registry
    found = list_model_docs(registry) if name is None else find_model_docs(registry, name)
    if not found:
        hint = did_you_mean(name or "", [item["name"] for item in list_model_docs(registry)])
        raise UsageError(f"there is no model or kind `{name}`; " + (hint or "`accelscope models` lists all"))
    if form == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif name is None:
        rows = [[str(item[key]) for key in ("family", "name", "plugin", "doc")] for item in found]
        click.echo(tabulate(rows, ("FAMILY", "NAME", "PLUGIN", "WHAT IT IS")))
    else:
        click.echo("\n\n".join(_page(item) for item in found))


def _page(item: ModelDoc) -> str:
    lines = [f"{item['family']} {item['name']}: {item['doc']}", f"  from plugin {item['plugin']}"]
    for key, value in item.get("select", {}).items():
        lines.append(f"  reads `{item['kind']}` blocks with {key} = {' | '.join(value)}")
    for key in ("unit", "better", "order", "patterns", "kinds", "within"):
        if item.get(key) not in (None, "", [], ()):
            lines.append(f"  {key}: {_text(item[key])}")
    for field in item.get("fields", ()):
        lines.extend(_field(field))
    for block in item.get("blocks", ()):
        lines += ["", f"  {block['kind']} {{ }}{' (several)' * block['many']}", f"      {block['doc']}"]
    return "\n".join(lines)


def _field(field: dict[str, str]) -> list[str]:
    facts = [field["type"], f"in {field['unit']}" if field["unit"] not in ("", "1") else "", field["bounds"]]
    default = field["default"]
    if default and default != "required":
        default = f"default {default}"
    lines = [
        "",
        f"  {field['name']}: " + ", ".join(filter(None, [*facts, default or "optional"])),
        f"      {field['doc']}",
    ]
    return [*lines, f"      default from: {field['source']}"] if field["source"] else lines


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
