"""Every example parses, binds and satisfies its own checks with the plugins that ship."""

from __future__ import annotations

import pytest

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.formatter import format_text
from tests.support.paths import EXAMPLES, STD
from tests.support.sessions import open_session

pytestmark = pytest.mark.smoke

FILES = sorted(EXAMPLES.glob("*.accel"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_clean(path):
    assert [f"{item.code} {item.message}" for item in open_session().check(str(path))] == []


def test_the_first_example_is_one_question():
    program, _ = open_session().load(
        str(next(path for path in FILES if path.stem == "llama3_70b_on_dgx_h100"))
    )
    assert program is not None
    assert [item.name for item in program.definitions("scenario")] == ["one_person_on_dgx"]


QUESTIONS = (
    "llama3_70b_on_dgx_h100",
    "moe_mixtral_on_mi300x",
    "tpu_v5p_slice",
    "what_if_h100_hbm3e",
)


def results(stem, *sets):
    path = str(next(path for path in FILES if path.stem == stem))
    return open_session().evaluate(path, sets=sets, bars=False)


def value(result, metric):
    return float(result.metrics[metric].value[()])


@pytest.mark.parametrize("stem", QUESTIONS)
def test_a_question_is_feasible_and_meets_its_targets(stem):
    for result in results(stem):
        assert result.feasible.all()
        assert all(row.met is None or row.met.all() for row in result.requirements)


def test_the_next_chip_is_faster_than_today():
    today, next_one = results("what_if_h100_hbm3e")
    assert value(next_one, "tpot") < value(today, "tpot")
    assert value(next_one, "ttft") < value(today, "ttft")


def test_half_the_bytes_make_a_token_faster():
    (bf16,) = results("llama3_70b_on_dgx_h100")
    (fp8,) = results("llama3_70b_on_dgx_h100", "precision.weights=fp8")
    assert value(fp8, "tpot") < value(bf16, "tpot")


def test_a_larger_batch_of_a_mixture_reads_more_experts():
    (one,) = results("moe_mixtral_on_mi300x", "batch=2")
    (many,) = results("moe_mixtral_on_mi300x", "batch=16")
    assert value(one, "tpot") < value(many, "tpot")


def test_the_first_sweep_has_144_points():
    path = str(next(path for path in FILES if path.stem == "first_sweep"))
    assert open_session().sweep(path).size == 9 * 4 * 4


LIBRARY = sorted(STD.glob("*.accel"))


@pytest.mark.parametrize("path", (*FILES, *LIBRARY), ids=lambda path: path.stem)
def test_a_text_that_ships_is_laid_out_canonically(path):
    text = path.read_text(encoding="utf-8")
    assert format_text(SourceText(path.name, text)) == text
