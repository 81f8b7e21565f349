"""Slips of a pen in library files: every number with a unit, scaled by a factor, one at a time.

Run as a program, it prints which share of them `accelscope check` notices, by field.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Container, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from accelscope.core.session import Session
from tests.support.paths import STD

_FIELD = re.compile(r"(?P<field>[a-z_0-9.]+)\s*= ")
_NUMBER = re.compile(r"(?<![\w.])(?P<number>\d[\d_]*(?:\.\d+)?(?:e\d+)?)(?P<unit> (?!%)[A-Za-z][\w/^*]*)")
_ASIDE = re.compile(r'"[^"\n]*"|#.*|±\s*[\d.]+\s*%|@\w+(?:\([^)]*\))?')
_SKIPPED = ("check ", "assert ", "##", "source ", "use ")


class Mutant(NamedTuple):
    """A text with one number scaled, the line and the last name of the field that it is in."""

    field: str
    line: int
    text: str


def mutants(text: str, factor: float) -> Iterator[Mutant]:
    """Yield a copy of a text for each number with a unit in a value."""
    start = 0
    for row, line in enumerate(text.splitlines(keepends=True), 1):
        if not line.strip().startswith(_SKIPPED):
            blank = _ASIDE.sub(lambda found: " " * len(found.group()), line)
            for found in _NUMBER.finditer(blank):
                fields = [item for item in _FIELD.finditer(blank) if item.end() <= found.start()]
                if fields:
                    at = start + found.start("number"), start + found.end("number")
                    value = float(found.group("number").replace("_", "")) * factor
                    changed = f"{text[: at[0]]}{value:.10g}{text[at[1] :]}"
                    yield Mutant(fields[-1].group("field").rpartition(".")[2], row, changed)
        start += len(line)


def noticed(session: Session, text: str, path: Path) -> bool:
    """Say whether a check finds anything in a text, which is written to a path first."""
    path.write_text(text, encoding="utf-8")
    return bool(session.check(str(path)))


def tally(
    module: str, factor: float, folder: Path, fields: Container[str] | None = None, every: int = 1
) -> tuple[Counter[str], Counter[str], list[Mutant]]:
    """Return how many mutants of a library file were tried and how many were noticed, by field, and those that were not.

    Args:
        module: of the standard library.
        factor: by which each number is scaled.
        folder: for the mutants.
        fields: names of those to change, or None for all.
        every: try only every so manieth mutant.
    """
    found, seen, missed = Counter[str](), Counter[str](), []
    session = Session.open(roots=[folder])
    everyone = mutants((STD / f"{module}.accel").read_text(encoding="utf-8"), factor)
    chosen = (mutant for mutant in everyone if fields is None or mutant.field in fields)
    for mutant in islice(chosen, 0, None, every):
        found[mutant.field] += 1
        if noticed(session, mutant.text, folder / f"{module}_{sum(found.values())}.accel"):
            seen[mutant.field] += 1
        else:
            missed.append(mutant)
    return found, seen, missed


def main() -> None:
    """Print the shares."""
    from tempfile import TemporaryDirectory

    for module in sys.argv[1:] or ("nvidia", "amd"):
        for factor in (1.1, 10.0, 0.125, 0.1):
            with TemporaryDirectory() as folder:
                found, seen, missed = tally(module, factor, Path(folder))
            each = ", ".join(f"{field} {seen[field]}/{count}" for field, count in sorted(found.items()))
            print(f"{module} x{factor:g}: {sum(seen.values())}/{sum(found.values())} ({each})")
            print("  not noticed:", ", ".join(f"{item.field}:{item.line}" for item in missed[:60]))


if __name__ == "__main__":
    main()
