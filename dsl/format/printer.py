"""A syntax tree as canonical text: one statement a line, two spaces a level, brackets only where they are needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from accelscope.dsl.syntax import nodes as s

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FACTOR: Final = re.compile(r"\d+(?:\.\d+)?")
# words that the parser reads as keywords where they would be a label, or a key of an object
_LABEL_WORDS: Final = frozenset({"as", "extends", "in", "via"})
_KEY_WORDS: Final = frozenset(
    {"assert", "check", "connect", "let", "maximize", "minimize", "prefer", "require", "sweep", "tune", "use"}
)

# How tightly an expression binds; an operand that binds less than its place asks for stands in brackets.
_COND, _OR, _AND, _NOT, _COMPARE, _RANGE, _SUM, _PRODUCT, _SIGN, _POWER, _LITERAL, _POSTFIX = range(12)
_BINARY: Final[Mapping[str, tuple[int, int, int]]] = {  # own level, then what left and right have to reach
    "or": (_OR, _OR, _AND),
    "and": (_AND, _AND, _NOT),
    "+": (_SUM, _SUM, _PRODUCT),
    "-": (_SUM, _SUM, _PRODUCT),
    "*": (_PRODUCT, _PRODUCT, _SIGN),
    "/": (_PRODUCT, _PRODUCT, _SIGN),
    "^": (_POWER, _LITERAL, _SIGN),
}


def to_text(file: s.File) -> str:
    """Return text that parses to an equal tree."""
    text = "".join(f"{_STATEMENTS[type(item)](item)}\n" for item in file.statements)
    return f"language 1\n{text}" if text.startswith("language") else text


def number_text(value: float, unit: str | None) -> str:
    """Return a number as the language writes it: `28_672`, `0.1`, `3.35 TB/s`, `5%`."""
    whole = value == int(value) and abs(value) < 1e15 if abs(value) < 1e300 else False
    text = f"{int(value):_}" if whole and abs(value) >= 10_000 else f"{int(value)}" if whole else repr(value)
    if unit is None:
        return text
    return f"{text}{unit}" if unit.startswith("%") else f"{text} {unit}"


def quoted(text: str) -> str:
    """Return a string with its quotes and escapes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


# ---- expressions ------------------------------------------------------------------------------------------


def expression(node: Any, least: int = _COND) -> str:
    """Return an expression, in brackets where it binds less than its place asks for."""
    level, text = _EXPRESSIONS[type(node)](node)
    return text if level >= least else f"({text})"


def _binary(node: s.Binary) -> tuple[int, str]:
    level, left, right = _BINARY[node.op]
    sign = node.op if node.op == "^" and not isinstance(node.left, s.Number) else f" {node.op} "
    return level, f"{expression(node.left, left)}{sign}{expression(node.right, right)}"


def _unary(node: s.Unary) -> tuple[int, str]:
    if node.op == "not":
        return _NOT, f"not {expression(node.operand, _NOT)}"
    return _SIGN, f"-{expression(node.operand, _SIGN)}"


def _compare(node: s.Compare) -> tuple[int, str]:
    rest = "".join(f" {op} {expression(item, _RANGE)}" for op, item in node.rest)
    return _COMPARE, expression(node.first, _RANGE) + rest


def _cond(node: s.Cond) -> tuple[int, str]:
    return _COND, f"if {expression(node.test)} then {expression(node.this)} else {expression(node.other)}"


def _range(node: s.Range) -> tuple[int, str]:
    return _RANGE, f"{expression(node.low, _SUM)} .. {expression(node.high, _SUM)}"


def _number(node: s.Number) -> tuple[int, str]:
    return _LITERAL if node.value >= 0 else _SIGN, number_text(node.value, node.unit)


def _const(node: s.Const) -> tuple[int, str]:
    return _LITERAL, {True: "true", False: "false", None: "none"}[node.value]


def _object(node: s.ObjectOf) -> tuple[int, str]:
    fields = ", ".join(f"{_key(item.name)} = {expression(item.value)}" for item in node.fields)
    return _POSTFIX, f"{{ {fields} }}" if fields else "{}"


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) and name not in _KEY_WORDS else quoted(name)


def _annotated(node: s.Annotated) -> tuple[int, str]:
    text = expression(node.expr)
    if isinstance(node.tolerance, s.PlusMinus):
        text += f" ± {expression(node.tolerance.amount)}"
    elif node.tolerance is not None:
        text += f" ~ {node.tolerance.name}({_items(node.tolerance.args)})"
    return _COND, text + _cites(node.cites)


def _cites(cites: Iterable[s.Cite]) -> str:
    return "".join(f" @{_cite(cite)}" for cite in cites)


def _cite(cite: s.Cite) -> str:
    if cite.name is None:
        return quoted(cite.text or "")
    return f"{cite.name}({_items(cite.args)})" if cite.args else cite.name


