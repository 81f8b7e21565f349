"""The best deployments of a model over many systems: who wins each goal, who comes next, and why that one lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

import accelscope
from accelscope.core.analysis.deployments.evaluate import (
    DEPLOYMENT_GOALS,
    DeploymentVariantResult,
    FeasibleDeployment,
    evaluate_deployment_variant,
    select_pareto_deployments,
)
from accelscope.core.analysis.deployments.task import DeploymentProblem, DeploymentTask, DeploymentVariant
from accelscope.core.analysis.jobs.candidates import (
    ComparedSystem,
    resolve_system_arguments,
)
from accelscope.core.analysis.jobs.jobs import JobEvaluator, SharedEvaluator
from accelscope.core.analysis.jobs.parallel_map import parallel_map
from accelscope.core.analysis.scenario_text import UsedDefinition
from accelscope.core.assemble.spec_sheet import SYSTEM_KINDS
from accelscope.core.errors import UsageError
from accelscope.core.library.definitions import LibraryDefinition, list_definitions
from accelscope.core.render.library_search import list_vendors

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace
    from accelscope.dsl.interpret.component import Component

MOST_DEPLOYMENT_DEVICES = 64
"""Devices that one deployment may use unless told otherwise: eight nodes of eight."""
DEFAULT_WEIGHT_DTYPES = ("bf16", "fp8")
"""Data types of weights that are tried where neither the model nor the deployment says one."""
FEW_VARIANTS = 6
"""Variants for which starting processes does not pay."""


@frozen(kw_only=True)
class CandidateSystem:
    """A system to search on: its devices, and precision blocks to try."""

    used: UsedDefinition
    devices: int
    precisions: tuple[tuple[tuple[str, str], ...], ...]


@frozen(kw_only=True)
class GoalRanking:
    """One goal: the best offers of all systems, best first, one of each system.

    Attributes:
        equivalent_systems: number of systems left out because one with fewer devices offers the same.
    """

    goal: str
    metric: str
    deployments: tuple[FeasibleDeployment, ...]
    equivalent_systems: int = 0

    @property
    def runner_up(self) -> FeasibleDeployment | None:
        """The best offer on another device than the winner's; on the same, where there is no other."""
        others = self.deployments[1:]
        apart = (offer for offer in others if offer.device != self.deployments[0].device)
        return next(apart, others[0] if others else None)


@frozen(kw_only=True)
class DeploymentSearchResult:
    """What a search over systems came to.

    Attributes:
        variant_results: result of each variant.
        places: ranking for each goal that some system has a number for.
        manifest: versions of accelscope and of the plugins.
    """

    wish: DeploymentProblem
    variant_results: tuple[DeploymentVariantResult, ...]
    places: tuple[GoalRanking, ...]
    seconds: float
    manifest: Mapping[str, Any]

    @property
    def candidates(self) -> int:
        """Layouts times loads of all variants."""
        return sum(item.candidates for item in self.variant_results)

    @property
    def allowed(self) -> int:
        """Candidates that keep all limits and requirements."""
        return sum(item.allowed for item in self.variant_results)

    def out(self) -> dict[str, int]:
        """Return how many candidates each reason rules out, the most first."""
        counts: dict[str, int] = {}
        for item in self.variant_results:
            for name, count in item.out.items():
                counts[name] = counts.get(name, 0) + count
        return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))

    def unevaluated_systems(self) -> dict[str, list[str]]:
        """Return what could not be evaluated at all: reasons with the systems."""
        served = {item.variant.system for item in self.variant_results if not item.why}
        found: dict[str, list[str]] = {}
        for item in self.variant_results:
            name = item.variant.system.reference
            if item.why and item.variant.system not in served and name not in found.setdefault(item.why, []):
                found[item.why].append(name)
        return {why: names for why, names in found.items() if names}

    def empty(self) -> dict[str, list[str]]:
        """Return the systems that were evaluated and have nothing to offer, by the reason that rules out most."""
        offering = {item.variant.system for item in self.variant_results if item.allowed}
        found: dict[str, list[str]] = {}
        for system in dict.fromkeys(item.variant.system for item in self.variant_results if not item.why):
            if system not in offering:
                found.setdefault(self._main_reason(system), []).append(system.reference)
        return found

    def without(self, goal: str) -> list[str]:
        """Return the systems that have something to offer, but no number for a goal, such as a price."""
        here = [item for item in self.variant_results if item.allowed]
        rated = {item.variant.system for item in here if goal in item.best}
        systems = dict.fromkeys(item.variant.system for item in here)
        return [system.reference for system in systems if system not in rated]

    def curves(self) -> dict[str, tuple[FeasibleDeployment, ...]]:
        """Return of each system the offers that none of its others beats in speed and either cost or energy."""
        found: dict[str, list[FeasibleDeployment]] = {}
        for item in self.variant_results:
            if item.curve:
                found.setdefault(item.variant.system.reference, []).extend(item.curve)
        return {name: select_pareto_deployments(offers) for name, offers in found.items()}

    def _main_reason(self, system: UsedDefinition) -> str:
        counts: dict[str, int] = {}
        for item in self.variant_results:
            if item.variant.system == system:
                for name, count in item.out.items():
                    counts[name] = counts.get(name, 0) + count
        return max(counts, key=lambda name: counts[name]) if counts else "no layout"


