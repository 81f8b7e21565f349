"""The state of one parse: feeds tokens to the parser of Lark, and adds missing braces."""

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
    """A token is not valid where it is.

    Attributes:
        kind: the type of the token.
        finding: the error, or None if the message is still to be made.
        start: the offset of the token.
        end: the offset of its end.
    """

    def __init__(self, token: Token, finding: Diagnostic | None = None) -> None:
        super().__init__(token)
        self.kind, self.finding = token.type, finding
        self.start, self.end = locate_token(token)


@define(eq=False, repr=False)
class ParseState:
    """The state of one parse.

    Attributes:
        source: the text.
        closers: offsets where a `}` is added, ascending.
        rule: the rule of the grammar that the whole text must match.
        keep_tokens: whether `tokens` is filled.
        parser: the parser of Lark; its stack has the open brackets.
        literals: converts tokens to values.
        tokens: the tokens so far, if they are kept.
        token_count: the number of tokens so far.
        last: the end of the last token.
        bracket_depth: the number of open brackets.
        result: the statements of a file, or the override, after the end of the text.
    """

    source: SourceText
    closers: list[int] = field(factory=list)
    rule: str = "start"
    keep_tokens: bool = False
    parser: InteractiveParser = field(init=False)
    literals: LiteralConverter = field(init=False)
    tokens: list[Token] = field(factory=list)
    token_count: int = 0
    last: int = 0
    bracket_depth: int = 0
    result: Any = None

    def __attrs_post_init__(self) -> None:
        self.parser = start_parser(self.source.text, self.rule)
        self.literals = LiteralConverter(self.source)

    def seek(self, offset: int) -> None:
        """Continue at an offset."""
        state = self.parser.lexer_thread.state
        assert state is not None  # a parser that was given a text has one
        state.line_ctr.char_pos = offset

    def run(self) -> None:
        """Read to the end of the text.

        Raises:
            SyntaxProblem: a token is not valid; the parser is in front of it.
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
                if self.token_count > MAX_TERMINALS:
                    raise SyntaxProblem(token, too_many_terminals(Span(self.source, *locate_token(token))))
            self._close(end)
            self.put(END_TERMINAL, "", end, end)
        except UnexpectedToken as problem:
            fault = problem.token
            if fault is not token and fault.isidentifier() and fault.isascii():
                fault = next(scan_terminals(self.source.text, locate_token(fault)[0]))
                fault.type = "NAME"  # a keyword that is not valid here
            raise SyntaxProblem(fault) from None

    def take(self, token: Token) -> None:
        """Feed one token to the parser.

        Raises:
            UnexpectedToken: it is not valid here.
            SyntaxProblem: it completes a construct that the language does not have, or is nested too deeply.
        """
        kind = token.type
        if kind in OPENING_BRACKETS and self.bracket_depth >= MAX_BRACKETS:
            raise self._too_deep(token, f"brackets are nested more than {MAX_BRACKETS} deep")
        state = self.parser.parser_state
        if len(state.state_stack) > MAX_STACK:
            raise self._too_deep(token, "this chain is too long")
        try:
            self.result = state.feed_token(token, kind == END_TERMINAL)
        except UnsupportedSyntax as problem:
            span = problem.node.span(self.source)
            finding = Diagnostic(code="A001", message=problem.message, span=span, help=problem.help)
            raise SyntaxProblem(token, finding) from problem
        self.bracket_depth += (kind in OPENING_BRACKETS) - (kind in MATCHING_BRACKETS)
        self.token_count += 1
        self.last = locate_token(token)[1]
        if self.keep_tokens:
            self.tokens.append(token)

    def put(self, kind: str, value: Any, start: int, end: int) -> None:
        """Feed a token that the text does not have; raise like `take`.

        Args:
            kind: the type of the token.
            value: its value.
            start: the offset where it is assumed.
            end: the offset of its end.
        """
        token = Token(kind, self.source.text[start:end], start, end_pos=end)
        token.value = value
        self.take(token)

    def _too_deep(self, token: Token, message: str) -> SyntaxProblem:
        span = Span(self.source, *locate_token(token))
        return SyntaxProblem(token, Diagnostic(code="A005", message=message, span=span))

    def _close(self, start: int) -> None:
        """Add the closing braces up to an offset."""
        while self.closers and self.closers[0] <= start:
            if accepts_terminals(self.parser, "RBRACE"):
                self.put("RBRACE", "}", self.last, self.last)
                if "\n" in self.source.text[self.last : start] and accepts_terminals(self.parser, "_NL"):
                    self.put("_NL", "\n", self.last, self.last)
            elif self.in_block() and not starts_statement(self.parser):
                raise SyntaxProblem(Token("RBRACE", "}", self.last, end_pos=self.last))
            del self.closers[0]

    def open(self) -> list[Token]:
        """Return the open brackets, outermost first."""
        brackets: list[Token] = []
        for value in self.parser.parser_state.value_stack:
            if isinstance(value, Token):
                if value.type in OPENING_BRACKETS:
                    brackets.append(value)
                elif value.type in MATCHING_BRACKETS:
                    brackets.pop()
        return brackets

    def in_block(self) -> bool:
        """Return whether a brace is open."""
        return any(token.type == "LBRACE" for token in self.open())

    def drop_statement(self) -> list[str]:
        """Drop the current statement; return the types of the brackets that it leaves open."""
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
        """Return the statements of the file after closing open brackets and dropping what cannot be closed."""
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
        return tuple(self.result)
