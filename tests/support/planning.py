"""Plans of real models under all strategies, and what their ranks do and hold together."""

from __future__ import annotations

from accelscope.core.ir.hardware import Device, Machine
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Plan
from accelscope.core.numeric.term import term
from accelscope.core.testing.conformance_plans import BF16_PRECISION
from accelscope.plugins.parallelism.cache import DECODE_CONTEXT, DecodeContextParallelism
from accelscope.plugins.parallelism.context import CONTEXT, ContextParallelism
from accelscope.plugins.parallelism.data import DATA, DataParallelism
from accelscope.plugins.parallelism.expert import EXPERT, ExpertParallelism
from accelscope.plugins.parallelism.fsdp import SHARDING, Sharding
from accelscope.plugins.parallelism.pipeline import PIPELINE, PipelineParallelism
from accelscope.plugins.parallelism.tensor import TENSOR, TensorParallelism
from accelscope.plugins.workload.decoder.decoder import build_decoder
from accelscope.plugins.workload.decoder.spec import Decoder, Experts, LatentAttention

MACHINE = Machine(
    device=Device(name="any", engines=(), memories=(), package=None), devices=term(4096), tiers=()
)
STRATEGIES = (
    (DATA, DataParallelism),
    (TENSOR, TensorParallelism),
    (DECODE_CONTEXT, DecodeContextParallelism),
    (CONTEXT, ContextParallelism),
    (EXPERT, ExpertParallelism),
    (PIPELINE, PipelineParallelism),
    (SHARDING, Sharding),
)
_N = term
LLAMA = Decoder(
    layers=_N(80), hidden=_N(8192), heads=_N(64), kv_heads=_N(8), head_dim=_N(128), vocab=_N(128_256), ffn=_N(28_672),
)  # fmt: skip
MHA = Decoder(layers=_N(32), hidden=_N(4096), heads=_N(32), kv_heads=_N(32), vocab=_N(32_000), ffn=_N(11_008))
WINDOWED = Decoder(
    layers=_N(32), hidden=_N(4096), heads=_N(32), kv_heads=_N(8), vocab=_N(32_000), ffn=_N(14_336), sliding_window=_N(4096),
    global_every=_N(4),
)  # fmt: skip
DEEPSEEK = Decoder(
    layers=_N(60), hidden=_N(7168), heads=_N(128), vocab=_N(129_280),
    attention=LatentAttention(
        kv_rank=_N(512), q_rank=_N(1536), rope_dim=_N(64), nope_dim=_N(128), v_dim=_N(128)
    ),
    experts=Experts(
        routed=_N(256), shared=_N(1), top_k=_N(8), ffn=_N(2048), dense_layers=_N(4), dense_ffn=_N(18_432),
    ),
)  # fmt: skip
QWEN_MOE = Decoder(
    layers=_N(48), hidden=_N(2048), heads=_N(32), kv_heads=_N(4), head_dim=_N(128),
    vocab=_N(151_936), experts=Experts(routed=_N(128), top_k=_N(8), ffn=_N(768)),
)  # fmt: skip


def decode(sequences=64, context=8191):
    return Step(
        phase="decode", sequences=term(sequences), tokens=term(1, "tok"), context=term(context, "tok")
    )


def prefill(sequences=1, tokens=8192, context=0):
    return Step(
        phase="prefill", sequences=term(sequences), tokens=term(tokens, "tok"), context=term(context, "tok")
    )


def plan(model=LLAMA, step=None, *, order=STRATEGIES, **degrees):
    """Return the plan of one rank; degrees are fields of any strategy."""
    chosen = []
    for record, cls in order:
        own = {name: value for name, value in degrees.items() if hasattr(cls(), name)}
        given = {name: value if isinstance(value, str | bool) else term(value) for name, value in own.items()}
        chosen.append((record, cls(**given)))
    assert all(any(hasattr(spec, name) for _, spec in chosen) for name in degrees)
    step = step or decode()
    for record, spec in chosen:
        step = record.split(spec, step)
    workload = build_decoder(model, step, BF16_PRECISION)
    made = Plan(
        ops=workload.ops,
        residency=workload.residency,
        workload=workload,
        microbatches=step.microbatches,
        phase=step.phase,
    )
    for record, spec in chosen:
        made = record.shard(spec, made, MACHINE)
    return made


def together(made, what, kinds=()):
    """Return what all ranks of a plan do in all micro-batches."""
    each = sum(
        float((getattr(op, what) * op.repeat).value) for op in made.ops if not kinds or op.kind in kinds
    )
    return each * float(made.ranks.value) * float(made.microbatches.value)


def op(made, name):
    return next(item for item in made.ops if item.name == name)


def said(made, kind=None):
    """Return the collectives of several ranks."""
    return [item for item in made.collectives if item.ranks.value > 1 and kind in (None, item.kind)]


def broken(made):
    return [limit.name for limit in made.limits if limit.used.value > limit.available.value]
