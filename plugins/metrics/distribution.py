"""TPOT and TTFT as distributions: mean, deviation, coefficient of variation and percentiles, where a scenario says what varies.

TPOT is of a single step: the time between two tokens, not its mean over an answer. Under a closed loop both vary as the pass
does that they come from, in proportion.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import frozen

from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.evaluate.variability.latency import LatencyDistribution
from accelscope.core.numeric.term import Term, make_leaf
from accelscope.core.plugin.records import Metric
from accelscope.plugins.metrics.latency import tpot, ttft

_HEADLINE_PERCENTILES = (50, 90, 99)
"""Percentiles that `eval` prints."""
_FURTHER_PERCENTILES = (95,)
"""Percentiles that are computed too."""


@frozen
class VariableMetric:
    """A metric that a pass decides.

    Attributes:
        value: value of the metric where nothing varies.
        latency: time of its pass as a distribution.
    """

    name: str
    unit: str
    doc: str
    value: Callable[[Evaluation], Term]
    latency: Callable[[Evaluation], LatencyDistribution | None]

    def time(
        self, suffix: str, doc: str, part: Callable[[LatencyDistribution], Term], *, headline: bool = True
    ) -> Metric:
        """Return the metric of a part of the distribution that is a time."""

        def compute(evaluation: Evaluation) -> Term | None:
            latency = self.latency(evaluation)
            if latency is None:
                return None
            ratio = self.value(evaluation) / latency.base
            if evaluation.loop is None:  # the metric is the time of the pass
                ratio = Term(np.ones(()), ratio.dimension)
            else:
                ratio = make_leaf(
                    ratio, f"{self.name} over the time of its pass", "steady state of a closed loop"
                )
            return (part(latency) * ratio).named(f"{self.name} {suffix}")

        return Metric(
            name=f"{self.name}_{suffix}",
            unit=self.unit,
            doc=f"{doc} {self.doc}",
            compute=compute,
            headline=headline,
            given=has_variability,
        )

    def variation(self) -> Metric:
        """Return the metric of the deviation over the mean."""

        def compute(evaluation: Evaluation) -> Term | None:
            latency = self.latency(evaluation)
            return None if latency is None else (latency.deviation / latency.mean).named(f"{self.name} cv")

        doc = f"standard deviation over the mean of the {self.doc}"
        return Metric(name=f"{self.name}_cv", unit="", doc=doc, compute=compute, given=has_variability)

    def percentile(self, number: int, *, headline: bool = True) -> Metric:
        """Return the metric of a percentile."""
        doc = f"what {number} % of steps stay below in the"
        return self.time(f"p{number}", doc, lambda latency: latency.percentiles[number], headline=headline)

    def metrics(self) -> tuple[Metric, ...]:
        """Return all metrics of the distribution."""
        return (
            self.time("mean", "mean of the", lambda latency: latency.mean),
            self.time("std", "standard deviation of the", lambda latency: latency.deviation),
            self.variation(),
            *(self.percentile(number) for number in _HEADLINE_PERCENTILES),
            *(self.percentile(number, headline=False) for number in _FURTHER_PERCENTILES),
        )


def has_variability(evaluation: Evaluation) -> bool:
    """Return whether a scenario says what is random."""
    return evaluation.design.variability is not None


TTFT = VariableMetric("ttft", "s", "time to first token", ttft, lambda evaluation: evaluation.prompt_latency)
TPOT = VariableMetric(
    "tpot", "s/tok", "time between two tokens", tpot, lambda evaluation: evaluation.step_latency
)
DISTRIBUTION_METRICS = (*TTFT.metrics(), *TPOT.metrics())
