"""The table of the models of a study: sizes, and parameters for each that a token uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from accelscope.core.analysis.architecture_study.folder import StudyFolder, read_component_list
from accelscope.core.analysis.architecture_study.section import SectionTable, StudySection
from accelscope.core.analysis.architecture_study.systems import StudyModel, read_study_model
from accelscope.core.analysis.jobs.phrases import format_ratio, format_short_number, join_phrases
from accelscope.core.assemble.spec_sheet import ModelFacts
from accelscope.core.blocks.study import Gaps, Grid, PageBlock, Software, Strategies
from accelscope.core.errors import UsageError


def build_models_section(folder: StudyFolder) -> StudySection | None:
    """Return the section of all models that the folder names; None without any."""
    subjects = tuple(_subjects(folder))
    if not subjects:
        return None
    ratios = {item.component.name: _sparsity_ratio(item.facts) for item in subjects}
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
    return StudySection(
        name="models",
        title="The models",
        findings=tuple(_findings(ratios)),
        parts=(SectionTable(name="models", title="Models", heads=heads, rows=rows),),
        numbers={f"models.parameter_to_compute.{name}": value for name, value in ratios.items()},
    )


def _sparsity_ratio(facts: ModelFacts) -> float:
    """Return all parameters over those that one token uses: 1 for a dense model."""
    return facts.parameters / facts.active


def _subjects(folder: StudyFolder) -> Iterator[StudyModel]:
    found = {
        component.name: component
        for name, models in _listings(folder)
        for component in read_component_list(models, f"{name}.models", "model")
    }
    for component in found.values():
        subject = read_study_model(component, folder.session.registry)
        if subject is None:
            raise UsageError(f"`{component.name}` has no sizes of its own; take a model that extends it")
        yield subject


def _listings(folder: StudyFolder) -> Iterator[tuple[str, Any]]:
    """Yield the label and the models of each block that has some."""
    for cls in (Grid, Strategies, Software, Gaps, PageBlock):
        yield from ((name, getattr(block, "models", None)) for name, block in folder.blocks(cls))


def _findings(ratios: dict[str, float]) -> Iterable[str]:
    sparse = sorted((item for item in ratios.items() if item[1] > 1.01), key=lambda pair: pair[1])
    if sparse:
        told = join_phrases([f"{format_ratio(value)} for {name}" for name, value in sparse])
        dense = len(ratios) - len(sparse)
        yield f"Parameters held for each that a token uses: {told}; {format_short_number(1.0)}x for {dense} dense models."
