"""Writes what a reader found as the text of a `model` block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

BlockFields = dict[str, object]

_WORDS = (
    "use", "let", "sweep", "tune", "assert", "check", "require", "prefer", "minimize", "maximize", "connect", "if",
    "then", "else", "true", "false", "none", "not", "and", "or", "in", "as", "via", "step", "points", "when",
)  # fmt: skip
_LONG = 10_000  # numbers from here on are written in groups of three digits


class TokenCount(int):
    """A number of tokens, which is written with its unit."""


def make_model_label(name: str) -> str:
    """Return a name as a label of the language: `Qwen/Qwen3-8B` is `qwen3_8b`."""
    label = re.sub(r"[^a-z0-9]+", "_", name.rstrip("/").rpartition("/")[2].lower()).strip("_")
    return label if label[:1].isalpha() and label not in _WORDS else f"model_{label}".rstrip("_")


def model_text(
    label: str,
    hub: str | None,
    fields: BlockFields,
    blocks: Mapping[str, BlockFields],
    notes: Iterable[str] = (),
) -> str:
    """Return the text of a block; absent values are left out.

    Args:
        label: of the block.
        hub: name of the checkpoint.
        fields: fields of the block itself.
        blocks: fields of each inner block, by kind.
        notes: comments in front of it.
    """
    lines = ["# " + re.sub(r"\s+", " ", note) for note in notes]
    lines.append(f"model {label} {{")
    if hub:
        lines.append("  hf = " + '"' + re.sub(r'[\\"\x00-\x1f\x7f]', "_", hub) + '"')
    lines += [f"  {name} = {_written(value)}" for name, value in fields.items() if value is not None]
    for kind, inner in blocks.items():
        given = ", ".join(f"{name} = {_written(value)}" for name, value in inner.items() if value is not None)
        lines.append(f"  {kind} {{ {given} }}")
    return "\n".join([*lines, "}"]) + "\n"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, TokenCount):
        return f"{int(value):_} tok"
    if isinstance(value, int):
        return f"{value:_}" if value >= _LONG else str(value)
    return str(value)
