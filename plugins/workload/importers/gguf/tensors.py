"""What the tensor table of a GGUF file says about layers: biases, gates, normalisations, experts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from accelscope.plugins.workload.importers.gguf.file import GgufTensor

_NORMS = ("attn_norm", "attn_norm_2", "post_attention_norm", "ffn_norm", "post_ffw_norm", "layer_output_norm")
_KNOWN = re.compile(
    r"(token_embd|position_embd|output|output_norm)\.(weight|bias)|rope_(freqs|factors_long|factors_short)\.weight"
    r"|blk\.\d+\.((attn_(norm|norm_2|q|k|v|qkv|output|q_norm|k_norm|q_a|q_b|kv_a_mqa|kv_b|k_b|v_b|q_a_norm|kv_a_norm"
    r"|rot_embd)|post_attention_norm|ffn_norm|post_ffw_norm|layer_output_norm|ffn_(gate|up|down|gate_inp)"
    r"|ffn_(gate|up|down|gate_up)_exps|ffn_(gate|up|down)_shexp|ffn_gate_inp_shexp|exp_probs_b|attn_sinks)"
    r"\.(weight|bias)|attn_sinks|exp_probs_b|nextn\..*|rope_freqs\.weight)"
)


@frozen(kw_only=True)
class GgufTensorTable:
    """The tensor table of a file."""

    items: tuple[GgufTensor, ...]

    def named(self, name: str) -> GgufTensor | None:
        """Return a tensor by its name."""
        return next((item for item in self.items if item.name == name), None)

    def block(self, ending: str) -> GgufTensor | None:
        """Return the first tensor of a layer that is called so."""
        pattern = re.compile(rf"blk\.\d+\.{re.escape(ending)}")
        return next((item for item in self.items if pattern.fullmatch(item.name)), None)

    def has(self, ending: str) -> bool:
        """Return whether some layer has a tensor."""
        return self.block(ending) is not None

    def size(self, name: str, axis: int, *, block: bool = False) -> int | None:
        """Return one size of a tensor, the inner one being the first; None where there is no such tensor."""
        found = self.block(name) if block else self.named(name)
        return found.shape[axis] if found is not None and axis < len(found.shape) else None

    def layers_with(self, ending: str, layers: int) -> int:
        """Return how many of the first layers have a tensor."""
        names = {item.name for item in self.items}
        return sum(f"blk.{index}.{ending}" in names for index in range(layers))

    def count_prediction_layers(self) -> int:
        """Return how many layers predict further tokens."""
        found = (re.match(r"blk\.(\d+)\.nextn\.", item.name) for item in self.items)
        return len({match.group(1) for match in found if match})

    def norms(self) -> int:
        """Return the normalisations of a layer, those of queries, keys and latents aside."""
        return sum(self.has(f"{name}.weight") for name in _NORMS)

    def gated(self, width: int | None) -> bool:
        """Return whether the network has a gate, in a matrix of its own or in one with the up projection."""
        fused = self.size("ffn_up.weight", 1, block=True)
        if any(self.has(f"{name}.weight") for name in ("ffn_gate", "ffn_gate_exps", "ffn_gate_up_exps")):
            return True
        return fused is not None and width is not None and fused == 2 * width

    def qk_norm(self, head_dim: object) -> str:
        """Return how queries and keys are normalised: each head, all heads as one, or not at all."""
        found = self.block("attn_q_norm.weight")
        if found is None:
            return "none"
        return "per_head" if found.elements == head_dim else "full"

    def attention_bias(self) -> str:
        """Return which projections of the attention have a bias."""
        inputs = self.has("attn_q.bias") or self.has("attn_qkv.bias")
        output = self.has("attn_output.bias")
        if inputs:
            return "all" if output else "qkv"
        return "out" if output else "none"

    def find_unsupported(self) -> Iterator[str]:
        """Yield what is wrong where tensors belong to something that no field describes."""
        unknown = sorted(
            {re.sub(r"blk\.\d+", "blk.*", x.name) for x in self.items if not _KNOWN.fullmatch(x.name)}
        )
        if unknown:
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            yield f"no field of a model here describes the tensors {', '.join(unknown[:5])}{more}"
