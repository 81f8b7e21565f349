"""The parse tables: made from `grammar.lark` by Lark, kept as plain data in `tables.json`, loaded without Lark.

Loading takes milliseconds and runs no code from the file, and nothing is ever written at run time. Where the data
does not belong to the grammar beside it, the tables are made afresh in memory.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import frozen

HERE: Final = Path(__file__).parent
GRAMMAR: Final = HERE / "grammar.lark"
DATA: Final = HERE / "tables.json"

Gather: TypeAlias = Callable[[list[Any]], Any]
Make: TypeAlias = Callable[..., Any]
Rule: TypeAlias = tuple[int, str, bool, Gather, "Make | None"]
"""Number of symbols, nonterminal, whether one child passes through as it is, children of the stack, callback."""
Row: TypeAlias = dict[str, Any]
"""What a state does at a terminal (a Row to go to, or a Rule to reduce) and where it goes after a nonterminal."""


@frozen(eq=False, repr=False, kw_only=True)
class Tables:
    """A grammar ready to run.

    Attributes:
        rows: the states; the first is where a text starts.
        words: keyword to terminal; a state that has no use for a keyword reads it as a NAME.
        kinds: terminal of each group of the scanner, by group number.
        scan: a pattern that reads blanks and one terminal.
        multiple: the pattern of MULTIPLE, which reads as a NAME wherever no step is expected.
    """

    rows: tuple[Row, ...]
    words: Mapping[str, str]
    kinds: tuple[str, ...]
    scan: re.Pattern[str]
    multiple: re.Pattern[str]


def load(makers: Mapping[str, Make]) -> Tables:
    """Return the tables with the given callbacks: rule or alias to `make(start, end, *children)`."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    try:
        data = json.loads(DATA.read_bytes())
        if data["grammar"] != fingerprint(grammar):
            data = None
    except (OSError, ValueError, KeyError, TypeError):
        data = None
    return assemble(data or compile_grammar(grammar), makers)


def fingerprint(grammar: str) -> str:
    """Return what ties a table to the grammar that it was made from."""
    return hashlib.sha256(grammar.replace("\r\n", "\n").encode()).hexdigest()


# ---- data to tables ---------------------------------------------------------------------------------------


def assemble(data: Mapping[str, Any], makers: Mapping[str, Make]) -> Tables:
    """Return runnable tables for compiled data; raise KeyError where a rule has no callback."""
    rules = [_rule(rule, makers) for rule in data["rules"]]
    rows: tuple[Row, ...] = tuple({} for _ in data["rows"])
    for row, entries in zip(rows, data["rows"], strict=True):
        for symbol, action in entries.items():
            row[symbol] = rows[action] if action >= 0 else rules[~action]
    groups = "|".join(f"(?P<{name}>{pattern})" for name, pattern in data["scanner"])
    return Tables(
        rows=rows,
        words=data["words"],
        kinds=("", *(name for name, _ in data["scanner"]), "OTHER"),
        scan=re.compile(rf"[ \t\f\r\ufeff]*(?:{groups}|(?P<OTHER>[\s\S])|\Z)"),
        multiple=re.compile(data["multiple"]),
    )


def _rule(rule: list[Any], makers: Mapping[str, Make]) -> Rule:
    origin, size, name, plan = rule
    if name is not None:
        return size, origin, False, _gather(size, plan), makers[name]
    if origin.startswith("_"):
        return size, origin, False, _gather(size, plan), None
    return size, origin, True, _pick(plan[0] - size), None


def _pick(index: int) -> Gather:
    return lambda values: values[index]


def _gather(size: int, plan: list[int | list[int] | None]) -> Gather:
    """Return a function from the value stack to the children that a plan keeps.

    A plan lists indices into the rule's symbols, None for an absent optional part, [index] for a list to flatten.
    """
    if all(isinstance(step, int) for step in plan):
        indices = [step - size for step in plan if isinstance(step, int)]
        return lambda values: [values[index] for index in indices]
    steps = [_step(step, size) for step in plan]

    def gather(values: list[Any]) -> list[Any]:
        children: list[Any] = []
        for index, flatten in steps:
            if flatten:
                children = children + values[index] if children else values[index]
            else:
                children.append(values[index] if index else None)
        return children

    return gather


