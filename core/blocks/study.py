"""Kinds of block that a folder of `study` is made of: what is compared, how, and what others have published."""

from __future__ import annotations

from typing import Any

from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import choice, count, listing, ref, spec, text
from accelscope.core.spec.spec import quantity as quantity_of


@spec(kind="page", within=("file",), cited=False)
class PageBlock:
    """What the page of a study is called, and what it says before its findings."""

    title: str | None = text(doc="headline")
    lead: str | None = text(doc="what the study asks, in a few sentences")
    models: Any = listing(doc="models that the table of models has, besides those of the sections")


@spec(kind="architecture", within=("file",), cited=False)
class Architecture:
    """A class of accelerators that a study compares with others."""

    title: str | None = text(doc="what the page calls it")
    devices: Any = listing(doc="its devices: packages of the library or of the folder")


@spec(kind="selection", within=("file",), cited=False)
class Selection:
    """Some of the devices of a study, among which a spread is given as well."""

    title: str | None = text(doc="what the page calls it")
    devices: Any = listing(doc="packages")


@spec(kind="grid", within=("file",), cited=False)
class Grid:
    """Models on every device of every architecture, each on the smallest system that holds it, over the axes of a scenario."""

    title: str | None = text(doc="headline of the section")
    scenario: Any = ref("scenario", doc="what is asked; its `sweep` statements are the axes")
    models: Any = listing(doc="models that take the place of the scenario's")
    measures: Any = listing(doc="metrics to compare, the more the better; the first one chooses splits")
    overflow: str = choice(
        "none",
        "streamed",
        doc="where no system holds a model: nothing, or weights come from a tier behind the devices' memory where there is one",
        default="none",
        source="a model is served from the devices' memory unless told otherwise",
    )


@spec(kind="strategies", within=("file",), cited=False)
class Strategies:
    """Ways to divide models over the devices of a system, side by side."""

    title: str | None = text(doc="headline of the section")
    scenario: Any = ref("scenario", doc="what is asked")
    deployments: Any = listing(
        doc="deployments, one for each strategy; the first one is what others are compared with"
    )
    systems: Any = listing(doc="systems that take the place of the deployments'")
    models: Any = listing(doc="models that take the place of the deployments'")
    measures: Any = listing(doc="metrics that are shown, as they are and relative to the first deployment")


@spec(kind="software", within=("file",), cited=False)
class Software:
    """One device and model under several runtimes."""

    title: str | None = text(doc="headline of the section")
    scenario: Any = ref("scenario", doc="what is asked; its `sweep` statements are the axes")
    systems: Any = listing(doc="systems that take the place of the scenario's")
    models: Any = listing(doc="models that take the place of the scenario's")
    runtimes: Any = listing(doc="runtimes that take the place of the scenario's")
    measures: Any = listing(doc="metrics to compare, the more the better")


@spec(kind="gaps", within=("file",), cited=False)
class Gaps:
    """How a metric answers to each number of the hardware: what to change first."""

    title: str | None = text(doc="headline of the section")
    scenario: Any = ref("scenario", doc="what is asked; its `sweep` statements are the axes")
    grid: Any = ref("grid", doc="whose models and measures are taken")
    devices: Any = listing(doc="packages, one for each architecture")
    models: Any = listing(doc="models of the grid; without them all")
    metric: str | None = choice(doc="what answers; without it the grid's first measure", optional=True)
    samples: Term | None = count(
        doc="N of Sobol indices over the tolerances of the descriptions, a power of two; without it none",
        optional=True,
    )
    apart: Any = listing(
        doc="last names of parameters that are no hardware, and so never what to change first"
    )


@spec(kind="claim", within=("file",), cited=False)
class Claim:
    """A published number beside those that the study finds."""

    says: str | None = text(doc="the claim in words")
    figures: Any = listing(
        doc="names of the figures of the study that it is about; `*` stands for any part of a name"
    )
    published: Term | None = quantity_of(doc="the published number", optional=True)
    because: str | None = text(doc="why the numbers differ")


STUDY_KINDS = (PageBlock, Architecture, Selection, Grid, Strategies, Software, Gaps, Claim)
"""Every spec of this module, in the order of the documentation."""
