"""Latency and throughput of a static batch, or of the steady state under a closed loop.

All sequences of a static batch start together and end together: the first token comes with the prefill pass, each
further one with a decode pass at the mean context of the answer. Under a closed loop the steady state says all. The definitions are those of MLPerf Inference (time to first
token, time per output token).
"""

from __future__ import annotations

from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.numeric.term import Term, strip_count_unit, term
from accelscope.core.plugin.records import Metric
from accelscope.plugins.metrics.sums import decode_steps, prefill_passes


def ttft(evaluation: Evaluation) -> Term:
    """Return the time from the arrival of a batch, or of a request, to its first tokens."""
    if evaluation.loop is not None:
        return evaluation.loop.ttft.named("ttft")
    return evaluation.prefill.time.named("ttft")


def tpot(evaluation: Evaluation) -> Term:
    """Return the time between two tokens of a sequence, in s/tok."""
    if evaluation.loop is not None:
        return (evaluation.loop.tpot / term(1.0, "tok")).named("tpot")
    return (evaluation.decode.time / term(1.0, "tok")).named("tpot")


def e2e_latency(evaluation: Evaluation) -> Term:
    """Return the time from the arrival of a batch, or of a request, to its last tokens."""
    if evaluation.loop is not None:
        return (evaluation.loop.wait + evaluation.loop.cycle).named("e2e latency")
    prefilling = evaluation.prefill.time * prefill_passes(evaluation)
    return (prefilling + _decoding(evaluation)).named("e2e latency")


def batch_lifetime(evaluation: Evaluation) -> Term:
    """Return the time in which the sequences that are served at once get all of their tokens; of training, of a step."""
    if evaluation.training is not None:
        return evaluation.training.time
    return e2e_latency(evaluation) if evaluation.loop is None else evaluation.loop.cycle


def _decoding(evaluation: Evaluation) -> Term:
    steps = decode_steps(evaluation).named("decode steps")
    return (evaluation.decode.time * steps).named("decoding")


def throughput(evaluation: Evaluation) -> Term:
    """Return output tokens a second of the whole system over the life of a batch."""
    tokens = (evaluation.batch * output_tokens(evaluation)).named("output tokens of the batch")
    return (tokens / batch_lifetime(evaluation)).named("throughput")


def throughput_per_device(evaluation: Evaluation) -> Term:
    """Return throughput over the devices that the split uses."""
    return (throughput(evaluation) / evaluation.devices_used).named("throughput per device")


def decode_throughput(evaluation: Evaluation) -> Term:
    """Return output tokens a second of sequences that decode."""
    return (evaluation.batch / evaluation.rounds / tpot(evaluation)).named("decode throughput")


def prefill_throughput(evaluation: Evaluation) -> Term:
    """Return prompt tokens a second while prefilling."""
    tokens = evaluation.batch * strip_count_unit(evaluation.design.load.prompt) * term(1.0, "tok")
    return (tokens / (evaluation.prefill.time * prefill_passes(evaluation))).named("prefill throughput")


def output_tokens(evaluation: Evaluation) -> Term:
    """Return the tokens of one answer, in tok."""
    return strip_count_unit(evaluation.design.load.output) * term(1.0, "tok")


LATENCY_METRICS = (
    Metric(name="ttft", unit="s", doc="time to first token of a batch", compute=ttft),
    Metric(name="tpot", unit="s/tok", doc="time per output token of a sequence", compute=tpot),
    Metric(name="e2e_latency", unit="s", doc="time to the last token of a batch", compute=e2e_latency),
    Metric(
        name="throughput",
        unit="tok/s",
        doc="output tokens a second of the system",
        compute=throughput,
        better="high",
    ),
    Metric(
        name="throughput_per_device",
        unit="tok/s",
        doc="output tokens a second of one device in use",
        compute=throughput_per_device,
        better="high",
    ),
    Metric(
        name="decode_throughput",
        unit="tok/s",
        doc="output tokens a second while decoding",
        compute=decode_throughput,
        better="high",
        headline=False,
    ),
    Metric(
        name="prefill_throughput",
        unit="tok/s",
        doc="prompt tokens a second while prefilling",
        compute=prefill_throughput,
        better="high",
        headline=False,
    ),
)
