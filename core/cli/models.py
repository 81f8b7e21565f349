"""`models`: what the plugins can model, and the fields of one model."""

from __future__ import annotations

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import open_session
from accelscope.core.cli.main import GlobalOptions
from accelscope.core.cli.options import output_options
from accelscope.core.errors import UsageError
from accelscope.core.io.output import open_output
from accelscope.core.render.document import format_document_text
from accelscope.core.render.table_formats import format_json
from accelscope.core.render.text_style import describe_stream
from accelscope.dsl.diagnostics.suggest import did_you_mean


@click.command(cls=VerbCommand)
@click.argument("name", required=False)
@output_options("table", "json")
@click.pass_obj
def models(settings: GlobalOptions, name: str | None, form: str, output: str | None) -> None:
    """List the models of all plugins and the kinds of block, or print the fields of one.

    For each field: its type, unit, default with the source of the default, bounds, and what it means.
    """
    from accelscope.core.render.model_docs import (
        build_model_blocks,
        build_model_list_blocks,
        find_model_docs,
        list_model_docs,
    )

    registry = open_session(settings).registry
    docs = list_model_docs(registry) if name is None else find_model_docs(registry, name)
    if not docs:
        hint = did_you_mean(name or "", [item["name"] for item in list_model_docs(registry)])
        raise UsageError(f"there is no model or kind `{name}`; " + (hint or "`accelscope models` lists all"))
    with open_output(output) as stream:
        if form == "json":
            stream.write(format_json(docs))
            return
        blocks = build_model_list_blocks(docs) if name is None else build_model_blocks(docs)
        stream.write(format_document_text(blocks, describe_stream(stream)))
