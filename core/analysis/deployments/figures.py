"""Plots of a deployment search: cost and energy of a token over the time of a token. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelscope.core.analysis.deployments.evaluate import FeasibleDeployment
from accelscope.core.analysis.deployments.report import format_layout, format_precision
from accelscope.core.analysis.deployments.run import DeploymentSearchResult
from accelscope.core.query.pareto import find_pareto_front
from accelscope.core.render.plot_figure import PlotFigure, PlotSeries


def plot_deployments(found: DeploymentSearchResult) -> tuple[PlotFigure, ...]:
    """Return what a token costs, and the energy that it takes, over how fast tokens come: a line for each system."""
    curves = sorted(found.curves().items(), key=lambda item: _cheapest(item[1]))
    return tuple(
        PlotFigure(
            title=f"{label} over time of a token",
            x="ms/tok",
            y=label,
            series=tuple(_curve(name, offers, metric) for name, offers in curves),
        )
        for metric, label in (("cost_per_mtok", "USD/Mtok"), ("energy_per_token", "J/tok"))
    )


def _cheapest(offers: Sequence[FeasibleDeployment]) -> float:
    return min((offer.metrics.get("cost_per_mtok", np.inf) for offer in offers), default=np.inf)


def _curve(name: str, offers: Sequence[FeasibleDeployment], metric: str) -> PlotSeries:
    """Return the offers that no other beats in both speed and a metric, as a line."""
    known = [offer for offer in offers if metric in offer.metrics]
    table = np.array([[offer.metrics["tpot"], offer.metrics[metric]] for offer in known]).reshape(-1, 2)
    best = [known[int(at)] for at in find_pareto_front(table)]
    return PlotSeries(
        name=name,
        x=tuple(offer.metrics["tpot"] * 1e3 for offer in best),
        y=tuple(offer.metrics[metric] for offer in best),
        texts=tuple(
            f"{offer.devices} devices, {format_layout(offer)}, {format_precision(offer)}, "
            f"clients {offer.layout.get('concurrency', 'as asked')}, ttft {offer.metrics['ttft'] * 1e3:.0f} ms"
            for offer in best
        ),
        line=True,
    )
