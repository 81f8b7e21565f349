"""`check`: what is wrong with descriptions, and the fixes that are certain to be right."""

from __future__ import annotations

import sys

import click

from accelscope.core.cli.command import VerbCommand
from accelscope.core.cli.common import open_session, print_diagnostics, print_message
from accelscope.core.cli.main import FINDINGS, OK, USAGE, GlobalOptions
from accelscope.core.cli.options import format_option, root_option
from accelscope.core.errors import UsageError
from accelscope.core.io.files import STDIN
from accelscope.core.io.output import write_text
from accelscope.core.render.diagnostics import format_diagnostics_json, format_github_annotations
from accelscope.dsl.diagnostics.diagnostics import has_errors
from accelscope.dsl.diagnostics.fixes import apply_replacements

_MAX_ROUNDS = 50
"""Rounds of fixes of one file: a check reports a hundred findings at most, and more are left for the next round."""


@click.command(cls=VerbCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@root_option()
@click.option("--lint", is_flag=True, help="Also warn of style: missing citations, implausible values.")
@click.option("--fix", is_flag=True, help="Write present names in place of former ones, in place.")
@format_option("text", "json", "github")
@click.pass_obj
def check(
    settings: GlobalOptions, files: tuple[str, ...], form: str, lint: bool, fix: bool, root: tuple[str, ...]
) -> int:
    """Say what is wrong with descriptions.

    Exits with 1 if something is, and with 2 if a file cannot be read. "-" is standard input.
    """
    if fix:
        for name in files:
            _fix(settings, name, root)
    session = open_session(settings, root)
    programs = [session.load(name) for name in files]
    checked = [found if program is None else program.check(lint) for program, found in programs]
    found = tuple(dict.fromkeys(item for findings in checked for item in findings))
    if form == "json":
        click.echo(format_diagnostics_json(found))
    elif form == "github":
        click.echo(format_github_annotations(found), nl=bool(found))
    else:
        print_diagnostics(found, sys.stdout)
    if not found:
        print_message(f"{len(files)} file{'s' * (len(files) > 1)}: nothing found")
    if any(program is None for program, _ in programs):
        return USAGE
    return FINDINGS if has_errors(found) or (lint and found) else OK


def _fix(settings: GlobalOptions, name: str, root: tuple[str, ...]) -> None:
    """Write the replacements that findings offer into a file, until there are none.

    Raises:
        UsageError: the file is standard input.
    """
    if name == STDIN:
        raise UsageError("--fix writes into files, so it cannot fix standard input")
    changed = 0
    for _ in range(_MAX_ROUNDS):
        program, found = open_session(settings, root).load(name)
        if program is None:
            return
        found = program.check()
        source = program.module.source
        text, count = apply_replacements(source, found)
        if not count:
            break
        write_text(name, text)
        changed += count
    if changed:
        print_message(f"`{name}`: {changed} name{'s' * (changed > 1)} replaced")
