"""What an output token costs: the price of the system over its throughput, and its electricity where priced."""

from __future__ import annotations

from accelscope.core.evaluate import Evaluation
from accelscope.core.records import Metric
from accelscope.core.term import Term
from accelscope.plugins.metrics.latency import throughput
from accelscope.plugins.metrics.power import energy_per_token


def cost_per_mtok(evaluation: Evaluation) -> Term | None:
    """Return the cost of an output token, or None where no price is given.

    The whole system is paid for, also devices that the split leaves idle.
    """
    money = evaluation.design.money
    if money.rate is None:
        return None
    cost = (money.rate.named("price of the system") / throughput(evaluation)).named(
        "hardware cost of a token"
    )
    energy = energy_per_token(evaluation)
    if money.electricity is not None and energy is not None:
        cost = cost + (money.electricity * energy).named("electricity of a token")
    return cost.named("cost per token")


METRICS = (
    Metric(
        name="cost_per_mtok", unit="USD/Mtok", doc="cost of a million output tokens", compute=cost_per_mtok
    ),
)