def search_deployments(
    session: Workspace,
    wish: DeploymentProblem,
    systems: Sequence[CandidateSystem],
    *,
    pools: bool = True,
    most: int = MOST_DEPLOYMENT_DEVICES,
    curves: bool = False,
    folder: str = ".",
    disabled: Sequence[str] = (),
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> DeploymentSearchResult:
    """Return the best deployments of a wish over some systems.

    Args:
        session: session whose library and plugins are used.
        wish: model, workload, SLO and goals.
        systems: systems to search over.
        pools: whether prompts may have devices of their own.
        most: devices that one deployment may use.
        curves: whether the trade of cost against speed is wanted.
        folder: that files of the wish are relative to.
        disabled: plugins to leave out.
        workers: processes; without it one for each core, or none beside this one for a few variants.
        progress: called with the variants that are done and those that there are.
    """
    start = time.perf_counter()
    tasks = [
        DeploymentTask(wish=wish, variant=variant, folder=folder, most=most, curves=curves)
        for variant in list_deployment_variants(systems, pools=pools and wish.free != "batch")
    ]
    alone = workers is None and len(tasks) <= FEW_VARIANTS
    found = parallel_map(
        evaluate_deployment_variant,
        tasks,
        jobs=1 if alone else workers,
        initializer=SharedEvaluator.of(JobEvaluator.of(session), disabled),
        progress=progress,
    )
    places = tuple(_places(found))
    return DeploymentSearchResult(
        wish=wish,
        variant_results=tuple(found),
        places=places,
        seconds=time.perf_counter() - start,
        manifest={"accelscope": accelscope.__version__, "plugins": session.registry.manifest()},
    )


def list_deployment_variants(
    systems: Sequence[CandidateSystem], *, pools: bool
) -> Iterator[DeploymentVariant]:
    """Yield what cannot be an array: systems, data types, and pools where there are two devices."""
    for system in systems:
        for precision in system.precisions:
            yield DeploymentVariant(system=system.used, precision=precision)
            if pools and system.devices > 1:
                yield DeploymentVariant(system=system.used, precision=precision, pools=True)


def _places(found: Iterable[DeploymentVariantResult]) -> Iterator[GoalRanking]:
    everything = [item for item in found if item.best]
    for goal, metric in DEPLOYMENT_GOALS.items():
        best: dict[UsedDefinition, FeasibleDeployment] = {}
        for item in everything:
            offer = item.best.get(goal)
            if offer is None:
                continue
            system = item.variant.system
            if system not in best or offer.metrics[metric] < best[system].metrics[metric]:
                best[system] = offer
        offers = sorted(best.values(), key=lambda offer: (offer.metrics[metric], offer.devices))
        if offers:
            apart = tuple(_apart(offers))
            yield GoalRanking(
                goal=goal, metric=metric, deployments=apart, equivalent_systems=len(offers) - len(apart)
            )


def _apart(offers: Iterable[FeasibleDeployment]) -> Iterator[FeasibleDeployment]:
    """Yield offers without those of larger systems that come to the same, such as a pod's beside its cube's."""
    seen = set()
    for offer in offers:
        values = tuple(f"{value:.9g}" for value in offer.metrics.values())
        key = (offer.device, tuple(sorted(offer.layout.items())), values)
        if key not in seen:
            seen.add(key)
            yield offer


def select_candidate_systems(
    session: Workspace, names: Sequence[str], vendor: str | None, precisions: Sequence[str]
) -> tuple[CandidateSystem, ...]:
    """Return the systems that are searched over: some by name, else all of the library that multiply matrices.

    Args:
        session: session whose library is searched.
        names: of systems, or FILE.accel:NAME; empty for the library's nodes, racks and clusters, and packages that are in
            none of these.
        vendor: only systems with something that this vendor makes.
        precisions: data types of weights to try.

    Raises:
        UsageError: there is no such system or vendor.
    """
    if not names:
        chosen = [item.name for item in _chosen(session, vendor)]
    found: dict[UsedDefinition, dict[tuple[tuple[str, str], ...], ComparedSystem]] = {}
    for asked in precisions:
        for entrant in resolve_system_arguments(session, names or chosen, asked):
            if names or (entrant.facts is not None and entrant.facts.dtype is not None):
                weights, products = entrant.precision(asked)
                types = (("weights", weights), ("activations", products))
                found.setdefault(entrant.used, {})[types] = entrant
    return tuple(_candidate(used, types) for used, types in found.items())


def _candidate(
    used: UsedDefinition, types: Mapping[tuple[tuple[str, str], ...], ComparedSystem]
) -> CandidateSystem:
    facts = next(iter(types.values())).facts
    return CandidateSystem(used=used, devices=facts.devices if facts else 1, precisions=tuple(types))


def _chosen(session: Workspace, vendor: str | None) -> list[LibraryDefinition]:
    shelf = [item for item in list_definitions(session) if item.component.kind in ("package", *SYSTEM_KINDS)]
    if vendor is not None:
        asked = vendor.casefold()
        known = sorted({name for item in shelf for name in list_vendors(item.component)})
        shelf = [
            item for item in shelf if asked in {name.casefold() for name in list_vendors(item.component)}
        ]
        if not shelf:
            raise UsageError(
                f"--vendor: the library holds nothing of `{vendor}`; there are {', '.join(known)}"
            )
    inside = {
        name for item in shelf if item.component.kind in SYSTEM_KINDS for name in _packages(item.component)
    }
    return [
        item for item in shelf if item.component.kind in SYSTEM_KINDS or item.component.name not in inside
    ]


def _packages(component: Component) -> Iterator[str]:
    for child in component.children():
        if child.kind == "package":
            yield child.definition or child.name
        elif child.kind in SYSTEM_KINDS:
            yield from _packages(child)
