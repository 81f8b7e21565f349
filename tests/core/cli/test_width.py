"""What verbs print in a terminal of 80 columns: no line is longer, no number is broken, the answer comes first."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from accelscope.core.cli.main import run_cli

EXAMPLES = Path(__file__).parents[3] / "examples"
JOB = str(EXAMPLES / "llama3_70b_on_dgx_h100.accel")
OPS = str(Path(__file__).parents[2] / "validation" / "measured" / "ops.csv")
VERBS = {
    "eval": (("eval", JOB), r"one_person_on_dgx: feasible; TPOT .* bound by hbm \("),
    "swept": (
        ("eval", JOB, "--set", "batch=[1, 8]"),
        r"one_person_on_dgx: 2 points, 2 feasible; lowest tpot ",
    ),
    "explain": (("explain", JOB, "tpot", "--depth", "20"), r"tpot = "),
    "split": (("explain", JOB, "split"), r"one_person_on_dgx: 8 of 8 devices; "),
    "compare": (
        ("compare", "H100_SXM", "CS3", "--batch", "1"),
        r"fastest: CS3 at batch 1, .*; cheapest: H100_SXM",
    ),
    "sweep": (
        ("sweep", JOB, "--set", "batch=[1, 8, 64]"),
        r"one_person_on_dgx: best tpot .* at batch = 1 3 points, 3 feasible",
    ),
    "search": (
        (
            "search",
            "--model",
            "llama3_8b",
            "--systems",
            "L4,H100_SXM",
            "--concurrency",
            "4",
            "--precision",
            "bf16",
        ),
        r"cheapest: .* USD/Mtok; fastest: H100_SXM at ",
    ),
    "sensitivity": (("sensitivity", JOB), r"tpot of one_person_on_dgx is "),
    "validate": (("validate", OPS), r"median error [\d.]+ % on \d+ of \d+ measurements"),
    "list": (("library", "list"), r"\d+ accelerators, \d+ systems, \d+ models$"),
    "show": (("library", "show", "H100_SXM"), r"package std.nvidia.H100_SXM: "),
    "library search": (("library", "search", "wafer"), r"\d+ definitions; the closest is "),
    "models": (("models",), r"\d+ models of \d+ plugins, and \d+ kinds of block$"),
    "model": (("models", "dram"), r"memory dram: "),
    "plugins": (("plugins",), r"\d+ of \d+ plugins work"),
}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs a verb as in a terminal of some width, and returns what it prints."""

    def run(*arguments: str, width: int = 80) -> str:
        stream = Terminal()
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr("sys.stdout", stream)
        assert run_cli(["--no-color", *arguments]) in (0, 1)
        return stream.getvalue()

    return run


@pytest.mark.parametrize(("arguments", "answer"), VERBS.values(), ids=VERBS)
def test_eighty_columns_hold_every_line_and_the_answer_comes_first(
    show: Callable[..., str], arguments: tuple[str, ...], answer: str
) -> None:
    text = show(*arguments)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    first = " ".join(text.split("\n\n")[0].split())
    assert re.search("^" + answer, first), first


def test_numbers_keep_their_unit_in_a_narrow_terminal(show: Callable[..., str]) -> None:
    for line in show("library", "list", width=60).splitlines():
        assert not re.match(r"\s*(GB|TB|W|GB/s)\b", line)


def test_colour_is_for_terminals_and_flags(show: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    assert run_cli(["--color", "eval", JOB]) == 0
    assert "\x1b[32m" in stream.getvalue()
    assert "\x1b[" not in show("eval", JOB)


def test_all_shows_every_operation(show: Callable[..., str]) -> None:
    few, whole = show("eval", JOB), show("eval", JOB, "--all")
    assert "more; --all" in few
    assert "more; --all" not in whole
    assert len(whole.splitlines()) > len(few.splitlines())
