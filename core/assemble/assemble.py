"""A scenario to a design: every block bound to its spec, every model found, what is missing said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from attrs import evolve

from accelscope.core.assemble.calibration_lookup import find_device_kernels
from accelscope.core.assemble.design import Design, Model, SystemCost
from accelscope.core.assemble.engine_selection import find_matrix_engine
from accelscope.core.assemble.expert_precision import with_narrow_experts
from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.assemble.parallelism import assemble_pools, bind_inner_block, bind_strategies
from accelscope.core.assemble.unsupported import (
    refuse_missing_memory,
    refuse_missing_tier,
    refuse_training_degrees,
    refuse_unsupported_dtype,
)
from accelscope.core.bind.binder import Binder, missing_field
from accelscope.core.bind.references import resolve_reference
from accelscope.core.blocks.calibration import Calibration
from accelscope.core.blocks.hardware import Cost
from accelscope.core.blocks.runtime import (
    NO_OVERHEAD_PROFILE,
    EngineProfile,
    Runtime,
    build_engine_profile,
    device_names,
    kernels_name,
)
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
from accelscope.core.evaluate.training.step import bind_training, make_training_load
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Precision
from accelscope.core.ir.usage import Limit, condition
from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.core.numeric.error_bars import UncertainInputs
from accelscope.core.numeric.term import term
from accelscope.core.spec.spec import fields_of
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.values.values import Symbol

FALLBACK_DTYPE = "bf16"
"""What is computed in, and what a KV cache holds, where nothing else is said."""


def assemble(scenario: Component, binder: Binder, inputs: UncertainInputs | None = None) -> Design | None:
    """Return the design of a scenario, or None with the reasons in `binder.problems`."""
    deployment = resolve_reference(scenario, "deployment", Scenario, binder)
    workload = resolve_reference(scenario, "workload", Scenario, binder)
    if deployment is None or workload is None:
        return None
    training = bind_training(workload, binder)
    system, model_block = (
        resolve_reference(deployment, "system", Deployment, binder),
        resolve_reference(deployment, "model", Deployment, binder),
    )
    load = _load(workload, binder) if training is None else make_training_load(training)
    if system is None or model_block is None:
        return None
    machine = assemble_machine(system, binder)
    refuse_missing_memory(machine, system, binder)
    model = _model(model_block, binder)
    strategies = bind_strategies(deployment, binder)
    if machine is None or model is None or load is None:
        return None
    design = Design(
        scenario=scenario.name,
        machine=_calibrated(machine, deployment, binder),
        model=model,
        precision=_precision(deployment, model_block, machine, binder),
        strategies=strategies,
        load=load,
        memory=bind_inner_block(deployment, "memory", MemoryPolicy, binder),
        scheduler=bind_inner_block(deployment, "scheduler", Scheduler, binder),
        speculative=_speculative(deployment, load, binder),
        training=training,
        money=_money(system, machine, binder),
        runtime=_runtime(deployment, machine, binder),
        error=None if inputs is None else inputs.model_error(),
        at_floor=None if inputs is None else inputs.at_floor(),
        variability=_variability(scenario, deployment, training, binder),
        limits=tuple(_asserts((scenario, deployment, workload, model_block, system))),
    )
    design = with_narrow_experts(design, binder.registry)
    design = evolve(design, pools=assemble_pools(deployment, design, binder))
    refuse_unsupported_dtype(design, deployment, binder)
    refuse_missing_tier(design, deployment, binder)
    refuse_training_degrees(design, deployment, binder)
    return None if binder.problems else design


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
    found: SpeculativeDecoding | None = binder.bind_as(inner[0], SpeculativeDecoding)
    return found


def _variability(
    scenario: Component, deployment: Component, training: Training | None, binder: Binder
) -> Variability | None:
    """Return what is random, as the scenario says or else the deployment, or None; of training nothing is."""
    blocks = (*scenario.children("variability"), *deployment.children("variability"))
    if not blocks or training is not None:
        return None
    found: Variability | None = binder.bind_as(blocks[0], Variability)
    if found is not None and found.routing == "zipf" and found.skew is None:
        binder.problems.append(missing_field(blocks[0], "skew", fields_of(Variability)["skew"]["doc"]))
    return found


def _precision(deployment: Component, model: Component, machine: Machine, binder: Binder) -> Precision:
    """The deployment's own words go before the model's, and those before the defaults.

    Weights in a type that no matrix product of the device computes in are widened to 16 bit on the way: that is
    what weight-only quantisation does.
    """
    given: dict[str, Any] = {}
    for place in (model, deployment):
        for inner in place.children("precision"):
            binder.bind_as(inner, PrecisionBlock)
            given |= {
                name: attribute.value.name
                for name, attribute in inner.attributes().items()
                if isinstance(attribute.value, Symbol) and attribute.value.name in DTYPE_BITS
            }
    weights = given.get("weights") or fields_of(PrecisionBlock)["weights"]["default"]
    activations = given.get("activations")
    if activations is None:
        activations = weights if find_matrix_engine(machine.device, weights) else FALLBACK_DTYPE
    kv, head, experts = given.get("kv") or FALLBACK_DTYPE, given.get("head"), given.get("experts")
    return Precision(weights=weights, activations=activations, kv=kv, head=head, experts=experts)


def _calibrated(machine: Machine, deployment: Component, binder: Binder) -> Machine:
    """Return the machine with what was measured of its device's kernels."""
    block, runtime = _named(deployment, "calibration"), _named(deployment, "runtime")
    explicit: Calibration | None = None if block is None else binder.bind_as(block, Calibration)
    software = None if runtime is None else kernels_name(runtime)
    device = evolve(machine.device, kernels=find_device_kernels(machine.device, explicit, software, binder))
    if explicit is not None and explicit.kernel_launch is not None:
        device = evolve(device, package=evolve(device.package, kernel_launch=explicit.kernel_launch))
    return evolve(machine, device=device)


def _runtime(deployment: Component, machine: Machine, binder: Binder) -> EngineProfile:
    """Return the pace of the runtime of a deployment on its device."""
    if "runtime" not in deployment.attributes():
        return NO_OVERHEAD_PROFILE
    block = resolve_reference(deployment, "runtime", Deployment, binder)
    bound: Runtime | None = None if block is None else binder.bind_as(block, Runtime)
    if block is None or bound is None:
        return NO_OVERHEAD_PROFILE
    return build_engine_profile(block.definition or block.name, bound, device_names(machine.device))


def _named(deployment: Component, field: str) -> Component | None:
    """Return the block that a field of a deployment names, or None."""
    attribute = deployment.attributes().get(field)
    value = attribute.value if attribute is not None else None
    return value if isinstance(value, Component) else None


def _money(system: Component, machine: Machine, binder: Binder) -> SystemCost:
    """The outermost priced block pays for all below it; without one, the packages' own prices do."""
    money = _priced(system, machine, binder)
    package = machine.device.package
    if money is None and package.price is not None:
        lifetime = term(fields_of(Cost)["lifetime"]["default"], "yr").named("lifetime")
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
        for item in component.assertions():
            name = f"assert at {item.span.source.name}:{item.span.line}"
            yield condition(name, np.asarray(item.holds), item.message or item.text)
