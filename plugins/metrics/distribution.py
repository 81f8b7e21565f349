"""TPOT and TTFT as distributions: mean, deviation, coefficient of variation and percentiles, where a scenario says what varies.

TPOT is of a single step: the time between two tokens, not its mean over an answer. Under a closed loop both vary as the pass
does that they come from, in proportion.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from accelscope.core.evaluate import Evaluation
from accelscope.core.records import Metric
from accelscope.core.term import Term, leaf
from accelscope.core.variability.latency import Latency
from accelscope.plugins.metrics.latency import tpot, ttft

Get = Callable[[Latency], Term]
PERCENTILES = (50, 90, 99)


def varies(evaluation: Evaluation) -> bool:
    """Return whether a scenario says what is random."""
    return evaluation.design.variability is not None


def _of_step(name: str, get: Get) -> Callable[[Evaluation], Term | None]:
    def compute(evaluation: Evaluation) -> Term | None:
        latency = evaluation.steps_vary
        return (
            None
            if latency is None
            else _scaled(evaluation, get(latency), latency.base, tpot(evaluation)).named(name)
        )

    return compute


def _of_prompts(name: str, get: Get) -> Callable[[Evaluation], Term | None]:
    def compute(evaluation: Evaluation) -> Term | None:
        latency = evaluation.prompts_vary
        return (
            None
            if latency is None
            else _scaled(evaluation, get(latency), latency.base, ttft(evaluation)).named(name)
        )

    return compute


def _scaled(evaluation: Evaluation, time: Term, base: Term, metric: Term) -> Term:
    """Return a time of a distribution on the scale of a metric: of a static batch, that is the time of the pass."""
    ratio = metric / base
    if evaluation.loop is None:
        return time * Term(np.ones(()), ratio.dimension)
    return time * leaf(ratio, "metric over the time of its pass", "steady state under a closed loop")


def _variation(of: Callable[[Evaluation], Latency | None], name: str) -> Callable[[Evaluation], Term | None]:
    def compute(evaluation: Evaluation) -> Term | None:
        latency = of(evaluation)
        return None if latency is None else (latency.deviation / latency.mean).named(name)

    return compute


def _percentile(number: int) -> Get:
    return lambda latency: latency.percentiles[number]


def _metrics(
    name: str,
    unit: str,
    what: str,
    made: Callable[[str, Get], Callable[[Evaluation], Term | None]],
    of: Callable[[Evaluation], Latency | None],
) -> tuple[Metric, ...]:
    """Return the metrics of one distribution.

    Args:
        what: it is the time of; made: (name, part of a distribution) to how the metric is computed.
    """

    def metric(suffix: str, doc: str, get: Get) -> Metric:
        full = f"{name}_{suffix}"
        return Metric(
            name=full, unit=unit, doc=f"{doc} {what}", compute=made(full.replace("_", " "), get), given=varies
        )

    return (
        metric("mean", "mean of the", lambda latency: latency.mean),
        metric("std", "standard deviation of the", lambda latency: latency.deviation),
        Metric(
            name=f"{name}_cv",
            unit="",
            doc=f"standard deviation over the mean of the {what}",
            compute=_variation(of, f"{name} cv"),
            given=varies,
        ),
        *(
            metric(f"p{number}", f"what {number} % of steps stay below in the", _percentile(number))
            for number in PERCENTILES
        ),
    )


METRICS = (
    *_metrics("ttft", "s", "time to first token", _of_prompts, lambda evaluation: evaluation.prompts_vary),
    *_metrics("tpot", "s/tok", "time between two tokens", _of_step, lambda evaluation: evaluation.steps_vary),
)
