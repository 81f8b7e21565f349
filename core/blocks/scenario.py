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
        doc="static batch: sequences of the whole system that start and end together", optional=True
    )
    concurrency: Term | None = count(
        doc="closed loop: clients of the whole system, each of which sends its next request when the previous one completes",
        optional=True,
    )
    prompt: Term = count(unit="tok", doc="prompt tokens per request")
    output: Term = count(unit="tok", doc="output tokens per request")
    arrivals: Term | None = quantity("req/s", doc="open loop: request arrival rate", gt=0, planned=True)
    prefix_sharing: Term | None = fraction(
        doc="fraction of prompt tokens found in the prefix cache", planned=True
    )
    horizon: Term | None = quantity("s", doc="duration of a simulated run", gt=0, planned=True)


@spec(
    kind="workload", select={"kind": ("training",)}, default=False, within=("file", "scenario"), cited=False
)
class Training:
    """One step of training: a batch of sequences goes forward and backward, and the parameters are updated."""

    batch: Term = count(doc="global batch size: sequences per training step in the whole system")
    sequence_length: Term = count(
        unit="tok", aliases=("sequence",), doc="tokens per sequence, packed short sequences included"
    )
    micro_batch: Term = count(
        doc="micro-batch size: sequences that a replica processes at once",
        default=1,
        source="Megatron-LM: the least activations, and the smallest pipeline bubble",
    )
    recompute: str = choice(
        "none",
        "selective",
        "full",
        doc="activation recomputation in the backward pass: none, selective (normalizations and activation functions) or full layers; attention scores are never stored",
        default="none",
        source="Korthikanti et al., arXiv 2205.05198, sections 4 and 5: none is fastest where the memory allows it",
    )
    gradient_dtype: str = choice(
        *DTYPE_NAMES,
        aliases=("gradients",),
        doc="data type in which gradients are stored and accumulated",
        default="fp32",
        source="Megatron-LM keeps main gradients at 32 bit; torch FSDP sums in the type of the parameters unless told otherwise",
    )
    optimizer_bytes_per_param: Term = quantity(
        "B",
        aliases=("states",),
        doc="bytes of optimizer state per parameter",
        ge=0,
        default=12,
        source="Adam with a 32-bit copy of the parameters, momentum and variance: ZeRO (arXiv 1910.02054) section 3.1",
    )
    bf16_layer_fraction: Term = fraction(
        aliases=("wide",),
        doc="fraction of layers whose matrix multiplications stay in 16 bit if the others use 4 bit",
        default=0.15,
        source="NVIDIA, Pretraining LLMs with NVFP4, arXiv 2509.25149, section 4.1: the last layers, about 15 % of all",
    )
    lora_rank: Term | None = count(
        aliases=("adapter_rank",),
        doc="rank of the LoRA adapters that are trained; if absent, all parameters are trained",
        optional=True,
    )


@spec(kind="precision", within=("model", "deployment", "scenario"), cited=False)
class PrecisionBlock:
    """Data types by role."""

    weights: str = choice(
        *DTYPE_NAMES,
        doc="data type of stored weights",
        default="bf16",
        source="published checkpoints are bf16",
    )
    activations: str | None = choice(
        *DTYPE_NAMES,
        doc="data type of computation; if absent, that of the weights if the device supports it, else bf16",
        optional=True,
    )
    kv: str | None = choice(*DTYPE_NAMES, doc="data type of the KV cache; if absent, 16 bit", optional=True)
    lm_head: str | None = choice(
        *DTYPE_NAMES,
        aliases=("head",),
        doc="data type of the stored embedding and lm_head; if absent, 16 bit or wider",
        optional=True,
    )
    expert_activations: str | None = choice(
        *DTYPE_NAMES,
        aliases=("experts",),
        doc="data type in which routed experts are computed; if absent, the runtime's choice, else that of the activations",
        optional=True,
    )


