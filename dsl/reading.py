"""Bytes to text, or what is wrong with them."""

from __future__ import annotations

from accelscope.dsl.diagnostics import Diagnostic, Source


def decode(name: str, data: bytes) -> Source | Diagnostic:
    """Return the text of a file's bytes: UTF-8, with or without a byte-order mark, and no NUL bytes.

    Args:
        name: how messages call the file.
        data: all of its bytes.
    """
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        return Diagnostic(code="A502", message=f"`{name}` is not text: it holds a NUL byte on line {line}")
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"`{name}` is not UTF-8: byte 0x{data[error.start]:02x} on line {line} begins no character"
        return Diagnostic(code="A502", message=message, help="save the file as UTF-8")
