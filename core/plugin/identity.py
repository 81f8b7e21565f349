"""Who provides something: plugins by distribution, name and version, and what is wrong with one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import EntryPoint

from attrs import frozen

from accelscope.core.errors import PluginConflictError, PluginLoadError, UsageError
from accelscope.dsl.diagnostics.suggest import did_you_mean

DISABLE_VARIABLE = "ACCELSCOPE_DISABLE"


@frozen(order=True)
class Plugin:
    """A plugin by its distribution and the name of its entry point."""

    distribution: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"`{self.name}` of {self.distribution} {self.version}"


@frozen(eq=False)
class PluginFailure:
    """A plugin, or one hook of it, that does not work; `error.__cause__` is why."""

    plugin: Plugin
    error: PluginLoadError


def make_plugin_failure(plugin: Plugin, where: str, cause: BaseException) -> PluginFailure:
    """Return the record of a plugin that failed, with the cause attached."""
    error = PluginLoadError(f"plugin {plugin} failed in {where}: {type(cause).__name__}: {cause}")
    error.__cause__ = cause
    return PluginFailure(plugin, error)


def plugin_from_entry_point(point: EntryPoint) -> Plugin:
    """Return the plugin that an entry point names."""
    if point.dist is None:
        return Plugin("(unknown)", point.name, "0")
    return Plugin(point.dist.name, point.name, point.dist.version)


def plugin_from_object(item: object) -> Plugin:
    """Return the plugin of a module or object that no entry point names."""
    return Plugin("(given)", getattr(item, "__name__", type(item).__name__), "0")


def format_disable_hint(name: str) -> str:
    """Return how a person disables a plugin or all those of a distribution."""
    return f"`--no-plugin {name}` or {DISABLE_VARIABLE}={name}"


def format_absent_plugins(switched_off: Iterable[Plugin], failures: Iterable[PluginFailure]) -> str:
    """Return which plugins do not take part and why, as a clause behind a semicolon; "" where all do."""
    environment = read_disabled_plugins()
    clauses = []
    for plugin in switched_off:
        by_variable = {plugin.name, plugin.distribution} & environment
        how = f"{DISABLE_VARIABLE}={min(by_variable)}" if by_variable else f"--no-plugin {plugin.name}"
        clauses.append(f"plugin `{plugin.name}` is switched off ({how})")
    broken = dict.fromkeys(item.plugin.name for item in failures)
    clauses += [f"plugin `{name}` does not work (`accelscope plugins` says why)" for name in broken]
    return "; " + ", ".join(clauses) if clauses else ""


def warn_unknown_disabled(plugins: Iterable[Plugin]) -> tuple[str, ...]:
    """Return a warning for each name in ACCELSCOPE_DISABLE that is neither a plugin nor a distribution."""
    names = {name for plugin in plugins for name in (plugin.name, plugin.distribution)}
    found = []
    for name in sorted(read_disabled_plugins() - names):
        hint = did_you_mean(name, names)
        found.append(f"{DISABLE_VARIABLE} names `{name}`, which is no plugin" + (f"; {hint}" if hint else ""))
    return tuple(found)


def read_disabled_plugins() -> frozenset[str]:
    """Return the names in ACCELSCOPE_DISABLE."""
    return frozenset(name.strip() for name in os.environ.get(DISABLE_VARIABLE, "").split(",") if name.strip())


def refuse_unknown_plugins(disabled: Iterable[str], plugins: Iterable[Plugin]) -> None:
    """Raise UsageError for a disabled name that is neither a plugin nor a distribution."""
    names = {name for plugin in plugins for name in (plugin.name, plugin.distribution)}
    for name in disabled:
        if name not in names:
            hint = did_you_mean(name, names)
            raise UsageError(f"no plugin is called `{name}`" + (f"; {hint}" if hint else ""))


def refuse_duplicate_plugins(plugins: Iterable[Plugin]) -> None:
    """Raise PluginConflictError for two plugins of one name."""
    seen: dict[str, Plugin] = {}
    for plugin in plugins:
        other = seen.setdefault(plugin.name, plugin)
        if other is not plugin:
            raise PluginConflictError(
                f"two distributions have a plugin `{plugin.name}`: {other.distribution} {other.version} and "
                f"{plugin.distribution} {plugin.version}; disable one with {format_disable_hint(plugin.distribution)}"
            )


def make_conflict_error(what: str, one: str, other: str, name: str) -> PluginConflictError:
    """Return the error of two plugins that provide the same thing; `name` is one of them."""
    if one == other:
        return PluginConflictError(f"plugin {one} provides {what} twice")
    return PluginConflictError(
        f"two plugins provide {what}: {one} and {other}; disable one, for example with {format_disable_hint(name)}"
    )
