"""Bytes to a source text; checks size and encoding. It opens no file."""

from __future__ import annotations

from typing import Final

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span
from accelscope.dsl.diagnostics.limits import MAX_FILE_BYTES, MAX_TERMINALS

_MARKS: Final = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\x1f\x8b": "gzip",
    b"PK": "zip",
    b"\x7fELF": "ELF",
}

_TABLE: Final = "put large tables in a file of their own and read it with `table(...)`"


def decode_source(name: str, data: bytes) -> tuple[SourceText | None, tuple[Diagnostic, ...]]:
    """Return the text of a file, or the error that it is not text.

    A byte order mark is removed; line ends do not change, so that offsets fit the file.

    Args:
        name: the name of the file in diagnostics.
        data: the whole file, or its first `MAX_FILE_BYTES + 1` bytes.
    """
    if len(data) > MAX_FILE_BYTES:
        return None, (file_too_large(name),)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        return None, (_not_text(name, data, problem.start, "this byte is not UTF-8"),)
    if "\0" in text:
        return None, (_not_text(name, data, data.index(b"\0"), "a NUL byte: the file is not text"),)
    return SourceText(name, text), ()


def file_too_large(name: str) -> Diagnostic:
    """Return the error for a text that is larger than the limit."""
    limit = MAX_FILE_BYTES // 2**20
    return Diagnostic(code="A503", message=f"`{name}` is larger than {limit} MiB", help=_TABLE)


def too_many_terminals(span: Span) -> Diagnostic:
    """Return the error for a text with too many tokens; the span is the first one that is not read."""
    message = f"`{span.source.name}` has more than {MAX_TERMINALS:,} tokens"
    return Diagnostic(code="A503", message=message, span=span, label="the rest is not read", help=_TABLE)


def _not_text(name: str, data: bytes, at: int, message: str) -> Diagnostic:
    source = SourceText(name, data.decode("utf-8-sig", errors="replace"))
    offset = len(data[:at].decode("utf-8-sig", errors="replace"))
    format_name = next((kind for mark, kind in _MARKS.items() if data.startswith(mark)), None)
    return Diagnostic(
        code="A502",
        message=message,
        span=Span(source, offset, offset + 1),
        help=f"the file looks like {format_name}; save it as UTF-8 text"
        if format_name
        else "save the file as UTF-8 text",
    )
