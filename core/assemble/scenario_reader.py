"""A scenario to the parts of its design: every block bound to its spec, and what is missing reported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from attrs import evolve

from accelscope.core.assemble.design import Model, SystemCost
from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.assemble.parallelism import bind_inner_block, bind_strategies, read_pools
from accelscope.core.assemble.parts import DesignParts, PartPlaces, PrecisionRequest
from accelscope.core.assemble.training_load import bind_training, make_training_load
from accelscope.core.bind.binder import Binder, missing_field
from accelscope.core.bind.references import resolve_reference
from accelscope.core.blocks.calibration import Calibration
from accelscope.core.blocks.hardware import Cost
from accelscope.core.blocks.runtime import NamedRuntime, Runtime, kernels_name
from accelscope.core.blocks.scenario import (
    Deployment,
    Load,
    MemoryPolicy,
    PrecisionBlock,
    Scenario,
    Scheduler,
    SpeculativeDecoding,
    Training,
)
from accelscope.core.blocks.variability import Variability
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.usage import Limit, condition
from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.core.numeric.error_bars import UncertainInputs
from accelscope.core.numeric.term import term
from accelscope.core.spec.spec import fields_of
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.interpret.assertions import evaluate_assertions
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.values.values import Symbol


def read_scenario(
    scenario: Component, binder: Binder, inputs: UncertainInputs | None = None
) -> DesignParts | None:
    """Return the parts of the design of a scenario, or None if a block that all else needs is missing.

    Args:
        scenario: the block.
        binder: binds the blocks that the scenario names; `problems` takes what is missing or wrong.
        inputs: uncertain values, which own the last dimension, or None.
    """
    deployment = resolve_reference(scenario, "deployment", Scenario, binder)
    workload = resolve_reference(scenario, "workload", Scenario, binder)
    if deployment is None or workload is None:
        return None
    training = bind_training(workload, binder)
    system = resolve_reference(deployment, "system", Deployment, binder)
    model_block = resolve_reference(deployment, "model", Deployment, binder)
    load = _load(workload, binder) if training is None else make_training_load(training)
    if system is None or model_block is None:
        return None
    machine = assemble_machine(system, binder)
    model = _model(model_block, binder)
    strategies = bind_strategies(deployment, binder)
    if machine is None or model is None or load is None:
        return None
    return DesignParts(
        name=scenario.name,
        machine=machine,
        model=model,
        precision=read_data_types((model_block, deployment), binder),
        strategies=strategies,
        load=load,
        memory=bind_inner_block(deployment, "memory", MemoryPolicy, binder),
        scheduler=bind_inner_block(deployment, "scheduler", Scheduler, binder),
        runtime=_runtime(deployment, binder),
        calibration=_calibration(deployment, binder),
        speculative=_speculative(deployment, load, binder),
        training=training,
        money=_money(system, machine, binder),
        pools=read_pools(deployment, machine=machine, strategies=strategies, load=load, binder=binder),
        variability=_variability(scenario, deployment, training, binder),
        error=None if inputs is None else inputs.model_error(),
        at_floor=None if inputs is None else inputs.at_floor(),
        limits=tuple(_asserts((scenario, deployment, workload, model_block, system))),
        places=_places(system, deployment),
    )


def bind_runtime(block: Component, binder: Binder) -> NamedRuntime | None:
    """Return the runtime that a block describes, or None with what it lacks in `binder.problems`."""
    bound: Runtime | None = binder.bind_as(block, Runtime)
    if bound is None:
        return None
    return NamedRuntime(name=block.definition or block.name, spec=bound, kernels=kernels_name(block))


def read_data_types(owners: Iterable[Component], binder: Binder) -> PrecisionRequest:
    """Return the data types that `precision` blocks give.

    Args:
        owners: models and deployments with such blocks; the last one takes precedence.
        binder: `problems` takes what is wrong in a block.
    """
    types: dict[str, Any] = {}
    roles = fields_of(PrecisionBlock)
    for owner in owners:
        for inner in owner.children("precision"):
            binder.bind_as(inner, PrecisionBlock)
            types |= {
                role: attribute.value.name
                for role, attribute in inner.attributes().items()
                if role in roles
                and isinstance(attribute.value, Symbol)
                and attribute.value.name in DTYPE_BITS
            }
    return PrecisionRequest(**types)


def _runtime(deployment: Component, binder: Binder) -> NamedRuntime | None:
    if "runtime" not in deployment.attributes():
        return None
    block = resolve_reference(deployment, "runtime", Deployment, binder)
    return None if block is None else bind_runtime(block, binder)


def _calibration(deployment: Component, binder: Binder) -> Calibration | None:
    """Return the measured kernels that a deployment names, or None."""
    attribute = deployment.attributes().get("calibration")
    block = attribute.value if attribute is not None else None
    if not isinstance(block, Component):
        return None
    bound: Calibration | None = binder.bind_as(block, Calibration)
    return bound


def _places(system: Component, deployment: Component) -> PartPlaces:
    """Return where a text gives what refusals point at."""

    def inner(kind: str) -> Span | None:
        blocks = deployment.children(kind)
        return blocks[0].span if blocks else deployment.span

    degrees = {
        name: attribute.origin.span
        for block in deployment.children("parallel")
        for name, attribute in block.attributes().items()
    }
    return PartPlaces(
        system=system.span, precision=inner("precision"), memory=inner("memory"), degrees=degrees
    )


def _load(workload: Component, binder: Binder) -> Load | None:
    load: Load | None = binder.bind_as(workload, Load)
    if load is not None and (load.batch is None) == (load.concurrency is None):
        given = (
            "both `batch` and `concurrency`"
            if load.batch is not None
            else "neither `batch` nor `concurrency`"
        )
        binder.problems.append(
            Diagnostic(
                code="A106",
                message=f"`workload {workload.name}` gives {given}: how many sequences are served at once",
                span=workload.span,
                label="here",
                notes=("an open loop (`arrivals`) is bound and checked, but not evaluated yet",),
                help="add `batch = 16` for sequences that start and end together, or `concurrency = 16` for clients "
                "that ask again as soon as they are answered",
            )
        )
        return None
    return load


def _model(block: Component, binder: Binder) -> Model | None:
    bound, record = binder.bind(block)
    if bound is None or record is None:
        return None
    return Model(name=block.definition if block.name == "model" else block.name, spec=bound, record=record)


def _speculative(deployment: Component, load: Load, binder: Binder) -> SpeculativeDecoding | None:
    """Return who proposes tokens ahead; only a steady state has the tokens of a step as a mean."""
    inner = deployment.children("speculative")
    if not inner:
        return None
    if load.concurrency is None:
        binder.problems.append(
            Diagnostic(
                code="A211",
                message="`speculative` is evaluated under a `concurrency` only, not for a static batch",
                span=inner[0].span,
                label="asked for here",
                help="write `concurrency = 16` instead of `batch = 16` in the workload",
            )
        )
    bound: SpeculativeDecoding | None = binder.bind_as(inner[0], SpeculativeDecoding)
    return bound


def _variability(
    scenario: Component, deployment: Component, training: Training | None, binder: Binder
) -> Variability | None:
    """Return what is random, as the scenario says or else the deployment, or None; of training nothing is."""
    blocks = (*scenario.children("variability"), *deployment.children("variability"))
    if not blocks or training is not None:
        return None
    bound: Variability | None = binder.bind_as(blocks[0], Variability)
    if bound is not None and bound.routing == "zipf" and bound.zipf_exponent is None:
        doc = fields_of(Variability)["zipf_exponent"].doc
        binder.problems.append(missing_field(blocks[0], "zipf_exponent", doc))
    return bound


def _money(system: Component, machine: Machine, binder: Binder) -> SystemCost:
    """The outermost priced block pays for all below it; without one, the packages' own prices do."""
    money = _priced(system, machine, binder)
    package = machine.device.package
    if money is None and package.price is not None:
        lifetime = term(fields_of(Cost)["lifetime"].default, "yr").named("lifetime")
        return SystemCost(rate=package.price * machine.devices / lifetime)
    return money or SystemCost()


def _priced(component: Component, machine: Machine, binder: Binder) -> SystemCost | None:
    for block in component.children("cost"):
        cost = binder.bind_as(block, Cost)
        if cost is None:
            continue
        by_chip = cost.per == "chip"
        if cost.price is not None:
            rate = cost.price * machine.devices if by_chip else cost.price
            return SystemCost(
                rate=rate.named("rent of the system"), electricity=cost.electricity, by_device=by_chip
            )
        if cost.capex is not None:
            rate = (cost.capex / cost.lifetime).named("purchase over lifetime")
            return SystemCost(rate=rate, electricity=cost.electricity)
    for child in component.children():
        if child.kind in ("rack", "node", "cluster", "package"):
            money = _priced(child, machine, binder)
            if money is not None and money.rate is not None:
                return money if money.by_device else evolve(money, rate=money.rate * binder.count(child))
    return None


def _asserts(components: Iterable[Component]) -> Iterable[Limit]:
    """Asserts of the parts of a scenario; one that fails makes the point infeasible, with its message."""
    for component in components:
        for item in evaluate_assertions(component, ("assert",)):
            name = f"assert at {item.span.source.name}:{item.span.line}"
            yield condition(name, np.asarray(item.holds), item.message or item.text)
