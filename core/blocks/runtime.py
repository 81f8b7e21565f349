"""What the software around the kernels adds: a `runtime` block, and the pace that it keeps on one device.

The kernels of a step are costed without it. A runtime says how the host drives them (time of a step, of each sequence,
of the launches of a layer), which shares of what the kernels could reach its own reach, and how it forms passes. A
`port` in it says what differs on the devices of one vendor, family or name: most runtimes are written for one vendor
and carried over to others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from accelscope.core.blocks.calibration import overlap_times
from accelscope.core.ir.constants import NO_TIME
from accelscope.core.ir.hardware import Device, Part
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.vocabulary import DECODE_ATTENTION, PREFILL_ATTENTION, CollectiveKind, OpKind, Phase
from accelscope.core.numeric.dtypes import DTYPE_NAMES
from accelscope.core.numeric.term import Term, maximum, term, where
from accelscope.core.spec.spec import blocks, choice, count, fraction, listing, quantity, spec
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.values.values import Symbol

LAUNCH_OVERLAP_EXPONENT = term(6.0)
"""Exponent with which launching and executing kernels overlap: the longer decides, as one feeds the other."""


@spec(kind="port", within=("runtime",))
class RuntimePort:
    """What differs on the devices whose vendor, family or name is the label."""

    step: Term | None = quantity(
        "s", doc="time of the host between two steps: scheduling, inputs, sampling", ge=0, optional=True
    )
    sequence: Term | None = quantity(
        "s", doc="further time of the host between two steps for each sequence", ge=0, optional=True
    )
    request: Term | None = quantity(
        "s", doc="time of the host for a request, before its first token", ge=0, optional=True
    )
    workers: Term | None = quantity(
        "s", doc="further time between two steps where several devices work on one layer", ge=0, optional=True
    )
    layer: Term | None = quantity(
        "s",
        doc="time of the host to launch the kernels of a layer one by one; without it graphs of kernels are launched",
        ge=0,
        optional=True,
    )
    collective: Term | None = quantity(
        "s",
        doc="further time of a sum over devices: launch, and waiting for the last one",
        ge=0,
        optional=True,
    )
    hand_over: Term | None = quantity(
        "s", doc="further time of handing activations to the next pipeline stage", ge=0, optional=True
    )
    starts: Term | None = quantity(
        doc="kernels that it starts for each that a model of an operation counts", gt=0, optional=True
    )
    compute: Term | None = quantity(
        doc="rate of its products over that of the device's kernels", gt=0, optional=True
    )
    attention: Term | None = quantity(doc="the same of attention to a prompt", gt=0, optional=True)
    bandwidth: Term | None = quantity(
        doc="bandwidth that it reaches over that of the device's kernels", gt=0, optional=True
    )
    cache: Term | None = quantity(doc="the same of reading the KV cache in decode", gt=0, optional=True)
    elementwise: Term | None = quantity(
        doc="bytes that it moves between products, over those of fused kernels", gt=0, optional=True
    )
    grouped: Term | None = quantity(
        doc="rate of products of experts over that of its other products", gt=0, optional=True
    )
    scan: Term | None = quantity(
        doc="rate of scans of states and linear attention over that of the device's kernels",
        gt=0,
        optional=True,
    )
    hidden: Term | None = quantity(
        doc="share of the communication beside work that work can hide; without it all",
        ge=0,
        le=1,
        optional=True,
    )
    exchange: Term | None = quantity(
        doc="share of the exchange of tokens between experts that work waits for; without it all",
        ge=0,
        le=1,
        optional=True,
    )
    routing: Term | None = quantity(
        "s",
        doc="time in which a layer with experts waits until the host knows how many tokens each of them has",
        ge=0,
        optional=True,
    )


@spec(kind="runtime", within=("file",))
class Runtime(RuntimePort):
    """Software that serves a model: what it adds to the kernels, and how it forms passes."""

    aliases: Any = listing(doc="further names")
    kernels: str | None = choice(
        doc="runtime whose measured kernels it starts, where calibrations do not know its own", optional=True
    )
    pipeline: str = choice(
        "micro_batches",
        "serial",
        doc="what pipeline stages do: micro-batches follow each other, or one batch goes through all",
        default="micro_batches",
        source="vLLM, FasterTransformer and Megatron-LM keep as many micro-batches in flight as there are stages",
    )
    chunk: Term | None = count(
        unit="tok", doc="most prompt tokens of a sequence in one pass; without it all", optional=True
    )
    policy: str | None = choice(
        "continuous",
        "prefill_first",
        doc="under a load: prompts share steps with decoding, or have steps of their own that go first",
        optional=True,
    )
    bunching: Term | None = quantity(
        doc="share of the other clients whose prompts arrive together with a request; without it that of the policy",
        ge=0,
        le=1,
        optional=True,
    )
    latency: Term | None = quantity(
        "s",
        doc="under a load: time of a request outside of steps, which holds up no other: network, text to tokens, queues",
        ge=0,
        optional=True,
    )
    launch: Term | None = quantity(
        "s",
        doc="under a load: further latency of a request for each kernel of a step with prompts, which no graph launches",
        ge=0,
        optional=True,
    )
    hold: Term | None = count(
        doc="under a load: decode steps for which prompts are held back where replicas share their experts, so that all of "
        "them get prompts at once",
        optional=True,
    )
    memory: Term = fraction(
        doc="share of a device's memory that weights and KV cache may take",
        default=0.9,
        source="gpu_memory_utilization of vLLM and free_gpu_memory_fraction of TensorRT-LLM: 0.9",
    )
    mx_activations: str | None = choice(
        *DTYPE_NAMES,
        doc="what experts stored in mxfp4 are computed in, where the device multiplies it; without it as all else",
        optional=True,
    )
    spread: Term | None = quantity(
        doc="standard deviation of the logarithm of measured over predicted time, on configurations not fitted to",
        gt=0,
        optional=True,
    )
    ports: tuple[Part[Any], ...] = blocks("port", doc="what differs on some devices")


def kernels_name(runtime: Component) -> str:
    """Return the name that calibrations know the kernels of a runtime by."""
    attribute = runtime.attributes().get("kernels")
    if attribute is not None and isinstance(attribute.value, Symbol):
        return attribute.value.name
    return runtime.definition or runtime.name


@frozen(kw_only=True, eq=False)
class EngineProfile:
    """A runtime on one device: the fields of its block, those of its port first; None is as if there were no runtime.

    Attributes:
        name: of the runtime, or "" for none.
        port: what the nearest port that holds is of: `device`, `family`, `vendor`, or "" for none.
        serial: whether one batch goes through all pipeline stages.
    """

    name: str = ""
    port: str = ""
    step: Term | None = None
    sequence: Term | None = None
    request: Term | None = None
    workers: Term | None = None
    layer: Term | None = None
    collective: Term | None = None
    hand_over: Term | None = None
    starts: Term | None = None
    compute: Term | None = None
    attention: Term | None = None
    bandwidth: Term | None = None
    cache: Term | None = None
    elementwise: Term | None = None
    grouped: Term | None = None
    scan: Term | None = None
    hidden: Term | None = None
    exchange: Term | None = None
    routing: Term | None = None
    serial: bool = False
    chunk: Term | None = None
    policy: str | None = None
    bunching: Term | None = None
    latency: Term | None = None
    launch: Term | None = None
    hold: Term | None = None
    memory: Term | None = None
    mx_activations: str | None = None
    spread: Term | None = None


NO_OVERHEAD_PROFILE = EngineProfile()
"""No runtime: kernels alone, one pass after the other."""
PORT_OVERRIDE_FIELDS = (
    "step", "sequence", "request", "workers", "layer", "collective", "hand_over",
    "starts", "compute", "attention", "bandwidth", "cache", "elementwise", "grouped", "scan", "hidden", "exchange", "routing",
)  # fmt: skip
"""Fields that say how fast, which a port may change."""


_LABELS = ("device", "family", "vendor")


@frozen(kw_only=True, eq=False)
class NamedRuntime:
    """A bound `runtime` block.

    Attributes:
        name: of the runtime.
        spec: its fields and ports.
        kernels: what calibrations call the kernels that it starts.
    """

    name: str
    spec: Runtime
    kernels: str


def build_engine_profile(runtime: NamedRuntime | None, device: Device) -> EngineProfile:
    """Return the engine profile of a runtime on a device.

    Args:
        runtime: None for kernels alone.
        device: its name, family and vendor select the port, the nearest first.
    """
    if runtime is None:
        return NO_OVERHEAD_PROFILE
    spec = runtime.spec
    labels = {part.name.casefold(): part.spec for part in spec.ports}
    ports = [
        (kind, labels[label.casefold()])
        for kind, label in zip(_LABELS, device_names(device), strict=True)
        if label and label.casefold() in labels
    ]
    values = {field: _first((*(port for _, port in ports), spec), field) for field in PORT_OVERRIDE_FIELDS}
    return EngineProfile(
        name=runtime.name,
        port=ports[0][0] if ports else "",
        serial=spec.pipeline == "serial",
        chunk=spec.chunk,
        policy=spec.policy,
        bunching=spec.bunching,
        latency=spec.latency,
        launch=spec.launch,
        hold=spec.hold,
        memory=spec.memory,
        mx_activations=spec.mx_activations,
        spread=spec.spread,
        **values,
    )


def device_names(device: Device) -> tuple[str | None, ...]:
    """Return what a port may be called by that holds for a device, the nearest first."""
    return device.name, device.package.family, device.package.vendor


def _first(places: Iterable[RuntimePort], field: str) -> Term | None:
    return next((value for place in places if (value := getattr(place, field)) is not None), None)


def scale_time_by_rate(time: Term, rate: Term | None) -> Term:
    """Return a time at a rate relative to that of the device's kernels."""
    return time if rate is None else time / rate


