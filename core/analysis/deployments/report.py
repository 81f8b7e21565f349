"""The best deployments as text, JSON and CSV. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from accelscope.core.analysis.deployments.evaluate import GOALS, SHOWN, Offer
from accelscope.core.analysis.deployments.run import Deployments, Place
from accelscope.core.analysis.deployments.runner_up import limiting, lost
from accelscope.core.analysis.deployments.task import text_of, trimmed
from accelscope.core.query.bottleneck import Bound
from accelscope.core.render.result import shown
from accelscope.core.render.table import tabulate

ROWS = 8
"""Systems that a table shows for each goal."""
HEADS = (
    "SYSTEM",
    "DEVICES",
    "LAYOUT",
    "TYPE",
    "CLIENTS",
    "TTFT",
    "TPOT",
    "TOK/S",
    "USD/MTOK",
    "J/TOK",
    "DECODE BOUND BY",
)
_RIGHT = (1, 4, 5, 6, 7, 8, 9)
_LOADS = ("concurrency", "batch")


def table(found: Deployments) -> str:
    """Return a table for each goal, why the runner-up lost, and what there was no deployment for."""
    parts = ["\n".join(head(found))]
    for place in found.places:
        rows = [_row(offer) for offer in place.offers[:ROWS]]
        text = f"{place.goal.upper()}: {_sentence(place)}\n\n" + tabulate(rows, HEADS, _RIGHT)
        if len(place.offers) > ROWS:
            text += f"\nand {len(place.offers) - ROWS} more systems; --format csv or json has all"
        if place.same:
            text += f"\n{place.same} larger systems come to the same as a smaller one"
        parts.append(text)
    parts += list(_notes(found))
    return "\n\n".join(parts) + "\n"


def head(found: Deployments) -> list[str]:
    """Return what was searched, and what ruled candidates out, in lines."""
    systems = len({item.variant.system for item in found.offered})
    places = f"{systems} systems" if systems != 1 else "1 system"
    first = f"{found.candidates:,} deployments on {places}, {found.allowed:,} allowed"
    lines = [f"{first}, in {found.seconds:.1f} s"]
    if found.out():
        lines.append("not allowed: " + ", ".join(f"{count:,} {name}" for name, count in found.out().items()))
    return lines


def _sentence(place: Place) -> str:
    winner, metric = place.offers[0], place.metric
    unit = UNITS[metric]
    first = f"{name_of(winner)} at {shown(winner.metrics[metric], unit)}, limited by {limiting(place.goal, winner)}"
    if winner.held and place.goal != "fastest":
        first += f"; with twice the clients: {winner.held}"
    other = place.runner_up
    if other is None:
        return f"{first}."
    return (
        f"{first}.\nNext: {name_of(other)} at {shown(other.metrics[metric], unit)}, "
        f"{lost(place.goal, metric, winner, other)}."
    )


UNITS = {
    "ttft": "s",
    "tpot": "s/tok",
    "e2e_latency": "s",
    "throughput": "tok/s",
    "cost_per_mtok": "USD/Mtok",
    "energy_per_token": "J/tok",
}
"""Units of the metrics of an offer."""


def name_of(offer: Offer) -> str:
    """Return the system of an offer with the devices in use."""
    return (
        f"{offer.variant.system.reference} ({offer.devices} devices)"
        if offer.devices > 1
        else offer.variant.system.reference
    )


def layout_of(offer: Offer) -> str:
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
    return " ".join(f"{key}{value}" for key, value in trimmed(kept).items())


def _row(offer: Offer) -> list[str]:
    metrics = offer.metrics
    load = [str(offer.layout[name]) for name in _LOADS if name in offer.layout]
    return [
        offer.variant.system.reference,
        str(offer.devices),
        layout_of(offer),
        types_of(offer),
        load[0] if load else "as asked",
        shown(metrics.get("ttft"), "s"),
        shown(metrics.get("tpot"), "s/tok"),
        f"{metrics['throughput']:,.0f}" if "throughput" in metrics else "-",
        *(
            f"{metrics[name]:.4g}" if name in metrics else "-"
            for name in ("cost_per_mtok", "energy_per_token")
        ),
        "" if offer.decoding is None else f"{offer.decoding.resource} {offer.decoding.share:.0%}",
    ]


def types_of(offer: Offer) -> str:
    """Return the data types of weights, and of products where they differ."""
    types = dict(offer.variant.precision)
    if not types:
        return "own"
    weights, products = types["weights"], types.get("activations", types["weights"])
    return weights if weights == products else f"{weights}/{products}"


def _notes(found: Deployments) -> Iterator[str]:
    lines = [f"  {why}: {', '.join(names)}" for why, names in found.empty().items()]
    if lines:
        yield "nothing allowed on, by what rules out most:\n" + "\n".join(lines)
    lines = [f"  {why}: {', '.join(names)}" for why, names in found.refused().items()]
    if lines:
        yield "not evaluated:\n" + "\n".join(lines)
    for goal, metric in GOALS.items():
        missing = found.without(goal)
        if missing:
            yield f"no {metric} is known of: {', '.join(missing)}"


def as_json(found: Deployments) -> str:
    """Return the whole as one object."""
    told = {
        "candidates": found.candidates,
        "allowed": found.allowed,
        "seconds": round(found.seconds, 3),
        "not_allowed": found.out(),
        "goals": {place.goal: _goal(place, found) for place in found.places},
        "nothing_allowed": found.empty(),
        "not_evaluated": found.refused(),
        "manifest": dict(found.manifest),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _goal(place: Place, found: Deployments) -> dict[str, Any]:
    winner = place.offers[0]
    other = place.runner_up
    return {
        "metric": place.metric,
        "winner": _offer(winner) | {"limited_by": limiting(place.goal, winner)},
        "runner_up": None
        if other is None
        else _offer(other) | {"why_it_lost": lost(place.goal, place.metric, winner, other)},
        "systems": [_offer(offer) for offer in place.offers],
        "text": text_of(found.wish, winner.variant, winner.layout),
    }


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "system": offer.variant.system.reference,
        "device": offer.device,
        "devices": offer.devices,
        "precision": dict(offer.variant.precision),
        "pools": offer.variant.pools,
        "layout": dict(offer.layout),
        "metrics": {
            name: {"value": offer.metrics[name], "unit": UNITS[name]}
            for name in SHOWN
            if name in offer.metrics
        },
        "prefill_bound_by": _bound(offer.prompts),
        "decode_bound_by": _bound(offer.decoding),
        "ruled_out_at_twice_the_load_by": offer.held or None,
    }


def _bound(bound: Bound | None) -> dict[str, Any] | None:
    return None if bound is None else {"resource": bound.resource, "share": bound.share}


def as_csv(found: Deployments) -> str:
    """Return a line for each goal and system, the best first."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    heads = [f"{name} [{UNITS[name]}]" for name in SHOWN]
    writer.writerow(
        ["goal", "rank", "system", "devices", "layout", "type", "clients", *heads, "bound_by", "bound_share"]
    )
    for place in found.places:
        for rank, offer in enumerate(place.offers, 1):
            row = _row(offer)
            bound = offer.decoding
            writer.writerow(
                [place.goal, rank, row[0], offer.devices, row[2], row[3], row[4]]
                + [offer.metrics.get(name) for name in SHOWN]
                + (["", ""] if bound is None else [bound.resource, bound.share])
            )
    return stream.getvalue()


def as_text(found: Deployments, goal: str) -> str:
    """Return the winner of a goal as a file to start from; empty where nobody wins it."""
    for place in found.places:
        if place.goal == goal:
            winner = place.offers[0]
            return text_of(found.wish, winner.variant, winner.layout)
    return ""
