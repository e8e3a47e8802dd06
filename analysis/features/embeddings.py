"""Rows as points: means of a language model's last hidden states, or vectors of their text."""

from collections.abc import Sequence

import numpy as np
import torch

from analysis.features import text_embeddings
from analysis.models.encoding import Encoded, encode_batch
from analysis.models.passes.hidden_states import WEIGHTS, HiddenStatePass
from analysis.store.code_version import code_version
from analysis.store.shards import map_shards
from analysis.store.store import digest

ROWS_PER_SHARD = 2_048


def pool_embeddings(features, kind: str, *, text_settings: dict, autocast: torch.dtype | None) -> np.ndarray:
    """Embeddings of all rows of a pool, computed in shards and stored; see `Features.embeddings`.

    Parameters
    ----------
    text_settings : everything that decides the pool's token ids but `max_tokens`.
    autocast : precision of the matrix products, `None` for that of the weights.
    """
    if kind not in WEIGHTS:
        return text_embeddings.pool_embeddings(features, kind)
    model = features.language_model
    passes: list[HiddenStatePass] = []  # made at the first shard that is missing

    def compute(start: int, stop: int) -> dict[str, np.ndarray]:
        if not passes:
            passes.append(_pass(features, kind, autocast))
        return {"embedding": passes[0](_encoded(features, features.messages(start, stop)))}

    return map_shards(
        compute,
        features.n_rows,
        store=features.store,
        kind="embeddings",
        key=digest(
            **text_settings,
            model=model.fingerprint,
            kind=kind,
            max_tokens=features.max_tokens,
            weights=str(model.dtype),
            precision=str(autocast),
            code=code_version(__name__),
        ),
        shard_size=features.shard_size or ROWS_PER_SHARD,
        label=f"Embeddings ({kind})",
        weights=np.minimum(features.lengths().total, features.max_tokens),
        show_progress=features.show_progress,
    )["embedding"]


def embed(
    features, conversations: Sequence[list[dict]], kind: str, *, autocast: torch.dtype | None = None
) -> np.ndarray:
    """Embeddings of any conversations in the space of `pool_embeddings(features, kind)`; not stored."""
    if kind not in WEIGHTS:
        return text_embeddings.embed(features, conversations, kind)
    return _pass(features, kind, autocast)(_encoded(features, conversations))


def _encoded(features, conversations: Sequence[list[dict]]) -> list[Encoded]:
    model = features.language_model
    return encode_batch(conversations, model.tokenizer, model.template, features.max_tokens)


def _pass(features, kind: str, autocast: torch.dtype | None) -> HiddenStatePass:
    model = features.language_model
    if model.model is None:
        raise ValueError(f"{model.name}: loaded without weights, so embeddings cannot be computed")
    return HiddenStatePass(model.model, model.device, kind, features.tokens_per_batch, autocast)
