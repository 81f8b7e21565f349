"""The library that ships: `.accel` files of devices, links, processes and models, used as `std.<name>`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import LibraryFolder


@hookimpl
def accelscope_library() -> Iterable[LibraryFolder]:
    """Yield the folder `std`."""
    from pathlib import Path

    from accelscope.core.plugin.records import LibraryFolder

    yield LibraryFolder(
        name="std", doc="devices, links, processes and models that ship", path=Path(__file__).parent / "std"
    )
