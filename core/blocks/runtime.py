"""What the software around the kernels adds: a `runtime` block, and the pace that it keeps on one device.

The kernels of a step are costed without it. A runtime says how the host drives them (time of a step, of each sequence,
of the launches of a layer), which shares of what the kernels could reach its own reach, and how it forms passes. A
`device_override` in it says what differs on the devices of one vendor, family or name: most runtimes are written for one vendor
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


@spec(kind="device_override", aliases=("port",), within=("runtime",))
class DeviceOverride:
    """What differs on the devices whose vendor, family or name is the label."""

    step_overhead: Term | None = quantity(
        "s",
        aliases=("step",),
        doc="host time between two steps: scheduling, input preparation, sampling",
        ge=0,
        optional=True,
    )
    per_sequence_overhead: Term | None = quantity(
        "s",
        aliases=("sequence",),
        doc="additional host time per sequence between two decode steps",
        ge=0,
        optional=True,
    )
    per_request_overhead: Term | None = quantity(
        "s", aliases=("request",), doc="host time per request before its first token", ge=0, optional=True
    )
    multi_rank_step_overhead: Term | None = quantity(
        "s",
        aliases=("workers",),
        doc="additional time between two steps if several ranks share each layer",
        ge=0,
        optional=True,
    )
    launch_time_per_layer: Term | None = quantity(
        "s",
        aliases=("layer",),
        doc="host time to launch the kernels of one layer individually; if absent, kernels are launched as graphs",
        ge=0,
        optional=True,
    )
    all_reduce_overhead: Term | None = quantity(
        "s",
        aliases=("collective",),
        doc="additional time of one all-reduce: launch and waiting for the last rank",
        ge=0,
        optional=True,
    )
    send_recv_overhead: Term | None = quantity(
        "s",
        aliases=("hand_over",),
        doc="additional time of one point-to-point transfer, such as activations to the next pipeline stage",
        ge=0,
        optional=True,
    )
    kernels_per_op: Term | None = quantity(
        aliases=("starts",),
        doc="kernels launched for each kernel that the operation model counts",
        gt=0,
        optional=True,
    )
    gemm_rate_scale: Term | None = quantity(
        aliases=("compute",),
        doc="matrix-multiplication rate relative to that of the device's calibrated kernels",
        gt=0,
        optional=True,
    )
    prefill_attention_rate_scale: Term | None = quantity(
        aliases=("attention",),
        doc="prefill-attention rate relative to that of the device's calibrated kernels",
        gt=0,
        optional=True,
    )
    bandwidth_scale: Term | None = quantity(
        aliases=("bandwidth",),
        doc="achieved memory bandwidth relative to that of the device's calibrated kernels",
        gt=0,
        optional=True,
    )
    decode_kv_bandwidth_scale: Term | None = quantity(
        aliases=("cache",),
        doc="achieved bandwidth of reading the KV cache in decode, relative to that of the device's calibrated kernels",
        gt=0,
        optional=True,
    )
    elementwise_bytes_scale: Term | None = quantity(
        aliases=("elementwise",),
        doc="memory traffic of elementwise operations relative to that of fused kernels",
        gt=0,
        optional=True,
    )
    grouped_gemm_rate_scale: Term | None = quantity(
        aliases=("grouped",),
        doc="rate of expert (grouped) matrix multiplications relative to the runtime's other matrix multiplications",
        gt=0,
        optional=True,
    )
    scan_rate_scale: Term | None = quantity(
        aliases=("scan",),
        doc="rate of state-space scans and linear attention relative to that of the device's calibrated kernels",
        gt=0,
        optional=True,
    )
    overlap_fraction: Term | None = quantity(
        aliases=("hidden",),
        doc="maximum fraction of concurrent communication that overlaps with computation; if absent, all of it",
        ge=0,
        le=1,
        optional=True,
    )
    exposed_all_to_all_fraction: Term | None = quantity(
        aliases=("exchange",),
        doc="fraction of the expert all-to-all time that is exposed; if absent, all of it",
        ge=0,
        le=1,
        optional=True,
    )
    routing_sync_overhead: Term | None = quantity(
        "s",
        aliases=("routing",),
        doc="time an MoE layer waits until the host knows the number of tokens of each expert",
        ge=0,
        optional=True,
    )


@spec(kind="runtime", within=("file",))
class Runtime(DeviceOverride):
    """Software that serves a model: what it adds to the kernels, and how it forms passes."""

    aliases: Any = listing(doc="other names")
    kernels_from: str | None = choice(
        aliases=("kernels",),
        doc="runtime whose calibrated kernels are used if calibrations have none for this one",
        optional=True,
    )
    pipeline_schedule: str = choice(
        "micro_batches",
        "serial",
        aliases=("pipeline",),
        doc="pipeline schedule: micro-batches in flight on all stages, or one batch through all stages serially",
        default="micro_batches",
        source="vLLM, FasterTransformer and Megatron-LM keep as many micro-batches in flight as there are stages",
    )
    prefill_chunk_size: Term | None = count(
        unit="tok",
        aliases=("chunk",),
        doc="maximum prompt tokens of one sequence in one pass; if absent, the whole prompt",
        optional=True,
    )
    scheduling_policy: str | None = choice(
        "continuous",
        "prefill_first",
        aliases=("policy",),
        doc="scheduling policy under load: prefill and decode share steps, or prefill has its own steps and takes precedence",
        optional=True,
    )
    arrival_correlation: Term | None = quantity(
        aliases=("bunching",),
        doc="fraction of the other clients whose prompts arrive at the same time as a request; if absent, the policy's default",
        ge=0,
        le=1,
        optional=True,
    )
    frontend_latency: Term | None = quantity(
        "s",
        aliases=("latency",),
        doc="latency of a request under load outside engine steps, without delaying other requests: network, tokenization, queues",
        ge=0,
        optional=True,
    )
    prefill_launch_latency: Term | None = quantity(
        "s",
        aliases=("launch",),
        doc="additional request latency under load for each kernel of a prefill step, as these are not launched as graphs",
        ge=0,
        optional=True,
    )
    prefill_delay_steps: Term | None = count(
        aliases=("hold",),
        doc="decode steps by which prompts are delayed under load, so that all replicas that share experts prefill in the same step",
        optional=True,
    )
    memory_fraction: Term = fraction(
        aliases=("memory",),
        doc="fraction of device memory available to weights, activations and KV cache",
        default=0.9,
        source="gpu_memory_utilization of vLLM and free_gpu_memory_fraction of TensorRT-LLM: 0.9",
    )
    mxfp4_compute_dtype: str | None = choice(
        *DTYPE_NAMES,
        aliases=("mx_activations",),
        doc="data type in which experts stored as mxfp4 are computed, if the device supports it; if absent, the activation type",
        optional=True,
    )
    log_error_std: Term | None = quantity(
        aliases=("spread",),
        doc="standard deviation of the logarithm of measured over predicted time, on held-out configurations",
        gt=0,
        optional=True,
    )
    device_overrides: tuple[Part[Any], ...] = blocks("device_override", doc="what differs on some devices")


def kernels_name(runtime: Component) -> str:
    """Return the name that calibrations know the kernels of a runtime by."""
    attribute = runtime.attributes().get("kernels_from")
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
    step_overhead: Term | None = None
    per_sequence_overhead: Term | None = None
    per_request_overhead: Term | None = None
    multi_rank_step_overhead: Term | None = None
    launch_time_per_layer: Term | None = None
    all_reduce_overhead: Term | None = None
    send_recv_overhead: Term | None = None
    kernels_per_op: Term | None = None
    gemm_rate_scale: Term | None = None
    prefill_attention_rate_scale: Term | None = None
    bandwidth_scale: Term | None = None
    decode_kv_bandwidth_scale: Term | None = None
    elementwise_bytes_scale: Term | None = None
    grouped_gemm_rate_scale: Term | None = None
    scan_rate_scale: Term | None = None
    overlap_fraction: Term | None = None
    exposed_all_to_all_fraction: Term | None = None
    routing_sync_overhead: Term | None = None
    serial: bool = False
    prefill_chunk_size: Term | None = None
    scheduling_policy: str | None = None
    arrival_correlation: Term | None = None
    frontend_latency: Term | None = None
    prefill_launch_latency: Term | None = None
    prefill_delay_steps: Term | None = None
    memory_fraction: Term | None = None
    mxfp4_compute_dtype: str | None = None
    log_error_std: Term | None = None


NO_OVERHEAD_PROFILE = EngineProfile()
"""No runtime: kernels alone, one pass after the other."""
DEVICE_OVERRIDE_FIELDS = (
    "step_overhead",
    "per_sequence_overhead",
    "per_request_overhead",
    "multi_rank_step_overhead",
    "launch_time_per_layer",
    "all_reduce_overhead",
    "send_recv_overhead",
    "kernels_per_op",
    "gemm_rate_scale",
    "prefill_attention_rate_scale",
    "bandwidth_scale",
    "decode_kv_bandwidth_scale",
    "elementwise_bytes_scale",
    "grouped_gemm_rate_scale",
    "scan_rate_scale",
    "overlap_fraction",
    "exposed_all_to_all_fraction",
    "routing_sync_overhead",
)
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
    labels = {part.name.casefold(): part.spec for part in spec.device_overrides}
    ports = [
        (kind, labels[label.casefold()])
        for kind, label in zip(_LABELS, device_names(device), strict=True)
        if label and label.casefold() in labels
    ]
    values = {field: _first((*(port for _, port in ports), spec), field) for field in DEVICE_OVERRIDE_FIELDS}
    return EngineProfile(
        name=runtime.name,
        port=ports[0][0] if ports else "",
        serial=spec.pipeline_schedule == "serial",
        prefill_chunk_size=spec.prefill_chunk_size,
        scheduling_policy=spec.scheduling_policy,
        arrival_correlation=spec.arrival_correlation,
        frontend_latency=spec.frontend_latency,
        prefill_launch_latency=spec.prefill_launch_latency,
        prefill_delay_steps=spec.prefill_delay_steps,
        memory_fraction=spec.memory_fraction,
        mxfp4_compute_dtype=spec.mxfp4_compute_dtype,
        log_error_std=spec.log_error_std,
        **values,
    )


def device_names(device: Device) -> tuple[str | None, ...]:
    """Return what a port may be called by that holds for a device, the nearest first."""
    return device.name, device.package.family, device.package.vendor


def _first(places: Iterable[DeviceOverride], field: str) -> Term | None:
    return next((value for place in places if (value := getattr(place, field)) is not None), None)


def scale_time_by_rate(time: Term, rate: Term | None) -> Term:
    """Return a time at a rate relative to that of the device's kernels."""
    return time if rate is None else time / rate


