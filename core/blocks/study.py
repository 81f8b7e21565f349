"""Kinds of block that a folder of `study` is made of: what is compared, how, and what others have published."""

from __future__ import annotations

from typing import Any

from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import choice, count, listing, ref, spec, text
from accelscope.core.spec.spec import quantity as quantity_of


@spec(kind="page", within=("file",), cited=False)
class PageBlock:
    """What the page of a study is called, and what it says before its findings."""

    title: str | None = text(doc="title")
    introduction: str | None = text(aliases=("lead",), doc="introduction in a few sentences")
    models: Any = listing(doc="models listed in the model table in addition to those of the sections")


@spec(kind="architecture", within=("file",), cited=False)
class Architecture:
    """A class of accelerators that a study compares with others."""

    title: str | None = text(doc="display name")
    devices: Any = listing(doc="devices of the class: packages of the library or of the study folder")


@spec(kind="selection", within=("file",), cited=False)
class Selection:
    """Some of the devices of a study, among which a spread is given as well."""

    title: str | None = text(doc="display name")
    devices: Any = listing(doc="packages of the subset")


@spec(kind="grid", within=("file",), cited=False)
class Grid:
    """Models on every device of every architecture, each on the smallest system that holds it, over the axes of a scenario."""

    title: str | None = text(doc="section title")
    scenario: Any = ref("scenario", doc="scenario to evaluate; its `sweep` statements are the axes")
    models: Any = listing(doc="models that replace the scenario's model")
    metrics: Any = listing(
        aliases=("measures",),
        doc="metrics to compare, higher is better; the first one selects the parallelism",
    )
    offload_fallback: str = choice(
        "none",
        "full_offload",
        aliases=("overflow",),
        symbol_aliases={"streamed": "full_offload"},
        doc="what to do with a model that fits no system: nothing, or read its weights from an offload tier if there is one",
        default="none",
        source="a model is served from the devices' memory unless told otherwise",
    )


@spec(kind="strategies", within=("file",), cited=False)
class Strategies:
    """Ways to divide models over the devices of a system, side by side."""

    title: str | None = text(doc="section title")
    scenario: Any = ref("scenario", doc="scenario to evaluate")
    deployments: Any = listing(doc="deployments, one per strategy; the first one is the baseline")
    systems: Any = listing(doc="systems that replace those of the deployments")
    models: Any = listing(doc="models that replace those of the deployments")
    metrics: Any = listing(
        aliases=("measures",), doc="metrics to report, absolute and relative to the baseline"
    )


@spec(kind="software", within=("file",), cited=False)
class Software:
    """One device and model under several runtimes."""

    title: str | None = text(doc="section title")
    scenario: Any = ref("scenario", doc="scenario to evaluate; its `sweep` statements are the axes")
    systems: Any = listing(doc="systems that replace the scenario's system")
    models: Any = listing(doc="models that replace the scenario's model")
    runtimes: Any = listing(doc="runtimes that replace the scenario's runtime")
    metrics: Any = listing(aliases=("measures",), doc="metrics to compare, higher is better")


@spec(kind="gaps", within=("file",), cited=False)
class Gaps:
    """How a metric answers to each number of the hardware: what to change first."""

    title: str | None = text(doc="section title")
    scenario: Any = ref("scenario", doc="scenario to evaluate; its `sweep` statements are the axes")
    grid: Any = ref("grid", doc="grid whose models and metrics are used")
    devices: Any = listing(doc="packages, one per architecture")
    models: Any = listing(doc="models of the comparison to analyze; if absent, all")
    metric: str | None = choice(
        doc="metric whose sensitivity is computed; if absent, the first metric of the comparison",
        optional=True,
    )
    sobol_samples: Term | None = count(
        aliases=("samples",),
        doc="base sample size N of the Sobol indices over the tolerances, a power of two; if absent, no indices are computed",
        optional=True,
    )
    excluded_parameters: Any = listing(
        aliases=("apart",),
        doc="last path segments of parameters that are not hardware and are excluded from the ranking",
    )


@spec(kind="claim", within=("file",), cited=False)
class Claim:
    """A published number beside those that the study finds."""

    statement: str | None = text(aliases=("says",), doc="statement of the claim")
    results: Any = listing(
        aliases=("figures",),
        doc="names of the study's results that the claim concerns; `*` matches any part of a name",
    )
    published: Term | None = quantity_of(doc="published value", optional=True)
    explanation: str | None = text(aliases=("because",), doc="explanation of the difference")


STUDY_KINDS = (PageBlock, Architecture, Selection, Grid, Strategies, Software, Gaps, Claim)
"""Every spec of this module, in the order of the documentation."""