def _step(step: int | list[int] | None, size: int) -> tuple[int, bool]:
    """Return an index from the top of the stack, 0 for an absent part, and whether to flatten what is there."""
    if isinstance(step, list):
        return step[0] - size, True
    return (0 if step is None else step - size), False


# ---- grammar to data --------------------------------------------------------------------------------------


def compile_grammar(grammar: str) -> dict[str, Any]:
    """Return the tables of a grammar as plain data, the same for the same grammar."""
    from lark import Lark

    lark = Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True)
    states = lark.parser.parser._parse_table.states
    start = lark.parser.parser._parse_table.start_states["start"]
    end = lark.parser.parser._parse_table.end_states["start"]
    order = _breadth_first(states, start)
    rules: dict[Any, int] = {}
    rows = []
    for state in order:
        row = {}
        for symbol, (action, target) in sorted(states[state].items()):
            shift = action.name == "Shift"
            row[symbol] = order[target] if shift else ~rules.setdefault(target, len(rules))
        rows.append(row | {"$END": order[end]} if state == end else row)
    void = _void(lark.rules)
    words, scanner = _terminals(list(lark.terminals))
    return {
        "grammar": fingerprint(grammar),
        "words": words,
        "multiple": next(t.pattern.to_regexp() for t in lark.terminals if t.name == "MULTIPLE"),
        "scanner": scanner,
        "rules": [_plan(rule, void) for rule in rules],
        "rows": rows,
    }


def _breadth_first(states: Mapping[Any, Any], start: Any) -> dict[Any, int]:
    order = {start: 0}
    for state in (queue := [start]):
        for _, (action, target) in sorted(states[state].items()):
            if action.name == "Shift" and target not in order:
                order[target] = len(order)
                queue.append(target)
    return order


def _void(rules: list[Any]) -> set[str]:
    """Return the inlined rules that never yield a child, such as those for line ends."""
    void = {rule.origin.name for rule in rules if rule.origin.name.startswith("_")}
    while True:
        full = {
            rule.origin.name
            for rule in rules
            if rule.origin.name in void
            for symbol in rule.expansion
            if not (symbol.filter_out if symbol.is_term else symbol.name in void)
        }
        if not full:
            return void
        void -= full


def _plan(rule: Any, void: set[str]) -> list[Any]:
    blanks = rule.options.empty_indices
    gaps = [len(run) for run in "".join(str(int(blank)) for blank in blanks).split("0")] if blanks else []
    plan: list[Any] = []
    for index, symbol in enumerate(rule.expansion):
        plan += [None] * (gaps[index] if gaps else 0)
        if symbol.is_term:
            plan += [] if symbol.filter_out else [index]
        elif symbol.name not in void:
            plan.append([index] if symbol.name.startswith("_") else index)
    plan += [None] * (gaps[-1] if gaps else 0)
    origin = rule.origin.name
    single = len(plan) == 1 and isinstance(plan[0], int) and rule.options.expand1 and not rule.alias
    name = None if single or origin.startswith("_") else rule.alias or origin
    return [origin, len(rule.expansion), name, plan]


def _terminals(terminals: list[Any]) -> tuple[dict[str, str], list[list[str]]]:
    """Split the terminals into keywords and those the scanner finds; NAME goes first as the most frequent."""
    words: dict[str, str] = {}
    scanner = []
    order = sorted(
        terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name)
    )
    for terminal in order:
        pattern = terminal.pattern.to_regexp()
        spelt = re.fullmatch(r"(?:\(\?:)?([a-z|]+)(?:\)\\b)?", pattern)
        if spelt:
            words.update(dict.fromkeys(spelt[1].split("|"), terminal.name))
        elif terminal.name not in ("MULTIPLE", "BLANK"):
            scanner.append([terminal.name, pattern])
    scanner.sort(key=lambda entry: entry[0] != "NAME")
    return dict(sorted(words.items())), scanner


@lru_cache(maxsize=1)
def render() -> str:
    """Return the text that `tables.json` should have."""
    data = compile_grammar(GRAMMAR.read_text(encoding="utf-8"))
    parts = []
    for key, value in data.items():
        lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in value)
        parts.append(f'"{key}": ' + (f"[\n{lines}\n]" if isinstance(value, list) else json.dumps(value)))
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    DATA.write_text(render(), encoding="utf-8", newline="\n")
