"""The block that says what is random in a step."""

from __future__ import annotations

from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import choice, count, quantity, spec


@spec(kind="variability", within=("scenario", "deployment"), cited=False)
class Variability:
    """What makes the time of a step random; TPOT and TTFT are then distributions. Only routing varies unasked."""

    routing: str = choice(
        "random",
        "even",
        "zipf",
        doc="how visits fall on experts: evenly at random, just alike, or at random by Zipf's law",
        default="random",
        source="Switch Transformers (arXiv 2101.03961), section 2.2: a loss that balances the load",
    )
    skew: Term | None = quantity(
        doc="exponent of Zipf's law, where `routing` is `zipf`: 0 for experts that are all alike",
        ge=0,
        optional=True,
    )
    correlation: Term = quantity(
        doc="correlation of the slowest rank's load between two layers",
        ge=0,
        le=1,
        default=0,
        source="every layer has a router of its own: Switch Transformers (arXiv 2101.03961), section 2.1",
    )
    link_jitter: Term | None = quantity(
        doc="standard deviation of the time of a collective, as a share of it; each run by itself",
        ge=0,
        optional=True,
    )
    stragglers: Term | None = quantity(
        doc="standard deviation of the time that alike devices take for the same work, as a share of it; the slowest decides",
        ge=0,
        optional=True,
    )
    lengths: Term | None = quantity(
        doc="standard deviation of the lengths of prompts and contexts of a batch, as a share of their mean",
        ge=0,
        optional=True,
    )
    samples: Term | None = count(doc="steps to draw at random instead of formulas", optional=True)
    seed: Term = count(
        doc="of random numbers: of samples, and of the order in which experts of unlike popularity lie on ranks",
        default=0,
        ge=0,
        source="any number will do; the same one gives the same result",
    )


VARIABILITY_KINDS = (Variability,)
"""Every spec of this package."""
