"""The one writer of `.accel` text: definitions that a text uses, and blocks from names and values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.formatter import format_text


@frozen(kw_only=True)
class UsedDefinition:
    """A definition and where a text gets it from: a module such as `std.nvidia`, or a file."""

    name: str
    module: str = ""
    file: str = ""

    @property
    def alias(self) -> str:
        """What a text calls the file."""
        stem = re.sub(r"\W", "_", Path(self.file).stem)
        return stem if stem.isidentifier() else f"_{stem}"

    @property
    def reference(self) -> str:
        """How a text refers to the definition: those of a file have its name before theirs."""
        return f"{self.alias}.{self.name}" if self.file else self.name


def format_accel_file(name: str, parts: Iterable[str]) -> str:
    """Return a file in the canonical layout.

    Args:
        name: of the file, for messages.
        parts: texts of its statements; an empty line is put between two, and empty ones are left out.
    """
    return format_text(SourceText(name, "\n\n".join(filter(None, parts)) + "\n"))


def format_use_statements(used: Iterable[UsedDefinition]) -> Iterator[str]:
    """Yield a `use` for each module and file.

    Args:
        used: definitions that a text refers to.

    Raises:
        UsageError: two of them have one name and come from different places.
    """
    homes: dict[tuple[str, str], list[str]] = {}
    places: dict[str, str] = {}
    for item in dict.fromkeys(used):
        word, home = (item.alias, item.file) if item.file else (item.name, item.module)
        other = places.setdefault(word, home)
        if other != home:
            raise UsageError(
                f"`{word}` is of both `{other}` and `{home}`; compare one at a time, or rename yours"
            )
        homes.setdefault((item.module, item.file), []).append(word)
    for (module, file), words in homes.items():
        if file:
            path = file.replace("\\", "\\\\").replace('"', '\\"')
            yield f'use "{path}" as {words[0]}'
        else:
            yield f"use {module} {{ {', '.join(words)} }}"


def format_block(
    head: str, fields: Mapping[str, object], *, base: str = "", statements: Sequence[str] = ()
) -> str:
    """Return a block with a line for each field.

    Args:
        head: kind and name, such as `deployment d`.
        fields: values by name; a mapping is a block within, on one line.
        base: what the block extends; empty if nothing.
        statements: further lines, such as `require ttft <= 2 s`.
    """
    lines = [f"  {line}" for line in (*_format_fields(fields), *statements)]
    return "\n".join((f"{_format_head(head, base)} {{", *lines, "}"))


def format_short_block(head: str, fields: Mapping[str, object], *, base: str = "") -> str:
    """Return a block on one line.

    Args:
        head: kind and name, such as `workload w`.
        fields: values by name; a mapping is a block within.
        base: what the block extends; empty if nothing.
    """
    return f"{_format_head(head, base)} {{ {', '.join(_format_fields(fields))} }}"


def _format_head(head: str, base: str) -> str:
    return f"{head} extends {base}" if base else head


def _format_fields(fields: Mapping[str, object]) -> Iterator[str]:
    for name, value in fields.items():
        yield format_short_block(name, value) if isinstance(value, Mapping) else f"{name} = {value}"
