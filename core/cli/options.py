"""Options that several verbs have: the same name, meaning and order in each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from accelscope.core.cli.command import AliasedOption

_F = TypeVar("_F", bound=Callable[..., Any])


def add_options(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Return a decorator that adds options to a verb, in their order."""

    def add(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def root_option() -> Callable[[_F], _F]:
    """Return `--root`."""
    return click.option("--root", multiple=True, metavar="DIR", help="Also allow `use` of files below DIR.")


def evaluation_options() -> Callable[[_F], _F]:
    """Return the options of every verb that evaluates a file."""
    return add_options(
        click.option(
            "--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value, with its unit."
        ),
        root_option(),
    )


def scenario_option(*, multiple: bool = False) -> Callable[[_F], _F]:
    """Return `--scenario`.

    Args:
        multiple: whether it may be repeated; the parameter is then `scenarios`.
    """
    if multiple:
        return click.option(
            "--scenario",
            "scenarios",
            multiple=True,
            metavar="NAME",
            help="Only these scenarios of the files.",
        )
    return click.option("--scenario", metavar="NAME", help="The scenario, if the file has several.")


def study_option() -> Callable[[_F], _F]:
    """Return `--study`."""
    return click.option("--study", metavar="NAME", help="The study, if the file has several.")


def metrics_option(help: str) -> Callable[[_F], _F]:
    """Return `--metrics`, whose value is a list with commas."""
    return click.option("--metrics", metavar="A,B,...", help=help)


def jobs_option(
    *, default: int | None = None, help: str = "Processes; one for each core by default."
) -> Callable[[_F], _F]:
    """Return `--jobs`.

    Args:
        default: number of processes; None lets the verb choose.
        help: what the default means.
    """
    return click.option(
        "--jobs",
        type=click.IntRange(1),
        metavar="N",
        default=default,
        show_default=default is not None,
        help=help,
    )


def token_options(*, prompt: int | None, output: int | None, note: str = "") -> Callable[[_F], _F]:
    """Return `--prompt-tokens` and `--output-tokens`, and the hidden names that they had.

    Args:
        prompt: default of the first; None without one.
        output: default of the second.
        note: that follows their help.
    """

    def option(name: str, default: int | None, help: str, *aliases: str) -> Callable[[_F], _F]:
        return click.option(
            name,
            *aliases,
            type=click.IntRange(1),
            metavar="N",
            default=default,
            show_default=default is not None,
            help=help + note,
            cls=AliasedOption,
        )

    return add_options(
        option("--prompt-tokens", prompt, "Tokens of a prompt.", "--prompt"),
        option("--output-tokens", output, "Tokens that are generated for a request.", "--answer"),
    )


def where_option() -> Callable[[_F], _F]:
    """Return `--where`."""
    return click.option(
        "--where",
        multiple=True,
        metavar="COLUMN=VALUE",
        help="Only such rows; values of one column are alternatives.",
    )


def format_option(*forms: str) -> Callable[[_F], _F]:
    """Return `--format`, the first by default; without names, any report of a plugin."""
    if not forms:
        return click.option(
            "--format",
            "form",
            default="table",
            show_default=True,
            metavar="NAME",
            help="table, json, csv, md, ...",
        )
    return click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True)


def output_option(help: str = "Write there instead of to standard output.") -> Callable[[_F], _F]:
    """Return `-o/--output`, which names a file in every verb."""
    return click.option("-o", "--output", metavar="FILE", help=help)


def output_options(*forms: str) -> Callable[[_F], _F]:
    """Return `--format` and `-o/--output`."""
    return add_options(format_option(*forms), output_option())


def split_names(text: str | None) -> tuple[str, ...]:
    """Return the names of a list with commas, such as `ttft,tpot`."""
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()
