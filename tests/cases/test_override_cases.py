"""Every case in `tests/cases/override`: the text of a `--set`, and beside it the errors that parsing it gives.

The lines of an `.err` file are those of the cases of `check`. To write the files anew after a message has changed, run
`python -m tests.cases.test_override_cases` and read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.dsl.override.overrides import parse_override
from tests.cases.test_check_cases import lines_of

pytestmark = pytest.mark.smoke

CASES = Path(__file__).parent / "override"


def rendered(path: Path) -> str:
    """Return the errors of a case as the lines of an `.err` file."""
    return lines_of(parse_override(path.read_text().removesuffix("\n"))[1])


@pytest.mark.parametrize("path", sorted(CASES.glob("*.set")), ids=lambda path: path.stem)
def test_an_override_gives_its_errors(path):
    assert rendered(path) == path.with_suffix(".err").read_text()


@pytest.mark.parametrize("path", sorted(CASES.glob("*.set")), ids=lambda path: path.stem)
def test_an_override_gives_the_code_of_its_name_only(path):
    codes = {line.split(":")[0] for line in rendered(path).splitlines() if not line.startswith(" ")}
    assert codes == {path.stem[:4]}


if __name__ == "__main__":
    for case in sorted(CASES.glob("*.set")):
        case.with_suffix(".err").write_text(rendered(case))
