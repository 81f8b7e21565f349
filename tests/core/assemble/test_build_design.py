"""Designs have one construction: what it derives, refuses and checks holds for parts of a file and of rows alike."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.assemble.assemble import build_design
from accelscope.core.assemble.parallelism import make_strategies
from accelscope.core.assemble.parts import (
    DesignParts,
    DisaggregatedParts,
    PartPlaces,
    PoolParts,
    PrecisionRequest,
)
from accelscope.core.assemble.scenario_reader import read_scenario
from accelscope.core.bind.binder import Binder
from accelscope.core.numeric.term import term
from accelscope.core.session import Session
from accelscope.dsl.check.program import load_program
from accelscope.dsl.diagnostics.diagnostics import SourceText
from tests.support.paths import ROOT

TEXT = """
use std.nvidia { DGX_A100 }
use std.models { llama3_8b }
use std.runtimes { vllm }
workload w { concurrency = 8, prompt = 512 tok, output = 64 tok }
deployment d { system = DGX_A100, model = llama3_8b, runtime = vllm }
scenario s { deployment = d, workload = w }
"""


@pytest.fixture(scope="module")
def parts(shell: Session) -> DesignParts:
    program = load_program(SourceText("case.accel", TEXT), shell.language())
    binder = Binder(shell.registry)
    found = read_scenario(program.lookup("scenario s"), binder)
    assert found is not None
    assert binder.problems == []
    return found


def build(parts: DesignParts, shell: Session, **options: Any) -> tuple[Any, list[tuple[str, str]]]:
    binder = Binder(shell.registry)
    design = build_design(parts, binder, **options)
    return design, [(item.code, item.message) for item in binder.problems]


def test_no_other_module_constructs_a_design() -> None:
    modules = [path for top in ("core", "plugins") for path in (ROOT / top).rglob("*.py")]
    constructors = {
        str(path.relative_to(ROOT))
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Design"
    }
    assert constructors == {"core/assemble/assemble.py"}


def test_parts_carry_no_kernels_and_the_design_those_of_its_runtime(
    parts: DesignParts, shell: Session
) -> None:
    design, problems = build(parts, shell)
    kernels = design.machine.device.kernels
    assert problems == []
    assert parts.machine.device.kernels is None
    assert {layer.runtime for layer in kernels.layers} <= {None, "vllm"}
    assert design.runtime.name == "vllm"


def test_a_type_that_no_engine_multiplies_is_refused_without_a_text_too(
    parts: DesignParts, shell: Session
) -> None:
    rows = evolve(parts, precision=PrecisionRequest(activations="fp8"), places=PartPlaces())
    design, problems = build(rows, shell)
    assert design is None
    assert problems == [("A306", "`A100_SXM_80GB` has no engine that computes in fp8")]


def test_a_type_that_a_measurement_names_is_widened(parts: DesignParts, shell: Session) -> None:
    rows = evolve(parts, precision=PrecisionRequest(weights="fp8", activations="fp8", widen=True))
    precision = build(rows, shell)[0].precision
    assert (precision.weights, precision.activations, precision.kv) == ("fp8", "bf16", "bf16")


def test_types_that_rows_do_not_give_are_those_of_the_publisher() -> None:
    rows = PrecisionRequest(weights="fp8", widen=True)
    published = PrecisionRequest(weights="bf16", activations="bf16", kv="fp8")
    assert rows.over(published) == PrecisionRequest(weights="fp8", activations="bf16", kv="fp8", widen=True)


def test_checks_of_plugins_run_whatever_the_parts_are_from(parts: DesignParts, shell: Session) -> None:
    impossible = evolve(parts.model, spec=evolve(parts.model.spec, kv_heads=term(5.0)))
    rows = evolve(parts, model=impossible, places=PartPlaces())
    design, problems = build(rows, shell)
    assert design is None
    assert "A107" in [code for code, _ in problems]
    assert build(rows, shell, checks=False)[0] is not None


def test_sizes_on_arrays_become_limits_of_the_points_that_break_them(
    parts: DesignParts, shell: Session
) -> None:
    several = evolve(parts.model, spec=evolve(parts.model.spec, kv_heads=term(np.array([8.0, 5.0]))))
    design, problems = build(evolve(parts, model=several), shell)
    broken = [
        limit for limit in design.limits if np.any(np.asarray(limit.used.value > limit.available.value))
    ]
    assert problems == []
    assert broken
    assert all(limit.condition for limit in broken)


def test_a_pool_is_the_deployment_with_what_it_has_of_its_own(parts: DesignParts, shell: Session) -> None:
    degrees = make_strategies(shell.registry, {"tp": term(np.array([2.0, 4.0]))})
    pools = DisaggregatedParts(prefill=PoolParts(strategies=degrees), decode=PoolParts(devices=term(4.0)))
    design, _ = build(evolve(parts, pools=pools), shell)
    assert design.pools.prefill.strategies == degrees
    assert design.pools.prefill.machine is design.machine
    assert design.pools.decode.strategies == design.strategies
    assert float(design.pools.decode.machine.devices.value) == 4.0
    assert design.pools.decode.pools is None
