"""Numbers for every row of a pool: what they are stored under, in which shards, and the model's pass, made when needed."""

from collections.abc import Callable
from functools import cache

import numpy as np

from analysis.store.code_version import code_version
from analysis.store.shards import map_shards
from analysis.store.store import digest

TEXTS_PER_SHARD, ROWS_PER_SHARD = 16_384, 2_048  # without a model, and where one runs


def in_shards(
    features, compute: Callable, *, kind: str, key: str, label: str, rows_per_shard: int = TEXTS_PER_SHARD,
    weights: np.ndarray | None = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Arrays for all rows of a pool: what the store has is read, the rest is computed shard by shard and stored.

    Parameters
    ----------
    compute : gives the arrays of a list of conversations, as `map_shards` takes them.
    others : see `map_shards`.
    """
    return map_shards(
        lambda start, stop: compute(features.messages(start, stop)), features.n_rows, store=features.store, kind=kind,
        key=key, shard_size=features.shard_size or rows_per_shard, label=label, weights=weights,
        show_progress=features.show_progress,
    )  # fmt: skip


def by_model(features, compute: Callable, *, kind: str, key: str, label: str) -> dict[str, np.ndarray]:
    """As `in_shards`, where the model reads every row: the time left is told by tokens."""
    tokens = np.minimum(features.lengths().total, features.max_tokens)
    return in_shards(
        features, compute, kind=kind, key=key, label=label, rows_per_shard=ROWS_PER_SHARD, weights=tokens
    )  # fmt: skip


def model_key(features, module: str, **settings) -> str:
    """Key of what a module computes with the model; `settings` are its own, or take the place of a common one."""
    model = features.language_model
    common = {
        **features.text_settings, "max_tokens": features.max_tokens, "model": model.fingerprint,
        "weights": str(model.dtype), "precision": str(features.autocast), "code": code_version(module),
    }  # fmt: skip
    return digest(**common | settings)


def model_pass(features, made: Callable, what: str, **settings) -> Callable:
    """A function that gives a pass of the model, made at its first call: none is where every shard is stored.

    Parameters
    ----------
    made : class of the pass, or what makes it; `settings` are what it takes beside model and batches.
    what : cannot be computed from a model that was loaded without weights, for the error.
    """

    @cache
    def once():
        model = features.language_model
        if model.model is None:
            raise ValueError(f"{model.name}: loaded without weights, so {what} cannot be computed")
        return made(
            model=model.model, device=model.device, tokens_per_batch=features.tokens_per_batch,
            autocast=features.autocast, **settings,
        )  # fmt: skip

    return once
