"""What verbs have in common: the session, the report, messages, and the exit code of results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from accelscope.core.cli.command import ARGUMENTS_KEY
from accelscope.core.errors import UsageError
from accelscope.core.render.diagnostics import render_diagnostics, summarize_diagnostics
from accelscope.core.render.source_excerpt import EXCERPT_WIDTH
from accelscope.core.render.text_style import describe_stream
from accelscope.dsl.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.cli.main import GlobalOptions
    from accelscope.core.plugin.records import Report
    from accelscope.core.query.result import Result
    from accelscope.core.session import Session
    from accelscope.dsl.diagnostics.diagnostics import Diagnostic


def open_session(settings: GlobalOptions, roots: Sequence[str] = ()) -> Session:
    """Return a session with the plugins that the global flags leave."""
    from accelscope.core.session import Session

    session = Session.open(settings.disabled, roots)
    for doubt in session.registry.warnings():
        print_message(f"warning: {doubt}")
    return session


def find_report(session: Session, name: str) -> Report:
    """Return the report of a `--format`; raise UsageError for one that no plugin brings."""
    reports = session.registry.reports
    if not session.registry.metrics:
        print_message(f"warning: no installed plugin computes metrics{session.registry.describe_absent()}")
    if name not in reports:
        hint = did_you_mean(name, reports)
        if not reports:
            raise UsageError(f"no installed plugin writes results{session.registry.describe_absent()}")
        known = ", ".join(sorted(reports))
        raise UsageError(f"--format: there is no `{name}`; " + (hint or f"there are {known}"))
    return reports[name]


def choose_exit_code(results: Sequence[Result]) -> int:
    """Return the exit code of results: 3 where one has no feasible point, 1 where a requirement is unmet."""
    if any(not result.feasible.any() for result in results):
        return 3
    return 1 if any(result.unmet_requirements() for result in results) else 0


def print_diagnostics(diagnostics: Sequence[Diagnostic], stream: TextIO | None = None) -> None:
    """Write diagnostics for a person.

    Args:
        diagnostics: what is wrong.
        stream: where to; standard error without one.
    """
    out = stream or sys.stderr
    style = describe_stream(out)
    text = render_diagnostics(diagnostics, width=style.width or EXCERPT_WIDTH, color=style.color)
    if text:
        out.write(text + "\n")
    print_message(summarize_diagnostics(diagnostics))


def print_message(message: str) -> None:
    """Write a message to standard error."""
    if message:
        sys.stdout.flush()
        sys.stderr.write(message + "\n")


def refuse_number_as_file(output: str | None) -> None:
    """Refuse a number as the name of a file: `--output 256` once meant tokens.

    Raises:
        UsageError: the name is a number.
    """
    if output is not None and output.isdecimal():
        raise UsageError(f"--output names a file; `--output-tokens {output}` is a number of tokens")


def describe_command() -> str:
    """Return the command line that runs, without the file that it writes to; empty outside of the command line."""
    import shlex

    import click

    context = click.get_current_context(silent=True)
    arguments = list(context.meta.get(ARGUMENTS_KEY, ())) if context is not None else []
    kept: list[str] = []
    for at, item in enumerate(arguments):
        names_file = item in ("-o", "--output") or (at > 0 and arguments[at - 1] in ("-o", "--output"))
        if not names_file and not item.startswith("--output="):
            kept.append(item)
    return shlex.join(["accelscope", *kept]) if kept else ""
