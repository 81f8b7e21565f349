"""Few different cases behind many points: what is slow to compute is computed once for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from accelscope.core.evaluate.variability.expert_routing import (
    RoutingLoad,
    uniform_routing_load,
    zipf_routing_load,
)
from accelscope.core.evaluate.variability.extremes import Moments
from accelscope.core.evaluate.variability.normal import integrate_normal_maximum
from accelscope.core.evaluate.variability.sampling import RoutingSamples, sample_routing
from accelscope.core.numeric.term import Array

EXACT, TABLE = 1024, 64
"""Numbers of tokens that are looked at for all others between them: of uniform routing, and by Zipf's law."""
_SMALLEST_MOMENT = 1e-12


def evaluate_unique_rows(function: Callable[..., Array], *values: Array) -> Array:
    """Return what a function makes of rows of values, for all points; it sees each different row once.

    Args:
        function: of arrays of one dimension, one for each of `values`; its result has the rows last.
        *values: arrays that broadcast to one shape; a row has one value of each.
    """
    points = np.broadcast_arrays(*values)
    rows, back = np.unique(np.stack([item.ravel() for item in points]), axis=1, return_inverse=True)
    found = function(*rows)
    spread: Array = found[..., back.ravel()].reshape(*found.shape[:-1], *points[0].shape)
    return spread


def interpolate_routing_load(
    tokens: Array, experts: Array, top_k: Array, ranks: Array, *, skew: Array | None, seed: int
) -> RoutingLoad:
    """Return visits and hit experts of the fullest rank at each point; without a skew, experts are alike."""

    def of_tokens(many: float, picks: float, parts: float, exponent: float) -> Callable[[Array], RoutingLoad]:
        if skew is None:
            return partial(
                uniform_routing_load,
                experts=np.asarray(many),
                top_k=np.asarray(picks),
                ranks=np.asarray(parts),
            )
        return partial(
            zipf_routing_load,
            experts=int(many),
            top_k=int(picks),
            ranks=int(min(parts, many)),
            skew=exponent,
            seed=seed,
        )

    def rows(tokens: Array, *others: Array) -> Array:
        found = np.empty((6, tokens.size))
        groups, member = np.unique(np.stack(others), axis=1, return_inverse=True)
        for place, group in enumerate(groups.T):
            where = member.ravel() == place
            found[:, where] = _between(tokens[where], of_tokens(*group), EXACT if skew is None else TABLE)
        return found

    return _unstacked(
        evaluate_unique_rows(rows, tokens, experts, top_k, ranks, np.zeros(()) if skew is None else skew)
    )


def _between(tokens: Array, function: Callable[[Array], RoutingLoad], most: int) -> Array:
    """Return the stacked traffic of numbers of tokens; of more than `most`, between as many that are exact.

    Moments are near powers of the tokens, so their logarithms, and the skewness, lie on lines over that of the tokens.
    """
    if tokens.size <= most:
        return _stacked(function(tokens))
    nodes = np.geomspace(np.min(tokens), np.max(tokens), most)
    exact = _stacked(function(nodes))
    places, wanted = np.log(nodes), np.log(tokens)
    lines = np.log(np.maximum(exact, _SMALLEST_MOMENT))
    lines[2::3] = exact[2::3] / np.maximum(exact[1::3], _SMALLEST_MOMENT) ** 1.5
    found = np.stack([np.interp(wanted, places, line) for line in lines])
    found[0::3], found[1::3] = np.exp(found[0::3]), np.exp(found[1::3])
    found[2::3] *= found[1::3] ** 1.5
    return found


def sample_routing_load(
    tokens: Array,
    experts: Array,
    top_k: Array,
    ranks: Array,
    skew: Array,
    *,
    samples: int,
    seed: int,
) -> tuple[RoutingLoad, Array]:
    """Return the same from draws at each point, and the draws with mean 0 and deviation 1, of visits where these vary."""

    def rows(*values: Array) -> Array:
        found = np.empty((6 + samples, values[0].size))
        for place, (many, of, picks, parts, exponent) in enumerate(zip(*values, strict=True)):
            draws = sample_routing(
                round(many), int(of), int(picks), int(min(parts, of)),
                skew=exponent, samples=samples, seed=seed,
            )  # fmt: skip
            found[:6, place] = _stacked(_traffic(draws))
            visits = draws.standardize(draws.visits)
            found[6:, place] = visits if np.any(visits) else draws.standardize(draws.hit)
        return found

    found = evaluate_unique_rows(rows, tokens, experts, top_k, ranks, skew)
    return _unstacked(found[:6]), found[6:]


def tabulate_normal_maximum(ranks: Array) -> Moments:
    """Return the moments of the largest of so many normals of mean 0 and deviation 1, at each point."""

    def rows(many: Array) -> Array:
        found = integrate_normal_maximum(many)
        return np.stack([found.mean, found.variance, found.third_moment])

    mean, variance, third = evaluate_unique_rows(rows, ranks)
    return Moments(mean=mean, variance=variance, third_moment=third)


def _traffic(draws: RoutingSamples) -> RoutingLoad:
    return RoutingLoad(visits=draws.moments(draws.visits), hit=draws.moments(draws.hit))


def _stacked(traffic: RoutingLoad) -> Array:
    parts = [
        item
        for moments in (traffic.visits, traffic.hit)
        for item in (moments.mean, moments.variance, moments.third_moment)
    ]
    return np.stack(parts)


def _unstacked(found: Array) -> RoutingLoad:
    visits, hit = (
        Moments(mean=found[at], variance=found[at + 1], third_moment=found[at + 2]) for at in (0, 3)
    )
    return RoutingLoad(visits=visits, hit=hit)
