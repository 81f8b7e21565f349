"""The neutral vocabulary between models: operations, traffic, collectives, plans, usage and limits.

Every number is a `Term`, so that a model function sees a whole sweep at once. Nothing here computes.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from attrs import field, frozen

from accelscope.core.numeric.term import Array, Term, term

S = TypeVar("S")

ONE = term(1.0)
NOTHING = term(0.0)
NO_BYTES = term(0.0, "B")
NO_OPS = term(0.0, "op")
NO_TIME = term(0.0, "s")
OUTSIDE = "outside"
"""Level of a memory that belongs to the host or the system around a device."""


@frozen(kw_only=True, eq=False)
class Part(Generic[S]):
    """A bound block in its place on a device or system.

    Attributes:
        name: the label, such as `hbm`.
        path: dotted labels from the device, such as `gh100.sm.tensor`.
        spec: the bound spec.
        model: name of the model that serves it.
        count: how many there are on one device, all levels multiplied.
        cores: how many cores of the kind that it stands in there are on one device; 1 outside any core.
        clock: cycle/s of the nearest enclosing clock, or None where none is given.
        level: the kind of block that it stands in, such as `package`, `die` or `core`, or `outside` of the package.
    """

    name: str
    path: str
    spec: S
    model: str
    count: Term = ONE
    cores: Term = ONE
    clock: Term | None = None
    level: str = "package"


@frozen(kw_only=True, eq=False)
class Precision:
    """Data types by role, as names of `accelscope.core.numeric.dtypes`.

    Attributes:
        head: None where lm_head and embedding stay wide.
        experts: what routed experts are computed in, None for as all else.
    """

    weights: str
    activations: str
    kv: str
    head: str | None = None
    experts: str | None = None


@frozen(kw_only=True, eq=False)
class Step:
    """One pass of a model over a batch.

    Attributes:
        phase: "prefill" or "decode"; of training "forward" or "backward".
        sequences: how many sequences are in the pass.
        tokens: new tokens of each sequence in the pass (the prompt, or 1).
        context: tokens of each sequence that are cached before the pass.
        microbatches: how many such passes a batch was divided into, for a pipeline.
        micro_batch: sequences of one such pass in training, or None where they follow from the pipeline.
    """

    phase: str
    sequences: Term
    tokens: Term
    context: Term
    microbatches: Term = ONE
    micro_batch: Term | None = None


@frozen(kw_only=True, eq=False)
class Op:
    """One class of operation of a pass, with everything a hardware model may ask about it.

    Sizes are of one execution on one device. A GEMM computes, `groups` times, an (m x k) by (k x n) product.

    Attributes:
        name: such as `qkv`; unique within a pass.
        component: `attention`, `ffn`, `norm`, `embedding`, `lm_head`, ...: what a breakdown groups by.
        kind: `gemm`, `grouped_gemm`, `attention`, `elementwise` or `gather`.
        kernel: class of kernel that calibrations know it by, such as `attention_decode`; "" is the same as `kind`.
        dtype: data type that is computed in.
        stored: data type that its weights or KV cache are stored in; "" is the same as `dtype`.
        flops: op.
        weights: bytes of parameters read; reads, writes: bytes of activations; kv_read, kv_write: bytes of KV cache.
        m, n, k, groups: GEMM shape; for attention m is query rows, n is context and k is the mean width of a key and a
            value of one of `groups` (sequence, KV head) pairs.
        outside: pairs of query and key before it that an attention's window hides, as multiples of those it shows.
        steps: of a form in chunks, how many of `groups` belong to one state, which passes from one to the next.
        queries: query heads of an attention that share a KV head, and have m / queries rows each; 1 where the rows of a
            group are not of several heads that a kernel could also take one by one.
        repeat: executions a pass (layers).
        launches: kernels started for one execution.
        split: how tensor parallelism divides it: `column` (n), `row` (k, then an all-reduce of `writes`), `partial`
            (k like `row`, but a later operation's all-reduce adds it up), `heads`, `vocab`, `expert_column` and
            `expert_row` (by expert, and within one like `column` and `row`) or `none`.
        kv_heads: KV heads on the device, where the operation has a part for each KV head that repeats beyond them.
        layered: whether it stands in the layers that a pipeline divides; not so embedding and lm_head.
        expands: whether it makes keys and values of all tokens, cached ones too, from latents just before an attention.
    """

    name: str
    component: str
    kind: str
    dtype: str
    flops: Term
    kernel: str = ""
    stored: str = ""
    weights: Term = NO_BYTES
    reads: Term = NO_BYTES
    writes: Term = NO_BYTES
    kv_read: Term = NO_BYTES
    kv_write: Term = NO_BYTES
    m: Term = ONE
    n: Term = ONE
    k: Term = ONE
    groups: Term = ONE
    queries: Term = ONE
    outside: Term = NOTHING
    steps: Term = ONE
    repeat: Term = ONE
    launches: Term = ONE
    split: str = "none"
    kv_heads: Term | None = None
    layered: bool = True
    expands: bool = False


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
    kind: str
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


@frozen(eq=False)
class Limit:
    """A resource with what is used of it; a point is infeasible where used exceeds available.

    Attributes:
        reason: why it matters, for a person who has exceeded it.
        condition: whether it only holds or is broken, so that a share of it means nothing.
    """

    name: str
    used: Term
    available: Term
    reason: str = ""
    condition: bool = False


def condition(name: str, holds: Array, reason: str) -> Limit:
    """Return a condition as a limit: a point is infeasible where it does not hold."""
    used = Term(np.where(holds, 0.0, 1.0))
    return Limit(name, used=used, available=term(0.0), reason=reason, condition=True)


@frozen(kw_only=True, eq=False)
class Usage:
    """What a model says an operation costs.

    Attributes:
        time: s.
        energy: J, or None where the model does not know.
        limits: resources with a capacity.
        onward: traffic that the next memory level outwards has to serve, or None for the last.
    """

    time: Term
    energy: Term | None = None
    limits: tuple[Limit, ...] = ()
    onward: Traffic | None = None


@frozen(kw_only=True, eq=False)
class Traffic:
    """Bytes that one operation moves at one level of the memory hierarchy.

    Attributes:
        weights, activations, kv: bytes read and written, by what they are.
        footprint: bytes that the device touches before it touches the same weights again (weights and KV of a pass).
        op: the operation.
        home: whether weights and KV live at this level, with no level behind it that serves them.
        share: measured share of the peak bandwidth that the kernel reaches at this level, or None.
    """

    weights: Term
    activations: Term
    kv: Term
    footprint: Term
    op: Op
    home: bool = False
    share: Term | None = None

    @property
    def bytes(self) -> Term:
        """All bytes."""
        return (self.weights + self.activations + self.kv).named("bytes moved")


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
        parameters: how many, in total; active_parameters: those that one token uses.
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
        weights: whose weights it holds all the time; gathered: whose it holds while a layer is worked on, beside those.
        gradients: whose gradients it holds; updated: whose optimiser state it holds.
    """

    weights: Term
    gathered: Term
    gradients: Term
    updated: Term


@frozen(kw_only=True, eq=False)
class Routed:
    """How the visits of tokens to routed experts spread over ranks.

    Attributes:
        ranks: that hold the experts of a layer, in equal numbers; tokens: that visit experts on them.
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
        microbatches: how many a pass is divided into; sequences: of all of them, in one replica.
        ranks: devices so far: the product of the degrees.
        contexts: ranks among them that divide the context of one sequence, in serving.
        handed: bytes of the activation between layers that a rank hands on to the next stage, or None for all of it.
        phase: of the step; chunks: groups of layers that a stage holds, which micro-batches come back to (interleaving).
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
    phase: str = ""
    chunks: Term = ONE
    states: States | None = None
    routed: Routed | None = None
    step: Step | None = None
    limits: tuple[Limit, ...] = ()


@frozen(kw_only=True, eq=False)
class Device:
    """One accelerator: what the compute and memory models see.

    Attributes:
        name: of its definition, such as `H100_SXM`.
        engines: compute parts; memories: from the innermost to the outermost level, tiers of the system behind them.
        package: the bound `package` spec.
        fabric: what joins the cores of a die, where the description says so.
        kernels: what was measured of its kernels, a `kernels.Kernels`.
    """

    name: str
    engines: tuple[Part[Any], ...]
    memories: tuple[Part[Any], ...]
    package: Any
    fabric: Fabric | None = None
    kernels: Any = None


@frozen(kw_only=True, eq=False)
class Fabric:
    """One tier of the network: `size` endpoints that reach each other over links.

    Attributes:
        pattern: `switch`, `clique`, `ring`, `mesh`, `torus`, `flat`, ...: selects the interconnect model.
        link: the bound link spec (bandwidth of one link in one direction, latency, efficiency).
        links: links of one endpoint into this tier.
        size: endpoints of one group: devices for the innermost tier.
        cards: links of one endpoint with all its devices, into this tier.
        shape: sizes along the dimensions of a mesh or torus; groups, routers and endpoints of a dragonfly.
        switch: the bound switch spec, or None.
        settings: further fields of the `connect` block, by name.
        clock: cycle/s of what the fabric joins, for links that give rates a cycle; None between devices.
    """

    name: str
    pattern: str
    link: Any
    links: Term
    size: Term
    cards: Term = ONE
    shape: tuple[Term, ...] = ()
    switch: Any = None
    settings: Any = field(factory=dict)
    clock: Term | None = None


@frozen(kw_only=True, eq=False)
class Machine:
    """Devices and the tiers that join them, innermost first."""

    device: Device
    devices: Term
    tiers: tuple[Fabric, ...]