def select_compute_rate(pace: EngineProfile, op: Op) -> Term | None:
    """Return at which rate, relative to the device's kernels, an operation computes; None for the same."""
    if op.kind is OpKind.GROUPED_GEMM and pace.grouped is not None:
        return pace.grouped if pace.compute is None else pace.compute * pace.grouped
    if op.kind.is_gemm:
        return pace.compute
    if op.kind is OpKind.ATTENTION and op.kernel not in PREFILL_ATTENTION | DECODE_ATTENTION:
        return pace.scan
    return pace.attention if op.kernel in PREFILL_ATTENTION else None


def select_memory_rate(pace: EngineProfile, op: Op) -> Term | None:
    """Return at which rate an operation moves bytes, relative to the device's kernels; None for the same."""
    if op.kernel in DECODE_ATTENTION:
        return pace.cache
    if op.kind is not OpKind.ELEMENTWISE or pace.elementwise is None:
        return pace.bandwidth
    return (term(1.0) if pace.bandwidth is None else pace.bandwidth) / pace.elementwise


def compute_comm_overhead(pace: EngineProfile, item: Collective) -> Term:
    """Return the s that a runtime adds to one execution of a communication; nothing where one rank takes part."""
    added = {CollectiveKind.ALL_REDUCE: pace.collective, CollectiveKind.SEND_RECV: pace.hand_over}.get(
        item.kind
    )
    if added is None:
        return NO_TIME
    return where(item.ranks > 1.0, added, NO_TIME).named(f"{pace.name} at {item.name}")


