"""Parallelism strategies that ship with accelscope: data, tensor, cache, context, expert, pipeline, sharding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Strategy


@hookimpl
def accelscope_strategies() -> Iterable[Strategy]:
    """Yield strategies; they apply in their `order`."""
    from accelscope.plugins.parallelism.cache import DECODE_CONTEXT
    from accelscope.plugins.parallelism.context import CONTEXT
    from accelscope.plugins.parallelism.data import DATA
    from accelscope.plugins.parallelism.expert import EXPERT
    from accelscope.plugins.parallelism.fsdp import SHARDING
    from accelscope.plugins.parallelism.pipeline import PIPELINE
    from accelscope.plugins.parallelism.tensor import TENSOR

    yield from (DATA, TENSOR, DECODE_CONTEXT, CONTEXT, EXPERT, PIPELINE, SHARDING)
