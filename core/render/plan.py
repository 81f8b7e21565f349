"""What strategies make of a deployment: degrees, memory of a device, communication of each pass, and rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import fields

from accelscope.core.numeric.term import Term
from accelscope.core.query.feasibility import is_exceeded
from accelscope.core.render.document import format_document_text
from accelscope.core.render.table import Cell, Column, Table, make_table
from accelscope.core.render.text_style import PLAIN_STYLE, Mark, TextStyle
from accelscope.core.spec.spec import fields_of, written_name
from accelscope.dsl.values.units import format_quantity

if TYPE_CHECKING:
    from accelscope.core.evaluate.evaluate import Evaluation
    from accelscope.core.evaluate.pass_cost import CommCost, PassCost
    from accelscope.core.ir.hardware import Fabric
    from accelscope.core.ir.plan import Collective
    from accelscope.core.ir.usage import Limit

_COLLECTIVE_COLUMNS = (
    Column("phase"),
    Column("communication", wraps=True),
    Column("kind", priority=2),
    Column("ranks"),
    Column("network", wraps=True),
    Column("bytes", align="right"),
    Column("times", align="right", priority=3),
    Column("each", align="right", priority=1),
    Column("waits", align="right"),
    Column("hidden", align="right"),
)


def format_parallel_plan(name: str, found: Evaluation, style: TextStyle = PLAIN_STYLE) -> str:
    """Return an evaluation of one point as text: how it is divided, and what that costs.

    Args:
        name: of the scenario.
        found: its evaluation.
        style: width and colour of the text.
    """
    blocks = (
        _summary(name, found),
        _degrees(found),
        _memory(found),
        _communication(found),
        _rules(found),
    )
    return format_document_text(blocks, style).rstrip("\n")


def _summary(name: str, found: Evaluation) -> str:
    """Return how many devices are used, and how full the memory of one is."""
    memory = next((limit for limit in found.limits if limit.name == "memory"), None)
    used, available = _shown(found.devices_used), _shown(found.design.machine.devices)
    text = f"{name}: {used} of {available} devices"
    if memory is None:
        return text
    return f"{text}; {_shown(memory.used)} of {_shown(memory.available)} of memory on the fullest one"


def _degrees(found: Evaluation) -> str:
    pools = found.design.pools
    groups = (
        [("", found.design)] if pools is None else [("prefill: ", pools.prefill), ("decode: ", pools.decode)]
    )
    lines = []
    for label, design in groups:
        asked = [text for record, spec in design.strategies for text in _asked(record.spec, spec)]
        lines.append(f"{label}{', '.join(asked) or 'one device holds everything'}")
    return "\n".join(lines)


def _asked(cls: Any, spec: Any) -> Iterator[str]:
    """Yield the fields of a strategy that are not as they are without it."""
    declarations = fields_of(cls)
    for item in fields(type(spec)):
        value, default = getattr(spec, item.name), declarations[item.name].default
        plain = float(_first(value)) if isinstance(value, Term) else value
        if plain != default:
            shown = str(plain).lower() if isinstance(plain, bool) else _shown(value)
            yield f"{written_name(item.name)} = {shown}"


def _memory(found: Evaluation) -> Table:
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
    return make_table((Column("one_device_holds", title="ONE DEVICE HOLDS"), _bare("right")), rows)


def _communication(found: Evaluation) -> Table | str:
    tiers = found.design.machine.tiers
    rows = [
        row
        for part in found.passes
        for cost in part.comms
        if _first(cost.item.ranks) > 1.0 and _first(cost.item.repeat) > 0.0
        for row in (_row(part, cost, tiers),)
    ]
    if not rows:
        return "no communication"
    table = make_table(_COLLECTIVE_COLUMNS, rows)
    overlaps = any(row[-1].text for row in table.rows)
    return table if overlaps else table.take(range(len(_COLLECTIVE_COLUMNS) - 1))


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


def _rules(found: Evaluation) -> Table:
    rules = {limit.name: limit for limit in found.limits}
    return make_table((Column("rule", wraps=True), _bare("left", wraps=True)), map(_rule, rules.values()))


def _rule(limit: Limit) -> tuple[str, Cell]:
    over = bool(is_exceeded(_first(limit.used), _first(limit.available)))
    mark = Mark.BAD if over else Mark.PLAIN
    if limit.condition:
        return limit.name, Cell(f"broken: {limit.reason}" if over else "holds", mark=mark)
    pair = f"{_shown(limit.used)} of {_shown(limit.available)}"
    return limit.name, Cell(f"broken: {pair}: {limit.reason}" if over else pair, mark=mark)


def _bare(align: Literal["left", "right"], *, wraps: bool = False) -> Column:
    """Return a column without a title."""
    return Column("value", title=" ", align=align, wraps=wraps)


def _first(value: Term) -> float:
    return float(np.asarray(value.value).flat[0])


def _shown(value: Any) -> str:
    return format_quantity(_first(value), value.dimension) if isinstance(value, Term) else str(value)
