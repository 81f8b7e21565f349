"""Every case in `tests/cases/check`: a text, and beside it the findings that a check of it gives.

A line of an `.err` file is `code:line:column message`, then indented `= note` and `? help` lines. To write the files anew after a
message has changed, run `python -m tests.cases.test_check_cases` and read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.dsl.diagnostics.diagnostics import Diagnostic

pytestmark = pytest.mark.smoke

CASES = Path(__file__).parent / "check"
LIBRARY = {"std.nvidia": "package H100 { tdp = 700 W }"}
NOT_OF_A_TEXT = {
    "A106": "the core says what an evaluation lacks",
    "A303": "of the core",
    "A304": "of the core",
    "A305": "of a path, see test_eval_overrides",
    "A306": "of the core",
    "A405": "of the core",
    "A502": "of reading a file",
    "A503": "of reading a file",
    "A504": "of reading a file",
    "A505": "of the command line, see test_eval_overrides",
}


def rendered(path: Path) -> str:
    """Return the findings of a case as the lines of an `.err` file."""
    from tests.support.language import checked

    return lines_of(checked(path.read_text(), LIBRARY, lint=path.name.startswith("A401")))


def lines_of(findings: tuple[Diagnostic, ...]) -> str:
    """Return findings as the lines of an `.err` file."""
    lines = []
    for item in findings:
        lines.append(f"{item.code}:{item.span.line}:{item.span.column} {item.message}")
        lines += [f"  ^ {item.label}"] * bool(item.label)
        lines += [f"  {label.span.line}:{label.span.column} {label.text}" for label in item.labels]
        lines += [f"  = {note}" for note in item.notes]
        lines += [f"  ? {item.help}"] * bool(item.help)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.accel")), ids=lambda path: path.stem)
def test_a_case_gives_its_findings(path):
    assert rendered(path) == path.with_suffix(".err").read_text()


@pytest.mark.parametrize("path", sorted(CASES.glob("*.accel")), ids=lambda path: path.stem)
def test_a_case_gives_the_code_of_its_name_only(path):
    codes = {line.split(":")[0] for line in rendered(path).splitlines() if not line.startswith(" ")}
    assert codes == {path.stem[:4]}


def test_every_code_of_a_text_has_a_case():
    from accelscope.dsl.diagnostics.codes import CODES

    covered = {path.stem[:4] for path in CASES.glob("*.accel")}
    assert set(CODES) - covered - set(NOT_OF_A_TEXT) == set()


if __name__ == "__main__":
    for case in sorted(CASES.glob("*.accel")):
        case.with_suffix(".err").write_text(rendered(case))
