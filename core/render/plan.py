"""What strategies make of a deployment: degrees, memory of a device, communication of each pass, and rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import fields

from accelscope.core.numeric.term import Term
from accelscope.core.render.table import tabulate
from accelscope.core.spec.spec import fields_of, written_name
from accelscope.dsl.values.units import format_quantity

if TYPE_CHECKING:
    from accelscope.core.evaluate.evaluate import Evaluation
    from accelscope.core.evaluate.pass_cost import CommCost, PassCost
    from accelscope.core.ir.hardware import Fabric
    from accelscope.core.ir.plan import Collective
    from accelscope.core.ir.usage import Limit

_COLLECTIVE_HEADERS = (
    "PHASE",
    "COMMUNICATION",
    "KIND",
    "RANKS",
    "NETWORK",
    "BYTES",
    "TIMES",
    "EACH",
    "WAITS",
    "HIDDEN",
)


def format_parallel_plan(found: Evaluation) -> str:
    """Return an evaluation of one point as text: how it is divided, and what that costs."""
    parts = (_degrees(found), _memory(found), _communication(found), _rules(found))
    return "\n\n".join(part for part in parts if part)


def _degrees(found: Evaluation) -> str:
    pools = found.design.pools
    groups = (
        [("", found.design)] if pools is None else [("prefill: ", pools.prefill), ("decode: ", pools.decode)]
    )
    lines = []
    for label, design in groups:
        asked = [text for record, spec in design.strategies for text in _asked(record.spec, spec)]
        lines.append(f"{label}{', '.join(asked) or 'one device holds everything'}")
    used = _shown(found.devices_used)
    return "\n".join((*lines, f"{used} of {_shown(found.design.machine.devices)} devices"))


def _asked(cls: Any, spec: Any) -> Iterator[str]:
    """Yield the fields of a strategy that are not as they are without it."""
    declarations = fields_of(cls)
    for item in fields(type(spec)):
        value, default = getattr(spec, item.name), declarations[item.name].default
        plain = float(_first(value)) if isinstance(value, Term) else value
        if plain != default:
            shown = str(plain).lower() if isinstance(plain, bool) else _shown(value)
            yield f"{written_name(item.name)} = {shown}"


def _memory(found: Evaluation) -> str:
    held = found.residency
    rows = [
        [name, _shown(value)]
        for name, value in (
            ("weights", held.weights),
            ("KV cache", held.kv),
            ("activations", held.activations),
        )
        if _first(value) > 0.0
    ]
    return tabulate(rows, ("ONE DEVICE HOLDS", ""), right=(1,))


def _communication(found: Evaluation) -> str:
    tiers = found.design.machine.tiers
    rows = [
        row
        for part in found.passes
        for cost in part.comms
        if _first(cost.item.ranks) > 1.0 and _first(cost.item.repeat) > 0.0
        for row in (_row(part, cost, tiers),)
    ]
    return (
        tabulate(rows, _COLLECTIVE_HEADERS, right=range(5, len(_COLLECTIVE_HEADERS)))
        if rows
        else "no communication"
    )


def _row(part: PassCost, cost: CommCost, tiers: tuple[Fabric, ...]) -> list[str]:
    """Return one kind of communication of a micro-batch on a stage."""
    item, whole = cost.item, cost.usage.time * cost.item.repeat
    waits = _first(cost.seconds) / max(_first(whole), 1e-30)
    return [
        part.phase,
        item.name,
        item.kind,
        _shown(item.ranks),
        _name_crossed_tiers(item, tiers),
        _shown(item.bytes),
        _shown(item.repeat),
        _shown(cost.usage.time),
        _shown(cost.seconds),
        f"{max(1.0 - waits, 0.0):.0%}" if item.window is not None else "",
    ]


def _name_crossed_tiers(item: Collective, tiers: tuple[Fabric, ...]) -> str:
    """Return the names of the network tiers that a collective crosses, the innermost first."""
    stride, span = _first(item.stride), _first(item.ranks) * _first(item.stride)
    names, size = [], 1.0
    for tier in tiers:
        before, size = size, size * _first(tier.size)
        if stride < size and span > before:
            names.append(tier.name)
    return " + ".join(names) or "-"


def _rules(found: Evaluation) -> str:
    rules = {limit.name: limit for limit in found.limits}
    return tabulate([_rule(limit) for limit in rules.values()], ("RULE", ""))


def _rule(limit: Limit) -> list[str]:
    over = _first(limit.used) > _first(limit.available)
    if limit.condition:
        return [limit.name, f"broken: {limit.reason}" if over else "holds"]
    pair = f"{_shown(limit.used)} of {_shown(limit.available)}"
    return [limit.name, f"broken: {pair}: {limit.reason}" if over else pair]


def _first(value: Term) -> float:
    return float(np.asarray(value.value).flat[0])


def _shown(value: Any) -> str:
    return format_quantity(_first(value), value.dimension) if isinstance(value, Term) else str(value)
