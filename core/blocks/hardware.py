"""Kinds of block that describe hardware whatever its architecture: packages, dies, nodes, links, switches, cost.

What an engine or a memory is like, plugins say; these are the places they stand in.
"""

from __future__ import annotations

from typing import Any

from accelscope.core.blocks import hardware_ranges as plausible
from accelscope.core.ir.hardware import Part
from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import (
    blocks,
    choice,
    count,
    date,
    flag,
    fraction,
    listing,
    quantity,
    ref,
    spec,
    text,
)

_HARDWARE = ("file", "cluster", "rack", "node", "package", "die", "core", "pool", "deployment")


@spec(kind="source", within=("file",), cited=False)
class SourceBlock:
    """A publication that values cite with `@name`."""

    kind: str | None = choice(
        "datasheet", "whitepaper", "manual", "docs", "measured", "press", "slides", "paper", "code", "dataset",
        symbol_aliases={"tables": "dataset"}, doc="type of publication", optional=True,
    )  # fmt: skip
    title: str | None = text(doc="its title")
    url: str | None = text(doc="URL")
    year: Term | None = count(doc="year of publication", optional=True)
    date: Any = date(doc="day of publication")


@spec(kind="process", within=("file",))
class Process:
    """A silicon process that packages and dies are made in."""

    foundry: str | None = text(doc="foundry")
    feature_size: Term | None = quantity(
        "nm",
        aliases=("feature",),
        doc="nominal feature size of the process node",
        gt=0,
        optional=True,
        plausible=(1, 90),
    )


@spec(kind="dtype", within=("file",))
class Dtype:
    """A data type: how many bits one element takes, scales of block formats included."""

    bits: Term = quantity("bit", doc="bits of one element", gt=0)


@spec(kind="link", within=_HARDWARE, derived=plausible.LINK_RANGES)
class Link:
    """A connection of two endpoints; bandwidth is of one link and says its direction."""

    kind: str | None = choice(doc="physical layer, such as serdes or ethernet", optional=True)
    protocol: str | None = choice(doc="protocol, such as nvlink or pcie", optional=True)
    bandwidth: Term = quantity(
        "B/s/dir",
        "B/cycle/dir",
        doc="peak bandwidth of one link in one direction",
        gt=0,
        plausible=(1e8, 1e15),
    )
    latency: Term | None = quantity(
        "s",
        "cycle",
        doc="latency of an empty message over one link",
        ge=0,
        optional=True,
        plausible=(1e-10, 1e-4),
    )
    efficiency: Any = fraction(
        doc="achieved fraction of peak bandwidth: a number, or a curve over the message size",
        over="B",
        default=0.8,
        source="stas00/ml-engineering network/README: achieved all-reduce bandwidth is 70 to 85 % of NVLink's peak",
    )
    energy: Term | None = quantity(
        "J/b", doc="energy of transferring one bit", ge=0, optional=True, plausible=(1e-14, 1e-10)
    )
    reconfigure: Term | None = quantity(
        "s", doc="reconfiguration time of an optical circuit switch", ge=0, planned=True
    )


@spec(kind="switch", within=_HARDWARE)
class Switch:
    """A switch between links."""

    radix: Term | None = count(doc="number of ports", optional=True)
    latency: Term | None = quantity(
        "s", doc="latency of the switch, added to each hop", ge=0, optional=True, plausible=(5e-8, 1.9e-6)
    )
    in_network_reduction: bool | None = flag(
        doc="whether the switch reduces data in the network (such as SHARP)",
        default=False,
        source="an ordinary switch forwards only",
    )


@spec(kind="nic", within=_HARDWARE)
class Nic:
    """A network card into the scale-out network."""

    bandwidth: Term = quantity("B/s/dir", doc="line rate in one direction", gt=0, plausible=(1e9, 2e11))
    latency: Term | None = quantity(
        "s", doc="latency of an empty message through the card", ge=0, optional=True, plausible=(3e-7, 1e-5)
    )


@spec(kind="host", within=_HARDWARE)
class Host:
    """The host processor of a node."""

    model: str | None = text(doc="product name")
    vcpus: Term | None = count(doc="virtual CPUs", optional=True)
    memories: tuple[Part[Any], ...] = blocks("memory", doc="host memory")


@spec(kind="power", within=_HARDWARE)
class Power:
    """Electrical power of a whole node or rack."""

    max: Term | None = quantity("W", doc="maximum power that the supplies deliver", gt=0, optional=True)
    idle: Term | None = quantity("W", doc="idle power", ge=0, optional=True)


