"""A description in a test: what is wrong with it, what it evaluates to, and why. The fixture `accel` makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from attrs import frozen

from accelscope.core.plugin.registry import Registry
from accelscope.core.query.result import Result
from accelscope.core.session import Session
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, has_errors


@frozen(eq=False)
class DescriptionCase:
    """A text with the plugins that read it.

    Attributes:
        path: the file that holds the text.
        diagnostics: everything that is wrong with it.
    """

    session: Session
    path: Path
    diagnostics: tuple[Diagnostic, ...]

    def assert_ok(self) -> None:
        """Fail the test where the text has errors."""
        assert not has_errors(self.diagnostics), "\n".join(map(_line, self.diagnostics))

    def assert_error(self, code: str, at: str | None = None) -> Diagnostic:
        """Return the finding with a code, whose place covers the text `at`; fail the test where there is none."""
        for found in self.diagnostics:
            if found.code == code and (at is None or (found.span is not None and at in found.span.text)):
                return found
        raise AssertionError(f"no {code} at {at!r}; there are\n" + "\n".join(map(_line, self.diagnostics)))

    def evaluate(self, *sets: str) -> Result:
        """Return the result of the only scenario, with some values set: `evaluate("tp=4", "batch=[1, 8]")`."""
        return self.session.evaluate(str(self.path), sets=sets)[0]

    def explain(self, metric: str, *sets: str) -> str:
        """Return the lines that explain a metric of the only scenario."""
        return self.session.explain(str(self.path), metric, sets=sets)


def _line(found: Diagnostic) -> str:
    return f"{found.span}: {found.code} {found.message}"


@pytest.fixture
def accel(tmp_path: Path) -> Callable[..., DescriptionCase]:
    """Return a function from a text, and plugins of your own, to a `Described`.

    The built-in plugins read it, and those given; what else is installed is left alone:

        def test_flash_is_read_in_pages(accel):
            found = accel(TEXT, plugins=[accelscope_acme])
            found.assert_ok()
            assert found.evaluate("tp=8").metrics["tpot"].value < 0.02
    """

    def describe(text: str, plugins: Iterable[object] = ()) -> DescriptionCase:
        path = tmp_path / "described.accel"
        path.write_text(text, encoding="utf-8")
        shell = Session(Registry.built_in(*plugins))
        return DescriptionCase(shell, path, shell.check(str(path)))

    return describe
