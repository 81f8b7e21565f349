"""The one place that constructs a design: what follows from its parts, the checks of plugins, and refusals.

Parts are read from a file by `scenario_reader`, or made from rows of measurements and from candidates of a search.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from attrs import evolve

from accelscope.core.assemble.calibration_lookup import find_device_kernels
from accelscope.core.assemble.design import Design, DisaggregatedPools
from accelscope.core.assemble.parts import DesignParts, DisaggregatedParts, PoolParts
from accelscope.core.assemble.precision import resolve_precision
from accelscope.core.assemble.scenario_reader import read_scenario
from accelscope.core.assemble.unsupported import (
    refuse_missing_memory,
    refuse_missing_tier,
    refuse_training_degrees,
    refuse_unsupported_dtype,
)
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.runtime import build_engine_profile
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.error_bars import UncertainInputs
from accelscope.dsl.diagnostics.diagnostics import has_errors

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component


def assemble(
    scenario: Component, binder: Binder, inputs: UncertainInputs | None = None, *, checks: bool = True
) -> Design | None:
    """Return the design of a scenario, or None with the reasons in `binder.problems`.

    Args:
        scenario: the block.
        binder: binds the blocks that the scenario names; `problems` takes what is missing or refused.
        inputs: uncertain values, which own the last dimension, or None.
        checks: whether the plugins' checks run.
    """
    parts = read_scenario(scenario, binder, inputs)
    return None if parts is None or binder.problems else build_design(parts, binder, checks=checks)


def build_design(parts: DesignParts, binder: Binder, *, checks: bool = True) -> Design | None:
    """Return the design of some parts, or None with the reasons in `binder.problems`.

    Warnings of the plugins' checks are added to `binder.problems` too; they do not prevent a design.

    Args:
        parts: bound blocks, of a file or of rows of measurements.
        binder: looks calibrations up; `problems` takes what is refused.
        checks: whether the plugins' checks run. A probe that learns which values matter is at the first point of a
            sweep, where a size may be refused that is only one of several.
    """
    refuse_missing_memory(parts.machine, parts.places, binder)
    if has_errors(binder.problems):
        return None
    runtime = build_engine_profile(parts.runtime, parts.machine.device)
    machine = _calibrated(parts, binder)
    requested = parts.precision
    if (
        parts.training is not None
    ):  # keys and values of training are activations, not a cache of a narrow type
        requested = evolve(requested, kv=None)
    design = Design(
        scenario=parts.name,
        machine=machine,
        model=parts.model,
        precision=resolve_precision(requested, device=machine.device, model=parts.model, runtime=runtime),
        strategies=parts.strategies,
        load=parts.load,
        memory=parts.memory,
        scheduler=parts.scheduler,
        speculative=parts.speculative,
        training=parts.training,
        money=parts.money,
        runtime=runtime,
        error=parts.error,
        at_floor=parts.at_floor,
        variability=parts.variability,
        limits=parts.limits,
    )
    if parts.pools is not None:
        design = evolve(design, pools=_build_pools(design, parts.pools))
    refuse_unsupported_dtype(design, parts.places, binder)
    refuse_missing_tier(design, parts.places, binder)
    refuse_training_degrees(design, parts.places, binder)
    if checks and not has_errors(binder.problems):
        design = evolve(design, limits=(*design.limits, *_run_checks(design, binder)))
    return None if has_errors(binder.problems) else design


def _calibrated(parts: DesignParts, binder: Binder) -> Machine:
    """Return the machine with what was measured of its device's kernels under the runtime."""
    explicit = parts.calibration
    software = None if parts.runtime is None else parts.runtime.kernels
    device = parts.machine.device
    device = evolve(device, kernels=find_device_kernels(device, explicit, software, binder))
    if explicit is not None and explicit.kernel_launch is not None:
        device = evolve(device, package=evolve(device.package, kernel_launch=explicit.kernel_launch))
    return evolve(parts.machine, device=device)


def _build_pools(design: Design, pools: DisaggregatedParts) -> DisaggregatedPools:
    """Return a design for each pool: that of the deployment with what the pool has of its own."""
    return DisaggregatedPools(
        prefill=_build_pool(design, pools.prefill),
        decode=_build_pool(design, pools.decode),
        overlap=pools.overlap,
        keeps_up=pools.keeps_up,
    )


def _build_pool(design: Design, pool: PoolParts) -> Design:
    own: dict[str, Any] = {
        name: value
        for name in ("strategies", "scheduler", "memory")
        if (value := getattr(pool, name)) is not None
    }
    if pool.devices is not None:
        own["machine"] = evolve(design.machine, devices=pool.devices)
    return evolve(design, limits=(), **own)


def _run_checks(design: Design, binder: Binder) -> Iterator[Limit]:
    """Yield the limits of the plugins' checks; what else they find is reported."""
    for check in binder.registry.checks.values():
        for item in check.run(design):
            if isinstance(item, Limit):
                yield item
            else:
                binder.problems.append(item)
