"""A syntax tree to canonical text: one statement on each line, two spaces of indentation, parentheses only if needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from accelscope.dsl.syntax import nodes as s

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FACTOR: Final = re.compile(r"\d+(?:\.\d+)?")
# words that the parser reads as keywords in the place of a label, or of a key of an object
_LABEL_WORDS: Final = frozenset({"as", "extends", "in", "via"})
_KEY_WORDS: Final = frozenset(
    {"assert", "check", "connect", "let", "maximize", "minimize", "prefer", "require", "sweep", "tune", "use"}
)

# Precedence of expressions; an operand with a lower precedence than its place requires is in parentheses.
_COND, _OR, _AND, _NOT, _COMPARE, _RANGE, _SUM, _PRODUCT, _SIGN, _POWER, _LITERAL, _POSTFIX = range(12)
_BINARY: Final[
    Mapping[str, tuple[int, int, int]]
] = {  # own precedence, then the least of the left and the right operand
    "or": (_OR, _OR, _AND),
    "and": (_AND, _AND, _NOT),
    "+": (_SUM, _SUM, _PRODUCT),
    "-": (_SUM, _SUM, _PRODUCT),
    "*": (_PRODUCT, _PRODUCT, _SIGN),
    "/": (_PRODUCT, _PRODUCT, _SIGN),
    "^": (_POWER, _LITERAL, _SIGN),
}


def unparse_file(file: s.File) -> str:
    """Return a text that parses to an equal tree."""
    text = "".join(f"{_STATEMENTS[type(item)](item)}\n" for item in file.statements)
    return f"language 1\n{text}" if text.startswith("language") else text


def unparse_number(value: float, unit: str | None) -> str:
    """Return a number as the language writes it: `28_672`, `0.1`, `3.35 TB/s`, `5%`."""
    whole = value == int(value) and abs(value) < 1e15 if abs(value) < 1e300 else False
    text = f"{int(value):_}" if whole and abs(value) >= 10_000 else f"{int(value)}" if whole else repr(value)
    if unit is None:
        return text
    return f"{text}{unit}" if unit.startswith("%") else f"{text} {unit}"


def quote_text(text: str) -> str:
    """Return a string with its quotes and escapes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


# ---- expressions ------------------------------------------------------------------------------------------


def unparse_expression(node: Any, least: int = _COND) -> str:
    """Return an expression as text, in parentheses if its precedence is lower than `least`."""
    level, text = _EXPRESSIONS[type(node)](node)
    return text if level >= least else f"({text})"


def _binary(node: s.Binary) -> tuple[int, str]:
    level, left, right = _BINARY[node.op]
    sign = node.op if node.op == "^" and not isinstance(node.left, s.Number) else f" {node.op} "
    return level, f"{unparse_expression(node.left, left)}{sign}{unparse_expression(node.right, right)}"


def _unary(node: s.Unary) -> tuple[int, str]:
    if node.op == "not":
        return _NOT, f"not {unparse_expression(node.operand, _NOT)}"
    return _SIGN, f"-{unparse_expression(node.operand, _SIGN)}"


def _compare(node: s.Compare) -> tuple[int, str]:
    rest = "".join(f" {op} {unparse_expression(item, _RANGE)}" for op, item in node.rest)
    return _COMPARE, unparse_expression(node.first, _RANGE) + rest


def _cond(node: s.Cond) -> tuple[int, str]:
    return (
        _COND,
        f"if {unparse_expression(node.test)} then {unparse_expression(node.this)} else {unparse_expression(node.other)}",
    )


def _range(node: s.Range) -> tuple[int, str]:
    return _RANGE, f"{unparse_expression(node.low, _SUM)} .. {unparse_expression(node.high, _SUM)}"


def _number(node: s.Number) -> tuple[int, str]:
    return _LITERAL if node.value >= 0 else _SIGN, unparse_number(node.value, node.unit)


def _const(node: s.Const) -> tuple[int, str]:
    return _LITERAL, {True: "true", False: "false", None: "none"}[node.value]


def _object(node: s.ObjectLiteral) -> tuple[int, str]:
    fields = ", ".join(f"{_key(item.name)} = {unparse_expression(item.value)}" for item in node.fields)
    return _POSTFIX, f"{{ {fields} }}" if fields else "{}"


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) and name not in _KEY_WORDS else quote_text(name)


def _annotated(node: s.Annotated) -> tuple[int, str]:
    text = unparse_expression(node.expr)
    if isinstance(node.tolerance, s.PlusMinus):
        text += f" ± {unparse_expression(node.tolerance.amount)}"
    elif node.tolerance is not None:
        text += f" ~ {node.tolerance.name}({_items(node.tolerance.args)})"
    return _COND, text + _cites(node.cites)


def _cites(cites: Iterable[s.Cite]) -> str:
    return "".join(f" @{_cite(cite)}" for cite in cites)


