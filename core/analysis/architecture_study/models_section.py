"""The table of the models of a study: sizes, and parameters for each that a token uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from accelscope.core.analysis.architecture_study.folder import Folder, components_of
from accelscope.core.analysis.architecture_study.section import Section, Table
from accelscope.core.analysis.architecture_study.systems import Subject, subject_of
from accelscope.core.analysis.jobs.phrases import few, listed, times
from accelscope.core.assemble.spec_sheet import ModelFacts
from accelscope.core.blocks.study import Gaps, Grid, PageBlock, Software, Strategies
from accelscope.core.errors import UsageError


def models_section(folder: Folder) -> Section | None:
    """Return the section of all models that the folder names; None without any."""
    subjects = tuple(_subjects(folder))
    if not subjects:
        return None
    ratios = {item.component.name: ratio_of(item.facts) for item in subjects}
    rows = tuple(
        (
            item.component.name,
            item.facts.parameters / 1e9,
            item.facts.active / 1e9,
            ratios[item.component.name],
            item.experts or None,
            item.facts.layers,
            item.facts.heads,
            item.facts.kv_per_token / 1e3,
        )
        for item in subjects
    )
    heads = (
        "model", "parameters [1e9]", "for one token [1e9]", "parameter to compute", "experts of a layer", "layers", "heads",
        "KV cache of a token, 16 bit [kB]",
    )  # fmt: skip
    return Section(
        name="models",
        title="The models",
        findings=tuple(_findings(ratios)),
        parts=(Table(name="models", title="Models", heads=heads, rows=rows),),
        numbers={f"models.parameter_to_compute.{name}": value for name, value in ratios.items()},
    )


def ratio_of(facts: ModelFacts) -> float:
    """Return all parameters over those that one token uses: 1 for a dense model."""
    return facts.parameters / facts.active


def _subjects(folder: Folder) -> Iterator[Subject]:
    found = {
        component.name: component
        for name, models in _listings(folder)
        for component in components_of(models, f"{name}.models", "model")
    }
    for component in found.values():
        subject = subject_of(component, folder.session.registry)
        if subject is None:
            raise UsageError(f"`{component.name}` has no sizes of its own; take a model that extends it")
        yield subject


def _listings(folder: Folder) -> Iterator[tuple[str, Any]]:
    """Yield the label and the models of each block that has some."""
    for cls in (Grid, Strategies, Software, Gaps, PageBlock):
        yield from ((name, getattr(block, "models", None)) for name, block in folder.blocks(cls))


def _findings(ratios: dict[str, float]) -> Iterable[str]:
    sparse = sorted((item for item in ratios.items() if item[1] > 1.01), key=lambda pair: pair[1])
    if sparse:
        told = listed([f"{times(value)} for {name}" for name, value in sparse])
        dense = len(ratios) - len(sparse)
        yield f"Parameters held for each that a token uses: {told}; {few(1.0)}x for {dense} dense models."
