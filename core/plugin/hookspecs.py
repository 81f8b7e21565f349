"""Every hook of accelscope: what a plugin implements to add something.

A hook takes no argument and yields frozen records; it is called once when a session starts. Import what is heavy
inside the hook, so that `accelscope --help` stays fast. Register the module under the entry-point group `accelscope`:

    [project.entry-points.accelscope]
    acme = "accelscope_acme"
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
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
        Unit,
        WorkloadModel,
    )

ENTRY_POINT_GROUP = "accelscope"

hookspec = pluggy.HookspecMarker(ENTRY_POINT_GROUP)
hookimpl = pluggy.HookimplMarker(ENTRY_POINT_GROUP)


@hookspec
def accelscope_memories() -> Iterable[MemoryModel]:
    """Yield models of memory levels.

    Example:
        @hookimpl
        def accelscope_memories():
            from accelscope_acme.flash import FLASH
            yield FLASH
    """
    raise NotImplementedError


@hookspec
def accelscope_computes() -> Iterable[ComputeModel]:
    """Yield models of compute engines.

    Example:
        @hookimpl
        def accelscope_computes():
            from accelscope_acme.optical import OPTICAL_MVM
            yield OPTICAL_MVM
    """
    raise NotImplementedError


@hookspec
def accelscope_interconnects() -> Iterable[InterconnectModel]:
    """Yield models of network tiers.

    Example:
        @hookimpl
        def accelscope_interconnects():
            from accelscope_acme.hypercube import HYPERCUBE
            yield HYPERCUBE
    """
    raise NotImplementedError


@hookspec
def accelscope_strategies() -> Iterable[Strategy]:
    """Yield parallelism strategies; their fields join the `parallel { }` block.

    Example:
        @hookimpl
        def accelscope_strategies():
            from accelscope_acme.context import CONTEXT
            yield CONTEXT
    """
    raise NotImplementedError


@hookspec
def accelscope_workloads() -> Iterable[WorkloadModel]:
    """Yield families of models: what turns a `model` block into operations.

    Example:
        @hookimpl
        def accelscope_workloads():
            from accelscope_acme.diffusion import DIFFUSION
            yield DIFFUSION
    """
    raise NotImplementedError


@hookspec
def accelscope_layers() -> Iterable[LayerModel]:
    """Yield kinds of layer of a decoder: mixers in place of attention, feed-forward layers in place of its network.

    Their blocks stand in `model { family = decoder, ... }` beside the built-in ones, which come through this hook, too.

    Example:
        @hookimpl
        def accelscope_layers():
            from accelscope_acme.retention import RETENTION  # for blocks `retention { layers = 24, heads = 16 }`
            yield RETENTION
    """
    raise NotImplementedError


@hookspec
def accelscope_metrics() -> Iterable[Metric]:
    """Yield numbers that are computed from a whole evaluation.

    Example:
        @hookimpl
        def accelscope_metrics():
            from accelscope_acme.carbon import CARBON_PER_MTOK
            yield CARBON_PER_MTOK
    """
    raise NotImplementedError


@hookspec
def accelscope_reports() -> Iterable[Report]:
    """Yield output formats; the name is what `--format` takes.

    Example:
        @hookimpl
        def accelscope_reports():
            from accelscope_acme.xlsx import XLSX
            yield XLSX
    """
    raise NotImplementedError


@hookspec
def accelscope_checks() -> Iterable[Check]:
    """Yield checks over an assembled design; they yield diagnostics and limits.

    Example:
        @hookimpl
        def accelscope_checks():
            from accelscope_acme.rules import RACK_POWER
            yield RACK_POWER
    """
    raise NotImplementedError


@hookspec
def accelscope_kinds() -> Iterable[KindRecord]:
    """Yield kinds of block that carry data but select no model; a dotted name keeps a plugin's kinds apart.

    Example:
        @hookimpl
        def accelscope_kinds():
            from accelscope_acme.thermal import THERMAL  # for blocks `acme.thermal { r_theta = 0.05 }`
            yield THERMAL
    """
    raise NotImplementedError


@hookspec
def accelscope_units() -> Iterable[Unit]:
    """Yield units that descriptions may use.

    Example:
        @hookimpl
        def accelscope_units():
            from accelscope.dsl.values.units import Unit
            yield Unit("EUR", 1.08, "USD")
    """
    raise NotImplementedError


@hookspec
def accelscope_library() -> Iterable[LibraryFolder]:
    """Yield folders of `.accel` files; a folder named `acme` with `chips.accel` is used as `acme.chips`.

    Example:
        @hookimpl
        def accelscope_library():
            from pathlib import Path
            from accelscope.core.plugin.records import LibraryFolder
            yield LibraryFolder(name="acme", doc="chips of Acme", path=Path(__file__).parent / "library")
    """
    raise NotImplementedError


@hookspec
def accelscope_commands(commands: Commands) -> None:
    """Add verbs to the command line; called when the command line starts, so it must not import what is heavy.

    Example:
        @hookimpl
        def accelscope_commands(commands):
            commands.add("thermal", "accelscope_acme.cli:thermal", "Print a thermal budget.")
    """
    raise NotImplementedError
