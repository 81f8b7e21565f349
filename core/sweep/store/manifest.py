"""What a store is of: the question and the programs that answer it. The same question gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

STORE_FORMAT = 1
"""Of the folder; another one cannot be continued."""
_SHOWN_CHARACTERS = 60
"""Letters of a value in a message."""


def seal_manifest(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with its fingerprint, the SHA-256 of everything else in it."""
    plain = {"store": STORE_FORMAT, **question}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    return {"fingerprint": hashlib.sha256(text.encode()).hexdigest(), **plain}


def encode_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Return the file of a manifest."""
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


def find_manifest_differences(there: Any, here: Any, path: str = "") -> Iterator[str]:
    """Yield what differs between two manifests, a line for each value."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted({*there, *here} - {"fingerprint"}):
            yield from find_manifest_differences(
                there.get(key), here.get(key), f"{path}.{key}" if path else key
            )
    elif _named(there) and _named(here):
        yield from find_manifest_differences(_by_name(there), _by_name(here), path)
    elif there != here:
        yield f"{path}: {_brief(there)} in the store, {_brief(here)} now"


def _named(items: Any) -> bool:
    return isinstance(items, list) and bool(items) and all(isinstance(i, dict) and "name" in i for i in items)


def _by_name(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {str(item["name"]): item for item in items}


def _brief(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."
