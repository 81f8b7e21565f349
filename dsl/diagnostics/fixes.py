"""Fixes: the replacements of diagnostics, applied to a text."""

from __future__ import annotations

from collections.abc import Iterable

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText


def apply_replacements(source: SourceText, findings: Iterable[Diagnostic]) -> tuple[str, int]:
    """Return a text with the replacements of its findings, and their number.

    Args:
        source: the text.
        findings: of a check; those of other texts, or without a replacement, are left out.

    Returns:
        The text and the number of places replaced; of two that overlap, only the last one in the text is.
    """
    text, end, count = source.text, len(source.text), 0
    offers = [
        (item.span.start, item.span.end, item.replacement)
        for item in findings
        if item.replacement is not None and item.span is not None and item.span.source is source
    ]
    for start, stop, replacement in sorted(offers, reverse=True):
        if stop <= end:
            text, end, count = text[:start] + replacement + text[stop:], start, count + 1
    return text, count
