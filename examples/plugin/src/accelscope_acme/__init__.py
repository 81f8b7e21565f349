"""High-bandwidth flash, retention and the chips of Acme: an example of a plugin for accelscope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import LayerModel, LibraryFolder, MemoryModel


@hookimpl
def accelscope_memories() -> Iterable[MemoryModel]:
    """Yield the model of high-bandwidth flash."""
    from accelscope_acme.hbf import HBF

    yield HBF


@hookimpl
def accelscope_layers() -> Iterable[LayerModel]:
    """Yield layers with retention."""
    from accelscope_acme.retention import RETENTION

    yield RETENTION


@hookimpl
def accelscope_library() -> Iterable[LibraryFolder]:
    """Yield the folder of `acme.chips`."""
    from pathlib import Path

    from accelscope.core.plugin.records import LibraryFolder

    yield LibraryFolder(name="acme", doc="chips of Acme", path=Path(__file__).parent / "library")
