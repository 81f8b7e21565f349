"""What a part is made of beyond its performance: no installed model reads these yet, but they are checked."""

from __future__ import annotations

from typing import Any

from accelscope.core.numeric.dtypes import DTYPE_NAMES
from accelscope.core.numeric.term import Term
from accelscope.core.plugin.records import KindRecord
from accelscope.core.spec.spec import choice, count, flag, fraction, free_entries, listing, quantity, spec


@spec(kind="yield", within=("package", "die"))
class Yield:
    """How many of the parts that are made work."""

    model: str | None = choice("poisson", "murphy", "negative_binomial", doc="yield model", planned=True)
    defect_density: Term | None = quantity(
        "cm^-2", doc="killer defects per area", ge=0, plausible=(0.005, 5), planned=True
    )
    alpha: Term | None = quantity(
        doc="clustering parameter of the negative binomial model", gt=0, planned=True
    )
    known_good_die: bool | None = flag(doc="whether dies are tested before assembly", planned=True)
    bond_yield: Term | None = fraction(doc="bonding yield", planned=True)


@spec(kind="interposer", within=("package",))
class Interposer:
    """What carries the dies and memory stacks of a package."""

    kind: str | None = choice(
        "cowos_s", "cowos_r", "cowos_l", "emib", "efb", "info", "organic",
        doc="technology", planned=True,
    )  # fmt: skip
    area: Term | None = quantity("mm^2", doc="area", gt=0, plausible=(10, 100_000), planned=True)


@spec(kind="partition", within=("package",))
class Partition:
    """A mode in which one package shows itself as several devices."""

    numa: str | None = choice(doc="memory interleaving of the mode, such as nps1", planned=True)
    devices: Term | None = count(doc="number of devices visible to software", planned=True)


@spec(kind="slice", within=("cluster", "rack"))
class PodSlice:
    """A part of a pod that can be rented as a whole."""

    shape: Any = listing("", doc="number of chips along each dimension", planned=True)
    wrap: bool | None = flag(doc="whether its dimensions have wrap-around links", planned=True)


@spec(kind="redundancy", within=("die", "package"))
class Redundancy:
    """Spare structures that replace broken ones."""

    spare_cores: Term | None = fraction(doc="fraction of cores that are spares", planned=True)
    model: str | None = choice(
        "row_column", "any_core", doc="repair model: what a spare can replace", planned=True
    )


@spec(kind="router", within=("core", "die"))
class Router:
    """The router of a core in an on-chip network."""

    ports: Term | None = count(doc="number of links, including the one to its core", planned=True)
    colours: Term | None = count(doc="number of virtual channels", planned=True)


@spec(kind="peak", within=("package", "die"))
class VendorPeak:
    """Peak rates as a vendor prints them, for checks against what the engines add up to."""

    rates: Any = free_entries(
        "op/s", doc="op/s of the whole part, by a name of its own such as `fp16_sparse`"
    )


@spec(kind="exec.wafer_pipeline", within=("cluster", "node", "deployment"))
class WaferPipeline:
    """Execution of a model as a pipeline over regions of a wafer."""

    stage_boundary: str | None = choice(
        "layer", "block", doc="granularity of the pipeline stages", planned=True
    )
    activation_dtype: str | None = choice(
        *DTYPE_NAMES, doc="data type of activations between stages", planned=True
    )


def _record(name: str, cls: type) -> KindRecord:
    return KindRecord(name=name, doc=(cls.__doc__ or "").strip().split("\n")[0], spec=cls)


PHYSICAL_KINDS = (
    _record("yield", Yield),
    _record("interposer", Interposer),
    _record("partition", Partition),
    _record("slice", PodSlice),
    _record("redundancy", Redundancy),
    _record("router", Router),
    _record("peak", VendorPeak),
    _record("exec.wafer_pipeline", WaferPipeline),
)
"""Every kind of this package, in the order of the documentation."""
