"""Rows of measurements as designs: parts made of what a row names in the library, and built like those of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from accelscope.core.assemble.assemble import build_design
from accelscope.core.assemble.parts import DesignParts, PrecisionRequest
from accelscope.core.assemble.scenario_reader import bind_runtime
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.scenario import Load, MemoryPolicy, Scheduler

if TYPE_CHECKING:
    from accelscope.core.analysis.validate.library_names import LibraryNames, PublishedModel
    from accelscope.core.assemble.design import Design
    from accelscope.core.ir.hardware import Machine
    from accelscope.core.library.definitions import LibraryDefinition
    from accelscope.core.numeric.term import Term
    from accelscope.core.plugin.records import Strategy


def make_row_parts(
    names: LibraryNames,
    *,
    runtime: LibraryDefinition,
    machine: Machine,
    published: PublishedModel,
    precision: PrecisionRequest,
    strategies: tuple[tuple[Strategy, Any], ...],
    load: Load,
    reserve: Term | None = None,
) -> DesignParts:
    """Return the parts of rows that share device, model, data types and runtime.

    What rows do not give has the defaults of a description: memory, scheduler, and data types of roles that the model
    is published with.

    Args:
        names: the library and the plugins.
        runtime: the software that was measured.
        machine: the system that it ran on.
        published: the model, with the data types of its publisher.
        precision: data types of the rows.
        strategies: with the degrees of each row.
        load: arrays over the rows.
        reserve: bytes of a device that the engine itself needs; None for those of the package.
    """
    binder = Binder(names.registry)
    memory: Any = binder.default_of(MemoryPolicy, "rows.memory")
    return DesignParts(
        name="rows",
        machine=machine,
        model=published.model,
        precision=precision.over(published.precision),
        strategies=strategies,
        load=load,
        memory=evolve(memory, reserve=reserve),
        scheduler=binder.default_of(Scheduler, "rows.scheduler"),
        runtime=bind_runtime(runtime.component, binder),
    )


def build_row_design(parts: DesignParts, names: LibraryNames) -> tuple[Design | None, str]:
    """Return the design of rows; or None and why there is none, in one sentence."""
    binder = Binder(names.registry)
    design = build_design(parts, binder)
    errors = (item.message for item in binder.problems if item.severity == "error")
    return design, "" if design is not None else next(errors)
