"""Data parallelism: replicas of the model share the sequences and do not speak to each other."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.records import Strategy
from accelscope.core.spec import count, spec
from accelscope.core.term import Term, ceil
from accelscope.core.work import Machine, Plan, Step
from accelscope.plugins.parallelism.degree import NO_SPLIT


@spec(kind="parallel", within=("deployment", "pool"))
class Data:
    """Replicas of the model, each with its share of the sequences."""

    dp: Term = count(doc="replicas of the model", default=1, source=NO_SPLIT)


def split(spec: Data, step: Step) -> Step:
    """Give each replica its share of the sequences; the fullest one decides."""
    return evolve(step, sequences=ceil(step.sequences / spec.dp).named("sequences of a replica"))


def shard(spec: Data, plan: Plan, machine: Machine) -> Plan:
    """Count the replicas; what one replica does is unchanged."""
    return evolve(plan, replicas=plan.replicas * spec.dp, ranks=plan.ranks * spec.dp)


DATA = Strategy(
    name="data",
    doc="Replicas of the model share the sequences: `dp`.",
    spec=Data,
    order=10,
    split=split,
    shard=shard,
)
