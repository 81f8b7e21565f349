"""Data parallelism: replicas of the model share the sequences and do not speak to each other."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Plan
from accelscope.core.numeric.term import Term, ceil
from accelscope.core.plugin.records import Strategy
from accelscope.core.spec.spec import count, spec
from accelscope.plugins.parallelism.degree import NO_SPLIT


@spec(kind="parallel", within=("deployment", "pool"))
class DataParallelism:
    """Replicas of the model, each with its share of the sequences.

    Replicas of the attention (`dp_attention`, DeepSeek-V3 report, arXiv 2412.19437, section 3.4) hold all of the model but
    the experts, which `ep` spreads over them: to one device they are what replicas with common experts are.
    """

    dp: Term = count(doc="data parallelism: replicas of the model", default=1, source=NO_SPLIT)
    dp_attention: Term = count(
        doc="data-parallel attention: attention replicas, each with its own sequences, that share experts by `ep`",
        default=1,
        source=NO_SPLIT,
    )

    @property
    def replicas(self) -> Term:
        """Groups of devices with sequences of their own; those of the attention count like those of the model."""
        return self.dp * self.dp_attention


def split_data_parallel(spec: DataParallelism, step: Step) -> Step:
    """Give each replica its share of the sequences; the fullest one decides."""
    return evolve(step, sequences=ceil(step.sequences / spec.replicas).named("sequences of a replica"))


def shard_data_parallel(spec: DataParallelism, plan: Plan, machine: Machine) -> Plan:
    """Count the replicas; what one replica does is unchanged."""
    return evolve(plan, replicas=plan.replicas * spec.replicas, ranks=plan.ranks * spec.replicas)


DATA = Strategy(
    name="data",
    doc="Replicas of the model share the sequences: `dp`.",
    spec=DataParallelism,
    order=10,
    split=split_data_parallel,
    shard=shard_data_parallel,
)
