"""What a design is built from: bound blocks, whether they are read from a file or made from rows of measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import evolve, field, fields_dict, frozen

from accelscope.core.assemble.design import Model, SystemCost
from accelscope.core.blocks.calibration import Calibration
from accelscope.core.blocks.runtime import NamedRuntime
from accelscope.core.blocks.scenario import Load, MemoryPolicy, Scheduler, SpeculativeDecoding, Training
from accelscope.core.blocks.variability import Variability
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Array, Term
from accelscope.core.plugin.records import Strategy
from accelscope.dsl.diagnostics.diagnostics import Span


@frozen(kw_only=True)
class PrecisionRequest:
    """Data types by role, as a description or a measurement gives them; None if it does not.

    Attributes:
        weights: of stored parameters.
        activations: what is computed in.
        kv: of the KV cache.
        lm_head: of the stored embedding and lm_head.
        expert_activations: what routed experts are computed in.
        widen: whether activations that no engine of the device multiplies are computed in 16 bit. Engines do so
            silently, so a measurement may name a type that was never computed in. A description that names such a type
            is refused.
    """

    weights: str | None = None
    activations: str | None = None
    kv: str | None = None
    lm_head: str | None = None
    expert_activations: str | None = None
    widen: bool = False

    def over(self, other: PrecisionRequest) -> PrecisionRequest:
        """Return this request, with the data types of another one for roles that it does not give."""
        missing = (name for name in fields_dict(PrecisionRequest) if getattr(self, name) is None)
        return evolve(self, **{name: getattr(other, name) for name in missing})


@frozen(kw_only=True, eq=False)
class PoolParts:
    """What one pool of devices has of its own; None if it is as the deployment has it.

    Attributes:
        strategies: degrees of parallelism of the pool.
        scheduler: how the pool forms batches.
        memory: what the pool keeps free and puts into a tier behind its memory.
        devices: how many devices the pool has.
    """

    strategies: tuple[tuple[Strategy, Any], ...] | None = None
    scheduler: Scheduler | None = None
    memory: MemoryPolicy | None = None
    devices: Term | None = None


@frozen(kw_only=True, eq=False)
class DisaggregatedParts:
    """The pools of a deployment whose prompts and decoding have devices of their own.

    Attributes:
        prefill: the pool that works on prompts.
        decode: the pool that decodes.
        overlap: `layerwise` if the KV cache goes over layer by layer while a prompt is worked on, or `none`.
        keeps_up: where the prefill pool has its split as often as it takes to keep up with decoding.
    """

    prefill: PoolParts
    decode: PoolParts
    overlap: str = "none"
    keeps_up: Array = field(factory=lambda: np.zeros((), dtype=bool))


@frozen(kw_only=True)
class PartPlaces:
    """Where a text gives what a refusal points at; None for parts that are not read from a text.

    Attributes:
        system: the block of the system.
        precision: the `precision` block of the deployment, or the deployment.
        memory: the `memory` block of the deployment, or the deployment.
        degrees: the degrees of the `parallel` block, by name.
    """

    system: Span | None = None
    precision: Span | None = None
    memory: Span | None = None
    degrees: Mapping[str, Span | None] = field(factory=dict)


@frozen(kw_only=True, eq=False)
class DesignParts:
    """The bound blocks of one design, before anything is derived from several of them.

    Terms are scalars or arrays that broadcast against each other: one dimension for each axis of a sweep, or one for
    rows of measurements or candidates of a search.

    Attributes:
        name: of the scenario.
        machine: the system, without calibrated kernels.
        model: the model that is served or trained.
        precision: data types as they are asked for.
        strategies: each with its bound spec, in the order in which they divide the work.
        load: what is asked of the deployment; of training its batch and sequences.
        memory: what the engine keeps free, and what it puts into a tier behind the device's memory.
        scheduler: how the engine forms batches.
        runtime: the software that serves the model, or None for kernels alone.
        calibration: measured kernels that the description names, which take precedence over those of the library.
        speculative: who proposes tokens ahead, or None.
        training: what a step of training asks, or None if the model serves.
        money: what the system costs.
        pools: devices of their own for prompts and decoding, or None.
        variability: what is random in a step, or None.
        error: 1 where times are one deviation of the models' own error higher, 0 elsewhere; None without error bars.
        at_floor: where times are the shortest that peaks allow, to bound the error bars; None without them.
        limits: conditions of the description itself, such as its asserts.
        places: where a text gives the parts.
    """

    name: str
    machine: Machine
    model: Model
    precision: PrecisionRequest
    strategies: tuple[tuple[Strategy, Any], ...]
    load: Load
    memory: MemoryPolicy
    scheduler: Scheduler
    runtime: NamedRuntime | None = None
    calibration: Calibration | None = None
    speculative: SpeculativeDecoding | None = None
    training: Training | None = None
    money: SystemCost = field(factory=SystemCost)
    pools: DisaggregatedParts | None = None
    variability: Variability | None = None
    error: Array | None = None
    at_floor: Array | None = None
    limits: tuple[Limit, ...] = ()
    places: PartPlaces = field(factory=PartPlaces)
