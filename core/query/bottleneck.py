"""What decides the time of a step at each point: the resource that its operations wait for longest. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen

from accelscope.core.evaluate.pass_cost import PassCost
from accelscope.core.ir.vocabulary import Phase

_Array = np.ndarray[Any, np.dtype[Any]]

NETWORK, HOST = "network", "host"


@frozen(kw_only=True)
class Bottleneck:
    """What decides most of a step at one point, and its share of the step."""

    phase: Phase
    resource: str
    share: float

    def __str__(self) -> str:
        return f"{self.resource}, {self.share:.0%} of {self.phase}"


def find_bottleneck(step: PassCost, size: int, place: int) -> Bottleneck | None:
    """Return what decides most of a step at one of some points; None where the step takes no time."""
    seconds: dict[str, float] = {}
    for cost in step.ops:
        names, times = zip(*((name, _at(time.value, size, place)) for name, time in cost.parts), strict=True)
        name = names[int(np.argmax(times))]
        seconds[name] = seconds.get(name, 0.0) + _at(cost.seconds.value, size, place)
    said = sum(_at(comm.seconds.value, size, place) for comm in step.comms)
    idle = _at(step.overhead.value, size, place)
    for name, time in ((NETWORK, said), (HOST, idle)):
        if time > 0.0:
            seconds[name] = seconds.get(name, 0.0) + time
    whole = sum(seconds.values())
    if not whole > 0.0:
        return None
    longest = max(seconds, key=lambda name: seconds[name])
    return Bottleneck(phase=step.phase, resource=longest, share=seconds[longest] / whole)


def _at(array: _Array, size: int, place: int) -> float:
    return float(np.broadcast_to(array, (size,))[place])
