"""The fabric between the cores of a die, where a description connects them in a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from accelscope.core.blocks.hardware import ConnectSettings, Link
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Fabric
from accelscope.core.numeric.term import term
from accelscope.dsl.interpret.connections import evaluate_connections

if TYPE_CHECKING:
    from accelscope.core.bind.binder import Binder
    from accelscope.core.numeric.term import Term
    from accelscope.dsl.interpret.component import Component


def bind_on_die_fabric(package: Component, binder: Binder) -> Fabric | None:
    """Return the fabric that joins the cores of the first die with one, or None.

    Its cores do not wait for each other as the ranks of a collective do: a start-up counts only where it is given.
    """
    for die in package.children("die"):
        for item in evaluate_connections(die):
            if item.pattern is None or item.left.component.kind != "core" or item.via is None:
                continue
            link, settings = binder.bind_as(item.via, Link), binder.bind_as(item.settings, ConnectSettings)
            if link is None or settings is None:
                return None
            if "startup" not in item.settings.attributes():
                settings = evolve(settings, startup=term(0.0, "s"))
            return Fabric(
                name=item.via.name,
                pattern=item.pattern,
                model=binder.registry.interconnect_for(item.pattern),
                link=link,
                links=settings.links_per_source or ONE,
                size=binder.count(item.left.component),
                shape=tuple(binder.plain(value) for value in item.args),
                settings=settings,
                clock=_clock(die, package, binder),
            )
    return None


def _clock(die: Component, package: Component, binder: Binder) -> Term | None:
    for place in (die, package):
        attribute = place.attributes().get("clock")
        if attribute is not None:
            return binder.quantity(place, attribute)
    return None
