"""The best deployments of a model over many systems: who wins each goal, who comes next, and why that one lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

import accelscope
from accelscope.core.analysis.compare.candidates import Entrant, Used, entrants_of
from accelscope.core.analysis.deployments.evaluate import GOALS, Offer, Offered, unbeaten
from accelscope.core.analysis.deployments.task import Task, Variant, Wish
from accelscope.core.analysis.jobs.fork_pool import shared
from accelscope.core.analysis.jobs.jobs import Desk
from accelscope.core.assemble.spec_sheet import SYSTEMS
from accelscope.core.errors import UsageError
from accelscope.core.library.definitions import Item, items
from accelscope.core.render.library_search import vendors_of

if TYPE_CHECKING:
    from accelscope.core.session import Session
    from accelscope.dsl.interpret.component import Component

MOST = 64
"""Devices that one deployment may use unless told otherwise: eight nodes of eight."""
PRECISIONS = ("bf16", "fp8")
"""Data types of weights that are tried where neither the model nor the deployment says one."""
FEW = 6
"""Variants for which starting processes does not pay."""


@frozen(kw_only=True)
class Candidate:
    """A system to search on: its devices, and precision blocks to try."""

    used: Used
    devices: int
    precisions: tuple[tuple[tuple[str, str], ...], ...]


@frozen(kw_only=True)
class Place:
    """One goal: the best offers of all systems, best first, one of each system.

    Attributes:
        same: systems left out since what they offer is just what one with fewer devices does.
    """

    goal: str
    metric: str
    offers: tuple[Offer, ...]
    same: int = 0

    @property
    def runner_up(self) -> Offer | None:
        """The best offer on another device than the winner's; on the same, where there is no other."""
        others = self.offers[1:]
        apart = (offer for offer in others if offer.device != self.offers[0].device)
        return next(apart, others[0] if others else None)


@frozen(kw_only=True)
class Deployments:
    """What a search over systems came to.

    Attributes:
        offered: of each variant; places: of each goal that some system has a number for.
        manifest: versions of accelscope and of the plugins.
    """

    wish: Wish
    offered: tuple[Offered, ...]
    places: tuple[Place, ...]
    seconds: float
    manifest: Mapping[str, Any]

    @property
    def candidates(self) -> int:
        """Layouts times loads of all variants."""
        return sum(item.candidates for item in self.offered)

    @property
    def allowed(self) -> int:
        """Candidates that keep all limits and requirements."""
        return sum(item.allowed for item in self.offered)

    def out(self) -> dict[str, int]:
        """Return how many candidates each reason rules out, the most first."""
        counts: dict[str, int] = {}
        for item in self.offered:
            for name, count in item.out.items():
                counts[name] = counts.get(name, 0) + count
        return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))

    def refused(self) -> dict[str, list[str]]:
        """Return what could not be evaluated at all: reasons with the systems."""
        served = {item.variant.system for item in self.offered if not item.why}
        found: dict[str, list[str]] = {}
        for item in self.offered:
            name = item.variant.system.reference
            if item.why and item.variant.system not in served and name not in found.setdefault(item.why, []):
                found[item.why].append(name)
        return {why: names for why, names in found.items() if names}

    def empty(self) -> dict[str, list[str]]:
        """Return the systems that were evaluated and have nothing to offer, by the reason that rules out most."""
        offering = {item.variant.system for item in self.offered if item.allowed}
        found: dict[str, list[str]] = {}
        for system in dict.fromkeys(item.variant.system for item in self.offered if not item.why):
            if system not in offering:
                found.setdefault(self._main_reason(system), []).append(system.reference)
        return found

    def without(self, goal: str) -> list[str]:
        """Return the systems that have something to offer, but no number for a goal, such as a price."""
        here = [item for item in self.offered if item.allowed]
        rated = {item.variant.system for item in here if goal in item.best}
        systems = dict.fromkeys(item.variant.system for item in here)
        return [system.reference for system in systems if system not in rated]

    def curves(self) -> dict[str, tuple[Offer, ...]]:
        """Return of each system the offers that none of its others beats in speed and either cost or energy."""
        found: dict[str, list[Offer]] = {}
        for item in self.offered:
            if item.curve:
                found.setdefault(item.variant.system.reference, []).extend(item.curve)
        return {name: unbeaten(offers) for name, offers in found.items()}

    def _main_reason(self, system: Used) -> str:
        counts: dict[str, int] = {}
        for item in self.offered:
            if item.variant.system == system:
                for name, count in item.out.items():
                    counts[name] = counts.get(name, 0) + count
        return max(counts, key=lambda name: counts[name]) if counts else "no layout"


