"""The table of diagnostic codes: A0xx syntax, A1xx names, fields and units, A2xx references and evaluation,
A3xx cross-block checks and requirements, A4xx warnings, A5xx files and the command line."""

from __future__ import annotations

from attrs import frozen


@frozen
class Code:
    """A diagnostic code.

    Attributes:
        title: in kebab case.
        severity: "error" or "warning".
        doc: one sentence.
    """

    title: str
    severity: str
    doc: str


def _error(title: str, doc: str) -> Code:
    return Code(title, "error", doc)


def _warning(title: str, doc: str) -> Code:
    return Code(title, "warning", doc)


CODES: dict[str, Code] = {
    # ---- A0xx: syntax
    "A001": _error("unexpected-text", "The text does not follow the grammar."),
    "A002": _error("unclosed-block", "A `{`, `[` or `(` is not closed."),
    "A003": _error("unknown-character", "A character that does not belong to the language."),
    "A004": _error("unclosed-string", "A string has no closing quote on its line."),
    "A005": _error("nested-too-deeply", "Brackets or expressions are nested too deeply."),
    # ---- A1xx: names, fields, units
    "A101": _error("unknown-field", "The block has no field or inner block of this name."),
    "A102": _error("unknown-kind", "No plugin declares this kind of block."),
    "A103": _error(
        "duplicate-key", "A key is repeated in one block, so one of the two values would be lost."
    ),
    "A104": _error("unknown-symbol", "A value is not one of the choices of its field."),
    "A105": _error("wrong-type", "A value does not have the type of its field."),
    "A106": _error("missing-field", "A required field is missing."),
    "A107": _error(
        "out-of-range", "A value is outside the bounds of its field, or an index is out of range."
    ),
    "A108": _error("misplaced-block", "A block of this kind is not allowed in the block around it."),
    "A110": _error("unknown-unit", "The unit is not known."),
    "A111": _error("wrong-dimension", "A value does not have the dimension of its field."),
    "A112": _error("mixed-dimensions", "An operation or a comparison mixes values of different dimensions."),
    # ---- A2xx: references and evaluation
    "A201": _error("unknown-name", "A name is not defined."),
    "A202": _error("unknown-member", "A block, map or value has no member of this name."),
    "A203": _error("cycle", "A value, a block or a file is defined through itself."),
    "A204": _error("unknown-module", "There is no library module of this name."),
    "A205": _error("unknown-function", "Something that is not a function is called."),
    "A206": _error("wrong-arguments", "The arguments of a call, or the subscripts, do not fit."),
    "A207": _error(
        "not-a-block", "A base, an end of a connection or a reference is not a block of a suitable kind."
    ),
    "A208": _error("not-a-number", "Arithmetic on a value that is not a number, or without a finite result."),
    "A209": _error("too-large", "A count, a sweep or an evaluation exceeds a limit of the language."),
    "A210": _error("unknown-source", "A cited source is not declared."),
    "A211": _error("not-supported-here", "The language has this form, but it is not supported here."),
    # ---- A3xx: checks over several values or blocks
    "A301": _error("check-failed", "A `check` of this definition failed."),
    "A302": _error("assert-failed", "An `assert` failed; derived blocks inherit asserts."),
    "A303": _error("parallelism", "The parallel split does not fit the model or the system."),
    "A304": _error("no-design", "A part that the evaluation needs is missing."),
    "A305": _error("ambiguous-path", "A path matches several places of the scenario."),
    "A306": _error("unsupported-dtype", "No engine of the device supports the requested data type."),
    # ---- A4xx: lints
    "A401": _warning("missing-citation", "A number in a library file does not cite a source."),
    "A402": _warning(
        "symbol-shadows-let",
        "A choice has the same name as a `let` in scope, so the value of the `let` is used.",
    ),
    "A403": _warning(
        "decimal-sram",
        "The capacity of an on-chip memory is given in decimal units (GB); such memories have power-of-two sizes (GiB).",
    ),
    "A404": _warning("implausible", "A value is outside the usual range for parts of its kind."),
    "A405": _warning("not-modelled", "The field is accepted, but no installed model uses it yet."),
    "A406": _warning(
        "left-over-entries", "The count of a block is overridden, but only some of its per-instance entries."
    ),
    "A408": _warning(
        "renamed-field",
        "A field, a block or a symbol has its former name; `check --fix` writes the present one.",
    ),
    # ---- A5xx: files and the command line
    "A501": _error("unreadable-file", "A file is missing, is a directory, or cannot be read."),
    "A502": _error("not-text", "A file contains NUL bytes or is not UTF-8."),
    "A503": _error("file-too-large", "A file is larger than the language allows."),
    "A504": _error("outside-the-root", "A `use` of a file outside the folder of the evaluated file."),
    "A505": _error("bad-override", "A `--set` option is not `path = value`."),
}
