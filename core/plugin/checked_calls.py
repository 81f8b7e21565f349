"""Functions of plugins, watched: what one raises, or returns that its family does not return, names the plugin.

The functions of a record are wrapped once, when the record is collected, so nothing is done for each point in Python.
Infinite times are allowed: a point that never finishes. Records that are used without a registry are not watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from threading import get_ident
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np

from accelscope.core.errors import DescriptionError, PluginError, UsageError
from accelscope.core.io.output import is_write_error
from accelscope.core.ir.operation import Op, Step
from accelscope.core.ir.plan import Plan, Workload
from accelscope.core.ir.usage import Limit, Traffic, Usage
from accelscope.core.numeric.term import Term
from accelscope.core.plugin.identity import Plugin
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.values.units import built_in_unit_table

ResultValidator = Callable[[Any], Any]
"""From what a function returned to the same, or an `Unfit` that says what is wrong with it."""

_THROUGH = (DescriptionError, UsageError, PluginError, MemoryError)
"""What a function may raise without being at fault."""


class InvalidResultError(Exception):
    """What a function returned is not what its family returns."""


def guard_record(family: str, record: Any, plugin: Plugin) -> Any:
    """Return a record whose functions raise nothing but errors that name the plugin, the model and the function."""
    noun, accepts = _FAMILIES.get(family, (family, {}))
    about = f"plugin `{plugin.name}` ({plugin.distribution} {plugin.version}), {noun} `{getattr(record, 'name', '')}`"
    changed: dict[str, Any] = {}
    for name, accept in accepts.items():
        function = getattr(record, name, None)
        if function is not None:
            bound = partial(accept, record) if family == "metric" else accept
            changed[name] = _watched(function, CheckedFunction(plugin, f"{about}, {name}"), bound)
    return attrs.evolve(record, **changed) if changed else record


@attrs.frozen
class CheckedFunction:
    """A function of a plugin, as messages name it."""

    plugin: Plugin
    where: str

    def error(self, what: str) -> PluginError:
        """Return the error that says what is wrong with the function."""
        return PluginError(
            f"{self.where}: {what}", plugin=self.plugin.name, distribution=self.plugin.distribution
        )


def _watched(
    function: Callable[..., Any], watched: CheckedFunction, accept: ResultValidator
) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        thread = get_ident()
        caller = _RUNNING.get(thread)
        _RUNNING[thread] = watched
        try:
            result = accept(function(*arguments, **named))
            grid = _GRID.get()
            if grid is not None:
                _fits(result, grid)
            return result
        except _THROUGH:
            raise
        except InvalidResultError as error:
            raise watched.error(str(error)) from None
        except (Exception, SystemExit) as error:
            given = (*arguments, *named.values())
            if isinstance(error, OSError) and any(is_write_error(item, error) for item in given):
                raise  # of the stream that a report writes to
            raise watched.error(f"{type(error).__name__}: {error}") from error
        finally:
            if caller is None:
                _RUNNING.pop(thread, None)
            else:
                _RUNNING[thread] = caller

    return call


# ---- who is at fault


_GRID: ContextVar[tuple[int, ...] | None] = ContextVar("grid", default=None)
"""Sizes of the dimensions that arrays may have while a failure is looked into."""


@contextmanager
def expect_grid(grid: tuple[int, ...]) -> Iterator[None]:
    """Let functions of plugins fail that return arrays which do not fit a grid; it costs time, so only after a failure.

    Args:
        grid: sizes of its dimensions.
    """
    token = _GRID.set(grid)
    try:
        yield
    finally:
        _GRID.reset(token)


_RUNNING: dict[int, CheckedFunction] = {}
"""By thread, the innermost function of a plugin that it is in: another thread reads it when a chunk takes too long."""


def find_active_function(thread: int) -> CheckedFunction | None:
    """Return the innermost function of a plugin that a thread is in, or None.

    Args:
        thread: its identifier, as `threading.get_ident` returns it.
    """
    return _RUNNING.get(thread)


def _fits(found: Any, grid: tuple[int, ...]) -> None:
    """Raise where an array of a result has another size than the grid in a dimension."""
    if isinstance(found, Term):
        shape = np.shape(found.value)
        same = len(shape) <= len(grid) and all(
            size in (1, wanted) for size, wanted in zip(reversed(shape), reversed(grid), strict=False)
        )
        if not same:
            raise InvalidResultError(f"returns an array of shape {shape} where the points are {grid}")
    elif isinstance(found, tuple | list):
        for item in found:
            _fits(item, grid)
    elif attrs.has(type(found)) and type(found).__module__.startswith("accelscope.core.ir."):
        for item in attrs.fields(type(found)):
            _fits(getattr(found, item.name), grid)


# ---- what the functions of each family return


def _usage(found: Any) -> Usage:
    usage: Usage = _of(Usage, found, "returns {}")
    _term(usage.time, "s", "`time`")
    if usage.energy is not None:
        _term(usage.energy, "J", "`energy`")
    _limits(usage.limits)
    if usage.onward is not None:
        _terms(_of(Traffic, usage.onward, "`onward` is {}"), "`onward`")
    return usage


def _maybe_usage(found: Any) -> Usage | None:
    return None if found is None else _usage(found)


def _workload(found: Any) -> Workload:
    workload: Workload = _of(Workload, found, "returns {}")
    _terms(workload, "the workload")
    _terms(workload.residency, "`residency`")
    _operations(workload.ops)
    return workload


def _layer_operations(found: Any) -> tuple[Op, ...]:
    _operations(found)
    for item in found:
        _of(Op, item, "returns {}")
    operations: tuple[Op, ...] = found
    return operations


def _plan(found: Any) -> Plan:
    plan: Plan = _of(Plan, found, "returns {}")
    _terms(plan, "the plan")
    _terms(plan.residency, "`residency`")
    _operations(plan.ops)
    _operations(plan.collectives)
    _limits(plan.limits)
    return plan


def _step(found: Any) -> Step:
    step: Step = _of(Step, found, "returns {}")
    _terms(step, "the step")
    return step


def _some(unit: str, found: Any) -> Term:
    return _term(found, unit, "the result")


def _perhaps(unit: str, found: Any) -> Term | None:
    return None if found is None else _term(found, unit, "the result")


def _metric(record: Any, found: Any) -> Term | None:
    """Return a metric; unlike a time it may be anything, also no number where a point is not feasible."""
    return None if found is None else _measured(found, record.unit, "the result")


def _findings(found: Any) -> tuple[Diagnostic | Limit, ...]:
    """Return what a check yields; reading it here attributes what a generator raises."""
    items = tuple(found)
    for item in items:
        if not isinstance(item, Diagnostic | Limit):
            raise InvalidResultError(f"yields {_brief(item)} instead of a Diagnostic or a Limit")
    return items


def _anything(found: Any) -> Any:
    return found


_FAMILIES: Mapping[str, tuple[str, Mapping[str, Callable[..., Any]]]] = MappingProxyType(
    {
        "memory": (
            "memory model",
            {
                "serve": _usage,
                "capacity": partial(_perhaps, "B"),
                "peak": partial(_some, "B/s"),
                "execute": _maybe_usage,
            },
        ),
        "compute": ("compute model", {"run": _usage, "peak": partial(_perhaps, "op/s")}),
        "interconnect": ("interconnect model", {"transfer": _usage}),
        "strategy": ("strategy", {"split": _step, "shard": _plan}),
        "workload": ("workload model", {"build": _workload}),
        "layer": (
            "layer",
            {
                "count": partial(_some, ""),
                "build": _layer_operations,
                "parameters": partial(_some, ""),
                "active_parameters": partial(_some, ""),
                "cache": partial(_some, "B"),
                "cache_per_token": partial(_some, "B"),
                "heads": partial(_some, ""),
                "width": partial(_some, ""),
            },
        ),
        "metric": ("metric", {"compute": _metric, "at_most": _metric}),
        "report": ("report", {"write": _anything}),
        "check": ("check", {"run": _findings}),
    }
)
"""Family to its name in a message, and to the functions of its records with what accepts their results."""


# ---- parts of results


def _of(cls: type, found: Any, words: str) -> Any:
    if not isinstance(found, cls):
        raise InvalidResultError(f"{words.format(_brief(found))} instead of a {cls.__name__}")
    return found


def _measured(found: Any, unit: str, what: str) -> Term:
    if not isinstance(found, Term):
        raise InvalidResultError(
            f"{what} is {_brief(found)} instead of a Term" + (f" in {unit}" if unit else "")
        )
    dimension = built_in_unit_table().parse(unit)[1]
    if found.dimension is not dimension and found.dimension != dimension:
        raise InvalidResultError(f"{what} is in {found.dimension} instead of {unit or 'a plain number'}")
    return found


def _term(found: Any, unit: str, what: str) -> Term:
    value = _measured(found, unit, what)
    lowest = np.min(value.value)  # a value that is not a number makes the smallest one of none
    if not lowest >= 0:
        raise InvalidResultError(
            f"{what} is " + ("not a number (NaN)" if np.isnan(lowest) else f"negative: {lowest:g} {unit}")
        )
    return value


def _limits(found: Any) -> None:
    if not isinstance(found, tuple):
        raise InvalidResultError(f"`limits` is {_brief(found)} instead of a tuple of Limit")
    for item in found:
        _of(Limit, item, "`limits` holds {}")
        _terms(item, f"limit `{item.name}`")
        if item.used.dimension != item.available.dimension:
            raise InvalidResultError(
                f"limit `{item.name}` compares {item.used.dimension} with {item.available.dimension}"
            )


def _operations(found: Any) -> None:
    if not isinstance(found, tuple):
        raise InvalidResultError(f"operations are {_brief(found)} instead of a tuple")
    for item in found:
        _terms(item, f"operation `{getattr(item, 'name', '')}`")


def _terms(found: Any, what: str) -> None:
    """Raise where a field that is declared as a term holds something else."""
    cls: type = type(found)
    for name in _names(cls):
        value = getattr(found, name)
        if not isinstance(value, Term):
            raise InvalidResultError(f"`{name}` of {what} is {_brief(value)} instead of a Term")


@cache
def _names(cls: type) -> tuple[str, ...]:
    if not attrs.has(cls):
        raise InvalidResultError(f"holds a {cls.__name__}, which is no class of accelscope.core.ir")
    return tuple(item.name for item in attrs.fields(cls) if item.type in ("Term", Term))


def _brief(found: Any) -> str:
    if found is None or isinstance(found, int | float | str):
        return repr(found) if found is None else f"{found!r} ({type(found).__name__})"
    return f"a {type(found).__name__}"
