"""The load of a training workload, and how a workload block is recognised as one of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.core.blocks.scenario import Load, Training

if TYPE_CHECKING:
    from accelscope.core.bind.binder import Binder
    from accelscope.dsl.interpret.component import Component


def bind_training(workload: Component, binder: Binder) -> Training | None:
    """Return what a workload asks of training, or None where it is one of serving."""
    found = binder.spec_of(workload)
    if found is None or found[0] is not Training:
        return None
    bound: Training | None = binder.bind_as(workload, Training)
    return bound


def make_training_load(training: Training) -> Load:
    """Return the batch and the sequences of training as those of a load."""
    return Load(
        batch=training.batch,
        concurrency=None,
        prompt=training.sequence_length,
        output=training.sequence_length,
        arrivals=None,
        prefix_sharing=None,
        horizon=None,
    )
