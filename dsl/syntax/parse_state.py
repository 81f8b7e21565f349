"""A parse under way: feeds Lark's parser, keeps what recovery asks for, puts missing braces back."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from lark import Token, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span
from accelscope.dsl.diagnostics.limits import MAX_BRACKETS, MAX_STACK, MAX_TERMINALS
from accelscope.dsl.syntax.builders import UnsupportedSyntax
from accelscope.dsl.syntax.decode import too_many_terminals
from accelscope.dsl.syntax.grammar import lex, locate_token, scan_terminals, start_parser
from accelscope.dsl.syntax.lookahead import (
    END_TERMINAL,
    MATCHING_BRACKETS,
    OPENING_BRACKETS,
    accepts_terminals,
    starts_statement,
)
from accelscope.dsl.syntax.token_values import LiteralConverter


class SyntaxProblem(Exception):
    """A terminal that does not fit, with the finding where it is known already."""

    def __init__(self, token: Token, finding: Diagnostic | None = None) -> None:
        super().__init__(token)
        self.kind, self.finding = token.type, finding
        self.start, self.end = locate_token(token)


@define(eq=False, repr=False)
class ParseState:
    """The state of one parse.

    Attributes:
        closers: where to act as if a `}` stood there, ascending.
        parser: Lark's parser; the signs of what is open stand on its stack.
        taken: the terminals so far.
        nested: how many brackets are open.
        result: the statements, once the end of the text has been taken.
    """

    source: SourceText
    closers: list[int] = field(factory=list)
    parser: InteractiveParser = field(init=False)
    literals: LiteralConverter = field(init=False)
    taken: list[Token] = field(factory=list)
    bracket_depth: int = 0
    result: tuple[Any, ...] | None = None

    def __attrs_post_init__(self) -> None:
        self.parser = start_parser(self.source.text)
        self.literals = LiteralConverter(self.source)

    @property
    def last(self) -> int:
        """Where the last terminal taken ends."""
        return locate_token(self.taken[-1])[1] if self.taken else 0

    def seek(self, offset: int) -> None:
        """Go on reading at an offset."""
        state = self.parser.lexer_thread.state
        assert state is not None  # a parser that was given a text has one
        state.line_ctr.char_pos = offset

    def run(self) -> None:
        """Read to the end of the text.

        Raises:
            Problem: a terminal that does not fit; the parser stands just before it.
        """
        convert, end = self.literals.convert, len(self.source.text)
        token = None
        try:
            for token in lex(self.parser):
                if self.closers:
                    self._close(locate_token(token)[0])
                if token.type in convert:
                    token.value = convert[token.type](token.value, locate_token(token)[0])
                self.take(token)
                if len(self.taken) > MAX_TERMINALS:
                    raise SyntaxProblem(token, too_many_terminals(Span(self.source, *locate_token(token))))
            self._close(end)
            self.put(END_TERMINAL, "", end, end)
        except UnexpectedToken as problem:
            fault = problem.token
            if fault is not token and fault.isidentifier() and fault.isascii():
                fault = next(scan_terminals(self.source.text, locate_token(fault)[0]))
                fault.type = "NAME"  # a word that the grammar has no use for here
            raise SyntaxProblem(fault) from None

    def take(self, token: Token) -> None:
        """Take one terminal.

        Raises:
            UnexpectedToken: it does not fit.
            Problem: it completes what the language does not have, or nests too deep.
        """
        kind = token.type
        if kind in OPENING_BRACKETS and self.bracket_depth >= MAX_BRACKETS:
            raise self._too_deep(token, f"brackets are nested more than {MAX_BRACKETS} deep")
        if len(self.parser.parser_state.state_stack) > MAX_STACK:
            raise self._too_deep(token, "this chain is longer than any description needs")
        try:
            self.result = self.parser.feed_token(token)
        except UnsupportedSyntax as no:
            span = no.node.span(self.source)
            finding = Diagnostic(code="A001", message=no.message, span=span, help=no.help)
            raise SyntaxProblem(token, finding) from no
        self.bracket_depth += (kind in OPENING_BRACKETS) - (kind in MATCHING_BRACKETS)
        self.taken.append(token)

    def put(self, kind: str, value: Any, start: int, end: int) -> None:
        """Take a terminal that the text does not spell so; raise as `take` does."""
        token = Token(kind, self.source.text[start:end], start, end_pos=end)
        token.value = value
        self.take(token)

    def _too_deep(self, token: Token, message: str) -> SyntaxProblem:
        span = Span(self.source, *locate_token(token))
        return SyntaxProblem(token, Diagnostic(code="A005", message=message, span=span))

    def _close(self, start: int) -> None:
        """Take the closing braces that are due before or at an offset."""
        while self.closers and self.closers[0] <= start:
            if accepts_terminals(self.parser, "RBRACE"):
                self.put("RBRACE", "}", self.last, self.last)
                if "\n" in self.source.text[self.last : start] and accepts_terminals(self.parser, "_NL"):
                    self.put("_NL", "\n", self.last, self.last)
            elif self.in_block() and not starts_statement(self.parser):
                raise SyntaxProblem(Token("RBRACE", "}", self.last, end_pos=self.last))
            del self.closers[0]

    def open(self) -> list[Token]:
        """Return the brackets that are open, outermost first."""
        found: list[Token] = []
        for value in self.parser.parser_state.value_stack:
            if isinstance(value, Token):
                if value.type in OPENING_BRACKETS:
                    found.append(value)
                elif value.type in MATCHING_BRACKETS:
                    found.pop()
        return found

    def in_block(self) -> bool:
        """Say whether a brace is open."""
        return any(token.type == "LBRACE" for token in self.open())

    def drop_statement(self) -> list[str]:
        """Drop the statement under way; return the kinds of the brackets that it leaves open."""
        state = self.parser.parser_state
        pending: list[str] = []
        closed = 0
        while closed or not starts_statement(self.parser):
            state.state_stack.pop()
            value = state.value_stack.pop()
            kind = value.type if isinstance(value, Token) else ""
            if kind in MATCHING_BRACKETS:
                closed += 1
            elif kind in OPENING_BRACKETS and closed:
                closed -= 1
            elif kind in OPENING_BRACKETS:
                pending.insert(0, kind)
        self.bracket_depth = len(self.open())
        return pending

    def finish(self) -> tuple[Any, ...]:
        """Return the statements of the file, closing what is open and dropping what cannot be closed."""
        closers = ((END_TERMINAL,), ("_NL", "LET"), ("RBRACE",))
        while self.result is None:
            step = next((kinds for kinds in closers if accepts_terminals(self.parser, *kinds)), None)
            if step is None:
                self.drop_statement()
                continue
            try:
                self.put(step[0], "", self.last, self.last)
            except SyntaxProblem:
                self.drop_statement()
        return self.result
