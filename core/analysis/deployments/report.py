"""The best deployments as text, JSON and CSV. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from accelscope.core.analysis.deployments.evaluate import (
    DEPLOYMENT_GOALS,
    DEPLOYMENT_METRICS,
    FeasibleDeployment,
)
from accelscope.core.analysis.deployments.run import DeploymentSearchResult, GoalRanking
from accelscope.core.analysis.deployments.runner_up import describe_bottleneck, explain_runner_up
from accelscope.core.analysis.deployments.task import format_deployment_text, trim_degrees
from accelscope.core.query.bottleneck import Bottleneck
from accelscope.core.render.document import Block, Paragraph, format_document_text
from accelscope.core.render.result import format_with_unit
from accelscope.core.render.table import Cell, CellValue, Column, Table, make_table
from accelscope.core.render.table_formats import format_json, format_table_csv
from accelscope.core.render.text_style import PLAIN_STYLE, Mark, TextStyle

_ROWS = 8
"""Systems that a table shows for each goal."""
_COLUMNS = (
    Column("system"),
    Column("devices", align="right"),
    Column("parallelism", wraps=True),
    Column("precision", priority=4),
    Column("concurrency", align="right", priority=3),
    Column("ttft", align="right", better="low"),
    Column("tpot", align="right", better="low"),
    Column("throughput", align="right", better="high", priority=2),
    Column("cost_per_mtok", title="USD/MTOK", align="right", better="low"),
    Column("energy_per_token", title="J/TOK", align="right", better="low", priority=1),
    Column("bound_by", title="DECODE BOUND BY"),
)
_LOADS = ("concurrency", "batch")


def format_deployments_table(found: DeploymentSearchResult, style: TextStyle = PLAIN_STYLE) -> str:
    """Return the winners in one sentence, a table for each goal, why the runner-up lost, and what has no deployment.

    Args:
        found: what the search found.
        style: width and colour of the text.
    """
    return format_document_text(build_deployment_blocks(found), style)


def build_deployment_blocks(found: DeploymentSearchResult) -> Iterator[Block]:
    """Yield the winners in one sentence, a table for each goal, why the runner-up lost, and what has no deployment.

    Args:
        found: what the search found.
    """
    mark = Mark.PLAIN if found.places else Mark.BAD
    yield Paragraph("\n".join((_summarize_winners(found), *summarize_deployments(found))), mark, indent="  ")
    for place in found.places:
        yield f"{place.goal.upper()}: {_sentence(place)}"
        rows = [_row(offer) for offer in place.deployments[:_ROWS]]
        yield _drop_empty_columns(make_table(_COLUMNS, rows))
        notes = []
        if len(place.deployments) > _ROWS:
            notes.append(f"and {len(place.deployments) - _ROWS} more systems; --format csv or json has all")
        if place.equivalent_systems:
            notes.append(f"{place.equivalent_systems} larger systems come to the same as a smaller one")
        yield "\n".join(notes)
    for note in _notes(found):
        yield Paragraph(note, indent="    ")


def _summarize_winners(found: DeploymentSearchResult) -> str:
    """Return the winner of each goal in one sentence."""
    if not found.places:
        return "no deployment keeps all limits and targets"
    return "; ".join(
        f"{place.goal}: {format_system_name(winner)} at {format_with_unit(winner.metrics[place.metric], _UNITS[place.metric])}"
        for place in found.places
        for winner in place.deployments[:1]
    )


def _drop_empty_columns(table: Table) -> Table:
    """Return a table without the concurrency if no row has one of its own, since the request says it."""
    names = [column.name for column in table.columns]
    at = names.index("concurrency")
    if any(row[at].text for row in table.rows):
        return table
    return table.take(place for place in range(len(names)) if place != at)


def summarize_deployments(found: DeploymentSearchResult) -> list[str]:
    """Return what was searched, and what ruled candidates out, in lines."""
    systems = len({item.variant.system for item in found.variant_results})
    places = f"{systems} systems" if systems != 1 else "1 system"
    first = f"{found.candidates:,} deployments on {places}, {found.allowed:,} allowed"
    lines = [f"{first}, in {found.seconds:.1f} s"]
    if found.out():
        lines.append("not allowed: " + ", ".join(f"{count:,} {name}" for name, count in found.out().items()))
    return lines


def _sentence(place: GoalRanking) -> str:
    winner, metric = place.deployments[0], place.metric
    unit = _UNITS[metric]
    first = f"{format_system_name(winner)} at {format_with_unit(winner.metrics[metric], unit)}, limited by {describe_bottleneck(place.goal, winner)}"
    if winner.held and place.goal != "fastest":
        first += f"; with twice the concurrency: {winner.held}"
    other = place.runner_up
    if other is None:
        return f"{first}."
    return (
        f"{first}.\nNext: {format_system_name(other)} at {format_with_unit(other.metrics[metric], unit)}, "
        f"{explain_runner_up(place.goal, metric, winner, other)}."
    )


_UNITS = {
    "ttft": "s",
    "tpot": "s/tok",
    "e2e_latency": "s",
    "throughput": "tok/s",
    "cost_per_mtok": "USD/Mtok",
    "energy_per_token": "J/tok",
}
"""Units of the metrics of an offer."""


def format_system_name(offer: FeasibleDeployment) -> str:
    """Return the system of an offer with the devices in use."""
    return (
        f"{offer.variant.system.reference} ({offer.devices} devices)"
        if offer.devices > 1
        else offer.variant.system.reference
    )


def format_layout(offer: FeasibleDeployment) -> str:
    """Return the degrees of an offer in few words; those of pools apart."""
    if not offer.variant.pools:
        return _degrees(offer.layout)
    halves = []
    for pool in ("prefill", "decode"):
        own = {
            key.removeprefix(f"{pool}_"): value
            for key, value in offer.layout.items()
            if key.startswith(f"{pool}_")
        }
        halves.append(f"{pool} {_degrees(own)}")
    return ", ".join(halves)


def _degrees(layout: Mapping[str, int]) -> str:
    kept = {key: value for key, value in layout.items() if key not in _LOADS}
    return " ".join(f"{key}{value}" for key, value in trim_degrees(kept).items())


def _row(offer: FeasibleDeployment) -> list[Cell | CellValue]:
    metrics = offer.metrics
    load = [str(offer.layout[name]) for name in _LOADS if name in offer.layout]

    def cell(name: str, text: Callable[[float], str]) -> Cell:
        value = metrics.get(name)
        return Cell("-" if value is None else text(value), value)

    return [
        offer.variant.system.reference,
        str(offer.devices),
        format_layout(offer),
        format_precision(offer),
        load[0] if load else "",
        cell("ttft", lambda value: format_with_unit(value, "s")),
        cell("tpot", lambda value: format_with_unit(value, "s/tok")),
        cell("throughput", lambda value: f"{value:,.0f}"),
        *(cell(name, lambda value: f"{value:.4g}") for name in ("cost_per_mtok", "energy_per_token")),
        "" if offer.decoding is None else f"{offer.decoding.resource} {offer.decoding.share:.0%}",
    ]


def format_precision(offer: FeasibleDeployment) -> str:
    """Return the data types of weights, and of products where they differ."""
    types = dict(offer.variant.precision)
    if not types:
        return "own"
    weights, products = types["weights"], types.get("activations", types["weights"])
    return weights if weights == products else f"{weights}/{products}"


def _notes(found: DeploymentSearchResult) -> Iterator[str]:
    lines = [f"  {why}: {', '.join(names)}" for why, names in found.empty().items()]
    if lines:
        yield "nothing allowed on, by what rules out most:\n" + "\n".join(lines)
    lines = [f"  {why}: {', '.join(names)}" for why, names in found.unevaluated_systems().items()]
    if lines:
        yield "not evaluated:\n" + "\n".join(lines)
    for goal, metric in DEPLOYMENT_GOALS.items():
        missing = found.without(goal)
        if missing:
            yield f"no {metric} is known of: {', '.join(missing)}"


def format_deployments_json(found: DeploymentSearchResult) -> str:
    """Return the whole as one object."""
    whole = {
        "candidates": found.candidates,
        "allowed": found.allowed,
        "seconds": round(found.seconds, 3),
        "not_allowed": found.out(),
        "goals": {place.goal: _goal(place, found) for place in found.places},
        "nothing_allowed": found.empty(),
        "not_evaluated": found.unevaluated_systems(),
        "manifest": dict(found.manifest),
    }
    return format_json(whole)


def _goal(place: GoalRanking, found: DeploymentSearchResult) -> dict[str, Any]:
    winner = place.deployments[0]
    other = place.runner_up
    return {
        "metric": place.metric,
        "winner": _offer(winner) | {"limited_by": describe_bottleneck(place.goal, winner)},
        "runner_up": None
        if other is None
        else _offer(other) | {"why_it_lost": explain_runner_up(place.goal, place.metric, winner, other)},
        "systems": [_offer(offer) for offer in place.deployments],
        "text": format_deployment_text(found.wish, winner.variant, winner.layout),
    }


def _offer(offer: FeasibleDeployment) -> dict[str, Any]:
    return {
        "system": offer.variant.system.reference,
        "device": offer.device,
        "devices": offer.devices,
        "precision": dict(offer.variant.precision),
        "pools": offer.variant.pools,
        "layout": dict(offer.layout),
        "metrics": {
            name: {"value": offer.metrics[name], "unit": _UNITS[name]}
            for name in DEPLOYMENT_METRICS
            if name in offer.metrics
        },
        "prefill_bound_by": _bound(offer.prompts),
        "decode_bound_by": _bound(offer.decoding),
        "ruled_out_at_twice_the_load_by": offer.held or None,
    }


def _bound(bound: Bottleneck | None) -> dict[str, Any] | None:
    return None if bound is None else {"resource": bound.resource, "share": bound.share}


def format_deployments_csv(found: DeploymentSearchResult) -> str:
    """Return a line for each goal and system, the best first."""
    columns = [
        *(
            Column(name)
            for name in ("goal", "rank", "system", "devices", "parallelism", "precision", "concurrency")
        ),
        *(Column(name, unit=_UNITS[name]) for name in DEPLOYMENT_METRICS),
        Column("bound_by"),
        Column("bound_share"),
    ]
    rows: list[list[CellValue]] = []
    for place in found.places:
        for rank, offer in enumerate(place.deployments, 1):
            load = next((offer.layout[name] for name in _LOADS if name in offer.layout), None)
            bound = offer.decoding
            rows.append(
                [
                    place.goal,
                    rank,
                    offer.variant.system.reference,
                    offer.devices,
                    format_layout(offer),
                    format_precision(offer),
                    load,
                    *(offer.metrics.get(name) for name in DEPLOYMENT_METRICS),
                    *(("", "") if bound is None else (bound.resource, bound.share)),
                ]
            )
    return format_table_csv(make_table(columns, rows))


def format_winner_scenario(found: DeploymentSearchResult, goal: str) -> str:
    """Return the winner of a goal as a file to start from; empty where nobody wins it."""
    for place in found.places:
        if place.goal == goal:
            winner = place.deployments[0]
            return format_deployment_text(found.wish, winner.variant, winner.layout)
    return ""
