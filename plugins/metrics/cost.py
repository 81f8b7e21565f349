"""What an output token costs: the price of what is in use over the throughput, and its electricity where priced."""

from __future__ import annotations

from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.numeric.term import Term, ceil, minimum
from accelscope.core.plugin.records import Metric
from accelscope.plugins.metrics.latency import throughput
from accelscope.plugins.metrics.power import energy_per_token


def cost_per_mtok(evaluation: Evaluation) -> Term | None:
    """Return the cost of an output token, or None where no price is given."""
    money = evaluation.design.money
    if money.rate is None:
        return None
    rate = (money.rate * paid_share(evaluation)).named("price of what is in use")
    cost = (rate / throughput(evaluation)).named("hardware cost of a token")
    energy = energy_per_token(evaluation)
    if money.electricity is not None and energy is not None:
        cost = cost + (money.electricity * energy).named("electricity of a token")
    return cost.named("cost per token")


def paid_share(evaluation: Evaluation) -> Term:
    """Return the share of a system that is paid for.

    Whole groups of the innermost tier, such as nodes, are paid for even where the split leaves devices of them idle; groups
    that are not in use at all are somebody else's. Devices that are rented one by one are paid for one by one.
    """
    machine, used = evaluation.design.machine, evaluation.devices_used
    if machine.tiers and not evaluation.design.money.by_device:
        group = machine.tiers[0].size
        used = ceil(used / group) * group
    return minimum(used / machine.devices, 1.0).named("share of the system that is paid for")


COST_METRICS = (
    Metric(
        name="cost_per_mtok",
        unit="USD/Mtok",
        doc="cost of a million output tokens",
        of="any",
        compute=cost_per_mtok,
    ),
)
