"""Hypothesis strategies for syntax trees that the printer can write and the parser has to read back."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from accelscope.dsl.syntax import nodes as s

# words that mean something where a name could stand
RESERVED = frozenset(
    [
        "use",
        "let",
        "connect",
        "sweep",
        "tune",
        "assert",
        "check",
        "require",
        "prefer",
        "minimize",
        "maximize",
        "language",
        "true",
        "false",
        "none",
        "if",
        "not",
        "and",
        "or",
        "then",
        "else",
        "in",
        "when",
        "as",
        "via",
        "extends",
        "step",
        "points",
        "log",
        "lin",
    ]
)
UNITS = (
    "GB",
    "GB/s",
    "GB/s/dir",
    "KiB",
    "MAC/cycle",
    "mm^2",
    "cm^-2",
    "ms/tok",
    "USD/h",
    "%",
    "pJ/bit",
    "us",
    "e5",
    "x",
)


def _n(kind, *children):
    return kind(0, 0, *children)


def _made(kind, *children):
    return st.builds(lambda *values: kind(0, 0, *values), *children)


def _tuples(items, least=0, most=3):
    return st.lists(items, min_size=least, max_size=most).map(tuple)


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(lambda name: name not in RESERVED)
words = st.one_of(names, st.sampled_from(sorted(RESERVED - {"extends"})))  # behind a dot or as a label
texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=12
)
values = st.one_of(
    st.integers(0, 10**7).map(float),
    st.floats(min_value=0, max_value=1e300, allow_nan=False, allow_infinity=False),
)

numbers = _made(s.Number, values, st.one_of(st.none(), st.sampled_from(UNITS)))
literals = st.one_of(
    numbers,
    _made(s.Text, texts),
    _made(s.Date, st.dates()),
    _made(s.Const, st.sampled_from([True, False, None])),
)
name_nodes = _made(s.Name, names)


def _keywords(inner):
    return _made(s.Keyword, names, inner)


def _arguments(inner):
    return _tuples(st.one_of(inner, _keywords(inner)))


def _cites(inner):
    return _tuples(
        st.one_of(
            _made(s.Cite, names, st.none(), _arguments(inner)),
            _made(s.Cite, st.none(), texts, st.just(())),
        ),
        most=2,
    )


def _annotated(inner):
    tolerance = st.one_of(
        st.none(), _made(s.PlusMinus, inner), _made(s.Distribution, names, _arguments(inner))
    )
    annotated = st.builds(
        lambda expr, how, cites: _n(s.Annotated, expr, how, cites) if how or cites else expr,
        inner,
        tolerance,
        _cites(inner),
    )
    return st.one_of(inner, annotated)


def _nested(inner):
    value = _annotated(inner)
    arguments = _tuples(st.one_of(value, _keywords(value)))
    fields = _tuples(_made(s.Keyword, st.one_of(words, texts), value))
    compare = st.tuples(st.sampled_from(["<=", ">=", "==", "!=", "<", ">"]), inner)
    return st.one_of(
        _made(s.Attr, inner, words),
        _made(s.Subscript, inner, _tuples(st.one_of(inner, st.just(_n(s.Star))), least=1)),
        _made(s.Call, inner, arguments),
        _made(s.Amend, inner, _bodies(_made(s.AssignStatement, name_nodes, value))),
        _made(s.ListLiteral, _tuples(st.one_of(value, _made(s.Pair, value, value)))),
        _made(s.ObjectLiteral, fields),
        _made(s.Unary, st.sampled_from(["-", "not"]), inner),
        _made(s.Binary, st.sampled_from(["+", "-", "*", "/", "^", "and", "or"]), inner, inner),
        _made(s.Compare, inner, _tuples(compare, least=1)),
        _made(s.Cond, inner, inner, inner),
        _made(s.Range, inner, inner),
    )


def _bodies(statements):
    return _made(s.Body, _tuples(statements))


expressions = st.recursive(st.one_of(literals, name_nodes), _nested, max_leaves=8)
annotated = _annotated(expressions)
targets = st.recursive(
    name_nodes,
    lambda inner: st.one_of(
        _made(s.Attr, inner, words),
        _made(s.Subscript, inner, _tuples(st.one_of(expressions, st.just(_n(s.Star))), least=1)),
    ),
    max_leaves=3,
)
kinds = st.lists(names, min_size=1, max_size=3).map(".".join)


def _flat_statements():
    factors = st.one_of(st.integers(1, 99).map(float), st.floats(1, 1e6))
    steps = st.one_of(
        _made(s.StepClause, st.just("mul"), _made(s.Number, factors, st.none())),
        _made(s.StepClause, st.sampled_from(["add", "lin", "log"]), expressions),
    )
    optional_text = st.one_of(st.none(), texts)
    docs = st.text(string.printable.replace("\n", "").replace("\r", ""), max_size=20).map(str.strip)
    return st.one_of(
        _made(s.UseStatement, kinds, st.just(False), st.one_of(st.none(), names), st.just(())),
        _made(s.UseStatement, kinds, st.just(False), st.none(), _tuples(name_nodes, least=1)),
        _made(s.UseStatement, texts, st.just(True), st.one_of(st.none(), names), st.just(())),
        _made(s.LetStatement, names, st.one_of(st.none(), _tuples(names)), annotated),
        _made(s.AssignStatement, targets, annotated),
        _made(
            s.SweepStatement,
            st.sampled_from(["sweep", "tune"]),
            targets,
            expressions,
            st.one_of(st.none(), steps),
            st.one_of(st.none(), expressions),
        ),
        _made(
            s.CheckStatement,
            st.sampled_from(["assert", "check", "require", "prefer"]),
            expressions,
            optional_text,
        ),
        _made(
            s.GoalStatement,
            st.sampled_from(["minimize", "maximize"]),
            expressions,
            st.one_of(st.none(), names),
        ),
        _made(s.DocComment, docs.filter(lambda text: not text.startswith("#") or text.startswith("# "))),
    )


def _with_bodies(statements):
    body = _bodies(statements)
    maybe = st.one_of(st.none(), body)
    via = st.one_of(st.none(), targets)
    dims = _tuples(expressions, most=2)

    def block(kind, label, dims, relation, bases, cites, body):
        bases = () if relation is None else bases[:1] if relation == ":" else bases
        if label is None:
            return _n(s.BlockStatement, kind, None, (), relation, bases, cites, body or _n(s.Body, ()))
        return _n(s.BlockStatement, kind, label, dims, relation, bases, cites, body)

    return st.one_of(
        st.builds(
            block,
            kinds,
            st.one_of(st.none(), words, texts),
            dims,
            st.sampled_from([None, ":", "extends"]),
            _tuples(targets, least=1, most=2),
            _cites(expressions),
            maybe,
        ),
        _made(s.ConnectStatement, targets, st.sampled_from(["->", "<->"]), targets, via, maybe),
        _made(s.ConnectPatternStatement, targets, names, _arguments(annotated), via, maybe),
    )


statements = st.recursive(_flat_statements(), _with_bodies, max_leaves=4)


def files(source):
    """Return a strategy for whole trees over a source."""
    return st.lists(statements, max_size=4).map(lambda items: s.File(0, 0, tuple(items), source))
