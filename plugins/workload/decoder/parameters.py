"""Parameters of a decoder and bytes of its KV cache, counted from its structure to the last one.

Counting rule: embeddings, then for each layer attention, normalisations and feed-forward network, then the final
normalisation and lm_head. Checked against the totals of published checkpoints in `tests/plugins/workload/decoder/test_counts.py`.
"""

from __future__ import annotations

from attrs import frozen

from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, minimum, term
from accelscope.plugins.workload.decoder.layer_blocks import count_idle_parameters, count_layer_parameters
from accelscope.plugins.workload.decoder.shape import ZERO_COUNT, DecoderShape, ExpertShape, resolve_shape
from accelscope.plugins.workload.decoder.shared_blocks import adapter_parameters, count_distinct_blocks
from accelscope.plugins.workload.decoder.sparse_indexer import index_elements, indexer_parameters
from accelscope.plugins.workload.decoder.spec import Decoder


@frozen(kw_only=True, eq=False)
class ParameterCounts:
    """Parameters of a decoder by where they are.

    Attributes:
        embedding: token and position embeddings.
        head: lm_head's own; 0 where it reads the embedding.
        attention: of all layers, indexers and cross-attention included.
        mixers: layers that blocks of their own describe, and adapters of shared blocks.
        norms: of all layers and the final one.
        dense: plain feed-forward networks of all layers.
        routed: parameters of the routed experts of all layers.
        router: parameters of their routers.
        shared: parameters of the experts that every token visits.
        visited: parameters of routed experts that one token uses.
        idle: parameters of layer blocks that one token does not use.
    """

    embedding: Term
    head: Term
    attention: Term
    mixers: Term
    norms: Term
    dense: Term
    routed: Term
    router: Term
    shared: Term
    visited: Term
    idle: Term = ZERO_COUNT

    @property
    def total(self) -> Term:
        """All parameters."""
        return (
            self.embedding
            + self.head
            + self.attention
            + self.mixers
            + self.norms
            + self.dense
            + self.router
            + self.shared
            + self.routed
        )

    @property
    def active(self) -> Term:
        """Parameters that one token uses, embeddings included."""
        return self.total - self.routed + self.visited - self.idle


def count_parameters(spec: Decoder) -> Term:
    """Return how many parameters a decoder has."""
    return count_parameters_by_part(resolve_shape(spec)).total.named("parameters")


def count_active_parameters(spec: Decoder) -> Term:
    """Return how many parameters one token uses, as its publisher counts: of the routed experts only `top_k`.

    Without `embedding_in_active_params` the input embedding does not count, unless lm_head reads it too.
    """
    counts = count_parameters_by_part(resolve_shape(spec))
    active = counts.active
    if not spec.embedding_in_active_params and not spec.tied_embeddings:
        active = active - spec.vocab * spec.hidden
    return active.named("active parameters")


def kv_bytes_per_token(spec: Decoder, dtype: str = "bf16") -> Term:
    """Return the bytes that one token takes in the KV cache while no window has dropped it.

    Grouped attention keeps a key and a value for each KV head; latent attention keeps kv_rank + rope_dim numbers; an
    indexer keeps a key.
    """
    return (kv_elements_per_token(resolve_shape(spec)) * term(bytes_per_element(dtype), "B")).named(
        "KV bytes of a token"
    )


def kv_elements_per_token(shape: DecoderShape) -> Term:
    """Return the numbers that one token leaves in the KV cache of all layers, none having dropped it."""
    return shape.attention_layers * (kv_layer_elements(shape) + index_elements(shape))


def kv_layer_elements(shape: DecoderShape) -> Term:
    """Return the numbers that one token leaves in the KV cache of one layer."""
    if shape.latent is not None:
        return shape.latent.kv_rank + shape.latent.rope_dim
    return 2.0 * shape.kv_heads * shape.head_dim


def cached_tokens(shape: DecoderShape, tokens: Term) -> Term:
    """Return tokens that a sequence keeps in the KV cache, summed over the layers; a window keeps the last ones."""
    full = (shape.attention_layers - shape.windowed_layers) * tokens
    return full + shape.windowed_layers * minimum(tokens, shape.window)


