"""Declares the inner blocks and the free entries of a spec class.

`accelscope.core.spec.spec` is where plugins import them from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from accelscope.core.spec.declarations import ChildDeclaration, EntriesDeclaration

CHILD_KEY = "accelscope child"
ENTRIES_KEY = "accelscope entries"
RECORD_BLOCKS_KEY = "accelscope record blocks"
"""Keys of the declarations in the metadata of the attributes of a spec."""


def block(kind: str, *, doc: str, optional: bool = True) -> Any:
    """Declare one inner block of a kind; the value is an instance of its spec, or None if absent.

    Args:
        kind: the kind of the inner block.
        doc: one sentence.
        optional: whether an absent value is None rather than an error.
    """
    return attrs.field(
        metadata={CHILD_KEY: ChildDeclaration(kind=kind, doc=doc, many=False, required=not optional)},
        default=None,
    )


def blocks(kind: str, *, doc: str) -> Any:
    """Declare the inner blocks of a kind; the value is a tuple of `Part`, in the order written."""
    return attrs.field(
        metadata={CHILD_KEY: ChildDeclaration(kind=kind, doc=doc, many=True, required=False)}, default=()
    )


def record_blocks(record: type, *, doc: str) -> Any:
    """Declare the inner blocks that records of one class read, whatever their kinds are.

    The value is a tuple of `Part` in the order written. A plugin adds a kind by yielding a record of the class whose
    spec may stand in the block.

    Args:
        record: class of the records, such as `LayerModel`.
        doc: one sentence about the blocks.
    """
    return attrs.field(metadata={RECORD_BLOCKS_KEY: (record, doc)}, default=())


def free_entries(*units: str, doc: str, names: Sequence[str] = ()) -> Any:
    """Declare that a block takes quantities with free names, such as `ops { bf16 = 512 MAC/cycle }`.

    The value is a mapping from name to Term. `names` are the allowed names; none means any.
    """
    return attrs.field(
        factory=dict, metadata={ENTRIES_KEY: EntriesDeclaration(units=units, doc=doc, names=tuple(names))}
    )
