"""Time of all elasticities of a scenario, after start-up and parsing.

Run with `pytest tests/benchmarks --benchmark-enable --benchmark-only -n 0 -s`.
"""

from __future__ import annotations

import pytest

from accelscope.core.analysis.sensitivity.elasticity import compute_elasticities
from accelscope.core.session import Session
from tests.support.paths import MAIN_JOB


@pytest.mark.benchmark(group="sensitivity")
def test_all_parameters_of_a_scenario(benchmark):
    shell = Session.open()
    program = shell.checked(MAIN_JOB)
    found = benchmark(lambda: compute_elasticities(program, shell.registry, "scenario one_person_on_dgx"))
    tried = len(found.parameters) + found.without
    assert tried > 60
    print(f"\n{tried} parameters in {benchmark.stats.stats.min * 1e3:.0f} ms, all headline metrics")
