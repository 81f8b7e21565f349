"""GGUF files, written tiny with GGUFWriter: sizes, stored bytes, and what is refused."""

from __future__ import annotations

import re
import struct
import sys

import numpy as np
import pytest

from accelscope.core.cli.main import run_cli
from accelscope.core.errors import UsageError
from accelscope.plugins.workload.decoder.parameters import count_parameters
from accelscope.plugins.workload.importers.gguf.file import GgufFile, GgufTensor, read_gguf_file
from accelscope.plugins.workload.importers.gguf.reader import GGUF_ARCHITECTURES, read_gguf
from accelscope.plugins.workload.importers.gguf.storage import summarise_tensors

gguf = pytest.importorskip("gguf")
QUANT = gguf.GGMLQuantizationType

HIDDEN, FFN, HEADS, KV, DIM, VOCAB, LAYERS = 256, 512, 4, 2, 64, 96, 3
SIZES = {
    "block_count": LAYERS, "embedding_length": HIDDEN, "feed_forward_length": FFN, "context_length": 128,
    "attention.head_count": HEADS, "attention.head_count_kv": KV, "attention.layer_norm_rms_epsilon": 1e-6,
}  # fmt: skip
GROUPED = {
    "attn_q.weight": (HEADS * DIM, HIDDEN), "attn_k.weight": (KV * DIM, HIDDEN), "attn_v.weight": (KV * DIM, HIDDEN),
    "attn_output.weight": (HIDDEN, HEADS * DIM),
}  # fmt: skip
NORMS = {"attn_norm.weight": (HIDDEN,), "ffn_norm.weight": (HIDDEN,)}
NETWORK = {"ffn_gate.weight": (FFN, HIDDEN), "ffn_up.weight": (FFN, HIDDEN), "ffn_down.weight": (HIDDEN, FFN)}
EXPERTS = {
    "ffn_gate_inp.weight": (8, HIDDEN), "ffn_gate_exps.weight": (8, FFN, HIDDEN), "ffn_up_exps.weight": (8, FFN, HIDDEN),
    "ffn_down_exps.weight": (8, HIDDEN, FFN),
}  # fmt: skip
ROUTED = SIZES | {"expert_count": 8, "expert_used_count": 2}
TOP = {
    "token_embd.weight": (VOCAB, HIDDEN),
    "output_norm.weight": (HIDDEN,),
    "output.weight": (VOCAB, HIDDEN),
}
TIED = {name: shape for name, shape in TOP.items() if name != "output.weight"}
QK_NORM = {"attn_q_norm.weight": (DIM,), "attn_k_norm.weight": (DIM,)}
AFTER = {"post_attention_norm.weight": (HIDDEN,), "post_ffw_norm.weight": (HIDDEN,)}
LATENT = {
    "attn_q_a.weight": (128, HIDDEN), "attn_q_a_norm.weight": (128,), "attn_q_b.weight": (HEADS * 96, 128),
    "attn_kv_a_mqa.weight": (64 + 32, HIDDEN), "attn_kv_a_norm.weight": (64,),
    "attn_k_b.weight": (HEADS, 64, 64), "attn_v_b.weight": (HEADS, 64, 64), "attn_output.weight": (HIDDEN, HEADS * 64),
}  # fmt: skip
SHARED = {
    "ffn_gate_shexp.weight": (256, HIDDEN),
    "ffn_up_shexp.weight": (256, HIDDEN),
    "ffn_down_shexp.weight": (HIDDEN, 256),
}
BIASES = {"attn_q.bias": (HEADS * DIM,), "attn_k.bias": (KV * DIM,), "attn_v.bias": (KV * DIM,)}
DENSE = {**NORMS, **GROUPED, **NETWORK}
SPARSE = {**NORMS, **GROUPED, **EXPERTS}


