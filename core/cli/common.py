"""What verbs have in common: the session, the report, messages, the exit code of results."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import rich_click as click

from accelscope.core.errors import UsageError
from accelscope.core.render.diagnostics import render_diagnostics, summarize_diagnostics
from accelscope.core.render.source_excerpt import EXCERPT_WIDTH
from accelscope.dsl.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.cli.main import GlobalOptions
    from accelscope.core.plugin.records import Report
    from accelscope.core.query.result import Result
    from accelscope.core.session import Session
    from accelscope.dsl.diagnostics.diagnostics import Diagnostic

_F = TypeVar("_F", bound=Callable[..., Any])


def evaluation_options(function: _F) -> _F:
    """Add the options of every verb that evaluates a file."""
    for option in (
        click.option("--root", multiple=True, metavar="DIR", help="Also allow `use` of files below DIR."),
        click.option(
            "--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value, with its unit."
        ),
    ):
        function = option(function)
    return function


def output_options(*forms: str) -> Callable[[_F], _F]:
    """Add the options that choose a form, the first by default, and a file."""

    def added(function: _F) -> _F:
        output = click.option(
            "-o", "--output", metavar="FILE", help="Write there instead of to standard output."
        )
        form = click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True)
        return form(output(function))

    return added


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


def print_diagnostics(
    diagnostics: Sequence[Diagnostic], settings: GlobalOptions | None, stream: TextIO | None = None
) -> None:
    """Write diagnostics for a person, to standard error unless told otherwise."""
    out = stream or sys.stderr
    text = render_diagnostics(
        diagnostics, width=measure_terminal_width(out) or EXCERPT_WIDTH, color=_uses_colour(settings, out)
    )
    if text:
        out.write(text + "\n")
    print_message(summarize_diagnostics(diagnostics))


def measure_terminal_width(stream: TextIO) -> int | None:
    """Return the columns of the terminal that a stream goes to; None for pipes and files."""
    return shutil.get_terminal_size((EXCERPT_WIDTH, 24)).columns if stream.isatty() else None


def print_message(message: str) -> None:
    """Write a message to standard error."""
    if message:
        sys.stdout.flush()
        sys.stderr.write(message + "\n")


def _uses_colour(settings: GlobalOptions | None, stream: TextIO) -> bool:
    """Say whether to use colour: the flag decides, then NO_COLOR, FORCE_COLOR, and whether it is a terminal."""
    if settings is not None and settings.color is not None:
        return settings.color
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