@spec(kind="cost", within=_HARDWARE)
class Cost:
    """What the block that it stands in costs: bought (capex over lifetime) or rented (price)."""

    capex: Term | None = quantity("USD", doc="purchase price", ge=0, optional=True, plausible=(500, 1e9))
    lifetime: Term = quantity(
        "yr",
        doc="depreciation period",
        gt=0,
        plausible=(1, 15),
        default=4,
        source="common depreciation of servers",
    )
    price: Term | None = quantity(
        "USD/h", doc="rental price per hour", ge=0, optional=True, plausible=(0.01, 1e5)
    )
    per: str | None = choice("chip", "system", doc="unit that the rental price is for", optional=True)
    electricity: Term | None = quantity(
        "USD/J", doc="electricity price", ge=0, optional=True, plausible=(3e-9, 3e-7)
    )


@spec(kind="package", within=_HARDWARE, derived=plausible.PACKAGE_RANGES)
class Package:
    """An accelerator as it is bought: dies, memory stacks and what they share."""

    vendor: str | None = text(doc="vendor")
    family: str | None = choice(
        doc="product generation of the vendor, such as hopper; calibrations of its other devices apply if the device itself has none",
        optional=True,
    )
    process: Any = ref("process", doc="silicon process", optional=True, text_too=True)
    aliases: Any = listing(doc="other names of the device, in measurements and in common use")
    tdp: Term | None = quantity("W", doc="thermal design power", gt=0, optional=True, plausible=(5, 50_000))
    idle: Term | None = quantity("W", doc="idle power", ge=0, optional=True)
    static_power: Term | None = quantity(
        "W",
        aliases=("standing",),
        doc="static power of a running device, independent of load; if absent, 45 % of tdp",
        ge=0,
        optional=True,
    )
    price: Term | None = quantity(
        "USD", doc="purchase price of one device", ge=0, optional=True, plausible=(50, 1e7)
    )
    ici_ports: Term | None = count(doc="links to neighbours", optional=True)
    clock: Term | None = quantity(
        "Hz", doc="clock of components without their own", gt=0, optional=True, plausible=(3e8, 4e9)
    )
    reserve: Term = quantity(
        "B",
        doc="device memory reserved for the engine: context, libraries, communication buffers",
        ge=0,
        default=3.5e9,
        source="ai-dynamo/aiconfigurator, system files of NVIDIA GPUs: 3.5 GB of framework reserve",
    )
    layer_mapping: str = choice(
        "all_cores",
        "spatial_pipeline",
        aliases=("placement",),
        symbol_aliases={"spread": "all_cores", "pipeline": "spatial_pipeline"},
        doc="mapping of layers to cores: each layer on all cores, or each layer on its own cores with tokens streaming through",
        default="all_cores",
        source="kernels of GPUs, systolic arrays and many-core chips use the whole device for one operation",
    )
    launch_granularity: str = choice(
        "op",
        "layer",
        "pass",
        aliases=("fusion",),
        doc="what one launch covers: an operation, the operations of a layer, or a whole forward pass",
        default="op",
        source="GPU libraries start a kernel for each operation",
    )
    model_log_error_std: Term = fraction(
        aliases=("model_spread",),
        doc="standard deviation of the logarithm of measured over predicted time, where no calibration gives one",
        default=0.3,
        source="700 public latencies of static batches of 7B to 70B models on H100 and A100 (LLM-Inference-Bench and "
        "others, six engines): 0.32 around a median of 0.68 predicted over measured, 0.20 around 0.82 for TensorRT-LLM",
    )
    kernel_launch: Term = quantity(
        "s",
        doc="exposed launch overhead of one operation",
        ge=0,
        plausible=(1e-8, 1e-4),
        default=2.1e-6,
        source="fit to half of 254 public bf16 GEMMs of H100 SXM in CUDA graphs (aiconfigurator, Apache-2.0), held-out median "
        "error 7 %: 2.6 us with the first access of DRAM, which is 0.5 us; 5 to 6 us without graphs (Vidur, MIT)",
    )


@spec(kind="die", within=("file", "package"))
class Die:
    """A piece of silicon in a package."""

    process: Any = ref("process", doc="silicon process", optional=True, text_too=True)
    area: Term | None = quantity("mm^2", doc="area", gt=0, optional=True, plausible=(20, 60_000))
    clock: Term | None = quantity("Hz", doc="clock of the cores", gt=0, optional=True, plausible=(3e8, 4e9))
    grid: Any = listing("", doc="arrangement of the dies in the package")