def _items(items: Iterable[Any]) -> str:
    return ", ".join(expression(item) for item in items)


_EXPRESSIONS: Final[Mapping[type, Callable[[Any], tuple[int, str]]]] = {
    s.Number: _number,
    s.Text: lambda node: (_LITERAL, quoted(node.value)),
    s.Date: lambda node: (_LITERAL, node.value.isoformat()),
    s.Const: _const,
    s.Name: lambda node: (_POSTFIX, node.id),
    s.Star: lambda node: (_POSTFIX, "*"),
    s.Attr: lambda node: (_POSTFIX, f"{expression(node.base, _POSTFIX)}.{node.name}"),
    s.Index: lambda node: (_POSTFIX, f"{expression(node.base, _POSTFIX)}[{_items(node.subs)}]"),
    s.Call: lambda node: (_POSTFIX, f"{expression(node.base, _POSTFIX)}({_items(node.args)})"),
    s.Amend: lambda node: (_POSTFIX, f"{expression(node.base, _POSTFIX)}{_body(node.body)}"),
    s.Keyword: lambda node: (_COND, f"{node.name} = {expression(node.value)}"),
    s.Pair: lambda node: (_COND, f"{expression(node.key)} -> {expression(node.value)}"),
    s.ListOf: lambda node: (_POSTFIX, f"[{_items(node.items)}]"),
    s.ObjectOf: _object,
    s.Unary: _unary,
    s.Binary: _binary,
    s.Compare: _compare,
    s.Cond: _cond,
    s.Range: _range,
    s.Annotated: _annotated,
}

# ---- statements -------------------------------------------------------------------------------------------


def _body(body: s.Body | None) -> str:
    if body is None:
        return ""
    if not body.statements:
        return " {}"
    lines = "\n".join(_STATEMENTS[type(item)](item) for item in body.statements)
    return f" {{\n{_indented(lines)}\n}}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _use(node: s.Use) -> str:
    path = quoted(node.path) if node.is_file else node.path
    names = f" {{ {', '.join(name.id for name in node.names)} }}" if node.names else ""
    return f"use {path}{names}" + (f" as {node.alias}" if node.alias else "")


def _let(node: s.Let) -> str:
    parameters = "" if node.params is None else f"({', '.join(node.params)})"
    return f"let {node.name}{parameters} = {expression(node.value)}"


def _block(node: s.Block) -> str:
    text = node.kind
    if node.label is not None:
        bare = _NAME.fullmatch(node.label) and node.label not in _LABEL_WORDS
        text += f" {node.label if bare else quoted(node.label)}"
    if node.dims:
        text += f"[{_items(node.dims)}]"
    if node.relation is not None:
        text += f" {node.relation} {' + '.join(expression(base) for base in node.bases)}"
    return text + _cites(node.cites) + _body(node.body)


def _via(via: Any) -> str:
    return "" if via is None else f" via {expression(via)}"


def _connect(node: s.Connect) -> str:
    ends = f"{expression(node.left)} {node.arrow} {expression(node.right)}"
    return f"connect {ends}{_via(node.via)}{_body(node.body)}"


def _connect_pattern(node: s.ConnectPattern) -> str:
    pattern = f"{expression(node.target)} as {node.pattern}({_items(node.args)})"
    return f"connect {pattern}{_via(node.via)}{_body(node.body)}"


def _sweep(node: s.Sweep) -> str:
    step = "" if node.step is None else f" {_step(node.step)}"
    when = "" if node.when is None else f" when {expression(node.when)}"
    return f"{node.word} {expression(node.target)} in {expression(node.domain)}{step}{when}"


def _step(step: s.Step) -> str:
    amount = expression(step.amount)
    if step.kind == "mul":
        plain = amount.replace("_", "")
        return f"step x{plain}" if _FACTOR.fullmatch(plain) else f"step ×{amount}"
    if step.kind == "add":
        return f"step ({amount})" if re.match(r"x\d", amount) else f"step {amount}"
    return f"points {amount} {step.kind}"


def _check(node: s.Check) -> str:
    return f"{node.word} {expression(node.expr)}" + (
        "" if node.message is None else f" else {quoted(node.message)}"
    )


def _goal(node: s.Goal) -> str:
    return f"{node.word} {expression(node.expr)}" + ("" if node.name is None else f" as {node.name}")


_STATEMENTS: Final[Mapping[type, Callable[[Any], str]]] = {
    s.Use: _use,
    s.Let: _let,
    s.Assign: lambda node: f"{expression(node.target)} = {expression(node.value)}",
    s.Block: _block,
    s.Connect: _connect,
    s.ConnectPattern: _connect_pattern,
    s.Sweep: _sweep,
    s.Check: _check,
    s.Goal: _goal,
    s.Doc: lambda node: f"## {node.text}".rstrip(),
}
