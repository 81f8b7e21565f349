"""The block that says what is random in a step."""

from __future__ import annotations

from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import choice, count, quantity, spec


@spec(kind="variability", within=("scenario", "deployment"), cited=False)
class Variability:
    """What makes the time of a step random; TPOT and TTFT are then distributions. Only routing varies unasked."""

    routing: str = choice(
        "uniform_random",
        "balanced",
        "zipf",
        symbol_aliases={"random": "uniform_random", "even": "balanced"},
        doc="distribution of tokens over experts: uniform at random, perfectly balanced, or random by Zipf's law",
        default="uniform_random",
        source="Switch Transformers (arXiv 2101.03961), section 2.2: a loss that balances the load",
    )
    zipf_exponent: Term | None = quantity(
        aliases=("skew",),
        doc="exponent of Zipf's law if `routing` is `zipf`; 0 means equally popular experts",
        ge=0,
        optional=True,
    )
    layer_load_correlation: Term = quantity(
        aliases=("correlation",),
        doc="correlation between layers of the load of the slowest rank",
        ge=0,
        le=1,
        default=0,
        source="every layer has a router of its own: Switch Transformers (arXiv 2101.03961), section 2.1",
    )
    collective_time_cv: Term | None = quantity(
        aliases=("link_jitter",),
        doc="coefficient of variation of the time of a collective, independent for each execution",
        ge=0,
        optional=True,
    )
    device_time_cv: Term | None = quantity(
        aliases=("stragglers",),
        doc="coefficient of variation of the time of identical devices for the same work; the slowest determines the step",
        ge=0,
        optional=True,
    )
    length_cv: Term | None = quantity(
        aliases=("lengths",),
        doc="coefficient of variation of the prompt and context lengths in a batch",
        ge=0,
        optional=True,
    )
    monte_carlo_steps: Term | None = count(
        aliases=("samples",),
        doc="number of steps of a Monte Carlo simulation; if absent, closed forms are used",
        optional=True,
    )
    seed: Term = count(
        doc="seed of random numbers: of the simulation, and of the placement of experts of unequal popularity on ranks",
        default=0,
        ge=0,
        source="any number will do; the same one gives the same result",
    )


VARIABILITY_KINDS = (Variability,)
"""Every spec of this package."""
