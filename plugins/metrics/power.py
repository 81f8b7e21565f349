"""Power and energy of the devices in use.

While it runs, a device draws a standing power (leakage, clocks, everything that runs whatever the work), and energy for
each operation and each byte on top; between two steps it idles. Where a description does not give the energy of an
operation, it follows from the thermal design power: computing at the dense peak while memory moves at its peak draws
what the device is designed for.
"""

from __future__ import annotations

from accelscope.core.cost import OpCost
from accelscope.core.evaluate import Evaluation, Pass
from accelscope.core.records import Metric
from accelscope.core.term import Term, maximum, minimum, term, total
from accelscope.plugins.metrics.latency import e2e_latency, tokens_out
from accelscope.plugins.metrics.sums import decode_steps, peak_in

STANDING_SHARE = 0.45
"""Standing power of a running device over its thermal design power: with it an A100 40 GB draws what LLM-Inference-Bench
(Argonne, 2024) measured on Llama-3-8B in 16 bit, 233 W at batch 1 to 296 W at batch 64."""
IDLE_SHARE = 0.12
"""Idle power over thermal design power where a description gives none: an estimate from boards that idle between 60
and 120 W of 400 to 750 W."""


def power(evaluation: Evaluation) -> Term | None:
    """Return the mean power of all devices in use, or None without a thermal design power."""
    tdp = evaluation.design.machine.device.package.tdp
    energy = energy_of_device(evaluation)
    if tdp is None or energy is None:
        return None
    drawn = minimum((energy / e2e_latency(evaluation)).named("mean power of one device"), tdp)
    return (drawn * evaluation.devices_used).named("power")


def energy_per_token(evaluation: Evaluation) -> Term | None:
    """Return the energy of all devices in use for one output token."""
    drawn = power(evaluation)
    if drawn is None:
        return None
    tokens = evaluation.batch * tokens_out(evaluation)
    return (drawn * e2e_latency(evaluation) / tokens).named("energy per token")


def energy_of_device(evaluation: Evaluation) -> Term | None:
    """Return the energy of one device over the life of a batch."""
    tdp: Term | None = evaluation.design.machine.device.package.tdp
    if tdp is None:
        return None
    steps = decode_steps(evaluation)
    idle_time = evaluation.prefill.overhead + evaluation.decode.overhead * steps
    standing = (tdp * STANDING_SHARE).named("standing power")
    dynamic = _dynamic(evaluation.prefill, evaluation) + _dynamic(evaluation.decode, evaluation) * steps
    running = (standing * (e2e_latency(evaluation) - idle_time)).named("standing energy")
    idling = (idle_power(evaluation) * idle_time).named("idle energy")
    return (running + idling + dynamic.named("dynamic energy")).named("energy of one device")


def idle_power(evaluation: Evaluation) -> Term:
    """Return the idle power of one device."""
    package = evaluation.design.machine.device.package
    given = package.idle if package.idle is not None else package.tdp * IDLE_SHARE
    return given.named("idle power")  # type: ignore[no-any-return]


def _dynamic(step: Pass, evaluation: Evaluation) -> Term:
    pieces = [_op_energy(cost, evaluation) for cost in step.ops]
    pieces += [cost.usage.energy * cost.item.repeat for cost in step.comms if cost.usage.energy is not None]
    return (total(pieces) * step.plan.microbatches).named(f"{step.phase} energy")


def _op_energy(cost: OpCost, evaluation: Evaluation) -> Term:
    compute = cost.compute_energy
    if compute is None:
        per_op = _energy_per_op(evaluation, cost.op.dtype)
        compute = per_op * cost.op.flops * cost.op.repeat
    return compute if cost.memory_energy is None else compute + cost.memory_energy


def _energy_per_op(evaluation: Evaluation, dtype: str) -> Term:
    peak = peak_in(evaluation, dtype)
    if peak is None:
        peak = peak_in(evaluation, evaluation.design.precision.activations)
    if peak is None:
        return term(0.0, "J/op")
    left = evaluation.design.machine.device.package.tdp * (1.0 - STANDING_SHARE) - _memory_power(evaluation)
    return (maximum(left, term(0.0, "W")) / peak).named("energy per op")


def _memory_power(evaluation: Evaluation) -> Term:
    home = evaluation.home
    energy = getattr(home.spec, "energy", None)
    if energy is None:
        return term(0.0, "W")
    return energy * evaluation.registry.memories[home.model].peak(home)  # type: ignore[no-any-return]


METRICS = (
    Metric(name="power", unit="W", doc="mean power of all devices in use", compute=power),
    Metric(
        name="energy_per_token", unit="J/tok", doc="energy for one output token", compute=energy_per_token
    ),
)
