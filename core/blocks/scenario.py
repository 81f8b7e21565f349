"""Kinds of block that describe a question: workload, deployment, targets, scenario, study."""

from __future__ import annotations

from typing import Any

from accelscope.core.numeric.dtypes import DTYPE_NAMES
from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import (
    anything,
    block,
    choice,
    count,
    flag,
    fraction,
    listing,
    quantity,
    ref,
    spec,
)


@spec(kind="workload", within=("file", "scenario"), cited=False)
class Load:
    """What is asked of a deployment: prompts, outputs, and how many at once."""

    batch: Term | None = count(
        doc="sequences that start and end together, in the whole system: a static batch", optional=True
    )
    concurrency: Term | None = count(
        doc="clients of the whole system that ask again as soon as they are answered: a closed loop",
        optional=True,
    )
    prompt: Term = count(unit="tok", doc="tokens of one prompt")
    output: Term = count(unit="tok", doc="tokens of one answer")
    arrivals: Term | None = quantity("req/s", doc="requests a second of an open loop", gt=0, planned=True)
    prefix_sharing: Term | None = fraction(doc="share of a prompt that is cached already", planned=True)
    horizon: Term | None = quantity("s", doc="length of a simulated run", gt=0, planned=True)


@spec(
    kind="workload", select={"kind": ("training",)}, default=False, within=("file", "scenario"), cited=False
)
class Training:
    """One step of training: a batch of sequences goes forward and backward, and the parameters are updated."""

    batch: Term = count(doc="sequences of a step in the whole system: the global batch")
    sequence: Term = count(unit="tok", doc="tokens of a sequence, or of a pack of short ones")
    micro_batch: Term = count(
        doc="sequences that a replica works on at once",
        default=1,
        source="Megatron-LM: the least activations, and the smallest pipeline bubble",
    )
    recompute: str = choice(
        "none",
        "selective",
        "full",
        doc="what the backward pass computes again instead of keeping it: nothing, what is cheap (normalisations and "
        "activation functions), or whole layers; attention keeps no scores in any case",
        default="none",
        source="Korthikanti et al., arXiv 2205.05198, sections 4 and 5: none is fastest where the memory allows it",
    )
    gradients: str = choice(
        *DTYPE_NAMES,
        doc="data type that gradients are kept and summed in",
        default="fp32",
        source="Megatron-LM keeps main gradients at 32 bit; torch FSDP sums in the type of the parameters unless told otherwise",
    )
    states: Term = quantity(
        "B",
        doc="bytes of optimiser state for each parameter",
        ge=0,
        default=12,
        source="Adam with a 32-bit copy of the parameters, momentum and variance: ZeRO (arXiv 1910.02054) section 3.1",
    )
    wide: Term = fraction(
        doc="share of the layers whose products stay at 16 bit where the others are computed in 4 bit",
        default=0.15,
        source="NVIDIA, Pretraining LLMs with NVFP4, arXiv 2509.25149, section 4.1: the last layers, about 15 % of all",
    )
    adapter_rank: Term | None = count(
        doc="rank of adapters (LoRA) that are trained instead of the parameters; without it all parameters are",
        optional=True,
    )


@spec(kind="precision", within=("model", "deployment", "scenario"), cited=False)
class PrecisionBlock:
    """Data types by role."""

    weights: str = choice(
        *DTYPE_NAMES, doc="stored parameters", default="bf16", source="published checkpoints are bf16"
    )
    activations: str | None = choice(
        *DTYPE_NAMES,
        doc="what is computed in; without it that of the weights where the device can, else bf16",
        optional=True,
    )
    kv: str | None = choice(*DTYPE_NAMES, doc="the KV cache; without it 16 bit", optional=True)
    head: str | None = choice(
        *DTYPE_NAMES, doc="stored embedding and lm_head; without it 16 bit or more", optional=True
    )
    experts: str | None = choice(
        *DTYPE_NAMES,
        doc="what routed experts are computed in; without it what the runtime narrows to, else as all activations",
        optional=True,
    )


