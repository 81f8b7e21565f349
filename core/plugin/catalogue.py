"""The records of all plugins by family and name, and the schemas and specs of every kind of block.

It calls the hooks through a function that it is given, so it knows nothing of entry points or pluggy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import field, frozen

from accelscope.core.errors import PluginConflictError, PluginError
from accelscope.core.ir.record import CONTRACT
from accelscope.core.plugin import records
from accelscope.core.plugin.block_kinds import BlockKinds, SpecCandidate
from accelscope.core.plugin.checked_calls import guard_record
from accelscope.core.plugin.identity import Plugin, PluginFailure, make_conflict_error, make_plugin_failure
from accelscope.core.spec.spec import build_block_schema, read_spec_info
from accelscope.dsl.schema.schema import Schemas
from accelscope.dsl.values.units import Unit, UnitTable, UnknownUnit

"""Version of the seams that this accelscope has."""


@frozen
class RecordFamily:
    """What one hook yields.

    Attributes:
        hook: name of the hook.
        record: class of its records.
        kind: kind of block that the records' specs must be for, or None for any.
    """

    hook: str
    record: type
    kind: str | None = None


RECORD_FAMILIES: Mapping[str, RecordFamily] = {
    "unit": RecordFamily("accelscope_units", Unit),
    "memory": RecordFamily("accelscope_memories", records.MemoryModel, "memory"),
    "compute": RecordFamily("accelscope_computes", records.ComputeModel, "engine"),
    "interconnect": RecordFamily("accelscope_interconnects", records.InterconnectModel, "connect"),
    "strategy": RecordFamily("accelscope_strategies", records.Strategy, "parallel"),
    "workload": RecordFamily("accelscope_workloads", records.WorkloadModel, "model"),
    "layer": RecordFamily("accelscope_layers", records.LayerModel),
    "metric": RecordFamily("accelscope_metrics", records.Metric),
    "report": RecordFamily("accelscope_reports", records.Report),
    "check": RecordFamily("accelscope_checks", records.Check),
    "kind": RecordFamily("accelscope_kinds", records.KindRecord),
    "library": RecordFamily("accelscope_library", records.LibraryFolder),
}
"""By name of the family, in the order in which the hooks are called: units first, since specs use them."""


@frozen(eq=False)
class RegisteredRecord:
    """A record with the plugin that it is from."""

    family: str
    name: str
    record: Any
    plugin: Plugin


@frozen(kw_only=True, eq=False)
class Catalogue:
    """Every record, attributed; the schemas of all kinds; and what failed on the way."""

    registered_records: Mapping[tuple[str, str], RegisteredRecord]
    patterns: Mapping[str, Any]
    units: UnitTable
    failures: tuple[PluginFailure, ...]
    _kinds: BlockKinds = field(repr=False)
    _families: Mapping[str, dict[str, Any]] = field(repr=False, init=False)

    @_families.default
    def _grouped(self) -> dict[str, dict[str, Any]]:
        """Group the records by family: a sweep looks them up thousands of times a second."""
        found: dict[str, dict[str, Any]] = {}
        for item in self.registered_records.values():
            found.setdefault(item.family, {})[item.name] = item.record
        return found

    @classmethod
    def collect(cls, implementations: Callable[[str], Iterable[tuple[Plugin, Any]]]) -> Catalogue:
        """Call every hook but the one for commands.

        Raises:
            PluginConflictError: two plugins yield the same name of a family, pattern, unit or selector value.
        """
        provided: dict[tuple[str, str], RegisteredRecord] = {}
        failures: list[PluginFailure] = []
        units = UnitTable.of()
        for family, hook in RECORD_FAMILIES.items():
            for plugin, function in implementations(hook.hook):
                for item in _call(family, hook, plugin, function, units, failures):
                    _add(provided, item)
            if family == "unit":
                units = _units(provided.values())
        candidates = [
            SpecCandidate(spec, item.name, item.record, str(item.plugin))
            for item in provided.values()
            if (spec := getattr(item.record, "spec", None)) is not None
        ]
        return cls(
            registered_records=provided,
            patterns=_by_pattern(provided.values()),
            units=units,
            failures=tuple(failures),
            kinds=BlockKinds.of(candidates, units),
        )

    @property
    def schemas(self) -> Schemas:
        """What every kind of block may hold."""
        return self._kinds.schemas

    def family(self, name: str) -> dict[str, Any]:
        """Return the records of a family by name."""
        return self._families.get(name, {})

    def of_plugin(self, plugin: Plugin) -> tuple[RegisteredRecord, ...]:
        """Return what a plugin registered."""
        return tuple(item for item in self.registered_records.values() if item.plugin == plugin)

    def spec_for(self, kind: str, parent_kind: str | None, selected: str | None) -> tuple[type, Any] | None:
        """Return the spec that reads a block and its record; see `Registry.spec_for`."""
        return self._kinds.spec_for(kind, parent_kind, selected)

    def candidates(self, kind: str) -> tuple[SpecCandidate, ...]:
        """Return every spec of a kind with its record."""
        return self._kinds.candidates.get(kind, ())

    def kind_names(self) -> tuple[str, ...]:
        """Return the names of all kinds of block, sorted."""
        return tuple(sorted(self._kinds.candidates))


def _call(
    family: str,
    hook: RecordFamily,
    plugin: Plugin,
    function: Any,
    units: UnitTable,
    failures: list[PluginFailure],
) -> list[RegisteredRecord]:
    """Return the records of one hook of one plugin; where it fails, none of them but a failure."""
    found = []
    try:
        for record in function() or ():
            _verify(hook, record, units)
            name = getattr(record, "name", None) or record.symbol
            found.append(RegisteredRecord(family, name, guard_record(family, record, plugin), plugin))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        failures.append(make_plugin_failure(plugin, hook.hook, error))
        return []
    return found


def _verify(hook: RecordFamily, record: Any, units: UnitTable) -> None:
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
    kind = read_spec_info(spec).kind
    if hook.kind is not None and kind != hook.kind:
        raise PluginError(f"`{record.name}` has a spec of kind `{kind}` instead of `{hook.kind}`")
    build_block_schema(spec, record.name, units)


def _add(provided: dict[tuple[str, str], RegisteredRecord], item: RegisteredRecord) -> None:
    other = provided.setdefault((item.family, item.name), item)
    if other is not item:
        raise make_conflict_error(
            f"{item.family} `{item.name}`", str(other.plugin), str(item.plugin), item.plugin.name
        )


def _units(items: Iterable[RegisteredRecord]) -> UnitTable:
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


def _by_pattern(items: Iterable[RegisteredRecord]) -> dict[str, Any]:
    found: dict[str, RegisteredRecord] = {}
    for item in items:
        for pattern in item.record.patterns if item.family == "interconnect" else ():
            other = found.setdefault(pattern, item)
            if other is not item:
                raise make_conflict_error(
                    f"pattern `{pattern}`", str(other.plugin), str(item.plugin), item.plugin.name
                )
    return {pattern: item.record for pattern, item in found.items()}
