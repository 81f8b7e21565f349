"""The parser's loop: reads terminals, runs the parse tables, keeps exact offsets, hands mistakes to recovery."""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field

from accelscope.dsl.build import Rejected
from accelscope.dsl.diagnostics import Diagnostic, Source, Span
from accelscope.dsl.limits import MAX_BRACKETS, MAX_DEPTH, MAX_STACK
from accelscope.dsl.lookahead import MATE, OPENING, fits, starts_statement
from accelscope.dsl.tables import Row, Rule, Tables
from accelscope.dsl.terminals import Literals

END: Final = "$END"


class Problem(Exception):
    """A terminal that does not fit, with the finding where the loop knows it already."""

    def __init__(self, kind: str, start: int, end: int, finding: Diagnostic | None = None) -> None:
        super().__init__(kind)
        self.kind, self.start, self.end, self.finding = kind, start, end, finding


@define(eq=False, repr=False)
class Engine:
    """The state of one parse.

    Attributes:
        states: the rows of the tables that are open; three stacks run in parallel to it:
        values: what each symbol became,
        starts: where it begins,
        depths: how deep its tree is.
        open: offset and stack height of each open bracket.
        closers: where to act as if a `}` stood there, ascending.
        at: where reading goes on.
        last: where the last terminal taken ends.
    """

    source: Source
    tables: Tables
    literals: Literals
    closers: list[int] = field(factory=list)
    states: list[Row] = field(init=False)
    values: list[Any] = field(factory=lambda: [None])
    starts: list[int] = field(factory=lambda: [0])
    depths: list[int] = field(factory=lambda: [0])
    open: list[tuple[int, int]] = field(factory=list)
    at: int = 0
    last: int = 0

    def __attrs_post_init__(self) -> None:
        self.states = [self.tables.rows[0]]

    def run(self) -> None:
        """Read from `at` to the end of the text.

        Raises:
            Problem: a terminal that does not fit; the stacks stand just before it.
        """
        text, scan, kinds, states = self.source.text, self.tables.scan.match, self.tables.kinds, self.states
        words, convert, take = self.tables.words, self.literals.convert, self.take
        limit = self.closers[0] if self.closers else len(text) + 1
        while True:
            found = scan(text, self.at)
            group = found.lastindex if found else None
            if found is None or group is None:
                self._close(len(text) + 1)
                return take(END, None, len(text), len(text))
            start, end = found.span(group)
            if start >= limit:
                limit = self._close(start)
            value: Any = found[group]
            if group == 1:
                kind = words.get(value, "NAME")
                row = states[-1]
                if kind not in row:
                    kind = "NAME"
                elif (
                    value[0] == "x"
                    and "MULTIPLE" in row
                    and (found := self.tables.multiple.match(text, start))
                ):
                    kind, value, end = "MULTIPLE", found[0], found.end()
            else:
                kind = kinds[group]
                if kind in convert:
                    value = convert[kind](value, start)
                elif kind == "REMARK":
                    self.at = end
                    continue
            take(kind, value, start, end)
            self.at = end

    def _close(self, start: int) -> int:
        """Take the closing braces that are due before `start`; return where the next one is due."""
        while self.closers and self.closers[0] <= start:
            if fits(self.states, "RBRACE"):
                self.take("RBRACE", "}", self.last, self.last)
                if "\n" in self.source.text[self.last : start] and fits(self.states, "_NL"):
                    self.take("_NL", "\n", self.last, self.last)
            elif self.in_block() and not starts_statement(self.states):
                raise Problem("RBRACE", self.last, self.last)
            del self.closers[0]
        return self.closers[0] if self.closers else len(self.source.text) + 1

    def in_block(self) -> bool:
        """Say whether a brace is open."""
        return any(self.source.text[start] == "{" for start, _ in self.open)

    def cut(self, height: int) -> None:
        """Drop what stands above a height of the stacks."""
        del self.states[height:], self.values[height:], self.starts[height:], self.depths[height:]
        while self.open and self.open[-1][1] >= height:
            self.open.pop()

    def drop_statement(self) -> list[str]:
        """Drop the statement under way; return the brackets that it leaves open."""
        height = len(self.states)
        actions = self.states[-1].values()
        if all(action.__class__ is tuple for action in actions):
            # something complete, such as a block with its `}`: no statement starts within it
            height -= max(action[0] for action in actions)
        while not starts_statement(self.states, height):
            height -= 1
        pending = [self.source.text[start] for start, at in self.open if at >= height]
        self.cut(height)
        return pending

    def finish(self) -> tuple[Any, ...]:
        """Return the statements of the file, closing what is open and dropping what cannot be closed."""
        closers = ((END,), ("_NL", "LET"), ("RBRACE",))
        while not self.done:
            step = next((kinds for kinds in closers if fits(self.states, *kinds)), None)
            if step is None:
                self.drop_statement()
                continue
            try:
                self.take(step[0], None, self.last, self.last)
            except Problem:
                self.cut(self.open[-1][1] if self.open else 1)
        return tuple(self.values[1])

    @property
    def done(self) -> bool:
        """Whether the end of the text has been taken."""
        return len(self.states) > 2 and self.states[-1] is self.states[-2]

    def take(self, kind: str, value: Any, start: int, end: int) -> None:
        """Take one terminal: reduce what it completes, then shift it."""
        states = self.states
        action = states[-1].get(kind)
        while action.__class__ is tuple:
            if action[0] == 1 and action[2]:
                states[-1] = states[-2][action[1]]
            else:
                self._reduce(action, kind, start, end)
            action = states[-1].get(kind)
        if action is None:
            raise Problem(kind, start, end)
        if kind in OPENING:
            self._nest(kind, start, end)
        elif kind in MATE:
            self.open.pop()
        states.append(action)
        self.values.append(value)
        self.starts.append(start)
        self.depths.append(0)
        self.last = end
        if len(states) > MAX_STACK:
            raise self._too_deep(kind, start, end, "this chain is longer than any description needs")

    def _reduce(self, rule: Rule, kind: str, start: int, end: int) -> None:
        size, origin, _, gather, make = rule
        states, values, starts, depths = self.states, self.values, self.starts, self.depths
        begin = starts[-size] if size else self.last
        value = gather(values)
        depth = max(depths[-size:]) if size > 1 else depths[-1] if size else 0
        if make is not None:
            try:
                value = make(begin, self.last, *value)
            except Rejected as no:
                span = no.node.span(self.source)
                finding = Diagnostic(code="A001", message=no.message, span=span, help=no.help)
                raise Problem(kind, start, end, finding) from no
            if size > 1:
                depth += 1
                if depth > MAX_DEPTH:
                    raise self._too_deep(kind, start, end, "this is nested deeper than any description needs")
        if size:
            del states[-size:], values[-size:], starts[-size:], depths[-size:]
        states.append(states[-1][origin])
        values.append(value)
        starts.append(begin)
        depths.append(depth)

    def _nest(self, kind: str, start: int, end: int) -> None:
        if len(self.open) >= MAX_BRACKETS:
            raise self._too_deep(kind, start, end, f"brackets are nested more than {MAX_BRACKETS} deep")
        self.open.append((start, len(self.states)))

    def _too_deep(self, kind: str, start: int, end: int, message: str) -> Problem:
        span = Span(self.source, start, end)
        return Problem(kind, start, end, Diagnostic(code="A005", message=message, span=span))
