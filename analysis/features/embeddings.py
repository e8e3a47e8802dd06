"""Rows as points: means of a language model's last hidden states, or vectors of their text."""

from collections.abc import Callable, Sequence

import numpy as np

from analysis.features import text_embeddings
from analysis.features.per_row import by_model, model_key, model_pass, steady_threads
from analysis.models.encoding import encode_batch
from analysis.models.passes.hidden_states import WEIGHTS, HiddenStatePass
from analysis.pools.pool import Messages


def pool_embeddings(features, kind: str) -> np.ndarray:
    """Embeddings of all rows of a pool, computed in shards and stored; see `Features.embeddings`."""
    if kind not in WEIGHTS:
        return text_embeddings.pool_embeddings(features, kind)
    points, key = _points(features, kind), model_key(features, __name__, kind=kind)
    return by_model(
        features, lambda conversations: {"embedding": points(conversations)}, kind="embeddings", key=key,
        label=f"Embeddings ({kind})",
    )["embedding"]  # fmt: skip


def embed(features, conversations: Sequence[Messages], kind: str) -> np.ndarray:
    """Embeddings of any conversations in the space of `pool_embeddings(features, kind)`; not stored."""
    if kind not in WEIGHTS:
        return text_embeddings.embed(features, conversations, kind)
    with steady_threads(features.language_model):
        return _points(features, kind)(conversations)


def _points(features, kind: str) -> Callable[[Sequence[Messages]], np.ndarray]:
    model, means = features.language_model, model_pass(features, HiddenStatePass, "embeddings", kind=kind)
    return lambda conversations: means()(
        encode_batch(conversations, model.tokenizer, model.template, features.max_tokens)
    )
