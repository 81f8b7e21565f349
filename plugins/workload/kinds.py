"""Records of the blocks that stand in a `model` block."""

from __future__ import annotations

from accelscope.core.records import KindRecord
from accelscope.plugins.workload.spec import Experts, GroupedAttention, LatentAttention, Mtp

KINDS = (
    KindRecord(name="grouped", doc="Attention whose query heads share KV heads.", spec=GroupedAttention),
    KindRecord(name="mla", doc="Multi-head latent attention.", spec=LatentAttention),
    KindRecord(name="experts", doc="Experts behind a router.", spec=Experts),
    KindRecord(name="mtp", doc="Layers that predict further tokens.", spec=Mtp),
)
