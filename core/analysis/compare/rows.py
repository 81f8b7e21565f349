"""Rows of a comparison: from the result of a scenario, or from the reason why there is none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from accelscope.core.analysis.compare.splits import ParallelSplit, describe_shortage
from accelscope.core.errors import UsageError
from accelscope.core.query.result import is_limit_exceeded
from accelscope.core.render.result import describe_exceeded_limits, find_longest_bound
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.values.values import Attribute, Quantity, Symbol

COMPARED_METRICS: Mapping[str, tuple[str, str]] = {
    "ttft": ("s", "low"),
    "tpot": ("s/tok", "low"),
    "tokens_per_user": ("tok/s", "high"),
    "throughput": ("tok/s", "high"),
    "tokens_per_joule": ("tok/J", "high"),
    "cost_per_mtok": ("USD/Mtok", "low"),
}
"""Unit of each metric of a row, and which end of it is better; tokens a joule are tokens a second for each watt."""


@frozen(kw_only=True)
class ComparisonRow:
    """One system under one load.

    Attributes:
        devices: that the split uses, of those `available`.
        weights, products: data types, empty where the file leaves them to the defaults.
        metrics: name to value, low and high in the units of `METRICS`; empty where nothing is feasible.
        bound: resource, component and share of what decides most of a decode step; None without metrics.
        why: why there are no metrics.
        generated: whether the scenario is made for the comparison, not of a file.
    """

    system: str
    scenario: str
    batch: int
    devices: int
    available: int
    split: ParallelSplit
    weights: str
    products: str
    metrics: Mapping[str, tuple[float | None, float | None, float | None]]
    bound: tuple[str, str, float] | None = None
    why: str = ""
    generated: bool = False

    @property
    def feasible(self) -> bool:
        """Whether there are metrics."""
        return not self.why


def build_comparison_row(scenario: Component, point: Mapping[str, Any]) -> ComparisonRow:
    """Return the row of an evaluated scenario."""
    told = describe_scenario(scenario)
    limits = {limit["name"]: limit for limit in point["limits"]}
    devices = limits.get("devices", {})
    used, available = (round(devices.get(key) or 1) for key in ("used", "available"))
    why = "" if point["feasible"] else _why(point, used)
    return ComparisonRow(
        **told,
        devices=used,
        available=available,
        metrics={} if why else _metrics(point["metrics"]),
        bound=None if why else find_longest_bound(point["breakdown"], ("decode",)),
        why=why,
    )


def describe_scenario(scenario: Component) -> dict[str, Any]:
    """Return what a scenario says: system, batch, split and data types."""
    deployment, workload = _block(scenario, "deployment"), _block(scenario, "workload")
    system = _block(deployment, "system")
    precision = _words(_inner(deployment, "precision"))
    degrees = _numbers(_inner(deployment, "parallel"))
    return {
        "system": "-" if system is None else system.definition,
        "scenario": scenario.name,
        "batch": _numbers(workload).get("batch", 1),
        "split": tuple((name, degree) for name, degree in degrees.items()),
        "weights": precision.get("weights", ""),
        "products": precision.get("activations", ""),
    }


def check_sort_metric(name: str | None) -> None:
    """Refuse to sort by a metric that rows do not have.

    Raises:
        UsageError: there is no such metric.
    """
    if name is not None and name not in COMPARED_METRICS:
        hint = did_you_mean(name, COMPARED_METRICS) or f"there are {', '.join(COMPARED_METRICS)}"
        raise UsageError(f"--sort: there is no `{name}`; {hint}")


def sort_comparison_rows(rows: Iterable[ComparisonRow], by: str | None) -> list[ComparisonRow]:
    """Return rows by batch, and within one the best of a metric first; in the order given without a metric."""
    if by is None:
        return sorted(rows, key=lambda row: row.batch)
    sign = 1.0 if COMPARED_METRICS[by][1] == "low" else -1.0

    def key(row: ComparisonRow) -> tuple[int, bool, float]:
        value = row.metrics.get(by, (None, None, None))[0]
        return row.batch, value is None, sign * (value or 0.0)

    return sorted(rows, key=key)


def _metrics(found: Mapping[str, Any]) -> dict[str, tuple[float | None, float | None, float | None]]:
    taken = {
        name: (entry["value"], entry["low"], entry["high"])
        for name, entry in found.items()
        if name in ("ttft", "tpot", "throughput", "cost_per_mtok")
    }
    if "tpot" in taken:
        value, low, high = (None if not item else 1.0 / item for item in taken["tpot"])
        taken["tokens_per_user"] = (value, high, low)
    energy = found.get("energy_per_token")
    if energy is not None:
        value, low, high = (
            None if not energy[key] else 1.0 / energy[key] for key in ("value", "low", "high")
        )
        taken["tokens_per_joule"] = (value, high, low)
    return {name: taken[name] for name in COMPARED_METRICS if name in taken}


def _why(point: Mapping[str, Any], devices: int) -> str:
    """Return what a point breaks: the rules alone where it breaks some, since what does not exist needs no memory."""
    broken = [limit for limit in point["limits"] if is_limit_exceeded(limit)]
    rules = [limit["reason"] for limit in broken if limit.get("condition") and limit.get("reason")]
    if rules:
        return "; ".join(rules)
    if [limit["name"] for limit in broken] == ["memory"]:
        return describe_shortage(broken[0]["used"], broken[0]["available"], devices)
    return "; ".join(describe_exceeded_limits(dict(point))) or "no result is finite"


def _block(component: Component | None, name: str) -> Component | None:
    """Return the block that a field refers to, or an inner block of this name."""
    found = component.get(name) if component is not None else None
    value = found.value if isinstance(found, Attribute) else found
    return value if isinstance(value, Component) else _inner(component, name)


def _inner(component: Component | None, kind: str) -> Component | None:
    inner = component.children(kind) if component is not None else ()
    return inner[0] if inner else None


def _words(block: Component | None) -> dict[str, str]:
    items = block.attributes().items() if block is not None else ()
    return {name: item.value.name for name, item in items if isinstance(item.value, Symbol)}


def _numbers(block: Component | None) -> dict[str, int]:
    items = block.attributes().items() if block is not None else ()
    return {
        name: round(float(item.value.magnitude)) for name, item in items if isinstance(item.value, Quantity)
    }
