"""A step of training: its time, the tokens that it learns from, and what one device holds."""

from __future__ import annotations

from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.evaluate.training.step import TrainingMemory, TrainingStepCost
from accelscope.core.numeric.term import Term, strip_count_unit, term, total
from accelscope.core.plugin.records import Metric


def step_time(evaluation: Evaluation) -> Term:
    """Return the time of a step: all micro-batches forward and backward, and the update."""
    return _step(evaluation).time.named("step time")


def train_throughput(evaluation: Evaluation) -> Term:
    """Return the tokens that the whole system learns from in a second."""
    tokens = evaluation.batch * strip_count_unit(evaluation.design.load.prompt) * term(1.0, "tok")
    return (tokens / _step(evaluation).time).named("train throughput")


def train_throughput_per_device(evaluation: Evaluation) -> Term:
    """Return the same over the devices in use."""
    return (train_throughput(evaluation) / evaluation.devices_used).named("train throughput per device")


def bubble_share(evaluation: Evaluation) -> Term:
    """Return the share of a step in which a pipeline stage waits for the others."""
    passes = (_step(evaluation).forward, _step(evaluation).backward)
    waits = total(item.stage * (item.rounds - item.plan.microbatches) for item in passes)
    return (waits / _step(evaluation).time).named("pipeline bubble")


def exposed_communication(evaluation: Evaluation) -> Term:
    """Return the share of a step in which work waits for communication."""
    passes = (_step(evaluation).forward, _step(evaluation).backward)
    waits = total(total(cost.seconds for cost in item.comms) * item.rounds for item in passes)
    return (waits / _step(evaluation).time).named("exposed communication")


def memory_of_parameters(evaluation: Evaluation) -> Term:
    """Return the bytes of parameters of one device."""
    return _memory(evaluation).parameters


def memory_of_gradients(evaluation: Evaluation) -> Term:
    """Return the bytes of gradients of one device."""
    return _memory(evaluation).gradients


def memory_of_optimiser(evaluation: Evaluation) -> Term:
    """Return the bytes of optimiser states of one device."""
    return _memory(evaluation).optimiser


def memory_of_activations(evaluation: Evaluation) -> Term:
    """Return the bytes of activations of one device."""
    return _memory(evaluation).activations


def _step(evaluation: Evaluation) -> TrainingStepCost:
    assert evaluation.training is not None  # metrics of training are asked of training only
    return evaluation.training


def _memory(evaluation: Evaluation) -> TrainingMemory:
    return _step(evaluation).memory


TRAINING_METRICS = (
    Metric(name="step_time", unit="s", doc="time of a step of training", compute=step_time, of="training"),
    Metric(
        name="train_throughput",
        unit="tok/s",
        doc="tokens a second that the system learns from",
        compute=train_throughput,
        better="high",
        of="training",
    ),
    Metric(
        name="train_throughput_per_device",
        unit="tok/s",
        doc="tokens a second of one device in use",
        compute=train_throughput_per_device,
        better="high",
        of="training",
    ),
    Metric(
        name="bubble",
        unit="",
        doc="share of a step in which a pipeline stage waits",
        compute=bubble_share,
        headline=False,
        of="training",
    ),
    Metric(
        name="exposed_communication",
        unit="",
        doc="share of a step that waits for communication",
        compute=exposed_communication,
        headline=False,
        of="training",
    ),
    *(
        Metric(
            name=f"memory_of_{name}",
            unit="B",
            doc=f"bytes of {name} of one device",
            compute=compute,
            headline=False,
            of="training",
        )
        for name, compute in (
            ("parameters", memory_of_parameters),
            ("gradients", memory_of_gradients),
            ("optimiser", memory_of_optimiser),
            ("activations", memory_of_activations),
        )
    ),
)
