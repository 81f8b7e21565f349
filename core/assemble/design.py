"""A design: everything one evaluation needs, bound and ready, with terms for numbers. Nothing here computes."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen

from accelscope.core.blocks.runtime import NO_OVERHEAD_PROFILE, EngineProfile
from accelscope.core.blocks.scenario import Load, MemoryPolicy, Scheduler, SpeculativeDecoding, Training
from accelscope.core.blocks.variability import Variability
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Precision
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Array, Term
from accelscope.core.plugin.records import Strategy, WorkloadModel


@frozen(kw_only=True, eq=False)
class Model:
    """The model that is served: its name, its bound spec and the record that builds its operations."""

    name: str
    spec: Any
    record: WorkloadModel


@frozen(kw_only=True, eq=False)
class SystemCost:
    """What a system costs.

    Attributes:
        rate: USD a second of the whole system, or None where no price is given.
        electricity: USD a joule, or None.
        by_device: whether single devices are paid for, rather than whole groups of the innermost tier (nodes).
    """

    rate: Term | None = None
    electricity: Term | None = None
    by_device: bool = False


@frozen(kw_only=True, eq=False)
class DisaggregatedPools:
    """Two groups of devices of one system: one works on prompts, the other decodes.

    Attributes:
        prefill, decode: designs with the splits and schedulers of their own.
        overlap: `layerwise` where the KV cache goes over layer by layer while a prompt is worked on, or `none`.
        keeps_up: where the prefill pool has its split as often as it takes to keep up with decoding.
    """

    prefill: Design
    decode: Design
    overlap: str = "none"
    keeps_up: Array = field(factory=lambda: np.zeros((), dtype=bool))


@frozen(kw_only=True, eq=False)
class Design:
    """A scenario, assembled.

    Attributes:
        strategies: each with its bound spec, in the order in which they divide the work.
        runtime: what the software around the kernels adds.
        error: 1 where times are one deviation of the models' own error higher, 0 elsewhere; None without error bars.
        at_floor: where times are the shortest that peaks allow, to bound the error bars; None without them.
        speculative: who proposes tokens ahead, or None.
        training: what a step of training asks, or None where the model serves; `load` then has its batch and sequences.
        pools: where prompts and decoding have devices of their own; None where all devices do both.
        variability: what is random in a step, or None.
        limits: conditions of the description itself, such as its asserts.
    """

    scenario: str
    machine: Machine
    model: Model
    precision: Precision
    strategies: tuple[tuple[Strategy, Any], ...]
    load: Load
    memory: MemoryPolicy
    scheduler: Scheduler
    speculative: SpeculativeDecoding | None = None
    training: Training | None = None
    money: SystemCost
    pools: DisaggregatedPools | None = None
    runtime: EngineProfile = NO_OVERHEAD_PROFILE
    error: Array | None = None
    at_floor: Array | None = None
    variability: Variability | None = None
    limits: tuple[Limit, ...] = ()
