"""Commands of the command line: help that lists options by group, and errors that name the option that was meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

OPTION_GROUPS: dict[str, tuple[str, ...]] = {
    "Input": (
        "--scenario", "--study", "--model", "--systems", "--vendor", "--deployment", "--workload", "--kind", "--class",
        "--where", "--runtimes", "--trainers", "--set", "--root",
    ),
    "Question": (
        "--prompt-tokens", "--output-tokens", "--concurrency", "--batch", "--precision", "--slo", "--metrics", "--pareto",
        "--above", "--lint", "--fix", "--check", "--diff",
    ),
    "Computation": (
        "--devices", "--no-pools", "--evaluations", "--fitted", "--sobol", "--seed", "--judge", "--resume", "--jobs",
        "--cluster",
    ),
    "Output": (
        "--sort", "--all", "--timings", "--explain", "--depth", "--picture", "--show-text", "--predictions", "--format", "--output",
        "--help",
    ),
}  # fmt: skip
"""Every option of the verbs, by group, in the order of `--help`."""
ARGUMENTS_KEY = "accelscope.arguments"
"""Where a context keeps the arguments of the command line."""
SYNONYMS: dict[str, str] = {
    "--answer": "--output-tokens",
    "--prompt": "--prompt-tokens",
    "--input-tokens": "--prompt-tokens",
    "--clients": "--concurrency",
    "--users": "--concurrency",
    "--metric": "--metrics",
    "--workers": "--jobs",
    "--processes": "--jobs",
    "--system": "--systems",
    "--type": "--precision",
    "--dtype": "--precision",
    "--target": "--slo",
    "--out": "--output",
}
"""Words that people try, with the option that is meant."""


class HeadingFormatter(click.HelpFormatter):
    """Writes headings of help in bold; a pipe gets them plain."""

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        super().write_heading(click.style(heading, bold=True))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line that shows how to call a command."""
        super().write_usage(prog, args, prefix or "Usage: ")


class HelpContext(click.Context):
    """A context whose help has bold headings."""

    formatter_class = HeadingFormatter


class AliasedOption(click.Option):
    """An option whose further names are not listed in the help."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the name and help of the option, without its aliases."""
        opts = self.opts
        try:
            self.opts = [name for name in opts if name.startswith("-")][:1]
            return super().get_help_record(ctx)
        finally:
            self.opts = opts


class VerbCommand(click.Command):
    """A verb: its options are listed by group, and a wrong option is answered with the right one."""

    context_class = HelpContext

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by group; those of no group come last."""
        options = [item for item in self.get_params(ctx) if isinstance(item, click.Option)]
        records = {_long_name(item): item.get_help_record(ctx) for item in options}
        left = {name: record for name, record in records.items() if record is not None}
        for group, names in OPTION_GROUPS.items():
            rows = [left.pop(name) for name in names if name in left]
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)
        if left:
            with formatter.section("Other"):
                formatter.write_dl(list(left.values()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; an unknown option is an error that names the one that was meant."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(describe_unknown_option(error.option_name, ctx), ctx) from error


class VerbGroup(click.Group):
    """A verb with verbs of its own."""

    context_class = HelpContext
    command_class = VerbCommand


def describe_unknown_option(name: str, ctx: click.Context) -> str:
    """Return what is wrong with an option: the near one of the verb, or the verb that has it."""
    from accelscope.dsl.diagnostics.suggest import did_you_mean

    here = list(_option_names(ctx.command.params))
    message = f"`{ctx.command_path}` has no option `{name}`"
    if SYNONYMS.get(name) in here:
        return f"{message}; did you mean `{SYNONYMS[name]}`?"
    hint = did_you_mean(name, here)
    if hint:
        return f"{message}; {hint}"
    wanted = SYNONYMS.get(name, name)
    others = [verb for verb, options in _options_of_verbs() if wanted in options]
    return f"{message}; `{wanted}` is an option of {_list_names(others)}" if others else message


def _options_of_verbs() -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the built-in verbs with their options; this imports all of them."""
    from importlib import import_module

    from accelscope.core.plugin.commands import list_built_in_commands

    for name, entry in list_built_in_commands().verbs.items():
        module, _, attribute = entry.target.partition(":")
        command: Any = getattr(import_module(module), attribute)
        yield name, tuple(_option_names(command.params))


def _option_names(params: Sequence[click.Parameter]) -> Iterator[str]:
    for item in params:
        if isinstance(item, click.Option) and not item.hidden:
            opts = item.opts[:1] if isinstance(item, AliasedOption) else (*item.opts, *item.secondary_opts)
            yield from (name for name in opts if name.startswith("--"))


def _long_name(item: click.Parameter) -> str:
    """Return the name of an option that starts with two dashes."""
    return next((name for name in item.opts if name.startswith("--")), item.opts[0] if item.opts else "")


def _list_names(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
