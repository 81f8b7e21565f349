"""A workload and the plan that parallelism strategies make of it: operations, collectives and residency of one device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from accelscope.core.ir.constants import NO_BYTES, NOTHING, ONE
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.record import CONTRACT, RECORD_NAME
from accelscope.core.ir.usage import Limit
from accelscope.core.ir.vocabulary import CollectiveKind, Phase
from accelscope.core.numeric.term import Term


@frozen(kw_only=True, eq=False)
class Collective:
    """A communication of one pass.

    Attributes:
        kind: `all_reduce`, `all_gather`, `reduce_scatter`, `all_to_all`, `send_recv`, `broadcast` (one rank to all) or
            `reduce` (the sum of all to one rank).
        bytes: payload of the full tensor (what one rank holds before an all-reduce; what all ranks hold together
            after an all-gather; what one rank sends in all for an all-to-all).
        ranks: devices that take part; 1 costs nothing.
        positions: places in a group of the tiers below that the receivers of an all-to-all lie at; 1 where every rank
            sends to those at its own place only.
        stride: distance of neighbouring ranks in device numbers, so 1 for the innermost parallelism.
        repeat: executions a pass.
        component: what a breakdown groups by.
        layered: whether it stands in the layers that a pipeline divides.
        picks: of an all-to-all, the places that each token goes to, where it is sent once to each group of devices that
            holds any of them and copied on there; None where it is sent to each place.
        window: share of the pass's work that it goes on beside and can hide behind, or None where work waits for it.
        beside: name of the one operation that it goes on beside, `window` then being a share of that operation's time; ""
            for the whole pass.
        kernel: class of kernel that does it, such as `custom_all_reduce`; `""` for whatever is known of its kind.
        known: what was measured of that kernel, or None; the network looks it up.
    """

    name: str
    kind: CollectiveKind = field(converter=CollectiveKind)
    bytes: Term
    ranks: Term
    stride: Term = ONE
    positions: Term = ONE
    repeat: Term = ONE
    component: str = "communication"
    layered: bool = True
    picks: Term | None = None
    window: Term | None = None
    beside: str = ""
    kernel: str = ""
    known: Any = None


@frozen(kw_only=True, eq=False)
class Residency:
    """Bytes that stay on one device, by what they are, and the whole model's totals before any split.

    Attributes:
        replicated: bytes among `activations` that every tensor-parallel rank holds in full.
    """

    weights: Term
    kv: Term
    activations: Term
    replicated: Term = NO_BYTES


@frozen(kw_only=True, eq=False)
class Workload:
    """What a workload model builds for one pass of the whole model on one device, before any parallelism.

    Attributes:
        ops: in order of execution; `repeat` says how often each runs in the pass.
        residency: bytes of all weights, of the KV cache at the end of the pass, of live activations.
        activation: bytes that pass from one layer to the next (what a pipeline stage sends on).
        layers: how many layers there are (what a pipeline divides).
        heads, kv_heads: of the attention, which bound the tensor-parallel degree.
        parameters: number of all parameters.
        active_parameters: number of parameters that one token uses.
        kv_per_token: bytes that one more token of context takes in all layers, windows aside.
        experts, top_k: routed experts of a layer and how many of them a token visits, or None without experts.
        expert_weights: bytes of all routed experts, which are part of `residency.weights`.
        expert_spread: variance of the popularity of experts over the square of its mean; 0 where all are alike.
        expert_chance: 1 where visits fall at random, 0 where every expert has just its share.
    """

    ops: tuple[Op, ...]
    residency: Residency
    activation: Term
    layers: Term
    heads: Term
    kv_heads: Term
    parameters: Term
    active_parameters: Term
    kv_per_token: Term = NO_BYTES
    experts: Term | None = None
    top_k: Term | None = None
    expert_weights: Term = NO_BYTES
    expert_spread: Term = NOTHING
    expert_chance: Term = ONE


@frozen(kw_only=True, eq=False)
class States:
    """What training keeps on one device, in numbers of parameters.

    Attributes:
        weights: parameters whose weights it holds all the time.
        gathered: parameters whose weights it holds only while a layer is worked on.
        gradients: parameters whose gradients it holds.
        updated: parameters whose optimiser state it holds.
    """

    weights: Term
    gathered: Term
    gradients: Term
    updated: Term


@frozen(kw_only=True, eq=False)
class Routed:
    """How the visits of tokens to routed experts spread over ranks.

    Attributes:
        ranks: ranks that hold the experts of a layer, in equal numbers.
        tokens: tokens that visit experts on these ranks.
    """

    ranks: Term
    tokens: Term


@frozen(kw_only=True, eq=False)
class Plan:
    """A pass as one device runs it: what the strategies make of a workload, one after the other.

    Attributes:
        ops: per device and micro-batch.
        collectives: per device and micro-batch.
        residency: per device.
        stages: pipeline stages; each runs its share of `ops` (ops keep the repeat of one stage).
        microbatches: micro-batches that a pass is divided into.
        sequences: sequences of all micro-batches, in one replica.
        ranks: devices so far: the product of the degrees.
        contexts: ranks among them that divide the context of one sequence, in serving.
        handed: bytes of the activation between layers that a rank hands on to the next stage, or None for all of it.
        phase: phase of the step.
        chunks: groups of layers that a stage holds, which micro-batches come back to (interleaving).
        states: what training keeps of the parameters, or None.
        routed: how visits spread over ranks, or None without routed experts.
        step: of all devices, before it was split, or None where it is not one step.
        limits: rules of the split, such as heads that do not divide.
    """

    ops: tuple[Op, ...]
    collectives: tuple[Collective, ...] = ()
    residency: Residency
    workload: Workload
    stages: Term = ONE
    microbatches: Term = ONE
    sequences: Term = ONE
    replicas: Term = ONE
    ranks: Term = ONE
    contexts: Term = ONE
    handed: Term | None = None
    phase: Phase = field(default=Phase.DECODE, converter=Phase)
    chunks: Term = ONE
    states: States | None = None
    routed: Routed | None = None
    step: Step | None = None
    limits: tuple[Limit, ...] = ()


@frozen(kw_only=True)
class WorkloadModel:
    """Builds the operations of one pass of a model.

    Attributes:
        spec: a spec class of kind `model`.
        build: (spec, step, precision) to the workload.
    """

    name: str = field(validator=RECORD_NAME)
    doc: str
    spec: type
    build: Callable[[Any, Step, Precision], Workload]
    contract: int = CONTRACT
