"""A traced term as a tree: from a result to the lines of the files and the sources behind it.

The winner of each max comes first and is followed down; the losers stay one line. Sums are in order of size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from accelscope.core.errors import UsageError
from accelscope.core.evaluate.evaluate import evaluate
from accelscope.core.numeric.term import TraceNode
from accelscope.core.query.scenario_design import assemble_single_point
from accelscope.dsl.check.program import Program
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.values.units import format_quantity
from accelscope.dsl.values.values import Origin

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

MIN_LISTED_SHARE = 0.01
"""Share of a sum below which terms are counted rather than listed."""
MAX_FORMULA_LENGTH = 72
"""Longest formula that is printed."""
_WORDS = {
    "max": "largest",
    "min": "smallest",
    "×": "product",
    "/": "quotient",
    "+": "sum",
    "-": "difference",
    "ceil": "rounded up",
    "floor": "rounded down",
}


@frozen(kw_only=True, eq=False)
class ExplanationLine:
    """One line of an explanation: depth, `name = value`, how it came about, and where it is from."""

    depth: int
    text: str
    how: str
    origin: str

    def __str__(self) -> str:
        parts = ["  " * self.depth + self.text, f"[{self.how}]" if self.how else "", self.origin]
        return "  ".join(part for part in parts if part)


def explain(node: TraceNode, depth: int = 8) -> tuple[ExplanationLine, ...]:
    """Return the lines of a tree down to a depth."""
    return tuple(_Walk(limit=depth).lines(node, 0))


@define
class _Walk:
    limit: int
    seen: set[int] = field(factory=set)
    leaves: set[tuple[str | None, float, Origin | None]] = field(factory=set)

    def lines(self, node: TraceNode, depth: int, *, follow: bool = True) -> Iterator[ExplanationLine]:
        node = _folded(node)
        inner = tuple(_named_parts(_core(node) if node.label is None else node))
        again = id(node) in self.seen or (node.label, node.value, node.origin) in self.leaves
        self.seen.add(id(node))
        if again and not inner:
            yield _line(evolve(node, origin=None), depth, "")
            return
        if not inner:
            self.leaves.add((node.label, node.value, node.origin))
        yield _line(node, depth, "as above" if again else _how(node))
        if again or not follow or depth >= self.limit:
            return
        if _core(node).op in ("max", "min"):
            yield from self._extreme(node, depth)
        elif _core(node).op in ("sum", "+"):
            yield from self._sum(node, depth)
        else:
            for part in inner:
                yield from self.lines(part, depth + 1)

    def _extreme(self, node: TraceNode, depth: int) -> Iterator[ExplanationLine]:
        """The winner with its tree, and one line for each of the others; numbers are bounds, not candidates."""
        core = _core(node)
        parts = sorted(core.parts, key=lambda part: part.value, reverse=core.op == "max")
        for place, part in enumerate(parts):
            inner = _core(part)
            if place == 0 or (inner.value and inner.op != "number"):
                yield from self.lines(inner, depth + 1, follow=place == 0)

    def _sum(self, node: TraceNode, depth: int) -> Iterator[ExplanationLine]:
        terms = sorted(_summands(_core(node)), key=lambda part: -abs(part.value))
        whole = abs(node.value) or 1.0
        large = [part for part in terms if abs(part.value) >= MIN_LISTED_SHARE * whole]
        for part in large:
            yield from self.lines(part, depth + 1)
        rest = [part for part in terms if abs(part.value) < MIN_LISTED_SHARE * whole and part.value]
        if len(rest) == 1:
            yield from self.lines(rest[0], depth + 1, follow=False)
        elif rest:
            value = format_quantity(sum(part.value for part in rest), node.dimension)
            yield ExplanationLine(
                depth=depth + 1, text=f"{len(rest)} smaller terms = {value}", how="", origin=""
            )


def _folded(node: TraceNode) -> TraceNode:
    """Return a name for a single other value as that value under the name: two lines that say one thing."""
    parts = tuple(_named_parts(node)) if node.origin is None and node.label is not None else ()
    same = len(parts) == 1 and (parts[0].value, parts[0].dimension) == (node.value, node.dimension)
    if same and _core(node).op not in ("max", "min", "sum"):
        return evolve(parts[0], label=node.label)
    return node


def _core(node: TraceNode) -> TraceNode:
    """Return the step behind products with plain 1 and other steps that change nothing."""
    while node.op in ("×", "/", "+", "-") and node.label is None and node.origin is None:
        real = [part for part in node.parts if not _neutral(part, node.op)]
        if len(real) != 1 or _neutral(node.parts[0], node.op):
            return node
        node = real[0]
    return node


def _neutral(part: TraceNode, op: str) -> bool:
    unit = 1.0 if op in ("×", "/") else 0.0
    return part.op == "number" and part.label is None and part.value == unit


def _summands(node: TraceNode) -> Iterator[TraceNode]:
    for part in node.parts:
        core = _core(part)
        if core.op in ("sum", "+") and core.label is None and core.origin is None:
            yield from _summands(core)
        else:
            yield core


def _named_parts(node: TraceNode) -> Iterator[TraceNode]:
    """Yield the nearest parts that a reader can be shown, each once: those with a name or an origin."""
    seen: set[tuple[str | None, float]] = set()
    for part in _walked(node):
        key = (part.label, part.value)
        if key not in seen:
            seen.add(key)
            yield part


def _walked(node: TraceNode) -> Iterator[TraceNode]:
    for part in _deciding(node):
        core = _core(part)
        if core.label is not None or core.origin is not None:
            yield core
        else:
            yield from _walked(core)


def _deciding(node: TraceNode) -> tuple[TraceNode, ...]:
    """Return the parts that a value comes from: of an unnamed bound such as max(x, 1), the one that decides."""
    if node.op == "max" and node.label is None:
        return (max(node.parts, key=lambda part: part.value),)
    if node.op == "min" and node.label is None:
        return (min(node.parts, key=lambda part: part.value),)
    return node.parts


def _line(node: TraceNode, depth: int, how: str) -> ExplanationLine:
    value = format_quantity(node.value, node.dimension)
    return ExplanationLine(
        depth=depth, text=f"{_name(node)} = {value}", how=how, origin=format_origin(node.origin)
    )


def _name(node: TraceNode) -> str:
    if node.label is not None:
        return node.label
    text = _formula(node, top=True)
    return text if len(text) <= MAX_FORMULA_LENGTH else _WORDS.get(node.op, node.op)


def _how(node: TraceNode) -> str:
    core = _core(node)
    if node.label is None and core.op not in ("max", "min", "sum"):
        return ""
    if core.op in ("max", "min", "sum", "curve"):
        return core.op
    if core.op in ("value", "number"):
        return ""
    text = _formula(core, top=True)
    return text if len(text) <= MAX_FORMULA_LENGTH else ""


def _formula(node: TraceNode, top: bool = False) -> str:
    node = node if top else _core(node)
    if not top and (node.label is not None or node.origin is not None):
        return _name(node)
    if node.op == "number":
        return format_quantity(node.value, node.dimension)
    if node.op in ("max", "min") and node.label is None and any(part.op == "number" for part in node.parts):
        return _formula(_deciding(node)[0])
    inner = [_formula(part) for part in node.parts if not _neutral(part, node.op) or node.op in ("/", "-")]
    if node.op in ("×", "/", "+", "-") and len(inner) == 2:
        text = f"{inner[0]} {node.op} {_bracketed(inner[1], node.op)}"
        return text if top or node.op in ("×", "/") else f"({text})"
    if len(inner) == 1 and node.op in ("×", "+"):
        return inner[0]
    return f"{node.op}({', '.join(inner)})"


def _bracketed(text: str, op: str) -> str:
    return f"({text})" if op == "/" and " " in text and ("×" in text or "/" in text) else text


def format_origin(origin: Origin | None) -> str:
    """Return where a value is from: file and line, citations, or the source of a default."""
    if origin is None:
        return ""
    parts = [str(origin.span)] if origin.span is not None else []
    if origin.how == "set":
        parts = [f"set: {origin.text}"]
    if origin.how == "default":
        parts = [f"default: {origin.text}"]
    if origin.how == "note":
        parts = [f"({origin.text})"]
    parts.extend(_cites(origin))
    return "  ".join(parts)


def _cites(origin: Origin) -> Iterable[str]:
    return (f'@"{cite.text}"' for cite in origin.cites)


def trace_metric(
    program: Program, registry: Registry, name: str, metric: str, sets: Sequence[str] = ()
) -> TraceNode:
    """Return the traced term of one metric at a single point.

    Raises:
        DescriptionError: the description lacks something.
        UsageError: there is no such metric, the description gives too little for it, or several points are asked for.
    """
    record = registry.metrics.get(metric)
    if record is None:
        hint = did_you_mean(metric, registry.metrics)
        known = ", ".join(sorted(registry.metrics))
        hint = hint or (f"there are {known}" if known else "there are none" + registry.describe_absent())
        raise UsageError(f"no metric is called `{metric}`; {hint}")
    design = assemble_single_point(program, registry, name, sets, trace=True)
    value = record.compute(evaluate(design))
    if value is None or value.node is None:
        raise UsageError(f"the description gives too little for `{metric}`: {record.doc}")
    return value.named(metric).node or value.node
