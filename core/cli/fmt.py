"""`fmt`: descriptions in the one canonical layout."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import print_diagnostics, print_message
from accelscope.core.cli.main import FINDINGS, OK, USAGE
from accelscope.core.errors import UsageError
from accelscope.core.io.files import STDIN, read_stdin, read_text_file
from accelscope.core.io.output import write_text
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, has_errors


@click.command(cls=VerbCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
@click.option("-o", "--output", metavar="FILE", help="Write there instead; only for one file.")
def fmt(files: tuple[str, ...], check: bool, diff: bool, output: str | None) -> int:
    """Lay descriptions out in the one canonical way, in place.

    "-" formats standard input to standard output. A file that does not parse is left as it is.
    """
    if output is not None and len(files) > 1:
        raise UsageError("-o takes the result of one file; there are several")
    codes = [_file(name, check, diff, output) for name in files]
    return max(codes)


def _file(name: str, check: bool, diff: bool, output: str | None) -> int:
    source = read_stdin() if name == STDIN else read_text_file(Path(name), name)
    text, problems = _formatted(source)
    if text is None or isinstance(source, Diagnostic):
        print_diagnostics(problems)
        return USAGE
    if diff:
        click.echo("".join(_difference(source, text)), nl=False)
    if check or diff:
        changed = check and text != source.text
        print_message(f"`{source.name}` would change" if changed else "")
        return FINDINGS if changed else OK
    if name == STDIN or output is not None:
        write_text(output or STDIN, text)
    elif text != source.text:
        write_text(name, text)
        print_message(f"`{name}` laid out anew")
    return OK


def _formatted(source: SourceText | Diagnostic) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """Return the canonical text, or None and why there is none."""
    if isinstance(source, Diagnostic):
        return None, (source,)
    from accelscope.dsl.format.formatter import format_text
    from accelscope.dsl.syntax.parser import parse

    problems = parse(source)[1]
    if has_errors(problems):
        return None, problems
    return format_text(source), problems


def _difference(source: SourceText, text: str) -> list[str]:
    before, after = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, source.name, f"{source.name} (laid out)")
    return [line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines]