@spec(kind="scheduler", within=("deployment", "pool"), cited=False)
class Scheduler:
    """How an engine forms batches."""

    policy: str | None = choice(
        "continuous",
        "prefill_first",
        doc="under a concurrency: prompts share steps with decoding, or have steps of their own that go first; without it "
        "that of the runtime, else continuous",
        optional=True,
    )
    max_batch: Term | None = count(doc="most sequences that a replica runs at once", optional=True)
    chunked_prefill: Term = count(
        unit="tok",
        doc="most prompt tokens of a step",
        default=8192,
        source="max_num_tokens of TensorRT-LLM, chunked_prefill_size of SGLang and max_num_batched_tokens of vLLM's server "
        "on devices of 70 GB and more",
    )
    bunching: Term | None = quantity(
        doc="share of the other clients whose prompts arrive together with a request; without it that of the runtime or policy",
        ge=0,
        le=1,
        optional=True,
    )
    request_latency: Term | None = quantity(
        "s",
        doc="time of a request outside of steps, which holds up no other: network, text to tokens, queues; without it that "
        "of the runtime",
        ge=0,
        optional=True,
    )
    prefix_cache: bool | None = flag(doc="whether shared prefixes are kept", planned=True)
    step_overhead: Term = quantity(
        "s",
        doc="time of the host between two steps that nothing hides",
        ge=0,
        default=0.0,
        source="asynchronous scheduling with captured graphs hides the host; give it for an engine that does not",
    )


@spec(kind="deployment.memory", within=("deployment", "pool"), cited=False)
class MemoryPolicy:
    """What an engine keeps free of weights and KV cache, and what it puts into a tier behind the device's memory."""

    reserve: Term | None = quantity(
        "B",
        doc="bytes of a device that the engine itself needs; without it those of the package",
        ge=0,
        optional=True,
    )
    weights: str = choice(
        "resident",
        "spilled",
        "streamed",
        doc="weights: all in the device's memory, those that do not fit in a tier behind it, or all in that tier",
        default="resident",
        source="offloading costs so much time that an engine asks for it (`--cpu-offload-gb` of vLLM)",
    )
    kv: str = choice(
        "resident",
        "spilled",
        doc="KV cache: all in the device's memory, or what does not fit in a tier behind it",
        default="resident",
        source="as for weights",
    )
    tier: str | None = choice(
        doc="label of the memory behind the device that takes what this policy puts there; without it the nearest",
        optional=True,
    )
    kv_block: Term = count(
        unit="tok", doc="tokens of one block of KV cache", default=16, source="vLLM's default block size"
    )

    @property
    def is_resident(self) -> bool:
        """Whether all weights and the whole KV cache stay in the device's memory."""
        return self.weights == "resident" and self.kv == "resident"


@spec(kind="pool", within=("deployment",), cited=False)
class Pool:
    """One of several groups of devices that serve a phase each."""

    nodes: Term | None = count(doc="nodes of the pool; without it as many as its split needs", optional=True)
    keeps_up: bool = flag(
        doc="of the prefill pool: whether it has its split as often as it takes to keep up with decoding",
        default=False,
        source="a pool is as large as its blocks say",
    )
    redundant_experts: Term | None = count(doc="experts that are held twice", optional=True, ge=0)


@spec(kind="all_to_all", within=("deployment", "pool"), cited=False)
class AllToAll:
    """How tokens travel to experts and back."""

    algorithm: str | None = choice("direct", "hierarchical", doc="route", planned=True)
    dispatch: str | None = choice(*DTYPE_NAMES, doc="data type on the way there", planned=True)
    combine: str | None = choice(*DTYPE_NAMES, doc="data type on the way back", planned=True)
    overlap: str | None = choice("none", "two_microbatch", doc="what hides it", planned=True)


@spec(kind="kv_transfer", within=("deployment",), cited=False)
class KvTransfer:
    """How the KV cache moves from a prefill to a decode pool."""

    via: str | None = choice("rdma", "tcp", "nvlink", doc="transport", planned=True)
    overlap: str | None = choice(
        "none", "layerwise", doc="what hides it: nothing, or the work on the layers behind", optional=True
    )


