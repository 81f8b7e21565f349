"""The records of all plugins by family and name, and the schemas and specs of every kind of block.

It calls the hooks through a function that it is given, so it knows nothing of entry points or pluggy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import field, frozen

from accelscope.core.errors import PluginConflictError, PluginError
from accelscope.core.plugin import records
from accelscope.core.plugin.block_kinds import Candidate, Kinds
from accelscope.core.plugin.checked_calls import guarded
from accelscope.core.plugin.identity import Failure, Plugin, conflict, failure
from accelscope.core.spec.spec import about, schema_of
from accelscope.dsl.schema.schema import Schemas
from accelscope.dsl.values.units import Unit, UnitTable, UnknownUnit

CONTRACT = 1
"""Version of the seams that this accelscope has."""


@frozen
class Family:
    """What one hook yields.

    Attributes:
        hook: name of the hook.
        record: class of its records.
        kind: kind of block that the records' specs must be for, or None for any.
    """

    hook: str
    record: type
    kind: str | None = None


FAMILIES: Mapping[str, Family] = {
    "unit": Family("accelscope_units", Unit),
    "memory": Family("accelscope_memories", records.MemoryModel, "memory"),
    "compute": Family("accelscope_computes", records.ComputeModel, "engine"),
    "interconnect": Family("accelscope_interconnects", records.InterconnectModel, "connect"),
    "strategy": Family("accelscope_strategies", records.Strategy, "parallel"),
    "workload": Family("accelscope_workloads", records.WorkloadModel, "model"),
    "metric": Family("accelscope_metrics", records.Metric),
    "report": Family("accelscope_reports", records.Report),
    "check": Family("accelscope_checks", records.Check),
    "kind": Family("accelscope_kinds", records.KindRecord),
    "library": Family("accelscope_library", records.LibraryFolder),
}
"""By name of the family, in the order in which the hooks are called: units first, since specs use them."""


@frozen(eq=False)
class Provided:
    """A record with the plugin that it is from."""

    family: str
    name: str
    record: Any
    plugin: Plugin


@frozen(kw_only=True, eq=False)
class Catalogue:
    """Every record, attributed; the schemas of all kinds; and what failed on the way."""

    provided: Mapping[tuple[str, str], Provided]
    patterns: Mapping[str, Any]
    units: UnitTable
    failures: tuple[Failure, ...]
    _kinds: Kinds = field(repr=False)
    _families: Mapping[str, dict[str, Any]] = field(repr=False, init=False)

    @_families.default
    def _grouped(self) -> dict[str, dict[str, Any]]:
        """Group the records by family: a sweep looks them up thousands of times a second."""
        found: dict[str, dict[str, Any]] = {}
        for item in self.provided.values():
            found.setdefault(item.family, {})[item.name] = item.record
        return found

    @classmethod
    def collect(cls, implementations: Callable[[str], Iterable[tuple[Plugin, Any]]]) -> Catalogue:
        """Call every hook but the one for commands.

        Raises:
            PluginConflictError: two plugins yield the same name of a family, pattern, unit or selector value.
        """
        provided: dict[tuple[str, str], Provided] = {}
        failures: list[Failure] = []
        units = UnitTable.of()
        for family, hook in FAMILIES.items():
            for plugin, function in implementations(hook.hook):
                for item in _call(family, hook, plugin, function, units, failures):
                    _add(provided, item)
            if family == "unit":
                units = _units(provided.values())
        candidates = [
            Candidate(spec, item.name, item.record, str(item.plugin))
            for item in provided.values()
            if (spec := getattr(item.record, "spec", None)) is not None
        ]
        return cls(
            provided=provided,
            patterns=_by_pattern(provided.values()),
            units=units,
            failures=tuple(failures),
            kinds=Kinds.of(candidates, units),
        )

    @property
    def schemas(self) -> Schemas:
        """What every kind of block may hold."""
        return self._kinds.schemas

    def family(self, name: str) -> dict[str, Any]:
        """Return the records of a family by name."""
        return self._families.get(name, {})

    def of_plugin(self, plugin: Plugin) -> tuple[Provided, ...]:
        """Return what a plugin registered."""
        return tuple(item for item in self.provided.values() if item.plugin == plugin)

    def spec_for(self, kind: str, parent_kind: str | None, selected: str | None) -> tuple[type, Any] | None:
        """Return the spec that reads a block and its record; see `Registry.spec_for`."""
        return self._kinds.spec_for(kind, parent_kind, selected)

    def candidates(self, kind: str) -> tuple[Candidate, ...]:
        """Return every spec of a kind with its record."""
        return self._kinds.candidates.get(kind, ())

    def kind_names(self) -> tuple[str, ...]:
        """Return the names of all kinds of block, sorted."""
        return tuple(sorted(self._kinds.candidates))


def _call(
    family: str, hook: Family, plugin: Plugin, function: Any, units: UnitTable, failures: list[Failure]
) -> list[Provided]:
    """Return the records of one hook of one plugin; where it fails, none of them but a failure."""
    found = []
    try:
        for record in function() or ():
            _verify(hook, record, units)
            name = getattr(record, "name", None) or record.symbol
            found.append(Provided(family, name, guarded(family, record, plugin), plugin))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        failures.append(failure(plugin, hook.hook, error))
        return []
    return found


def _verify(hook: Family, record: Any, units: UnitTable) -> None:
    record_class: Any = hook.record
    if not isinstance(record, record_class):
        raise PluginError(f"yields {record!r} instead of a {record_class.__name__}")
    contract = getattr(record, "contract", CONTRACT)
    if contract != CONTRACT:
        raise PluginError(
            f"`{record.name}` is written for contract {contract}; this accelscope has {CONTRACT}"
        )
    spec = getattr(record, "spec", None)
    if spec is None:
        return
    kind = str(about(spec)["kind"])
    if hook.kind is not None and kind != hook.kind:
        raise PluginError(f"`{record.name}` has a spec of kind `{kind}` instead of `{hook.kind}`")
    schema_of(spec, record.name, units)


def _add(provided: dict[tuple[str, str], Provided], item: Provided) -> None:
    other = provided.setdefault((item.family, item.name), item)
    if other is not item:
        raise conflict(f"{item.family} `{item.name}`", str(other.plugin), str(item.plugin), item.plugin.name)


def _units(items: Iterable[Provided]) -> UnitTable:
    known: list[Unit] = []
    table = UnitTable.of()
    for item in items:
        try:
            table = UnitTable.of((*known, item.record))
        except (ValueError, UnknownUnit) as error:
            raise PluginConflictError(
                f"unit `{item.name}` of plugin {item.plugin} cannot be added: {error}"
            ) from error
        known.append(item.record)
    return table


def _by_pattern(items: Iterable[Provided]) -> dict[str, Any]:
    found: dict[str, Provided] = {}
    for item in items:
        for pattern in item.record.patterns if item.family == "interconnect" else ():
            other = found.setdefault(pattern, item)
            if other is not item:
                raise conflict(f"pattern `{pattern}`", str(other.plugin), str(item.plugin), item.plugin.name)
    return {pattern: item.record for pattern, item in found.items()}