def select_compute_rate(pace: EngineProfile, op: Op) -> Term | None:
    """Return at which rate, relative to the device's kernels, an operation computes; None for the same."""
    if op.kind is OpKind.GROUPED_GEMM and pace.grouped_gemm_rate_scale is not None:
        return (
            pace.grouped_gemm_rate_scale
            if pace.gemm_rate_scale is None
            else pace.gemm_rate_scale * pace.grouped_gemm_rate_scale
        )
    if op.kind.is_gemm:
        return pace.gemm_rate_scale
    if op.kind is OpKind.ATTENTION and op.kernel not in PREFILL_ATTENTION | DECODE_ATTENTION:
        return pace.scan_rate_scale
    return pace.prefill_attention_rate_scale if op.kernel in PREFILL_ATTENTION else None


def select_memory_rate(pace: EngineProfile, op: Op) -> Term | None:
    """Return at which rate an operation moves bytes, relative to the device's kernels; None for the same."""
    if op.kernel in DECODE_ATTENTION:
        return pace.decode_kv_bandwidth_scale
    if op.kind is not OpKind.ELEMENTWISE or pace.elementwise_bytes_scale is None:
        return pace.bandwidth_scale
    return (
        term(1.0) if pace.bandwidth_scale is None else pace.bandwidth_scale
    ) / pace.elementwise_bytes_scale