def deployments(
    session: Session,
    wish: Wish,
    systems: Sequence[Candidate],
    *,
    pools: bool = True,
    most: int = MOST,
    curves: bool = False,
    folder: str = ".",
    disabled: Sequence[str] = (),
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Deployments:
    """Return the best deployments of a wish over some systems.

    Args:
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
        Task(wish=wish, variant=variant, folder=folder, most=most, curves=curves)
        for variant in variants(systems, pools=pools and wish.free != "batch")
    ]
    alone = workers is None and len(tasks) <= FEW
    found = shared(
        tasks, Desk.of(session), disabled=disabled, workers=1 if alone else workers, progress=progress
    )
    places = tuple(_places(found))
    return Deployments(
        wish=wish,
        offered=tuple(found),
        places=places,
        seconds=time.perf_counter() - start,
        manifest={"accelscope": accelscope.__version__, "plugins": session.registry.manifest()},
    )


def variants(systems: Sequence[Candidate], *, pools: bool) -> Iterator[Variant]:
    """Yield what cannot be an array: systems, data types, and pools where there are two devices."""
    for system in systems:
        for precision in system.precisions:
            yield Variant(system=system.used, precision=precision)
            if pools and system.devices > 1:
                yield Variant(system=system.used, precision=precision, pools=True)


def _places(found: Iterable[Offered]) -> Iterator[Place]:
    everything = [item for item in found if item.best]
    for goal, metric in GOALS.items():
        best: dict[Used, Offer] = {}
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
            yield Place(goal=goal, metric=metric, offers=apart, same=len(offers) - len(apart))


def _apart(offers: Iterable[Offer]) -> Iterator[Offer]:
    """Yield offers without those of larger systems that come to the same, such as a pod's beside its cube's."""
    seen = set()
    for offer in offers:
        values = tuple(f"{value:.9g}" for value in offer.metrics.values())
        key = (offer.device, tuple(sorted(offer.layout.items())), values)
        if key not in seen:
            seen.add(key)
            yield offer


def systems_of(
    session: Session, names: Sequence[str], vendor: str | None, precisions: Sequence[str]
) -> tuple[Candidate, ...]:
    """Return the systems that are searched over: some by name, else all of the library that multiply matrices.

    Args:
        names: of systems, or FILE.accel:NAME; empty for the library's nodes, racks and clusters, and packages that are in
            none of these.
        vendor: only systems with something that this vendor makes.
        precisions: data types of weights to try.

    Raises:
        UsageError: there is no such system or vendor.
    """
    if not names:
        chosen = [item.name for item in _chosen(session, vendor)]
    found: dict[Used, dict[tuple[tuple[str, str], ...], Entrant]] = {}
    for asked in precisions:
        for entrant in entrants_of(session, names or chosen, asked):
            if names or (entrant.facts is not None and entrant.facts.dtype is not None):
                weights, products = entrant.precision(asked)
                types = (("weights", weights), ("activations", products))
                found.setdefault(entrant.used, {})[types] = entrant
    return tuple(_candidate(used, types) for used, types in found.items())


def _candidate(used: Used, types: Mapping[tuple[tuple[str, str], ...], Entrant]) -> Candidate:
    facts = next(iter(types.values())).facts
    return Candidate(used=used, devices=facts.devices if facts else 1, precisions=tuple(types))


def _chosen(session: Session, vendor: str | None) -> list[Item]:
    shelf = [item for item in items(session) if item.component.kind in ("package", *SYSTEMS)]
    if vendor is not None:
        asked = vendor.casefold()
        known = sorted({name for item in shelf for name in vendors_of(item.component)})
        shelf = [item for item in shelf if asked in {name.casefold() for name in vendors_of(item.component)}]
        if not shelf:
            raise UsageError(
                f"--vendor: the library holds nothing of `{vendor}`; there are {', '.join(known)}"
            )
    inside = {name for item in shelf if item.component.kind in SYSTEMS for name in _packages(item.component)}
    return [item for item in shelf if item.component.kind in SYSTEMS or item.component.name not in inside]


def _packages(component: Component) -> Iterator[str]:
    for child in component.children():
        if child.kind == "package":
            yield child.definition or child.name
        elif child.kind in SYSTEMS:
            yield from _packages(child)
