"""Power and energy of the devices in use, over the life of a batch."""

from __future__ import annotations

from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.evaluate.pass_cost import PassCost
from accelscope.core.evaluate.power import idle_power, standing_power
from accelscope.core.numeric.term import Term, minimum
from accelscope.core.plugin.records import Metric
from accelscope.plugins.metrics.latency import batch_lifetime, output_tokens
from accelscope.plugins.metrics.sums import decode_steps, prefill_passes


def mean_power(evaluation: Evaluation) -> Term | None:
    """Return the mean power of all devices in use, or None without a thermal design power."""
    tdp = evaluation.design.machine.device.package.tdp
    energy = device_energy(evaluation)
    if tdp is None or energy is None:
        return None
    drawn = minimum((energy / batch_lifetime(evaluation)).named("mean power of one device"), tdp)
    return (drawn * evaluation.devices_used).named("power")


def design_power(evaluation: Evaluation) -> Term | None:
    """Return the thermal design power of all devices in use."""
    tdp: Term | None = evaluation.design.machine.device.package.tdp
    return None if tdp is None else tdp * evaluation.devices_used


def energy_per_token(evaluation: Evaluation) -> Term | None:
    """Return the energy of all devices in use for one output token."""
    drawn = mean_power(evaluation)
    if drawn is None:
        return None
    tokens = evaluation.batch * output_tokens(evaluation)
    return (drawn * batch_lifetime(evaluation) / tokens).named("energy per token")


def device_energy(evaluation: Evaluation) -> Term | None:
    """Return the energy of one device over the life of a batch."""
    package = evaluation.design.machine.device.package
    standing, idle = standing_power(package), idle_power(package)
    prefill, decode = _dynamic(evaluation.prefill), _dynamic(evaluation.decode)
    if standing is None or idle is None or prefill is None or decode is None:
        return None
    steps = decode_steps(evaluation)
    passes = prefill_passes(evaluation)
    idle_time = evaluation.prefill.overhead * passes + evaluation.decode.overhead * steps
    running = (standing * (batch_lifetime(evaluation) - idle_time)).named("standing energy")
    idling = (idle * idle_time).named("idle energy")
    dynamic = (prefill * passes + (decode * steps).named("energy of all decode steps")).named(
        "dynamic energy"
    )
    return (running + idling + dynamic).named("energy of one device")


def _dynamic(step: PassCost) -> Term | None:
    if step.energy is None:
        return None
    return (step.energy * step.plan.microbatches).named(f"{step.phase} energy")


POWER_METRICS = (
    Metric(
        name="power",
        unit="W",
        doc="mean power of all devices in use",
        of="any",
        compute=mean_power,
        at_most=design_power,
    ),
    Metric(
        name="energy_per_token",
        unit="J/tok",
        doc="energy for one output token",
        of="any",
        compute=energy_per_token,
    ),
)
