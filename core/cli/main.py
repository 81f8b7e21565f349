"""The command line: finds the verb, runs it, and turns what goes wrong into a message and an exit code.

Nothing that a verb needs is imported here, so that `--help` stays fast.

    0 ok, 1 findings or an unmet requirement, 2 usage or input error, 3 no feasible point,
    4 internal or plugin error, 130 interrupted
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from attrs import frozen

from accelscope import __version__
from accelscope.core.cli.command import ARGUMENTS_KEY, VerbGroup
from accelscope.core.errors import AccelscopeError, DescriptionError, PluginError, UsageError
from accelscope.core.plugin.commands import CommandEntry, Commands, list_built_in_commands

OK, FINDINGS, USAGE, INFEASIBLE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 130
TRACEBACK_VARIABLE = "ACCELSCOPE_TRACEBACK"
NO_PLUGIN_OPTION = "--no-plugin"


@frozen
class GlobalOptions:
    """What the global flags say.

    Attributes:
        disabled: plugins and distributions to leave out.
    """

    disabled: tuple[str, ...] = ()


class _Unread(Exception):
    """Nobody reads the output any more; click would make an exit code of 1 of the BrokenPipeError itself."""


class LazyCommand(click.Command):
    """Stands for a verb in the overview; what runs is the command that its target names."""

    def __init__(self, verb: CommandEntry) -> None:
        super().__init__(name=verb.name, help=verb.help)
        self.verb = verb

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Import the command and parse its arguments."""
        made: Any = _imported(self.verb).make_context(info_name, args, parent, **extra)
        return made  # type: ignore[no-any-return]


class CommandGroup(VerbGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all verbs, those of plugins included."""
        return list(self._all(ctx).verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; plugins are loaded only for a verb that accelscope does not bring itself."""
        verb = list_built_in_commands().verbs.get(cmd_name) or self._all(ctx).verbs.get(cmd_name)
        return LazyCommand(verb) if verb else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one was probably meant."""
        from accelscope.dsl.diagnostics.suggest import did_you_mean

        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"there is no verb `{args[0]}`" + (f"; {hint}" if hint else ""), ctx)
        return super().resolve_command(ctx, args)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments; --no-plugin may stand anywhere, also behind the verb."""
        try:
            made: Any = super().make_context(info_name, _plugins_first(args), parent, **extra)
            made.meta[ARGUMENTS_KEY] = tuple(args)
        except BrokenPipeError as error:
            raise _Unread from error
        return made  # type: ignore[no-any-return]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a description with errors is shown with its lines."""
        try:
            return super().invoke(ctx)
        except DescriptionError as error:
            from accelscope.core.cli.common import print_diagnostics

            print_diagnostics(error.diagnostics)
            return USAGE
        except BrokenPipeError as error:
            raise _Unread from error

    def _all(self, ctx: click.Context) -> Commands:
        known: Commands | None = ctx.meta.get(__name__)
        if known is None:
            known = ctx.meta[__name__] = _with_plugins(ctx.params.get("no_plugin") or ())
        return known


def _plugins_first(args: Sequence[str]) -> list[str]:
    """Return the arguments with every --no-plugin before the verb."""
    end = args.index("--") if "--" in args else len(args)
    first: list[str] = []
    rest: list[str] = []
    at = 0
    while at < end:
        if args[at] == NO_PLUGIN_OPTION and at + 1 == end:
            raise click.UsageError(f"{NO_PLUGIN_OPTION} needs the name of a plugin or a distribution")
        width = 2 if args[at] == NO_PLUGIN_OPTION else 1
        hoisted = width == 2 or args[at].startswith(f"{NO_PLUGIN_OPTION}=")
        (first if hoisted else rest).extend(args[at : at + width])
        at += width
    return [*first, *rest, *args[end:]]


def _with_plugins(disabled: Sequence[str]) -> Commands:
    """Return all verbs; plugins that do not work cost their own verbs only."""
    from accelscope.core.plugin.registry import Registry

    commands = list_built_in_commands()
    try:
        failures = Registry.load(disabled).add_commands(commands)
    except PluginError as error:
        write_message(str(error))
    else:
        for failed in failures:
            write_message(str(failed.error), "warning")
    return commands


def _imported(verb: CommandEntry) -> click.Command:
    from importlib import import_module

    module, _, attribute = verb.target.partition(":")
    try:
        command = getattr(import_module(module), attribute)
    except Exception as error:
        raise PluginError(f"verb `{verb.name}`: `{verb.target}` does not import: {error}") from error
    if not isinstance(command, click.Command):
        raise PluginError(f"verb `{verb.name}`: `{verb.target}` is no click command")
    return command


@click.group(
    cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="accelscope")
@click.option(
    NO_PLUGIN_OPTION,
    multiple=True,
    is_eager=True,
    metavar="NAME",
    help="Leave out a plugin or a distribution; also allowed after the verb.",
)
@click.option("--color/--no-color", default=None, help="Force or disable coloured output.")
@click.pass_context
def cli(ctx: click.Context, no_plugin: tuple[str, ...], color: bool | None) -> None:
    """How will this AI accelerator serve this model, and why?"""
    ctx.obj = GlobalOptions(no_plugin)
    ctx.color = color


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    code = run_cli(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        write_message(f"cannot write to standard output: {error.strerror}")
        _discard_output()
        code = USAGE
    sys.exit(code)


def run_cli(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = cli.main(args=arguments, prog_name="accelscope", standalone_mode=False)
        return code if isinstance(code, int) else OK
    except _Unread as error:
        return _unread(error)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.ClickException as error:
        _show_usage(error)
        return USAGE
    except AccelscopeError as error:
        return _known(error)
    except OSError as error:
        _trace()
        write_message(
            f"cannot read or write {error.filename or 'standard output'}: {error.strerror or error}"
        )
        _discard_output()
        return USAGE
    except Exception as error:  # noqa: BLE001 - the last resort: a person gets one line, not a traceback
        _trace()
        write_message(
            f"internal error: {type(error).__name__}: {error}",
            help=f"{TRACEBACK_VARIABLE}=1 shows where it happened",
        )
        return INTERNAL


def write_message(message: str, word: str = "error", help: str | None = None) -> None:
    """Write one message to standard error."""
    sys.stderr.write(f"{word}: {message}\n" + (f"  = help: {help}\n" if help else ""))


def _unread(error: _Unread) -> int:
    """Be quiet where the reader of a pipe left; a BrokenPipeError of anything else is an error."""
    from accelscope.core.io.output import is_pipe_closed

    if is_pipe_closed(sys.stdout) or is_pipe_closed(sys.stderr):
        _discard_output()
        return OK
    _trace()
    write_message(f"internal error: BrokenPipeError: {error.__cause__}")
    return INTERNAL


def _known(error: AccelscopeError) -> int:
    if isinstance(error, UsageError):
        write_message(str(error))
        return USAGE
    _trace()
    write_message(
        str(error),
        help=None if TRACEBACK_VARIABLE in os.environ else f"{TRACEBACK_VARIABLE}=1 shows where it happened",
    )
    return INTERNAL


def _show_usage(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "accelscope"
    write_message(error.format_message(), help=f"`{path} --help` lists what there is")


def _trace() -> None:
    if os.environ.get(TRACEBACK_VARIABLE):
        import traceback

        traceback.print_exc()


def _discard_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
