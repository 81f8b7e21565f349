"""Kinds of block that describe how a part is built: yield, interposer, redundancy, routers, partitions, slices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import KindRecord


@hookimpl
def accelscope_kinds() -> Iterable[KindRecord]:
    """Yield the kinds of physical description."""
    from accelscope.plugins.physical.kinds import PHYSICAL_KINDS

    yield from PHYSICAL_KINDS