@spec(kind="scheduler", within=("deployment", "pool"), cited=False)
class Scheduler:
    """How an engine forms batches."""

    policy: str | None = choice(
        "continuous",
        "prefill_first",
        doc="scheduling policy: prefill and decode share steps, or prefill has its own steps and takes precedence; if absent, the runtime's, else continuous",
        optional=True,
    )
    max_batch: Term | None = count(doc="maximum sequences that a replica runs at once", optional=True)
    chunked_prefill: Term = count(
        unit="tok",
        doc="maximum prompt tokens in one step; longer prompts are split over several steps",
        default=8192,
        source="max_num_tokens of TensorRT-LLM, chunked_prefill_size of SGLang and max_num_batched_tokens of vLLM's server "
        "on devices of 70 GB and more",
    )
    arrival_correlation: Term | None = quantity(
        aliases=("bunching",),
        doc="fraction of the other clients whose prompts arrive at the same time as a request; if absent, that of the runtime or policy",
        ge=0,
        le=1,
        optional=True,
    )
    frontend_latency: Term | None = quantity(
        "s",
        aliases=("request_latency",),
        doc="latency of a request outside engine steps, without delaying other requests: network, tokenization, queues; if absent, that of the runtime",
        ge=0,
        optional=True,
    )
    prefix_cache: bool | None = flag(doc="whether the KV cache of shared prefixes is reused", planned=True)
    step_overhead: Term = quantity(
        "s",
        doc="exposed host time between two steps",
        ge=0,
        default=0.0,
        source="asynchronous scheduling with captured graphs hides the host; give it for an engine that does not",
    )


@spec(kind="deployment.memory", within=("deployment", "pool"), cited=False)
class MemoryPolicy:
    """What an engine keeps free of weights and KV cache, and what it puts into a tier behind the device's memory."""

    reserve: Term | None = quantity(
        "B",
        doc="device memory reserved for the engine itself; if absent, the package's value",
        ge=0,
        optional=True,
    )
    weights: str = choice(
        "resident",
        "partial_offload",
        "full_offload",
        symbol_aliases={"spilled": "partial_offload", "streamed": "full_offload"},
        doc="weight placement: all in device memory, the part that does not fit offloaded, or all offloaded to the tier behind it",
        default="resident",
        source="offloading costs so much time that an engine asks for it (`--cpu-offload-gb` of vLLM)",
    )
    kv: str = choice(
        "resident",
        "partial_offload",
        symbol_aliases={"spilled": "partial_offload"},
        doc="KV-cache placement: all in device memory, or the part that does not fit offloaded to the tier behind it",
        default="resident",
        source="as for weights",
    )
    tier: str | None = choice(
        doc="label of the memory that receives offloaded data; if absent, the nearest tier behind the device memory",
        optional=True,
    )
    kv_block: Term = count(
        unit="tok", doc="tokens per KV-cache block", default=16, source="vLLM's default block size"
    )

    @property
    def is_resident(self) -> bool:
        """Whether all weights and the whole KV cache stay in the device's memory."""
        return self.weights == "resident" and self.kv == "resident"


@spec(kind="pool", within=("deployment",), cited=False)
class Pool:
    """One of several groups of devices that serve a phase each."""

    nodes: Term | None = count(
        doc="nodes of the pool; if absent, as many as its parallelism requires", optional=True
    )
    autosize: bool = flag(
        aliases=("keeps_up",),
        doc="whether the prefill pool is replicated as often as needed to keep up with the decode pool",
        default=False,
        source="a pool is as large as its blocks say",
    )
    redundant_experts: Term | None = count(doc="number of experts with a second copy", optional=True, ge=0)


@spec(kind="all_to_all", within=("deployment", "pool"), cited=False)
class AllToAll:
    """How tokens travel to experts and back."""

    algorithm: str | None = choice(
        "direct", "hierarchical", doc="all-to-all algorithm: direct or hierarchical", planned=True
    )
    dispatch: str | None = choice(*DTYPE_NAMES, doc="data type of tokens sent to experts", planned=True)
    combine: str | None = choice(*DTYPE_NAMES, doc="data type of expert outputs sent back", planned=True)
    overlap: str | None = choice(
        "none", "two_microbatch", doc="computation that the all-to-all overlaps with", planned=True
    )


@spec(kind="kv_transfer", within=("deployment",), cited=False)
class KvTransfer:
    """How the KV cache moves from a prefill to a decode pool."""

    via: str | None = choice("rdma", "tcp", "nvlink", doc="transport of the KV-cache transfer", planned=True)
    overlap: str | None = choice(
        "none",
        "layerwise",
        doc="overlap of the transfer: none, or layer by layer with the computation of later layers",
        optional=True,
    )


