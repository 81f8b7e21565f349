"""Parallelism strategies: records that divide a pass over the devices of a machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Plan
from accelscope.core.ir.record import CONTRACT, RECORD_NAME


@frozen(kw_only=True)
class Strategy:
    """Divides a pass over devices; strategies compose in `order`.

    Attributes:
        spec: a spec class of kind `parallel`; its fields join the others in the `parallel { }` block.
        split: (spec, step) to the step of one micro-batch on one replica, before the workload is built.
        shard: (spec, plan, machine) to the plan with its ops, collectives and residency divided.
    """

    name: str = field(validator=RECORD_NAME)
    doc: str
    spec: type
    order: int
    split: Callable[[Any, Step], Step]
    shard: Callable[[Any, Plan, Machine], Plan]
    contract: int = CONTRACT
