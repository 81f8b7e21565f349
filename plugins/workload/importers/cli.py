"""`import`: descriptions from files of other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.io.files import STDIN, read_stdin, read_text_file
from accelscope.core.io.output import write_text
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText

_EXIT_OK = 0


@click.group()
def import_group() -> None:
    """Make descriptions from files of other tools."""


@import_group.command("hf")
@click.argument("path", metavar="PATH")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of to standard output.")
@click.option(
    "--name", metavar="NAME", help="Name of the model; without it that of the checkpoint or its folder."
)
def hugging_face(path: str, output: str | None, name: str | None) -> int:
    """Read a config.json of Hugging Face and write it as a `model` block.

    What an architecture has and this program does not know is an error, never a guess. Keys that were
    not used are listed on standard error. "-" reads standard input.
    """
    from accelscope.dsl.format.formatter import format_text
    from accelscope.plugins.workload.importers.huggingface.reader import read_huggingface_config

    config = _config(path)
    folder = Path(path).absolute().parent.name if path != STDIN else None
    known = config.get("_name_or_path") or config.get("name_or_path")
    text, unused, problems = read_huggingface_config(config, name or (None if known else folder))
    if text is None:
        raise UsageError(f"`{path}`: " + "; ".join(problems))
    if unused:
        click.echo(f"note: {len(unused)} keys of `{path}` were not used: {', '.join(unused)}", err=True)
    write_text(output or STDIN, format_text(SourceText(output or "<imported>", text)))
    return _EXIT_OK


@import_group.command("gguf")
@click.argument("path", metavar="FILE")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of to standard output.")
@click.option("--name", metavar="NAME", help="Name of the model; without it the one that the file gives.")
def gguf(path: str, output: str | None, name: str | None) -> int:
    """Read metadata and tensor table of a GGUF file and write them as a `model` block.

    Bytes of the weights and bits per weight are told on standard error and in a comment: a `precision` has
    the closest data type of the language. Needs the package gguf: pip install 'accelscope[gguf]'.
    """
    from accelscope.dsl.format.formatter import format_text
    from accelscope.plugins.workload.importers.gguf.file import read_gguf_file
    from accelscope.plugins.workload.importers.gguf.reader import read_gguf

    found = read_gguf(read_gguf_file(Path(path), path), name)
    if found.text is None:
        raise UsageError(f"`{path}`: " + "; ".join(found.problems))
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    if found.unused:
        said = ", ".join(found.unused)
        click.echo(f"note: {len(found.unused)} keys of `{path}` were not used: {said}", err=True)
    write_text(output or STDIN, format_text(SourceText(output or "<imported>", found.text)))
    return _EXIT_OK


def _config(path: str) -> dict[str, Any]:
    """Return the JSON object of a file; raise with a message where it is none."""
    source = read_stdin() if path == STDIN else read_text_file(Path(path), path)
    if isinstance(source, Diagnostic):
        raise DescriptionError((source,))
    try:
        found = json.loads(source.text)
    except json.JSONDecodeError as error:
        raise UsageError(f"`{path}:{error.lineno}:{error.colno}` is not JSON: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise UsageError(
            f"`{path}` is nested too deeply, or has a number too long, to be a configuration"
        ) from error
    if not isinstance(found, dict):
        raise UsageError(f"`{path}` holds a JSON {type(found).__name__}, but a configuration is an object")
    return found
