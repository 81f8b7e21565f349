"""Suggestions for misspelt names: the closest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

_MAX_CANDIDATES = 500
"""Candidates that are compared: more take longer than a suggestion is worth."""


def find_closest_word(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the candidate most similar to a word, or None.

    Case is ignored first, so that `Ghz` finds `GHz`.

    Args:
        word: the misspelt word.
        candidates: the valid words.
        cutoff: the least similarity, from 0 to 1.
    """
    names = sorted(set(islice(candidates, _MAX_CANDIDATES)))
    folded = word.casefold()
    same = [name for name in names if name.casefold() == folded]
    if same:
        return same[0]
    alike = [name for name in names if 2 * min(len(name), len(word)) >= cutoff * (len(name) + len(word))]
    scored = [(difflib.SequenceMatcher(None, folded, name.casefold()).ratio(), name) for name in alike]
    best = max(scored, default=(0.0, ""), key=lambda pair: pair[0])
    return best[1] if best[0] >= cutoff else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Return the help line for a misspelt word, or None."""
    name = find_closest_word(word, candidates)
    return f"did you mean `{name}`?" if name else None
