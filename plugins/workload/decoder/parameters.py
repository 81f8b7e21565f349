"""Parameters of a decoder and bytes of its KV cache, counted from its structure to the last one.

Counting rule: embeddings, then for each layer attention, normalisations and feed-forward network, then the final
normalisation and lm_head. Checked against the totals of published checkpoints in `tests/plugins/test_workload_counts.py`.
"""

from __future__ import annotations

from attrs import frozen

from accelscope.core.numeric.dtypes import bytes_of
from accelscope.core.numeric.term import Term, minimum, term
from accelscope.plugins.workload.decoder.shape import ZERO, Routing, Shape, shape_of
from accelscope.plugins.workload.decoder.shared_blocks import adapter_parameters, blocks_of
from accelscope.plugins.workload.decoder.sparse_indexer import index_elements, indexer_parameters
from accelscope.plugins.workload.decoder.spec import Decoder
from accelscope.plugins.workload.mixers.mixers import mixer_parameters


@frozen(kw_only=True, eq=False)
class Counts:
    """Parameters of a decoder by where they are.

    Attributes:
        embedding: token and position embeddings.
        head: lm_head's own; 0 where it reads the embedding.
        attention: of all layers, indexers and cross-attention included.
        mixers: layers with linear attention, a state space or a convolution, and adapters of shared blocks.
        norms: of all layers and the final one.
        dense: plain feed-forward networks of all layers.
        routed: routed experts of all layers; router: their routers; shared: experts that every token visits.
        visited: parameters of routed experts that one token uses.
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
        return self.total - self.routed + self.visited


def parameters(spec: Decoder) -> Term:
    """Return how many parameters a decoder has."""
    return counts_of(shape_of(spec)).total.named("parameters")


def active_parameters(spec: Decoder) -> Term:
    """Return how many parameters one token uses, as its publisher counts: of the routed experts only `top_k`.

    Without `active_embedding` the input embedding does not count, unless lm_head reads it too.
    """
    counts = counts_of(shape_of(spec))
    active = counts.active
    if not spec.active_embedding and not spec.tied:
        active = active - spec.vocab * spec.hidden
    return active.named("active parameters")


def kv_bytes_per_token(spec: Decoder, dtype: str = "bf16") -> Term:
    """Return the bytes that one token takes in the KV cache while no window has dropped it.

    Grouped attention keeps a key and a value for each KV head; latent attention keeps kv_rank + rope_dim numbers; an
    indexer keeps a key.
    """
    return (token_elements(shape_of(spec)) * term(bytes_of(dtype), "B")).named("KV bytes of a token")


def token_elements(shape: Shape) -> Term:
    """Return the numbers that one token leaves in the KV cache of all layers, none having dropped it."""
    return shape.attention_layers * (kv_elements(shape) + index_elements(shape))


def kv_elements(shape: Shape) -> Term:
    """Return the numbers that one token leaves in the KV cache of one layer."""
    if shape.latent is not None:
        return shape.latent.kv_rank + shape.latent.rope_dim
    return 2.0 * shape.kv_heads * shape.head_dim


def cached_tokens(shape: Shape, tokens: Term) -> Term:
    """Return tokens that a sequence keeps in the KV cache, summed over the layers; a window keeps the last ones."""
    full = (shape.attention_layers - shape.windowed) * tokens
    return full + shape.windowed * minimum(tokens, shape.window)


def counts_of(shape: Shape) -> Counts:
    """Count the parameters of a decoder."""
    spec = shape.spec
    norm = _norm(shape)
    embedding = shape.vocab * shape.hidden
    positions = ZERO if spec.positions is None else spec.positions * shape.hidden
    encoder = spec.encoder.layers if spec.encoder else ZERO
    attentions = blocks_of(shape, shape.attention_layers)
    if spec.encoder is not None:
        attentions = 2.0 * attentions + encoder
    return Counts(
        embedding=embedding + positions,
        head=ZERO if spec.tied else embedding,
        attention=attentions * (attention_parameters(shape) + indexer_parameters(shape)),
        mixers=mixer_parameters(shape) + adapter_parameters(shape),
        norms=_norms(shape) * norm,
        dense=_dense(shape, encoder) * _mlp(shape.hidden, shape.ffn, shape.gates, spec.mlp_bias),
        **_expert_counts(shape, encoder),
    )


def _norms(shape: Shape) -> Term:
    """Return how many normalisations there are; those of shared blocks work on 2 d and d numbers.

    `norms` counts those of a decoder layer, cross-attention included; an encoder layer has one less.
    """
    spec = shape.spec
    found = shape.layers * spec.norms + 1.0
    if spec.shared is not None:
        found = found + 3.0 * spec.shared.blocks
    return found if spec.encoder is None else found + spec.encoder.layers * (spec.norms - 1.0) + 1.0


def _dense(shape: Shape, encoder: Term) -> Term:
    """Return how many plain networks there are; an encoder has them where the decoder has no experts."""
    own = blocks_of(shape, shape.dense_layers)
    return own if shape.routing else own + encoder


def _expert_counts(shape: Shape, encoder: Term) -> dict[str, Term]:
    """Return the parameters of layers with experts by their names in `Counts`."""
    routing = shape.routing
    if routing is None:
        return {"routed": ZERO, "router": ZERO, "shared": ZERO, "visited": ZERO}
    layers = routing.layers + encoder
    expert = layers * _mlp(routing.width, routing.ffn, routing.gates, routing.bias)
    shared = routing.shared * _mlp(shape.hidden, routing.shared_ffn, routing.gates, routing.bias)
    between = 2.0 * shape.hidden * routing.width if routing.latent else ZERO
    return {
        "routed": routing.routed * expert,
        "router": layers * _router(shape, routing),
        "shared": layers * (shared + between),
        "visited": routing.top_k * expert,
    }


def attention_parameters(shape: Shape) -> Term:
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
    if spec.qk_norm == "head":
        count = count + 2.0 * shape.head_dim
    if spec.qk_norm == "full":
        count = count + queries + keys
    return count + shape.heads if spec.sinks else count


def _latent(shape: Shape) -> Term:
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


def _norm(shape: Shape) -> Term:
    return shape.hidden * (2.0 if shape.spec.norm == "layernorm" else 1.0)


def _router(shape: Shape, routing: Routing) -> Term:
    found = routing.routed * (shape.hidden + (1.0 if routing.router_bias else 0.0))
    return found + shape.hidden if routing.shared_gate else found
