"""The table of diagnostic codes: A0xx syntax, A1xx names, fields and units, A2xx references and evaluation,
A3xx cross-block checks and requirements, A4xx lints (warnings), A5xx files and the command line."""

from __future__ import annotations

from attrs import frozen


@frozen
class Code:
    """A diagnostic code: kebab-case title, severity ("error" or "warning") and one sentence of explanation."""

    title: str
    severity: str
    doc: str


def _error(title: str, doc: str) -> Code:
    return Code(title, "error", doc)


def _warning(title: str, doc: str) -> Code:
    return Code(title, "warning", doc)


CODES: dict[str, Code] = {
    # ---- A0xx: the text does not follow the grammar
    "A001": _error("unexpected-text", "The grammar allows something else at this place."),
    "A002": _error("unclosed-block", "A `{`, `[` or `(` has no closing partner."),
    "A003": _error("unknown-character", "A character that no word, number or operator starts with."),
    "A004": _error("unclosed-string", "A string has no closing quote on its line."),
    "A005": _error("nested-too-deeply", "Brackets are nested deeper than any description needs."),
    # ---- A1xx: names, fields, units
    "A101": _error("unknown-field", "The schema of the block has no field or block of this name."),
    "A102": _error("unknown-kind", "No plugin declares this kind of block."),
    "A103": _error("duplicate-key", "A key is given twice in one block, so one of the two would be lost."),
    "A104": _error("unknown-symbol", "A word that is none of the choices of its field."),
    "A105": _error("wrong-type", "A value of another type than the field takes."),
    "A106": _error("missing-field", "The evaluation needs a field that nobody gave."),
    "A107": _error("out-of-range", "A value outside the bounds that its field declares."),
    "A108": _error("misplaced-block", "A block of a known kind stands where its kind does not belong."),
    "A110": _error("unknown-unit", "A unit that no table knows."),
    "A111": _error("wrong-dimension", "A value has another dimension than its field."),
    "A112": _error("mixed-dimensions", "An operation or comparison of values of different dimensions."),
    # ---- A2xx: references and evaluation
    "A201": _error("unknown-name", "A name that nothing in scope defines."),
    "A202": _error("unknown-member", "A block has no member of this name."),
    "A203": _error("cycle", "A value, a base or a file is defined through itself."),
    "A204": _error("unknown-module", "No library or file of this name can be used."),
    "A205": _error("unknown-function", "A call of something that is not a function."),
    "A206": _error("wrong-arguments", "A call with arguments that the function does not take."),
    "A207": _error("not-a-block", "A base, link or reference that is not a block of a fitting kind."),
    "A208": _error(
        "not-a-number", "Arithmetic on something that is not a quantity, or with no finite result."
    ),
    "A209": _error("too-large", "An expansion, a count or a sweep beyond the limits of one evaluation."),
    "A210": _error("unknown-source", "A citation of a source that nothing declares."),
    "A211": _error("not-supported-here", "A form that the language has but that this place cannot use."),
    # ---- A3xx: checks over several values or blocks
    "A301": _error("check-failed", "A `check` of this definition does not hold."),
    "A302": _error("assert-failed", "An `assert`, inherited by every heir, does not hold."),
    "A303": _error("parallelism", "The parallel split does not fit the model or the system."),
    "A304": _error("no-design", "The file lacks a part that an evaluation needs."),
    "A305": _error("ambiguous-path", "A path fits several places of the scenario."),
    "A306": _error(
        "unsupported-dtype", "No engine of the device computes in the data type that is asked for."
    ),
    # ---- A4xx: lints
    "A401": _warning("missing-citation", "A number of a library file that cites no source."),
    "A402": _warning(
        "symbol-shadows-let", "A symbol is spelled like a `let` in scope, so the value of the `let` is used."
    ),
    "A403": _warning(
        "decimal-sram", "On-chip memory given in decimal units; memories count in powers of two."
    ),
    "A404": _warning("implausible", "A value outside the range that parts of its kind have in practice."),
    "A405": _warning("not-modelled", "A field that binds but that no installed model reads yet."),
    "A406": _warning(
        "left-over-entries",
        "A text changes how many there are of a block and some of its entries, but not all.",
    ),
    "A408": _warning(
        "renamed-field",
        "A field, a block or a symbol is written with its former name; `check --fix` writes the present one.",
    ),
    # ---- A5xx: files and the command line
    "A501": _error("unreadable-file", "A file is missing, is a directory, or may not be read."),
    "A502": _error("not-text", "A file holds NUL bytes or is not UTF-8."),
    "A503": _error("file-too-large", "A file is larger than any description needs to be."),
    "A504": _error("outside-the-root", "A `use` of a file outside the folder of the evaluated file."),
    "A505": _error("bad-override", "A `--set` that is not `path = value`."),
}