def write(path, arch, metadata, layer, top=TOP, kinds=None, leading=None):
    """Write a file whose layers have the tensors of `layer`; the first one those of `leading` where it is given."""
    writer = gguf.GGUFWriter(str(path), arch)
    writer.add_name("Tiny 1")
    for key, value in metadata.items():
        add = {
            int: writer.add_uint32,
            float: writer.add_float32,
            list: writer.add_array,
            str: writer.add_string,
        }
        add[type(value)](f"{arch}.{key}", value)
    tensors = dict(top)
    for index in range(LAYERS):
        chosen = leading if leading is not None and index == 0 else layer
        tensors |= {f"blk.{index}.{name}": shape for name, shape in chosen.items()}
    for name, shape in tensors.items():
        data = np.zeros(shape, dtype=np.float32)
        kind = (kinds or {}).get(re.sub(r"^blk\.\d+\.", "", name))
        if kind is None:
            writer.add_tensor(name, data.astype(np.float16))
        else:
            block, size = gguf.GGML_QUANT_SIZES[kind]
            raw = np.zeros((*shape[:-1], shape[-1] // block * size), dtype=np.uint8)
            writer.add_tensor(name, raw, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


MODELS = {
    "llama": ("llama", SIZES, DENSE, {}, "activation = swiglu"),
    "llama, tied": ("llama", SIZES, DENSE, {"top": TIED}, "tied_embeddings = true"),
    "mixtral": ("llama", ROUTED, SPARSE, {}, "experts { routed = 8, top_k = 2, ffn = 512"),
    "qwen2": ("qwen2", SIZES, {**DENSE, **BIASES}, {}, "attention_bias = qkv"),
    "qwen3": ("qwen3", SIZES | {"attention.key_length": DIM}, {**DENSE, **QK_NORM}, {}, "qk_norm = per_head"),
    "qwen3moe": (
        "qwen3moe", ROUTED | {"expert_feed_forward_length": FFN}, {**SPARSE, **QK_NORM}, {}, "routed = 8",
    ),
    "olmo2": (
        "olmo2", SIZES,
        {**GROUPED, **NETWORK, **AFTER, "attn_q_norm.weight": (HEADS * DIM,), "attn_k_norm.weight": (KV * DIM,)}, {},
        "qk_norm = full",
    ),
    "gemma2": (
        "gemma2", SIZES | {"attention.sliding_window": 64}, {**DENSE, **AFTER}, {"top": TIED}, "global_every = 2",
    ),
    "gemma3": (
        "gemma3", SIZES | {"attention.sliding_window": 64}, {**DENSE, **AFTER, **QK_NORM}, {"top": TIED}, "norms_per_layer = 4",
    ),
    "phi3": (
        "phi3", SIZES | {"attention.head_count_kv": HEADS},
        {
            **NORMS, "attn_qkv.weight": (3 * HIDDEN, HIDDEN), "attn_output.weight": (HIDDEN, HIDDEN),
            "ffn_up.weight": (2 * FFN, HIDDEN), "ffn_down.weight": (HIDDEN, FFN),
        }, {}, "activation = swiglu",
    ),
    "gpt-oss": (
        "gpt-oss", ROUTED | {"attention.sliding_window": 64, "attention.key_length": DIM},
        {
            **{name: shape for name, shape in SPARSE.items() if name != "ffn_norm.weight"},
            "post_attention_norm.weight": (HIDDEN,), **BIASES, "attn_output.bias": (HIDDEN,),
            "attn_sinks.weight": (HEADS,), "ffn_gate_inp.bias": (8,), "ffn_gate_exps.bias": (8, FFN),
            "ffn_up_exps.bias": (8, FFN), "ffn_down_exps.bias": (8, HIDDEN),
        }, {}, "sinks = true",
    ),
    "deepseek2": (
        "deepseek2",
        {key: value for key, value in ROUTED.items() if key != "attention.head_count_kv"} | {
            "attention.head_count_kv": 1, "attention.key_length": 96, "attention.value_length": 64,
            "attention.key_length_mla": 96, "attention.value_length_mla": 64, "attention.q_lora_rank": 128,
            "attention.kv_lora_rank": 64, "rope.dimension_count": 32, "expert_feed_forward_length": FFN,
            "expert_shared_count": 2, "leading_dense_block_count": 1,
        },
        {**NORMS, **LATENT, **EXPERTS, **SHARED, "exp_probs_b.bias": (8,)},
        {"leading": {**NORMS, **LATENT, **NETWORK}}, "shared = 2, shared_ffn = 128",
    ),
    "starcoder2": (
        "starcoder2",
        {key: value for key, value in SIZES.items() if "rms" not in key} | {"attention.layer_norm_epsilon": 1e-5},
        {
            **GROUPED, **NORMS, "attn_norm.bias": (HIDDEN,), "ffn_norm.bias": (HIDDEN,), **BIASES,
            "attn_output.bias": (HIDDEN,), "ffn_up.weight": (FFN, HIDDEN), "ffn_up.bias": (FFN,),
            "ffn_down.weight": (HIDDEN, FFN), "ffn_down.bias": (HIDDEN,),
        },
        {"top": {**TIED, "output_norm.bias": (HIDDEN,)}}, "norm = layernorm",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_file_becomes_a_model_with_as_many_parameters(name, tmp_path, bound):
    arch, metadata, layer, more, written = MODELS[name]
    file = read_gguf_file(write(tmp_path / "tiny.gguf", arch, metadata, layer, **more), "tiny.gguf")
    found = read_gguf(file)
    assert found.problems == ()
    assert found.text is not None
    assert written in found.text
    assert sum(item.elements for item in file.tensors) == int(count_parameters(bound(found.text)).value)


def test_a_list_says_which_layers_have_a_window(tmp_path):
    metadata = SIZES | {
        "attention.sliding_window": 64,
        "attention.sliding_window_pattern": [True, False, False],
    }
    found = read_gguf(read_gguf_file(write(tmp_path / "t.gguf", "llama", metadata, DENSE), "t"))
    assert found.text is not None
    assert "window = 64 tok" in found.text
    assert "global_layers = 2" in found.text


def test_layers_that_predict_further_tokens_are_none_of_the_layers(tmp_path):
    layers = {**DENSE}
    metadata = SIZES | {"nextn_predict_layers": 1, "block_count": LAYERS + 1}
    top = {**TOP, f"blk.{LAYERS}.nextn.eh_proj.weight": (HIDDEN, 2 * HIDDEN)}
    found = read_gguf(read_gguf_file(write(tmp_path / "t.gguf", "glm4moe", metadata, layers, top=top), "t"))
    assert found.text is not None
    assert f"layers = {LAYERS}\n" in found.text
    assert "mtp { depth = 1 }" in found.text


MATRICES = [name for name in (*GROUPED, *NETWORK, *EXPERTS) if name != "ffn_gate_inp.weight"]


@pytest.mark.parametrize(
    "kind, weights",
    [
        ("Q4_K", "nvfp4"),
        ("Q4_0", "nvfp4"),
        ("Q8_0", "mxfp8"),
        ("Q6_K", "mxfp6"),
        ("BF16", "bf16"),
        ("F16", "fp16"),
    ],
)
def test_the_closest_data_type_and_what_it_makes_of_the_bytes(kind, weights, tmp_path):
    kinds = dict.fromkeys([*MATRICES, *TOP], QUANT[kind]) | {"output_norm.weight": None}
    path = write(tmp_path / "t.gguf", "llama", SIZES, DENSE, kinds=kinds)
    file = read_gguf_file(path, "t")
    found = read_gguf(file)
    assert found.text is not None
    assert f"precision {{ weights = {weights}" in found.text
    total = sum(item.bytes for item in file.tensors)
    assert f"in {total:,} bytes" in found.notes[0]
    assert kind in found.notes[0]


def test_bits_per_weight_are_those_of_the_blocks_of_the_type(tmp_path):
    kinds = dict.fromkeys(MATRICES, QUANT.Q4_K)
    file = read_gguf_file(write(tmp_path / "t.gguf", "llama", SIZES, DENSE, kinds=kinds), "t")
    quantised = summarise_tensors(item for item in file.tensors if item.kind == "Q4_K")
    assert quantised.elements == LAYERS * (2 * HIDDEN * (HEADS + KV) * DIM + 3 * HIDDEN * FFN)
    assert quantised.bits == 4.5  # llama.cpp ggml-common.h: a block of 256 weights takes 144 bytes
    assert quantised.counted == quantised.bytes


def llama3_8b_q4_k_m():
    """Yield the tensors of Llama 3 8B as llama.cpp's Q4_K_M mixes them: `use_more_bits` of llama-quant.cpp."""
    hidden, ffn, vocab = 4096, 14336, 128256
    yield "token_embd.weight", (hidden, vocab), "Q4_K"
    yield "output.weight", (hidden, vocab), "Q6_K"
    yield "output_norm.weight", (hidden,), "F32"
    for index in range(32):
        mixed = "Q6_K" if index < 4 or index >= 28 or (index - 4) % 3 == 2 else "Q4_K"
        for name, shape, kind in (
            ("attn_q", (hidden, hidden), "Q4_K"),
            ("attn_k", (hidden, 1024), "Q4_K"),
            ("attn_v", (hidden, 1024), mixed),
            ("attn_output", (hidden, hidden), "Q4_K"),
            ("ffn_gate", (hidden, ffn), "Q4_K"),
            ("ffn_up", (hidden, ffn), "Q4_K"),
            ("ffn_down", (ffn, hidden), mixed),
            ("attn_norm", (hidden,), "F32"),
            ("ffn_norm", (hidden,), "F32"),
        ):
            yield f"blk.{index}.{name}.weight", shape, kind


def tensor(name, shape, kind):
    block, size = gguf.GGML_QUANT_SIZES[QUANT[kind]]
    count = int(np.prod(shape))
    return GgufTensor(name=name, kind=kind, shape=shape, elements=count, bytes=count // block * size)


def test_llama3_8b_in_q4_k_m_as_the_how_to_prints_it():
    found = summarise_tensors(tensor(*item) for item in llama3_8b_q4_k_m())
    assert (found.elements, found.bytes, found.dtype) == (8_030_261_248, 4_912_898_048, "nvfp4")
    assert found.counted - found.bytes == -395_876_096
    assert found.bytes == pytest.approx(4.92e9, rel=0.005)  # size of published Q4_K_M files of the model


def test_experts_in_mxfp4_leave_the_rest_as_it_is(tmp_path):
    kinds = {name: QUANT.MXFP4 for name in EXPERTS if name.endswith("_exps.weight")}
    found = read_gguf(read_gguf_file(write(tmp_path / "t.gguf", "llama", ROUTED, SPARSE, kinds=kinds), "t"))
    assert found.text is not None
    assert "weight_dtype = mxfp4" in found.text.partition("experts {")[2].partition("}")[0]
    assert "precision { weights = fp16" in found.text


def test_command_writes_a_file_that_checks_and_tells_the_bytes(tmp_path, capsys):
    path = write(tmp_path / "t.gguf", "llama", SIZES, DENSE, kinds=dict.fromkeys(MATRICES, QUANT.Q4_K))
    target = tmp_path / "m.accel"
    assert run_cli(["import", "gguf", str(path), "-o", str(target)]) == 0
    said = capsys.readouterr().err
    assert "bits each (Q4_K" in said
    assert "closest data type" in said
    assert "context_length" in said
    assert "model tiny_1 {" in target.read_text()
    assert run_cli(["check", str(target)]) == 0


@pytest.mark.parametrize(
    "arch, metadata, layer, message",
    [
        ("mamba", SIZES, DENSE, "`general.architecture` is `mamba`, which is not known"),
        ("lama", SIZES, DENSE, "did you mean `llama`"),
        ("llama", SIZES, DENSE | {"ssm_in.weight": (8, HIDDEN)}, "the tensors blk.*.ssm_in.weight"),
        ("llama", {**SIZES, "block_count": 2**31}, DENSE, "but no model has more than 10000"),
        ("llama", {**SIZES, "block_count": "three"}, DENSE, "`block_count` must be a whole number"),
        ("llama", {**SIZES, "attention.head_count_kv": 3}, DENSE, "does not divide `attention.head_count` of 4"),
        ("llama", {**SIZES, "attention.head_count_kv": [2, 2, 4]}, DENSE, "differs from layer to layer"),
        ("llama", {**SIZES, "attention.value_length": 32, "attention.key_length": 64}, DENSE, "heads here have one width"),
        ("llama", {**ROUTED, "expert_used_count": 9}, SPARSE, "does not fit into `expert_count` of 8"),
        ("llama", ROUTED, DENSE, "no layer has a router"),
        ("llama", {k: v for k, v in SIZES.items() if "rms" not in k}, DENSE, "nothing says how a layer normalises"),
        ("llama", {k: v for k, v in SIZES.items() if "embedding" not in k}, DENSE, "there is no `embedding_length`"),
    ],
)  # fmt: skip
def test_what_would_have_to_be_guessed_is_a_problem(arch, metadata, layer, message, tmp_path, capsys):
    path = write(tmp_path / "t.gguf", arch, metadata, layer)
    assert run_cli(["import", "gguf", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_a_part_of_a_model_is_no_model():
    tensor = GgufTensor(name="token_embd.weight", kind="F16", shape=(256, 96), elements=24576, bytes=49152)
    file = GgufFile(metadata={"general.architecture": "llama", "split.count": 3}, tensors=(tensor,))
    assert "one of 3 parts" in read_gguf(file).problems[0]


def test_a_file_of_no_known_kind():
    assert "there is no `general.architecture`" in read_gguf(GgufFile(metadata={}, tensors=())).problems[0]
    assert all(arch == arch.lower() for arch in GGUF_ARCHITECTURES)


def header(tensors, keys):
    return struct.pack("<IIQQ", gguf.GGUF_MAGIC, 3, tensors, keys)


def entry(key, kind, value):
    return struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + value


@pytest.mark.parametrize(
    "content",
    [
        b"", b"GGUF", b"not a model at all, but long enough to be read", header(0, 2**62), header(2**62, 0),
        header(0, 1) + entry(b"a", 9, struct.pack("<IQ", 4, 2**60)),  # a list that claims 2^60 numbers
        header(0, 1) + entry(b"a", 9, struct.pack("<IQ", 9, 2**60) * 400),  # lists in lists
        header(0, 1) + entry(b"a", 8, struct.pack("<Q", 2**63)),  # a string that claims 2^63 bytes
        header(0, 1) + entry(b"\xff\xfe", 4, struct.pack("<I", 1)),  # a key that is no text
        header(0, 1) + entry(b"a", 99, struct.pack("<I", 1)),  # a type that does not exist
        header(1, 0) + struct.pack("<Q", 1) + b"x" + struct.pack("<IQIQ", 1, 2**61, 0, 0),  # a tensor of 2^61
        header(1, 0) + struct.pack("<Q", 1) + b"x" + struct.pack("<IQIQ", 1, 32, 77, 0),  # a type that does not exist
    ],
)  # fmt: skip
def test_command_refuses_what_is_no_gguf(content, tmp_path, capsys):
    (tmp_path / "t.gguf").write_bytes(content)
    assert run_cli(["import", "gguf", str(tmp_path / "t.gguf")]) == 2
    assert "is no whole GGUF file: " in capsys.readouterr().err


def test_command_refuses_a_file_cut_anywhere(tmp_path, capsys):
    whole = write(tmp_path / "t.gguf", "llama", SIZES, DENSE).read_bytes()
    for size in (*range(1, 3000, 97), len(whole) // 2, len(whole) - 64):
        (tmp_path / "cut.gguf").write_bytes(whole[:size])
        assert run_cli(["import", "gguf", str(tmp_path / "cut.gguf")]) == 2
    assert "it ends at byte" in capsys.readouterr().err


def test_command_refuses_folders_missing_files_and_standard_input(tmp_path, capsys):
    assert run_cli(["import", "gguf", str(tmp_path)]) == 2
    assert "it is a directory" in capsys.readouterr().err
    assert run_cli(["import", "gguf", str(tmp_path / "none.gguf")]) == 2
    assert "there is no such file" in capsys.readouterr().err
    assert run_cli(["import", "gguf", "-"]) == 2


def test_without_the_package_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "t.gguf").write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(UsageError, match=r"pip install 'accelscope\[gguf\]'"):
        read_gguf_file(tmp_path / "t.gguf", "t.gguf")
