"""Memory levels: DRAM, caches and software-managed SRAM."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import KindRecord, MemoryModel


@hookimpl
def accelscope_memories() -> Iterable[MemoryModel]:
    """Yield the built-in memory models."""
    from accelscope.plugins.memory.cache import CACHE
    from accelscope.plugins.memory.dram import DRAM, FAR_MEMORY
    from accelscope.plugins.memory.scratchpad import REGFILE, SCRATCHPAD

    yield from (REGFILE, SCRATCHPAD, CACHE, DRAM, FAR_MEMORY)


@hookimpl
def accelscope_kinds() -> Iterable[KindRecord]:
    """Yield the block that gives a memory's read and write bandwidth apart."""
    from accelscope.core.plugin.records import KindRecord
    from accelscope.plugins.memory.level import ReadWrite

    yield KindRecord(name="bandwidth", doc="Read and write bandwidth of a memory, apart.", spec=ReadWrite)
