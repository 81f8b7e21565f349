"""The feed-forward network of a Hugging Face configuration: its width, its activation and its biases."""

from __future__ import annotations

from collections.abc import Mapping

from accelscope.plugins.workload.importers.huggingface.architecture import HuggingFaceArchitecture
from accelscope.plugins.workload.importers.huggingface.attention import has_biases
from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys

_GATED = {"silu": "swiglu", "swish": "swiglu", "gelu": "geglu", "gelu_pytorch_tanh": "geglu", "relu": "reglu"}
_PLAIN = {
    "gelu": "gelu", "gelu_new": "gelu", "gelu_fast": "gelu", "gelu_pytorch_tanh": "gelu", "relu": "relu",
    "relu2": "relu2", "silu": "silu",
}  # fmt: skip
_ACTIVATION = (
    "hidden_activation", "hidden_act", "mlp_hidden_act", "activation_function", "hidden_activation_function",
    "activation", "ffn_act_fn",
)  # fmt: skip
_WIDTH = ("hidden_size", "n_embd", "d_model", "dim", "n_embed")
_INNER = ("n_inner", "ffn_dim", "ffn_hidden_size", "block_ff_dim")
_FOURFOLD = ("gpt2", "bloom", "gptj", "falcon", "zamba2")


def read_ffn_width(keys: ConfigKeys, family: HuggingFaceArchitecture, model_type: str) -> int | None:
    """Return the inner width of a layer without experts, or None where no key gives it."""
    names = tuple(name for name in (family.dense_key, *_INNER) if name != family.expert_key or not family.moe)
    if family.rules == "lfm2" and keys.flag("block_auto_adjust_ff_dim", True):
        return _adjusted(keys, *names)
    inner = keys.count(*names)
    width = keys.whole(*_WIDTH)
    if inner is None and width is not None:
        ratio = keys.count("expansion_ratio")
        if ratio is None and model_type in _FOURFOLD:
            ratio = 4  # transformers 5.23: n_inner or ffn_hidden_size is 4 * hidden_size
        inner = None if ratio is None else ratio * width
    return inner


def _adjusted(keys: ConfigKeys, *names: str) -> int | None:
    """Return two thirds of a width, times a factor, rounded up: transformers 5.23 modeling_lfm2.py, Lfm2MLP."""
    given = keys.count(*names)
    factor, unit = keys.raw("block_ffn_dim_multiplier"), keys.count("block_multiple_of")
    if given is None or unit is None:
        return None
    inner = int(2 * given / 3)
    if factor is None:
        return inner
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor < 1000:
        keys.problems.append(f"`block_ffn_dim_multiplier` must be a positive number, not {factor!r}")
        return None
    return unit * -(-int(factor * inner) // unit)


def read_activation(keys: ConfigKeys, family: HuggingFaceArchitecture) -> str | None:
    """Return the activation function."""
    found = keys.raw(*_ACTIVATION)
    if isinstance(found, Mapping):  # DBRX: {"name": "silu"}
        found = found.get("name")
    known = _GATED if family.gated else _PLAIN
    if isinstance(found, str) and found in known:
        return known[found]
    keys.problems.append(f"activation function {found!r} is not known; known: {', '.join(known)}")
    return None


def read_mlp_bias(keys: ConfigKeys, family: HuggingFaceArchitecture) -> bool:
    """Return whether the network has biases."""
    if family.bias_key is not None:
        return has_biases(keys, family)
    return keys.flag("mlp_bias", False) if family.mlp_bias is None else family.mlp_bias