def compute_comm_wait(pace: EngineProfile, item: Collective, time: Term) -> Term:
    """Return the s of one execution of a communication that work waits for; exchanges between experts name their kernel."""
    if item.kind is not CollectiveKind.ALL_TO_ALL or not item.kernel or pace.exchange is None:
        return time
    return time * pace.exchange


def apply_host_launches(pace: EngineProfile, plan: Plan, work: Term) -> Term:
    """Return the s of the work of a stage whose kernels the host launches layer by layer.

    Launches run ahead of the kernels: what takes longer decides, (work^6 + (layers x launching)^6)^(1/6).
    """
    if pace.routing is not None and plan.workload.experts is not None:
        waits = (pace.routing * plan.workload.layers / plan.stages).named("waits of all layers with experts")
        work = work + waits
    if pace.layer is None:
        return work
    launching = (pace.layer * plan.workload.layers / plan.stages).named("launches of all layers")
    return overlap_times((work, launching), LAUNCH_OVERLAP_EXPONENT).named("work as the host launches it")


def host_time(pace: EngineProfile, plan: Plan, phase: Phase) -> Term:
    """Return the s of the host between two steps that nothing hides.

    (step + workers where a layer is divided) x passes + sequences x (sequence in decode, request in prefill), where a
    pass over a batch takes several where its prompts are cut. A step of training has it once, with its update.
    """
    if phase.is_training:
        return NO_TIME
    passes = maximum(plan.microbatches / plan.stages, 1.0)
    found = NO_TIME
    if pace.step is not None:
        found = found + pace.step * passes
    if pace.workers is not None:
        divided = plan.ranks / plan.replicas / plan.stages > 1.0
        found = found + where(divided, pace.workers, NO_TIME) * passes
    each = pace.sequence if phase is Phase.DECODE else pace.request
    if each is not None:
        found = found + each * plan.sequences
    return found.named(f"{pace.name} on the host") if pace.name else found


RUNTIME_BLOCKS = (RuntimePort, Runtime)
"""Every spec of this module, in the order of the documentation."""