def _cite(cite: s.Cite) -> str:
    if cite.name is None:
        return quote_text(cite.text or "")
    return f"{cite.name}({_items(cite.args)})" if cite.args else cite.name


def _items(items: Iterable[Any]) -> str:
    return ", ".join(unparse_expression(item) for item in items)


_EXPRESSIONS: Final[Mapping[type, Callable[[Any], tuple[int, str]]]] = {
    s.Number: _number,
    s.Text: lambda node: (_LITERAL, quote_text(node.value)),
    s.Date: lambda node: (_LITERAL, node.value.isoformat()),
    s.Const: _const,
    s.Name: lambda node: (_POSTFIX, node.id),
    s.Star: lambda node: (_POSTFIX, "*"),
    s.Attr: lambda node: (_POSTFIX, f"{unparse_expression(node.base, _POSTFIX)}.{node.name}"),
    s.Subscript: lambda node: (_POSTFIX, f"{unparse_expression(node.base, _POSTFIX)}[{_items(node.subs)}]"),
    s.Call: lambda node: (_POSTFIX, f"{unparse_expression(node.base, _POSTFIX)}({_items(node.args)})"),
    s.Amend: lambda node: (_POSTFIX, f"{unparse_expression(node.base, _POSTFIX)}{_body(node.body)}"),
    s.Keyword: lambda node: (_COND, f"{node.name} = {unparse_expression(node.value)}"),
    s.Pair: lambda node: (_COND, f"{unparse_expression(node.key)} -> {unparse_expression(node.value)}"),
    s.ListLiteral: lambda node: (_POSTFIX, f"[{_items(node.items)}]"),
    s.ObjectLiteral: _object,
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


def _use(node: s.UseStatement) -> str:
    path = quote_text(node.path) if node.is_file else node.path
    names = f" {{ {', '.join(name.id for name in node.names)} }}" if node.names else ""
    return f"use {path}{names}" + (f" as {node.alias}" if node.alias else "")


def _let(node: s.LetStatement) -> str:
    parameters = "" if node.params is None else f"({', '.join(node.params)})"
    return f"let {node.name}{parameters} = {unparse_expression(node.value)}"


def _block(node: s.BlockStatement) -> str:
    text = node.kind
    if node.label is not None:
        bare = _NAME.fullmatch(node.label) and node.label not in _LABEL_WORDS
        text += f" {node.label if bare else quote_text(node.label)}"
    if node.dims:
        text += f"[{_items(node.dims)}]"
    if node.relation is not None:
        text += f" {node.relation} {' + '.join(unparse_expression(base) for base in node.bases)}"
    return text + _cites(node.cites) + _body(node.body)


def _via(via: Any) -> str:
    return "" if via is None else f" via {unparse_expression(via)}"


def _connect(node: s.ConnectStatement) -> str:
    ends = f"{unparse_expression(node.left)} {node.arrow} {unparse_expression(node.right)}"
    return f"connect {ends}{_via(node.via)}{_body(node.body)}"


def _connect_pattern(node: s.ConnectPatternStatement) -> str:
    pattern = f"{unparse_expression(node.target)} as {node.pattern}({_items(node.args)})"
    return f"connect {pattern}{_via(node.via)}{_body(node.body)}"


def _sweep(node: s.SweepStatement) -> str:
    step = "" if node.step is None else f" {_step(node.step)}"
    when = "" if node.when is None else f" when {unparse_expression(node.when)}"
    return f"{node.word} {unparse_expression(node.target)} in {unparse_expression(node.domain)}{step}{when}"


def _step(step: s.StepClause) -> str:
    amount = unparse_expression(step.amount)
    if step.kind == "mul":
        plain = amount.replace("_", "")
        return f"step x{plain}" if _FACTOR.fullmatch(plain) else f"step ×{amount}"
    if step.kind == "add":
        return f"step ({amount})" if re.match(r"x\d", amount) else f"step {amount}"
    return f"points {amount} {step.kind}"


def _check(node: s.CheckStatement) -> str:
    return f"{node.word} {unparse_expression(node.expr)}" + (
        "" if node.message is None else f" else {quote_text(node.message)}"
    )


def _goal(node: s.GoalStatement) -> str:
    return f"{node.word} {unparse_expression(node.expr)}" + ("" if node.name is None else f" as {node.name}")


_STATEMENTS: Final[Mapping[type, Callable[[Any], str]]] = {
    s.UseStatement: _use,
    s.LetStatement: _let,
    s.AssignStatement: lambda node: f"{unparse_expression(node.target)} = {unparse_expression(node.value)}",
    s.BlockStatement: _block,
    s.ConnectStatement: _connect,
    s.ConnectPatternStatement: _connect_pattern,
    s.SweepStatement: _sweep,
    s.CheckStatement: _check,
    s.GoalStatement: _goal,
    s.DocComment: lambda node: f"## {node.text}".rstrip(),
}