@spec(kind="speculative", within=("deployment", "pool"), cited=False)
class SpeculativeDecoding:
    """Speculative decoding: tokens are proposed, and one step of the model checks all of them."""

    method: str = choice(
        "mtp",
        "draft_model",
        "ngram",
        symbol_aliases={"draft": "draft_model"},
        doc="source of draft tokens: multi-token-prediction layers, a draft model, or n-gram lookup",
        default="mtp",
        source="the one that needs no second model",
    )
    depth: Term = count(
        doc="draft tokens per step", default=1, source="DeepSeek-V3 report (arXiv 2412.19437) section 5.4.3"
    )
    acceptance: Term = fraction(
        doc="probability that a draft token is accepted",
        default=0.85,
        source="DeepSeek-V3 report (arXiv 2412.19437) section 5.4.3: 85 to 90 % for the second token",
    )
    draft_time_fraction: Term | None = quantity(
        aliases=("draft",),
        doc="time of drafting one token, as a fraction of a decode step; if absent, that of one layer",
        ge=0,
        optional=True,
    )


@spec(kind="deployment", within=("file", "scenario"), cited=False)
class Deployment:
    """A model on a system: how it is split and in which precision."""

    system: Any = ref("cluster", "rack", "node", "package", doc="hardware system")
    model: Any = ref("model", doc="the model")
    calibration: Any = ref("calibration", doc="calibration of the device", optional=True)
    runtime: Any = ref(
        "runtime", doc="serving runtime; if absent, kernels without host overheads", optional=True
    )
    precision: Any = block("precision", doc="data types; these take precedence over those of the model")
    memory: Any = block("deployment.memory", doc="memory policy: reserved memory and offloading")
    scheduler: Any = block("scheduler", doc="batch scheduling")
    speculative: Any = block("speculative", doc="speculative decoding")


@spec(kind="slo", within=("file", "scenario"), cited=False)
class Slo:
    """Targets: `require` what must hold, `prefer` what should."""


@spec(kind="objective", within=("file", "scenario"), cited=False)
class ObjectiveBlock:
    """What makes one configuration better than another."""


@spec(kind="scenario", within=("file",), cited=False)
class Scenario:
    """One question: a deployment under a workload."""

    deployment: Any = ref("deployment", doc="deployment to evaluate")
    workload: Any = ref("workload", doc="workload to serve or train")
    slo: Any = ref("slo", doc="service-level objectives", optional=True)
    objective: Any = ref("objective", doc="optimization objective", optional=True)
    seed: Term | None = count(doc="seed of random numbers", planned=True, ge=0)
    fidelity: str | None = choice(
        "analytic", "event", doc="analytical model or event-driven simulation", planned=True
    )


@spec(kind="study", within=("file",), cited=False)
class StudyBlock:
    """Sweeps over a scenario."""

    base: Any = ref("scenario", doc="base scenario of the sweeps", optional=True)


@spec(kind="uncertainty", within=("study", "scenario"), cited=False)
class UncertaintyBlock:
    """How tolerances become error bars."""

    method: str | None = choice(
        "sobol", "monte_carlo", "linear", doc="uncertainty propagation method", planned=True
    )
    samples: Term | None = count(doc="number of samples", planned=True)
    over: Any = listing(doc="parameters that are varied", planned=True)


@spec(kind="report", within=("study", "scenario"), cited=False)
class ReportBlock:
    """What a study shows."""

    pareto: Any = listing(doc="metrics and goals of the Pareto front; if absent, the goals")
    group_by: Any = listing(
        doc="swept paths by whose values results are grouped, each group with its own summary"
    )
    breakdown: Any = listing(doc="components shown in the breakdown", planned=True)


@spec(kind="limits", within=("study", "scenario"), cited=False)
class StudyLimits:
    """Bounds of a study."""

    points: Term | None = count(doc="maximum number of sweep points", optional=True)
    time: Term | None = quantity(
        "s", doc="maximum run time; the sweep then stops and keeps its results", gt=0, optional=True
    )
    workers: Any = anything(doc="number of worker processes, or auto")
    chunk_timeout: Term | None = quantity(
        "s",
        aliases=("chunk_time",),
        doc="timeout of one chunk of points in a worker process; 600 s if absent",
        gt=0,
        optional=True,
    )
    on_error: str | None = choice(
        "record",
        "stop",
        doc="whether a failing chunk of points is recorded or stops the sweep",
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
