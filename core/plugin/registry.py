"""Finds plugins, calls their registering hooks once, and says which plugin every record is from.

Nothing of pluggy is seen outside of this module and `accelscope.core.plugin.hookspecs`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
from attrs import define, field

from accelscope.core.errors import PluginError, UsageError
from accelscope.core.plugin import hookspecs
from accelscope.core.plugin.identity import (
    Plugin,
    PluginFailure,
    format_absent_plugins,
    format_disable_hint,
    make_plugin_failure,
    plugin_from_entry_point,
    plugin_from_object,
    read_disabled_plugins,
    refuse_duplicate_plugins,
    refuse_unknown_plugins,
    warn_unknown_disabled,
)
from accelscope.dsl.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from accelscope.core.plugin.catalogue import Catalogue
    from accelscope.core.plugin.commands import Commands
    from accelscope.core.plugin.records import (
        Check,
        ComputeModel,
        InterconnectModel,
        KindRecord,
        LayerModel,
        LibraryFolder,
        MemoryModel,
        Metric,
        Report,
        Strategy,
        WorkloadModel,
    )
    from accelscope.dsl.schema.schema import Schemas
    from accelscope.dsl.values.units import UnitTable

OWN_DISTRIBUTION = "accelscope"
_T = TypeVar("_T")


@define(eq=False, slots=False)
class Registry:
    """The plugins of a session and, once asked for, their records.

    Attributes:
        plugins: those that loaded, sorted by distribution and name.
        disabled_plugins: those that were found but disabled.
    """

    plugins: tuple[Plugin, ...]
    disabled_plugins: tuple[Plugin, ...]
    _manager: pluggy.PluginManager
    _load_failures: tuple[PluginFailure, ...]
    _shared: dict[type[Any], Any] = field(factory=dict, init=False)

    @classmethod
    def load(cls, disabled: Iterable[str] = ()) -> Registry:
        """Load every installed plugin but the disabled ones and those that ACCELSCOPE_DISABLE names.

        Args:
            disabled: names of plugins or of distributions.

        Raises:
            PluginConflictError: two distributions have a plugin of the same name.
            PluginError: a plugin implements a hook that does not exist.
            UsageError: a disabled name is no plugin.
        """
        return _load(entry_points(group=hookspecs.ENTRY_POINT_GROUP), tuple(disabled), ())

    @classmethod
    def built_in(cls, *plugins: object) -> Registry:
        """Load the plugins that ship with accelscope and the given ones, whatever else is installed."""
        found = entry_points(group=hookspecs.ENTRY_POINT_GROUP)
        return _load(
            (point for point in found if plugin_from_entry_point(point).distribution == OWN_DISTRIBUTION),
            (),
            plugins,
        )

    @classmethod
    def of(cls, *plugins: object) -> Registry:
        """Use the given modules or objects and nothing else, for tests."""
        return _load((), (), plugins)

    @cached_property
    def catalogue(self) -> Catalogue:
        """All records with their plugins; asking for it calls the hooks, which import the models."""
        from accelscope.core.plugin.catalogue import Catalogue

        return Catalogue.collect(self.implementations)

    def implementations(self, hook: str) -> Iterable[tuple[Plugin, Any]]:
        """Yield the functions that implement a hook, in the order of their plugins."""
        by_name = {str(plugin): plugin for plugin in self.plugins}
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            yield by_name[implementation.plugin_name], implementation.function

    def add_commands(self, commands: Commands) -> tuple[PluginFailure, ...]:
        """Let every plugin add its verbs; what fails is returned and leaves the others alone."""
        failures = []
        for plugin, function in self.implementations("accelscope_commands"):
            try:
                function(commands)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
                failures.append(make_plugin_failure(plugin, "accelscope_commands", error))
        return tuple(failures)

    @property
    def failures(self) -> tuple[PluginFailure, ...]:
        """What did not load, or failed in a hook."""
        return (*self._load_failures, *self.catalogue.failures)

    def describe_absent(self) -> str:
        """Return which plugins do not take part, as a clause for the end of a message; "" where all do."""
        return format_absent_plugins(self.disabled_plugins, self.failures)

    def warnings(self) -> tuple[str, ...]:
        """Return warnings of names in ACCELSCOPE_DISABLE that nothing has."""
        failed = (item.plugin for item in self._load_failures)
        return warn_unknown_disabled((*self.plugins, *self.disabled_plugins, *failed))

    @property
    def memories(self) -> Mapping[str, MemoryModel]:
        """Models of memory levels by name."""
        return self.catalogue.family("memory")

    @property
    def computes(self) -> Mapping[str, ComputeModel]:
        """Models of engines by name."""
        return self.catalogue.family("compute")

    @property
    def interconnects(self) -> Mapping[str, InterconnectModel]:
        """Models of network tiers by name."""
        return self.catalogue.family("interconnect")

    @property
    def patterns(self) -> Mapping[str, InterconnectModel]:
        """Models of network tiers by connection pattern."""
        return self.catalogue.patterns

    def interconnect_for(self, pattern: str) -> InterconnectModel:
        """Return the model that serves a connection pattern; raise UsageError where no plugin does."""
        try:
            return self.patterns[pattern]
        except KeyError:
            known = ", ".join(f"`{name}`" for name in sorted(self.patterns))
            raise UsageError(
                f"no installed plugin serves the connection pattern `{pattern}`"
                + (f"; there are {known}" if known else " or any other")
                + self.describe_absent()
            ) from None

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """Parallelism strategies in the order in which they apply."""
        return tuple(
            sorted(self.catalogue.family("strategy").values(), key=lambda item: (item.order, item.name))
        )

    @property
    def workloads(self) -> Mapping[str, WorkloadModel]:
        """Families of models by name."""
        return self.catalogue.family("workload")

    @property
    def layers(self) -> Mapping[str, LayerModel]:
        """Kinds of layer of a decoder by name."""
        return self.catalogue.family("layer")

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Metrics by name."""
        return self.catalogue.family("metric")

    @property
    def reports(self) -> Mapping[str, Report]:
        """Output formats by name."""
        return self.catalogue.family("report")

    @property
    def checks(self) -> Mapping[str, Check]:
        """Checks over a design by name."""
        return self.catalogue.family("check")

    @property
    def kinds(self) -> Mapping[str, KindRecord]:
        """Kinds of block that plugins add, by name."""
        return self.catalogue.family("kind")

    @property
    def libraries(self) -> Mapping[str, LibraryFolder]:
        """Folders of `.accel` files by namespace."""
        return self.catalogue.family("library")

    @property
    def units(self) -> UnitTable:
        """The units of the language and those of plugins."""
        return self.catalogue.units

    def shared(self, cls: type[_T]) -> _T:
        """Return the one instance of a class that all users of these plugins share.

        Args:
            cls: made from the registry when it is first asked for, such as a cache of what libraries hold.
        """
        if cls not in self._shared:
            self._shared[cls] = cls(self)  # type: ignore[call-arg]
        instance: _T = self._shared[cls]
        return instance

    def schemas(self) -> Schemas:
        """Return what every kind of block may hold, for the language."""
        return self.catalogue.schemas

    def spec_for(self, kind: str, parent_kind: str | None, selected: str | None) -> tuple[type, Any] | None:
        """Return the spec class that reads a block and the record that it belongs to, if a plugin's.

        Args:
            kind: of the block.
            parent_kind: of the block that it stands in.
            selected: value of the field that selects among several specs, or None where the block does not give it.

        Returns:
            None where no spec reads it, and for `parallel` and `connect`, whose fields several records share.
        """
        return self.catalogue.spec_for(kind, parent_kind, selected)

    def plugin_of(self, family: str, name: str) -> Plugin:
        """Return the plugin that a record is from; raise KeyError where there is none."""
        return self.catalogue.registered_records[family, name].plugin

    def manifest(self) -> list[dict[str, str]]:
        """Return name, distribution and version of every plugin, for the manifest of a result."""
        return [
            {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
            for plugin in self.plugins
        ]


def _load(points: Iterable[EntryPoint], disabled: tuple[str, ...], extra: tuple[object, ...]) -> Registry:
    manager = pluggy.PluginManager(hookspecs.ENTRY_POINT_GROUP)
    manager.add_hookspecs(hookspecs)
    found = sorted(((plugin_from_entry_point(point), point) for point in points), key=lambda pair: pair[0])
    refuse_unknown_plugins(disabled, [plugin for plugin, _ in found])
    off = {*disabled, *read_disabled_plugins()}
    wanted = [(plugin, point) for plugin, point in found if not {plugin.name, plugin.distribution} & off]
    refuse_duplicate_plugins([plugin for plugin, _ in wanted])
    failures, loaded = [], []
    for plugin, point in wanted:
        try:
            manager.register(point.load(), name=str(plugin))
            loaded.append(plugin)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
            if manager.has_plugin(str(plugin)):
                manager.unregister(name=str(plugin))
            failures.append(make_plugin_failure(plugin, f"`{point.value}`", error))
    for item in extra:
        plugin = plugin_from_object(item)
        manager.register(item, name=str(plugin))
        loaded.append(plugin)
    for plugin in loaded:
        _refuse_misspelt(plugin, manager)
    switched = tuple(plugin for plugin, _ in found if {plugin.name, plugin.distribution} & off)
    return Registry(tuple(loaded), switched, manager, tuple(failures))


def _refuse_misspelt(plugin: Plugin, manager: pluggy.PluginManager) -> None:
    """Refuse hooks that do not exist, and functions that are called like a hook but not marked as one."""
    known = [
        name
        for name, _ in inspect.getmembers(hookspecs, inspect.isfunction)
        if name.startswith("accelscope_")
    ]
    module = manager.get_plugin(str(plugin))
    callers = manager.get_hookcallers(module) or []
    for caller in callers:
        if not caller.has_spec():
            hint = did_you_mean(caller.name, known)
            raise PluginError(
                f"plugin {plugin} implements `{caller.name}`, which is no hook"
                + (f"; {hint}" if hint else "")
                + f" (or disable it with {format_disable_hint(plugin.name)})"
            )
    marked = {caller.name for caller in callers}
    for name in known:
        if name not in marked and inspect.isroutine(getattr(module, name, None)):
            raise PluginError(f"plugin {plugin} defines `{name}` without @hookimpl, so it would be ignored")