@spec(kind="speculative", within=("deployment", "pool"), cited=False)
class SpeculativeDecoding:
    """Speculative decoding: tokens are proposed, and one step of the model checks all of them."""

    method: str = choice(
        "mtp",
        "draft",
        "ngram",
        doc="who proposes tokens: layers of the model itself, a small model, or the text so far",
        default="mtp",
        source="the one that needs no second model",
    )
    depth: Term = count(
        doc="tokens proposed at once", default=1, source="DeepSeek-V3 report (arXiv 2412.19437) section 5.4.3"
    )
    acceptance: Term = fraction(
        doc="chance that a proposed token is accepted",
        default=0.85,
        source="DeepSeek-V3 report (arXiv 2412.19437) section 5.4.3: 85 to 90 % for the second token",
    )
    draft: Term | None = quantity(
        doc="time of proposing one token, as a share of a step; without it that of one layer",
        ge=0,
        optional=True,
    )


@spec(kind="deployment", within=("file", "scenario"), cited=False)
class Deployment:
    """A model on a system: how it is split and in which precision."""

    system: Any = ref("cluster", "rack", "node", "package", doc="the hardware")
    model: Any = ref("model", doc="the model")
    calibration: Any = ref("calibration", doc="measured behaviour of the device", optional=True)
    runtime: Any = ref("runtime", doc="the software that serves; without it kernels alone", optional=True)
    precision: Any = block("precision", doc="data types; they go before those of the model")
    memory: Any = block("deployment.memory", doc="what is kept free")
    scheduler: Any = block("scheduler", doc="how batches form")
    speculative: Any = block("speculative", doc="who proposes tokens ahead")


@spec(kind="slo", within=("file", "scenario"), cited=False)
class Slo:
    """Targets: `require` what must hold, `prefer` what should."""


@spec(kind="objective", within=("file", "scenario"), cited=False)
class ObjectiveBlock:
    """What makes one configuration better than another."""


@spec(kind="scenario", within=("file",), cited=False)
class Scenario:
    """One question: a deployment under a workload."""

    deployment: Any = ref("deployment", doc="what serves")
    workload: Any = ref("workload", doc="what is asked")
    slo: Any = ref("slo", doc="targets", optional=True)
    objective: Any = ref("objective", doc="what is better", optional=True)
    seed: Term | None = count(doc="of random numbers", planned=True, ge=0)
    fidelity: str | None = choice("analytic", "event", doc="how closely time is followed", planned=True)


@spec(kind="study", within=("file",), cited=False)
class StudyBlock:
    """Sweeps over a scenario."""

    base: Any = ref("scenario", doc="the scenario that is varied", optional=True)


@spec(kind="uncertainty", within=("study", "scenario"), cited=False)
class UncertaintyBlock:
    """How tolerances become error bars."""

    method: str | None = choice("sobol", "monte_carlo", "linear", doc="how", planned=True)
    samples: Term | None = count(doc="points", planned=True)
    over: Any = listing(doc="which values vary", planned=True)


@spec(kind="report", within=("study", "scenario"), cited=False)
class ReportBlock:
    """What a study shows."""

    pareto: Any = listing(doc="goals and metrics that the Pareto front trades off; without it the goals")
    group_by: Any = listing(doc="swept paths whose values separate groups, each with its own summary")
    breakdown: Any = listing(doc="parts that are shown", planned=True)


@spec(kind="limits", within=("study", "scenario"), cited=False)
class StudyLimits:
    """Bounds of a study."""

    points: Term | None = count(doc="most points that the sweeps may have", optional=True)
    time: Term | None = quantity(
        "s", doc="longest run; a sweep then stops and keeps what is done", gt=0, optional=True
    )
    workers: Any = anything(doc="processes, or auto")
    chunk_time: Term | None = quantity(
        "s",
        doc="longest time for one chunk of points, where processes of their own evaluate them; 600 s unless given",
        gt=0,
        optional=True,
    )
    on_error: str | None = choice(
        "record",
        "stop",
        doc="what a chunk of points that fails does: it is recorded, or ends the sweep",
        default="record",
        source="a sweep of hours should not be lost to one plugin",
    )


SCENARIO_BLOCKS = (
    Load,
    Training,
    PrecisionBlock,
    Scheduler,
    MemoryPolicy,
    Pool,
    AllToAll,
    KvTransfer,
    SpeculativeDecoding,
    Deployment,
    Slo,
    ObjectiveBlock,
    Scenario,
    StudyBlock,
    UncertaintyBlock,
    ReportBlock,
    StudyLimits,
)
"""Every spec of this module, in the order of the documentation."""
