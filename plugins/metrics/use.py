"""How much of the hardware is used: FLOPs, bandwidth, memory."""

from __future__ import annotations

from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.evaluate.pass_cost import PassCost
from accelscope.core.numeric.term import Term, total
from accelscope.core.plugin.records import Metric
from accelscope.plugins.metrics.latency import batch_lifetime
from accelscope.plugins.metrics.sums import compute_peak, decode_steps, pass_bytes, pass_flops, prefill_passes


def mfu(evaluation: Evaluation) -> Term | None:
    """Return model FLOPs utilisation over the life of a batch.

    FLOPs that the model needs, over what the devices in use could compute at their dense peak in the same time
    (Chowdhery et al., "PaLM", 2022, appendix B, with the attention over the context counted). What training computes
    again is not counted.
    """
    peak = compute_peak(evaluation)
    if peak is None:
        return None
    if evaluation.training is not None:
        return (evaluation.training.needed / (peak * batch_lifetime(evaluation))).named("mfu")
    decode = pass_flops(evaluation.decode) * decode_steps(evaluation)
    prefill = pass_flops(evaluation.prefill) * prefill_passes(evaluation)
    needed = (prefill + decode).named("FLOPs of one device")
    return (needed / (peak * batch_lifetime(evaluation))).named("mfu")


def mbu(evaluation: Evaluation) -> Term:
    """Return memory bandwidth utilisation of decoding.

    Bytes of weights and KV cache that a step needs, over what the home memory could move in the time of the step
    (Databricks, "LLM inference performance engineering: best practices", 2023).
    """
    home = evaluation.home
    peak: Term = home.peak.named(f"peak of {home.name}")
    return (pass_bytes(evaluation.decode) / (peak * evaluation.decode.time)).named("mbu")


def memory_used(evaluation: Evaluation) -> Term:
    """Return what one device holds when the context is longest."""
    return next(limit.used for limit in evaluation.limits if limit.name == "memory")


def memory_left(evaluation: Evaluation) -> Term:
    """Return what one device has left when the context is longest; below zero where it does not fit."""
    limit = next(limit for limit in evaluation.limits if limit.name == "memory")
    return (limit.available - limit.used).named("memory left")


def model_parameters(evaluation: Evaluation) -> Term:
    """Return the parameters of the model."""
    return evaluation.decode.plan.workload.parameters.named("parameters")


def parameter_compute_ratio(evaluation: Evaluation) -> Term:
    """Return all parameters over those that a token uses: what is stored for each one that is computed with."""
    workload = evaluation.decode.plan.workload
    return (workload.parameters / workload.active_parameters).named("parameter to compute")


def has_experts(evaluation: Evaluation) -> bool:
    """Return whether tokens visit some of the parameters only; else the ratio is 1, less what is only looked up."""
    return evaluation.decode.plan.workload.experts is not None


def kv_per_token(evaluation: Evaluation) -> Term:
    """Return the bytes of KV cache that one more token of context takes, over all devices and without replication."""
    return evaluation.decode.plan.workload.kv_per_token.named("kv per token")


def communication_share(evaluation: Evaluation) -> Term:
    """Return the share of a decode step that is communication."""
    return _moving(evaluation.decode)


def _moving(step: PassCost) -> Term:
    if not step.comms:
        return (step.stage * 0.0) / step.stage
    return (total(cost.seconds for cost in step.comms) / step.stage).named("communication share")


UTILISATION_METRICS = (
    Metric(
        name="mfu",
        unit="",
        doc="model FLOPs utilisation over the life of a batch",
        of="any",
        compute=mfu,
        better="high",
    ),
    Metric(name="mbu", unit="", doc="memory bandwidth utilisation of decoding", compute=mbu, better="high"),
    Metric(
        name="memory_used",
        unit="B",
        doc="bytes of one device at the longest context",
        of="any",
        compute=memory_used,
    ),
    Metric(
        name="memory_left",
        unit="B",
        doc="bytes of one device that stay free",
        of="any",
        compute=memory_left,
        better="high",
        headline=False,
    ),
    Metric(
        name="parameters",
        unit="",
        doc="parameters of the model",
        of="any",
        compute=model_parameters,
        headline=False,
    ),
    Metric(
        name="parameter_to_compute",
        unit="",
        doc="parameters over those that one token uses, of a model with experts",
        of="any",
        compute=parameter_compute_ratio,
        better="high",
        given=has_experts,
    ),
    Metric(
        name="kv_per_token",
        unit="B",
        doc="KV cache of one token of context, all layers",
        compute=kv_per_token,
        headline=False,
    ),
    Metric(
        name="communication_share",
        unit="",
        doc="share of a decode step that is communication",
        compute=communication_share,
        headline=False,
    ),
)
