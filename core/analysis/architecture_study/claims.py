"""Published numbers beside those that a study found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np

from accelscope.core.analysis.architecture_study.folder import StudyFolder, read_word_list
from accelscope.core.analysis.architecture_study.section import SectionTable, StudySection, TableCell
from accelscope.core.analysis.jobs.phrases import format_short_number
from accelscope.core.blocks.study import Claim
from accelscope.core.errors import UsageError


def build_claims_table(folder: StudyFolder, sections: Sequence[StudySection]) -> SectionTable | None:
    """Return the claims of a folder with the numbers that their patterns fit; None without claims.

    Raises:
        UsageError: a pattern fits no number.
    """
    numbers = {name: value for section in sections for name, value in section.numbers.items()}
    rows = tuple(_row(label, block, numbers) for label, block in folder.blocks(Claim))
    if not rows:
        return None
    return SectionTable(
        name="claims",
        title="What was published, and what we find",
        heads=("claim", "published", "least here", "median", "most", "closest", "why they differ"),
        rows=rows,
    )


def _row(label: str, block: Claim, numbers: Mapping[str, float]) -> tuple[TableCell, ...]:
    patterns = read_word_list(block.results)
    found = {
        name: value
        for name, value in numbers.items()
        if np.isfinite(value) and any(fnmatchcase(name, pattern) for pattern in patterns)
    }
    if not found:
        raise UsageError(f"claim `{label}` is about {', '.join(patterns)}, and the study has no such number")
    values = np.array([*found.values()])
    published = None if block.published is None else float(block.published.value)
    return (
        block.statement or label,
        published,
        float(values.min()),
        float(np.median(values)),
        float(values.max()),
        "" if published is None else find_closest_number(found, published),
        block.explanation or "",
    )


def find_closest_number(found: Mapping[str, float], published: float) -> str:
    """Return the number that is closest to a published one by ratio, with its name."""

    def distance(name: str) -> float:
        value = found[name]
        return abs(float(np.log(value / published))) if value > 0 and published > 0 else np.inf

    name = min(found, key=distance)
    return f"{format_short_number(found[name])} at {name}"
