"""The time of a pass as a distribution: what each random part changes, and how the parts add up. Sees a whole sweep at once.

Parts are independent of each other, so their means, variances and third moments add up. The time is linear in each: it is
taken at one deviation above and below. Loads of layers have the correlation r, so that the mean of N of them has the variance
(1 + (N - 1) r) / N of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from accelscope.core.evaluate.pass_cost import PassCost, build_step_plan, compute_pass_cost
from accelscope.core.evaluate.variability.expert_routing import RoutingLoad
from accelscope.core.evaluate.variability.memoize import (
    interpolate_routing_load,
    sample_routing_load,
    tabulate_normal_maximum,
)
from accelscope.core.ir.constants import NO_TIME
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Plan
from accelscope.core.ir.vocabulary import OpKind, Phase, Split
from accelscope.core.numeric.term import Array, Term, make_leaf, maximum, minimum, sqrt, term, total
from accelscope.dsl.values.values import Origin

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design
    from accelscope.core.blocks.variability import Variability

_LENGTH_STEP = 0.1
"""Share by which lengths are changed to see what depends on them."""
_EXPERT_EXCHANGES = ("experts_dispatch", "experts_combine")
"""Collectives that take tokens to their experts and back."""
ZERO, ALONE = np.zeros(()), np.ones(())
_ORDER_STATISTICS_NOTE = "order statistics: docs/explanation/models/variability.md"
_POPULARITY_NOTE = "the pass at the mean load of the fullest rank by Zipf's law, less that by uniform routing"
_FULLEST_RANK_NOTE = (
    "half of the difference of passes whose fullest rank has one deviation more and less, in all layers"
)
_LENGTH_NOTE = "slope of the time of the pass over sequences that are longer and shorter"
_ORDER_STATISTICS = Origin(span=None, how="note", text=_ORDER_STATISTICS_NOTE)


@frozen(kw_only=True, eq=False)
class RandomContribution:
    """What one cause makes of a pass.

    Attributes:
        shift: what it adds to the mean time.
        deviation: standard deviation of the time.
        skewness: of its distribution.
        layers, correlation: of what is a sum over layers; 1 and 0 for what is none.
        sampled_deviations: deviations of one layer at random steps, along the first dimension, or None for formulas.
        ranks: slowest of which it is the load of, for draws, or None.
    """

    name: str
    shift: Term = NO_TIME
    deviation: Term
    skewness: Array = ZERO
    layers: Array = ALONE
    correlation: Array = ZERO
    sampled_deviations: Array | None = None
    ranks: Array | None = None


def find_random_contributions(
    step: PassCost, words: Variability, design: Design
) -> tuple[RandomContribution, ...]:
    """Return what is random in a pass."""
    found = (
        _routing_contribution(step, words, design),
        _link_contribution(step, words),
        _straggler_contribution(step, words),
        _length_contribution(step, words, design),
    )
    return tuple(part for part in found if part is not None)


def _routing_contribution(step: PassCost, words: Variability, design: Design) -> RandomContribution | None:
    """Return what the fullest rank changes; the mean of a uniform routing is in the time of the pass already."""
    plan = step.plan
    if words.routing == "balanced" or plan.routed is None:
        return None
    traffic, drawn = _traffic(plan, words, words.zipf_exponent if words.routing == "zipf" else None)

    def run(visits: Term, hit: Term) -> Term:
        return _again(step, _scale_fullest_rank(plan, visits, hit), design)

    centre = Term(np.ones(())), Term(np.ones(()))
    shift = NO_TIME
    if words.routing == "zipf":
        alike, _ = _traffic(plan, words, None)
        centre = _over(traffic.visits.mean, alike.visits.mean), _over(traffic.hit.mean, alike.hit.mean)
        shift = make_leaf(
            run(*centre) - step.time, "what popular experts add", _POPULARITY_NOTE, *_told(step, traffic)
        )
    visits, hit = (_over(item.deviation, item.mean) for item in (traffic.visits, traffic.hit))
    above = run(centre[0] * (1.0 + visits), centre[1] * (1.0 + hit))
    below = run(centre[0] * (1.0 - visits), centre[1] * (1.0 - hit))
    common = make_leaf(
        (above - below) / 2.0, "one deviation of the fullest rank", _FULLEST_RANK_NOTE, *_told(step, traffic)
    )
    layers = maximum(_layers(plan) * step.rounds, 1.0).named("layers with experts in the pass")
    alone = ((1.0 + (layers - 1.0) * words.layer_load_correlation) / layers).named(
        "variance of the mean of layers over that of one"
    )
    return RandomContribution(
        name="expert routing",
        shift=shift,
        deviation=(common * sqrt(alone)).named("deviation by expert routing"),
        skewness=_skewness(traffic, layers.value, words.layer_load_correlation.value),
        layers=layers.value,
        correlation=words.layer_load_correlation.value,
        sampled_deviations=drawn,
    )


def _link_contribution(step: PassCost, words: Variability) -> RandomContribution | None:
    """Return what the jitter of collectives changes: each run of one varies by itself."""
    if words.collective_time_cv is None or not step.comms:
        return None
    squares = total(
        cost.seconds * cost.seconds * step.rounds / maximum(cost.item.repeat, 1.0) for cost in step.comms
    )
    length = make_leaf(
        sqrt(squares), "root of the squares of the times of all collectives", "each run by itself"
    )
    deviation = (words.collective_time_cv * length).named("deviation by link jitter")
    return RandomContribution(name="link jitter", deviation=deviation)


def _straggler_contribution(step: PassCost, words: Variability) -> RandomContribution | None:
    """Return what the slowest device changes, of those that wait for each other in every layer of a stage."""
    if words.device_time_cv is None:
        return None
    plan = step.plan
    together = plan.ranks / plan.replicas / plan.stages
    if plan.routed is not None:
        together = maximum(together, plan.routed.ranks)
    together = together.named("devices that wait for each other")
    largest = tabulate_normal_maximum(together.value)
    operations = total(cost.seconds for cost in step.ops) * step.rounds
    work = make_leaf(minimum(operations, step.time), "work of a device", "all operations of the pass")
    mean = make_leaf(
        _told_number(largest.mean, step),
        "mean of the largest of as many normals",
        _ORDER_STATISTICS_NOTE,
        together,
    )
    spread = make_leaf(
        _told_number(largest.deviation, step),
        "deviation of the largest of as many normals",
        _ORDER_STATISTICS_NOTE,
    )
    return RandomContribution(
        name="stragglers",
        shift=(words.device_time_cv * work * mean).named("what the slowest device adds"),
        deviation=(words.device_time_cv * work * spread / sqrt(plan.stages)).named("deviation by stragglers"),
        skewness=largest.skewness / np.sqrt(plan.stages.value),
        ranks=together.value,
    )


def _length_contribution(step: PassCost, words: Variability, design: Design) -> RandomContribution | None:
    """Return what unlike lengths of the sequences of a replica change, through their mean."""
    whole = step.plan.step
    if words.length_cv is None or whole is None:
        return None

    def run(by: float) -> Term:
        tokens = whole.tokens * (1.0 + by) if step.phase == Phase.PREFILL else whole.tokens
        plan = build_step_plan(design, evolve(whole, tokens=tokens, context=whole.context * (1.0 + by)))
        return _again(step, plan, design)

    slope = make_leaf(
        (run(_LENGTH_STEP) - run(-_LENGTH_STEP)) / (2.0 * _LENGTH_STEP),
        "time that doubling lengths would add",
        _LENGTH_NOTE,
    )
    many = maximum(step.plan.sequences, 1.0).named("sequences of a replica")
    deviation = (words.length_cv * slope / sqrt(many)).named("deviation by lengths")
    return RandomContribution(name="lengths", deviation=deviation)


def _again(step: PassCost, plan: Plan, design: Design) -> Term:
    """Return the time of a pass with another plan, and with the draft that it may have."""
    drafted = step.time / (step.stage * step.rounds + step.overhead)
    return compute_pass_cost(design, step.phase, plan, step.placement).time * drafted


def _traffic(plan: Plan, words: Variability, skew: Term | None) -> tuple[RoutingLoad, Array | None]:
    """Return visits and hit experts of the fullest rank of a layer, and draws of it where samples are asked for.

    Without a skew, experts are alike.
    """
    experts, top_k, routed = plan.workload.experts, plan.workload.top_k, plan.routed
    assert experts is not None and top_k is not None and routed is not None  # they come together
    values = routed.tokens.value, experts.value, top_k.value, routed.ranks.value
    seed = int(np.max(words.seed.value))
    if words.monte_carlo_steps is None:
        return interpolate_routing_load(*values, skew=None if skew is None else skew.value, seed=seed), None
    samples = int(np.max(words.monte_carlo_steps.value))
    return sample_routing_load(*values, ZERO if skew is None else skew.value, samples=samples, seed=seed)


def _skewness(traffic: RoutingLoad, layers: Array, correlation: Array) -> Array:
    """Return the skewness of the mean of layers: of a part that is common to all, and one of each layer."""
    one = np.where(traffic.visits.variance > 0.0, traffic.visits.skewness, traffic.hit.skewness)
    third = correlation**1.5 + (1.0 - correlation) ** 1.5 / layers**2
    found: Array = one * third / ((1.0 + (layers - 1.0) * correlation) / layers) ** 1.5
    return found


def _layers(plan: Plan) -> Term:
    """Return the layers with experts of a stage."""
    return next(
        op.repeat for op in plan.ops if op.split == Split.EXPERT_ROW and op.kind == OpKind.GROUPED_GEMM
    )


def _over(part: Array, whole: Array) -> Term:
    return Term(part / np.maximum(whole, 1e-300))


def _told(step: PassCost, traffic: RoutingLoad) -> tuple[Term, ...]:
    """Return what a reader may ask about the fullest rank, as terms of an explanation."""
    numbers = (
        ("visits of the fullest rank", traffic.visits.mean),
        ("deviation of its visits", traffic.visits.deviation),
        ("experts hit where most are", traffic.hit.mean),
        ("deviation of the experts hit", traffic.hit.deviation),
    )
    return tuple(
        make_leaf(_told_number(value, step), name, _ORDER_STATISTICS_NOTE) for name, value in numbers
    )


def _told_number(value: Array, step: PassCost) -> Term:
    """Return a number that is part of an explanation where the pass is."""
    return Term(value) if step.time.node is None else term(value, origin=_ORDER_STATISTICS)


def _scale_fullest_rank(plan: Plan, visits: Term, hit: Term) -> Plan:
    """Return a plan whose rank has so many times the visits, and so many times the experts hit.

    What is sent to it and back grows with its visits.
    """
    return evolve(
        plan,
        ops=tuple(_fuller(op, visits, hit) for op in plan.ops),
        collectives=tuple(
            evolve(item, bytes=item.bytes * visits) if item.name in _EXPERT_EXCHANGES else item
            for item in plan.collectives
        ),
    )


def _fuller(op: Op, visits: Term, hit: Term) -> Op:
    if op.split not in (Split.EXPERT_COLUMN, Split.EXPERT_ROW):
        return op
    more = evolve(op, flops=op.flops * visits, reads=op.reads * visits)
    if op.kind != OpKind.GROUPED_GEMM:
        writes = op.writes * visits if op.split == Split.EXPERT_COLUMN else op.writes
        return evolve(more, m=op.m * visits, writes=writes)
    return evolve(
        more,
        groups=op.groups * hit,
        m=op.m * visits / hit,
        weights=op.weights * hit,
        writes=op.writes * visits,
    )
