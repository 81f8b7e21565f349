"""How a deployment divides its devices: the degrees of each strategy, and pools with degrees of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, fields_dict

from accelscope.core.assemble.parts import DisaggregatedParts, PoolParts
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.scenario import AllToAll, KvTransfer, Load, MemoryPolicy, Pool, Scheduler
from accelscope.core.spec.spec import fields_of, written_name
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.values.values import Attribute

if TYPE_CHECKING:
    from accelscope.core.ir.hardware import Machine
    from accelscope.core.numeric.term import Term
    from accelscope.core.plugin.records import Strategy
    from accelscope.core.plugin.registry import Registry

SERVING_PHASES = ("prefill", "decode")
"""Labels of the pools of a deployment."""


def bind_inner_block(owner: Component, kind: str, cls: type, binder: Binder) -> Any:
    """Return a bound inner block of a deployment or a pool, or that of an empty one."""
    inner = owner.children(kind)
    return (binder.bind_as(inner[0], cls) if inner else None) or binder.default_of(
        cls, f"{owner.name}.{kind}"
    )


def bind_strategies(deployment: Component, binder: Binder) -> tuple[tuple[Strategy, Any], ...]:
    """Return each strategy with its degrees, as the `parallel` block of a deployment or a pool says."""
    inner = deployment.children("parallel")
    block = inner[0] if inner else None
    strategies = []
    for strategy in binder.registry.strategies:
        bound = binder.bind_as(block, strategy.spec) if block is not None else None
        strategies.append((strategy, bound or binder.default_of(strategy.spec, "parallel")))
    if block is not None:
        binder.problems.extend(_not_modelled(block, [strategy.spec for strategy, _ in strategies]))
    return tuple(strategies)


def make_strategies(registry: Registry, degrees: Mapping[str, Any]) -> tuple[tuple[Strategy, Any], ...]:
    """Return each strategy with the degrees that it reads, and its defaults for the others.

    Args:
        registry: has the strategies.
        degrees: by name of the field, such as `tp`; terms are scalars or arrays.
    """
    binder = Binder(registry)
    defaults = tuple(
        (strategy, binder.default_of(strategy.spec, "parallel")) for strategy in registry.strategies
    )
    return set_degrees(defaults, degrees)


def set_degrees(
    strategies: Iterable[tuple[Strategy, Any]], degrees: Mapping[str, Any]
) -> tuple[tuple[Strategy, Any], ...]:
    """Return strategies with other degrees; each reads those that its spec has a field for.

    Args:
        strategies: each with its bound spec.
        degrees: by name of the field, such as `tp`; terms are scalars or arrays.
    """
    return tuple(
        (
            strategy,
            evolve(
                spec, **{name: value for name, value in degrees.items() if name in fields_dict(type(spec))}
            ),
        )
        for strategy, spec in strategies
    )


def _not_modelled(block: Component, specs: Iterable[type]) -> Iterable[Diagnostic]:
    planned = {
        written_name(name) for spec in specs for name, field in fields_of(spec).items() if field.planned
    }
    for name, attribute in block.attributes().items():
        if name in planned and not is_neutral_degree(attribute):
            yield Diagnostic(
                code="A303",
                message=f"`{name}` is not modelled by any installed strategy, so no number would be right",
                span=attribute.origin.span,
                label="asked for here",
                help="leave it out, or install a plugin with a strategy for it",
            )


def is_neutral_degree(attribute: Attribute) -> bool:
    """Return whether a degree divides nothing."""
    magnitude = getattr(attribute.value, "magnitude", attribute.value)
    return magnitude is False or (
        not isinstance(magnitude, bool) and bool(np.all(np.asarray(magnitude) == 1))
    )


def read_pools(
    deployment: Component,
    *,
    machine: Machine,
    strategies: Iterable[tuple[Strategy, Any]],
    load: Load,
    binder: Binder,
) -> DisaggregatedParts | None:
    """Return what the pools of a deployment have of their own, or None if it has no pools that can be evaluated.

    Args:
        deployment: the block.
        machine: the system, whose innermost groups are the nodes that pools count.
        strategies: of the deployment, for pools without a `parallel` block.
        load: pools are evaluated under a `concurrency` only.
        binder: `problems` takes what is missing or refused.
    """
    blocks = {pool.name: pool for pool in deployment.children("pool")}
    transfer = deployment.children("kv_transfer")
    for inner in deployment.children("all_to_all"):
        binder.bind_as(inner, AllToAll)
    moved: KvTransfer | None = binder.bind_as(transfer[0], KvTransfer) if transfer else None
    if not blocks:
        return None
    if set(blocks) != set(SERVING_PHASES) or load.concurrency is None:
        binder.problems.append(_refused(deployment, set(blocks) == set(SERVING_PHASES)))
        return None
    bound: dict[str, Pool | None] = {name: binder.bind_as(blocks[name], Pool) for name in SERVING_PHASES}
    prefill, decode = (
        _read_pool(blocks[name], bound[name], machine, strategies, binder) for name in SERVING_PHASES
    )
    return DisaggregatedParts(
        prefill=prefill,
        decode=decode,
        overlap="none" if moved is None or moved.overlap is None else moved.overlap,
        keeps_up=np.asarray(bound["prefill"] is not None and bound["prefill"].autosize),
    )


def _read_pool(
    block: Component,
    pool: Pool | None,
    machine: Machine,
    strategies: Iterable[tuple[Strategy, Any]],
    binder: Binder,
) -> PoolParts:
    """Return what a pool says; the rest is as the deployment has it."""
    own: dict[str, Any] = {}
    if block.children("parallel"):
        own["strategies"] = bind_strategies(block, binder)
    for kind, cls in (("scheduler", Scheduler), ("memory", MemoryPolicy)):
        if block.children(kind):
            own[kind] = bind_inner_block(block, kind, cls, binder)
    if pool is not None and pool.redundant_experts is not None:
        own["strategies"] = _redundant(own.get("strategies", strategies), pool.redundant_experts)
    if pool is not None and pool.nodes is not None and machine.tiers:
        devices = pool.nodes * machine.tiers[0].size
        own["devices"] = devices.named(f"devices of the {block.name} pool")
    return PoolParts(**own)


def _redundant(strategies: Iterable[tuple[Strategy, Any]], copies: Term) -> tuple[tuple[Strategy, Any], ...]:
    """Return strategies of which the one that spreads experts holds some of them twice."""
    return tuple(
        (strategy, evolve(spec, redundant_experts=copies) if hasattr(spec, "redundant_experts") else spec)
        for strategy, spec in strategies
    )


def _refused(deployment: Component, named: bool) -> Diagnostic:
    if named:
        return Diagnostic(
            code="A211",
            message="a deployment with pools is evaluated under a `concurrency` only",
            span=deployment.children("pool")[0].span,
            label="one of its pools",
            help="write `concurrency = 64` in the workload, or describe one phase as a deployment of its own",
        )
    return Diagnostic(
        code="A211",
        message="a deployment has either no pools, or one called `prefill` and one called `decode`",
        span=deployment.children("pool")[0].span,
        label="one of its pools",
        help="write `pool prefill { ... }` and `pool decode { ... }`",
    )
