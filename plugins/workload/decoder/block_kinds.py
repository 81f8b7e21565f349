"""Records of the blocks that stand in a `model` block."""

from __future__ import annotations

from accelscope.core.plugin.records import KindRecord
from accelscope.plugins.workload.decoder.spec import (
    Encoder,
    Experts,
    GroupedAttention,
    Indexer,
    LatentAttention,
    Mtp,
    SharedBlock,
)

MODEL_BLOCK_KINDS = (
    KindRecord(name="grouped", doc="Attention whose query heads share KV heads.", spec=GroupedAttention),
    KindRecord(name="mla", doc="Multi-head latent attention.", spec=LatentAttention),
    KindRecord(name="indexer", doc="Sparse attention by an indexer.", spec=Indexer),
    KindRecord(name="shared_block", doc="Attention and network that several places share.", spec=SharedBlock),
    KindRecord(name="encoder", doc="Encoder that each decoder layer attends to.", spec=Encoder),
    KindRecord(name="experts", doc="Experts behind a router.", spec=Experts),
    KindRecord(name="mtp", doc="Layers that predict further tokens.", spec=Mtp),
)