def compute_comm_overhead(pace: EngineProfile, item: Collective) -> Term:
    """Return the s that a runtime adds to one execution of a communication; nothing where one rank takes part."""
    added = {
        CollectiveKind.ALL_REDUCE: pace.all_reduce_overhead,
        CollectiveKind.SEND_RECV: pace.send_recv_overhead,
    }.get(item.kind)
    if added is None:
        return NO_TIME
    return where(item.ranks > 1.0, added, NO_TIME).named(f"{pace.name} at {item.name}")


def compute_comm_wait(pace: EngineProfile, item: Collective, time: Term) -> Term:
    """Return the s of one execution of a communication that work waits for; exchanges between experts name their kernel."""
    if (
        item.kind is not CollectiveKind.ALL_TO_ALL
        or not item.kernel
        or pace.exposed_all_to_all_fraction is None
    ):
        return time
    return time * pace.exposed_all_to_all_fraction


def apply_host_launches(pace: EngineProfile, plan: Plan, work: Term) -> Term:
    """Return the s of the work of a stage whose kernels the host launches layer by layer.

    Launches run ahead of the kernels: what takes longer decides, (work^6 + (layers x launching)^6)^(1/6).
    """
    if pace.routing_sync_overhead is not None and plan.workload.experts is not None:
        waits = (pace.routing_sync_overhead * plan.workload.layers / plan.stages).named(
            "waits of all layers with experts"
        )
        work = work + waits
    if pace.launch_time_per_layer is None:
        return work
    launching = (pace.launch_time_per_layer * plan.workload.layers / plan.stages).named(
        "launches of all layers"
    )
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
    if pace.step_overhead is not None:
        found = found + pace.step_overhead * passes
    if pace.multi_rank_step_overhead is not None:
        divided = plan.ranks / plan.replicas / plan.stages > 1.0
        found = found + where(divided, pace.multi_rank_step_overhead, NO_TIME) * passes
    each = pace.per_sequence_overhead if phase is Phase.DECODE else pace.per_request_overhead
    if each is not None:
        found = found + each * plan.sequences
    return found.named(f"{pace.name} on the host") if pace.name else found


RUNTIME_BLOCKS = (DeviceOverride, Runtime)
"""Every spec of this module, in the order of the documentation."""
