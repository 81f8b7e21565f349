"""Parameters of a decoder and bytes of its KV cache, counted from its structure to the last one.

Counting rule: embeddings, then for each layer attention, normalisations and feed-forward network, then the final
normalisation and lm_head. Checked against the totals of published checkpoints in `tests/plugins/test_workload_counts.py`.
"""

from __future__ import annotations

from attrs import frozen

from accelscope.core.dtypes import bytes_of
from accelscope.core.term import Term, minimum, term
from accelscope.plugins.workload.shape import ZERO, Routing, Shape, shape_of
from accelscope.plugins.workload.spec import Decoder


@frozen(kw_only=True, eq=False)
class Counts:
    """Parameters of a decoder by where they are.

    Attributes:
        embedding: token and position embeddings.
        head: lm_head's own; 0 where it reads the embedding.
        attention: of all layers.
        norms: of all layers and the final one.
        dense: plain feed-forward networks of all layers.
        routed: routed experts of all layers; router: their routers; shared: experts that every token visits.
        visited: parameters of routed experts that one token uses.
    """

    embedding: Term
    head: Term
    attention: Term
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
    """Return how many parameters one token uses: of the routed experts only `top_k`; embeddings count."""
    return counts_of(shape_of(spec)).active.named("active parameters")


def kv_bytes_per_token(spec: Decoder, dtype: str = "bf16") -> Term:
    """Return the bytes that one token takes in the KV cache while no window has dropped it.

    Grouped attention keeps a key and a value for each KV head; latent attention keeps kv_rank + rope_dim numbers.
    """
    shape = shape_of(spec)
    return (shape.layers * kv_elements(shape) * term(bytes_of(dtype), "B")).named("KV bytes of a token")


def kv_elements(shape: Shape) -> Term:
    """Return the numbers that one token leaves in the KV cache of one layer."""
    if shape.latent is not None:
        return shape.latent.kv_rank + shape.latent.rope_dim
    return 2.0 * shape.kv_heads * shape.head_dim


def cached_tokens(shape: Shape, tokens: Term) -> Term:
    """Return tokens that a sequence keeps in the KV cache, summed over the layers; a window keeps the last ones."""
    full = (shape.layers - shape.windowed) * tokens
    return full + shape.windowed * minimum(tokens, shape.window)


def counts_of(shape: Shape) -> Counts:
    """Count the parameters of a decoder."""
    spec = shape.spec
    norm = _norm(shape)
    embedding = shape.vocab * shape.hidden
    positions = ZERO if spec.positions is None else spec.positions * shape.hidden
    routing = shape.routing
    expert = _mlp(shape, routing.ffn, routing.bias) if routing else ZERO
    return Counts(
        embedding=embedding + positions,
        head=ZERO if spec.tied else embedding,
        attention=shape.layers * attention_parameters(shape),
        norms=(shape.layers * spec.norms + 1.0) * norm,
        dense=shape.dense_layers * _mlp(shape, shape.ffn, spec.mlp_bias),
        routed=routing.layers * routing.routed * expert if routing else ZERO,
        router=routing.layers * _router(shape, routing) if routing else ZERO,
        shared=routing.layers * routing.shared * _mlp(shape, routing.shared_ffn, routing.bias)
        if routing
        else ZERO,
        visited=routing.layers * routing.top_k * expert if routing else ZERO,
    )


def attention_parameters(shape: Shape) -> Term:
    """Return the parameters of one layer's attention, its own normalisations and biases included."""
    if shape.latent is not None:
        return _latent(shape)
    spec = shape.spec
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    count = 2.0 * shape.hidden * (queries + keys)
    if spec.attention_bias != "none":
        count = count + queries + 2.0 * keys
    if spec.attention_bias == "all":
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


def _mlp(shape: Shape, inner: Term, biases: bool) -> Term:
    count = (shape.gates + 1.0) * shape.hidden * inner
    return count + shape.gates * inner + shape.hidden if biases else count


def _norm(shape: Shape) -> Term:
    return shape.hidden * (2.0 if shape.spec.norm == "layernorm" else 1.0)


def _router(shape: Shape, routing: Routing) -> Term:
    return routing.routed * (shape.hidden + (1.0 if routing.router_bias else 0.0))
