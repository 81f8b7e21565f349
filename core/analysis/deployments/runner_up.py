"""Why one deployment is behind another: by how much in a metric, what that metric is made of, and what limits it. Pure."""

from __future__ import annotations

from accelscope.core.analysis.deployments.evaluate import FeasibleDeployment

_HOUR = 3600.0
_MILLION = 1e6


def explain_runner_up(goal: str, metric: str, winner: FeasibleDeployment, other: FeasibleDeployment) -> str:
    """Return in a sentence why another deployment lost a goal."""
    ratio = other.metrics[metric] / winner.metrics[metric]
    more = f"{(ratio - 1.0):.0%} more" if ratio < 2.0 else f"{ratio:.1f} times as much"
    parts = _PARTS.get(goal)
    told = "" if parts is None else f": {parts(other)} against {parts(winner)}"
    bound = describe_bottleneck(goal, other)
    return f"{more} {_WHAT[goal]}{told}" + (f"; limited by {bound}" if bound else "")


def describe_bottleneck(goal: str, offer: FeasibleDeployment) -> str:
    """Return what decides most of the longer of a request's two parts, or of decoding."""
    ttft = offer.metrics.get("ttft", 0.0)
    longer = goal == "fastest" and ttft > offer.metrics.get("e2e_latency", 0.0) / 2.0
    bound = offer.prompts if longer else offer.decoding
    return "" if bound is None else str(bound)


def _rent(offer: FeasibleDeployment) -> float:
    """Return the USD an hour of what is in use, from cost and throughput."""
    return offer.metrics["cost_per_mtok"] * offer.metrics["throughput"] * _HOUR / _MILLION


def _power(offer: FeasibleDeployment) -> float:
    """Return the W of what is in use, from energy and throughput."""
    return offer.metrics["energy_per_token"] * offer.metrics["throughput"]


def _cost(offer: FeasibleDeployment) -> str:
    return f"{_rent(offer):,.2f} USD/h for {offer.metrics['throughput']:,.0f} tok/s"


def _time(offer: FeasibleDeployment) -> str:
    return f"{offer.metrics['ttft'] * 1e3:,.0f} ms to the first token and {offer.metrics['tpot'] * 1e3:,.1f} ms for each other"


def _energy(offer: FeasibleDeployment) -> str:
    return f"{_power(offer):,.0f} W for {offer.metrics['throughput']:,.0f} tok/s"


_PARTS = {"cheapest": _cost, "fastest": _time, "most frugal": _energy}
_WHAT = {"cheapest": "for a token", "fastest": "time for an answer", "most frugal": "energy for a token"}
