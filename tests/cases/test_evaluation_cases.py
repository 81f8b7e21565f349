"""Every case in `tests/cases/evaluation`: a file, and beside it what evaluating it says.

A first line `# --set PATH=VALUE` is given to the evaluation. A line of an `.err` file is `code:line:column message`, then
indented notes and help; a warning is what the result notes. To write the files anew after a message has changed, run
`python -m tests.cases.test_evaluation_cases` and read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.core.errors import DescriptionError
from accelscope.core.plugin.registry import Registry
from accelscope.core.session import Session

pytestmark = pytest.mark.smoke

CASES = Path(__file__).parent / "evaluation"
OF_FILES = {"A501", "A502", "A503"}
"""Codes of files that cannot stand in a repository, or whose message has a path: see test_library."""


def rendered(path: Path) -> str:
    """Return what evaluating a case says, as the lines of an `.err` file."""
    first = path.read_text().splitlines()[0]
    sets = [first.removeprefix("# --set ")] if first.startswith("# --set ") else []
    try:
        result = Session(Registry.built_in()).evaluate(str(path), sets=sets)[0]
    except DescriptionError as error:
        lines = []
        for item in error.diagnostics:
            place = f"{item.span.line}:{item.span.column}" if item.span else "-"
            lines.append(f"{item.code}:{place} {item.message}")
            lines += [f"  = {note}" for note in item.notes]
            lines += [f"  ? {item.help}"] * bool(item.help)
        return "\n".join(lines) + "\n"
    return "".join(f"{note}\n" for note in result.notes).replace(str(path), path.name)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.accel")), ids=lambda path: path.stem)
def test_a_case_says_what_it_should(path):
    assert rendered(path) == path.with_suffix(".err").read_text()
    assert path.stem[:4] in rendered(path)


def test_every_code_has_a_case():
    from accelscope.dsl.diagnostics.codes import CODES

    covered = {path.stem[:4] for path in CASES.parent.rglob("*.accel")}
    assert set(CODES) - covered == OF_FILES - covered


if __name__ == "__main__":
    for case in sorted(CASES.glob("*.accel")):
        case.with_suffix(".err").write_text(rendered(case))