@spec(kind="core", within=("file", "package", "die"))
class Core:
    """What repeats on a die: a streaming multiprocessor, compute unit, tensor core or processing element."""

    kind: str | None = choice(doc="type of core, if there are several", optional=True)
    clock: Term | None = quantity(
        "Hz", doc="clock, if it differs from that of the die", gt=0, optional=True, plausible=(3e8, 4e9)
    )


@spec(kind="node", within=_HARDWARE, derived=plausible.SYSTEM_RANGES)
class NodeBlock:
    """A server: packages, switches, cards and a host in one chassis."""

    aliases: Any = listing(doc="further names that measurements and people use")


@spec(kind="rack", within=_HARDWARE, derived=plausible.SYSTEM_RANGES)
class Rack:
    """Nodes in one rack."""


@spec(kind="cluster", within=_HARDWARE)
class ClusterBlock:
    """Nodes or packages joined by a network."""


@spec(kind="connect", within=_HARDWARE, cited=False)
class ConnectSettings:
    """Settings of a `connect` statement."""

    links_per_source: Term | None = count(doc="number of links of each left-hand endpoint", optional=True)
    layout: str | None = choice(
        "rail_optimized", "fat_tree", doc="wiring of network cards to leaf switches", optional=True
    )
    startup: Term = quantity(
        "s",
        doc="time of one synchronization of all ranks: a one-shot all-reduce needs one, other collectives two",
        ge=0,
        default=3.7e-6,
        source="fit to half of 136 public all-reduces of engines on H100 SXM and A100 SXM (aiconfigurator, Apache-2.0), "
        "held-out median error 10 and 14 %",
    )
    collective_efficiency: Term = fraction(
        doc="fraction of the achieved link bandwidth that collective kernels reach, in switched and fully connected networks",
        default=0.73,
        source="fit with `startup`, on links with the measured point-to-point efficiency of NVLink 4",
    )
    peer_access: bool | None = flag(
        doc="whether kernels can read the memory of other devices, as one-shot and two-shot all-reduce require",
        default=True,
        source="GPUs of one NVLink, xGMI or PCIe peer-to-peer domain can",
    )
    host_bandwidth: Term | None = quantity(
        "B/s",
        doc="total bandwidth of the host for traffic between its devices; if absent, limited by the links only",
        gt=0,
        optional=True,
    )
    oversubscription: Term = quantity(
        doc="downlink over uplink bandwidth of a leaf switch",
        ge=1,
        default=1,
        source="a network that does not block: Al-Fares et al., A scalable, commodity data center network, SIGCOMM 2008",
    )
    switch: Any = ref("switch", doc="switches of a network pattern, such as `dragonfly`", optional=True)
    global_links: Term | None = count(
        doc="global links of a dragonfly router; if absent, as many as it has endpoints",
        optional=True,
    )
    routing: str | None = choice(
        "static",
        "adaptive",
        doc="minimal static routing, or, in a dragonfly, adaptive routing with detours over other groups",
        optional=True,
    )
    multicast: bool | None = flag(
        doc="whether the network replicates a message for several receivers",
        default=False,
        source="an ordinary switch forwards only",
    )
    broadcast: bool | None = flag(
        doc="whether the network replicates a message for all receivers",
        default=False,
        source="an ordinary switch forwards only",
    )
    wrap: Any = ref(
        "link", doc="optical link that closes a torus, and any slice of whole cubes", optional=True
    )
    wrap_unit: Term = count(
        doc="edge length of the cubes joined by `wrap`; only multiples of it are closed to rings",
        default=4,
        source="TPU v4 and v5p are re-wired in cubes of 4 x 4 x 4 (Jouppi et al., TPU v4, ISCA 2023, section 2)",
    )
    pairing: str | None = choice(
        "one_to_one", "all_to_all", doc="which endpoints are connected to each other", planned=True
    )
    fan_in: Term | None = count(doc="left-hand endpoints connected to each right-hand one", planned=True)
    ports: Term | None = count(doc="number of ports used", planned=True)
    twisted: bool | None = flag(doc="whether the wrap-around links of the torus are twisted", planned=True)


HARDWARE_BLOCKS = (
    SourceBlock,
    Process,
    Dtype,
    Link,
    Switch,
    Nic,
    Host,
    Power,
    Cost,
    Package,
    Die,
    Core,
    NodeBlock,
    Rack,
    ClusterBlock,
    ConnectSettings,
)
"""Every spec of this module, in the order of the documentation."""