def count_parameters_by_part(shape: DecoderShape) -> ParameterCounts:
    """Count the parameters of a decoder."""
    spec = shape.spec
    norm = _norm(shape)
    embedding = shape.vocab * shape.hidden
    positions = ZERO_COUNT if spec.position_embeddings is None else spec.position_embeddings * shape.hidden
    encoder = spec.encoder.layers if spec.encoder else ZERO_COUNT
    attentions = count_distinct_blocks(shape, shape.attention_layers)
    if spec.encoder is not None:
        attentions = 2.0 * attentions + encoder
    return ParameterCounts(
        embedding=embedding + positions,
        head=ZERO_COUNT if spec.tied_embeddings else embedding,
        attention=attentions * (attention_parameters(shape) + indexer_parameters(shape)),
        mixers=count_layer_parameters(shape) + adapter_parameters(shape),
        norms=_norms(shape) * norm,
        dense=_dense(shape, encoder) * _mlp(shape.hidden, shape.ffn, shape.gates, spec.mlp_bias),
        idle=count_idle_parameters(shape),
        **_expert_counts(shape, encoder),
    )


def _norms(shape: DecoderShape) -> Term:
    """Return how many normalisations there are; those of shared blocks work on 2 d and d numbers.

    `norms_per_layer` counts those of a decoder layer, cross-attention included; an encoder layer has one less.
    """
    spec = shape.spec
    found = shape.layers * spec.norms_per_layer + 1.0
    if spec.shared is not None:
        found = found + 3.0 * spec.shared.distinct_blocks
    return found if spec.encoder is None else found + spec.encoder.layers * (spec.norms_per_layer - 1.0) + 1.0


def _dense(shape: DecoderShape, encoder: Term) -> Term:
    """Return how many plain networks there are; an encoder has them where the decoder has no experts."""
    own = count_distinct_blocks(shape, shape.dense_layers)
    return own if shape.routing else own + encoder


def _expert_counts(shape: DecoderShape, encoder: Term) -> dict[str, Term]:
    """Return the parameters of layers with experts by their names in `Counts`."""
    routing = shape.routing
    if routing is None:
        return {"routed": ZERO_COUNT, "router": ZERO_COUNT, "shared": ZERO_COUNT, "visited": ZERO_COUNT}
    layers = routing.layers + encoder
    expert = layers * _mlp(routing.width, routing.ffn, routing.gates, routing.bias)
    shared = routing.shared * _mlp(shape.hidden, routing.shared_ffn, routing.gates, routing.bias)
    between = 2.0 * shape.hidden * routing.width if routing.latent else ZERO_COUNT
    return {
        "routed": routing.routed * expert,
        "router": layers * _router(shape, routing),
        "shared": layers * (shared + between),
        "visited": routing.top_k * expert,
    }


def attention_parameters(shape: DecoderShape) -> Term:
    """Return the parameters of one layer's attention, its own normalisations and biases included."""
    if shape.latent is not None:
        return _latent(shape)
    spec = shape.spec
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    projected = queries + 2.0 * keys + (queries if spec.attention_gate else 0.0)
    count = shape.attention_in * projected + queries * shape.hidden
    if spec.attention_bias in ("qkv", "all"):
        count = count + projected
    if spec.attention_bias in ("out", "all"):
        count = count + shape.hidden
    if spec.qk_norm == "per_head":
        count = count + 2.0 * shape.head_dim
    if spec.qk_norm == "full":
        count = count + queries + keys
    return count + shape.heads if spec.attention_sinks else count


def _latent(shape: DecoderShape) -> Term:
    """Count latent attention: compressed query and key-value, each with a normalisation (DeepSeek-V2, equations 9-17)."""
    latent = shape.latent
    assert latent is not None  # the caller's branch
    query_width = shape.heads * (latent.nope_dim + latent.rope_dim)
    query = shape.hidden * query_width
    if latent.q_rank is not None:
        query = shape.hidden * latent.q_rank + latent.q_rank + latent.q_rank * query_width
    compressed = shape.hidden * (latent.kv_rank + latent.rope_dim) + latent.kv_rank
    expanded = latent.kv_rank * shape.heads * (latent.nope_dim + latent.v_dim)
    return query + compressed + expanded + shape.heads * latent.v_dim * shape.hidden


def _mlp(width: Term, inner: Term, gates: float, biases: bool) -> Term:
    count = (gates + 1.0) * width * inner
    return count + gates * inner + width if biases else count


def _norm(shape: DecoderShape) -> Term:
    return shape.hidden * (2.0 if shape.spec.norm == "layernorm" else 1.0)


def _router(shape: DecoderShape, routing: ExpertShape) -> Term:
    found = routing.routed * (shape.hidden + (1.0 if routing.router_bias else 0.0))
    return found + shape.hidden if routing.shared_gate else found
