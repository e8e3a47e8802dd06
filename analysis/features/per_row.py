"""Numbers for every row of a pool: what they are stored under, in which shards, and the model's pass, made when needed."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch

from analysis.store.code_version import code_version
from analysis.store.shards import map_shards
from analysis.store.store import digest

TEXTS_PER_SHARD, ROWS_PER_SHARD = 16_384, 2_048  # without a model, and where one runs
SMALL = 10_000_000  # parameters up to which a second thread gains little
MANY_ROWS = 20_000  # from which on a small model reads them in one process per core


def in_shards(
    features, compute: Callable, *, kind: str, key: str, label: str, rows_per_shard: int = TEXTS_PER_SHARD,
    weights: np.ndarray | None = None, processes: int = 1,
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
        show_progress=features.show_progress, processes=processes,
    )  # fmt: skip


def by_model(
    features, compute: Callable, *, kind: str, key: str, label: str, backward: bool = False
) -> dict[str, np.ndarray]:
    """As `in_shards`, where the model reads every row: the time left is told by tokens.

    From `MANY_ROWS` up a small model runs in one process per core (`OMP_NUM_THREADS` says how many), with the same
    numbers to the last bit; not where it also goes `backward`, which torch refuses after a fork.
    """

    def alone(conversations: list) -> dict[str, np.ndarray]:
        with steady_threads(features.language_model):
            return compute(conversations)

    many = features.n_rows >= MANY_ROWS and is_small(features.language_model) and not backward and _can_fork()
    return in_shards(
        features, alone, kind=kind, key=key, label=label, rows_per_shard=ROWS_PER_SHARD,
        weights=np.minimum(features.lengths().total, features.max_tokens), processes=torch.get_num_threads() if many else 1,
    )  # fmt: skip


@contextmanager
def steady_threads(language_model) -> Iterator[None]:
    """One thread for a small model on a CPU: the last bit of a number depends on how many there are.

    A larger model needs them all; its numbers can differ by rounding between machines with more and fewer cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if is_small(language_model) else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def is_small(language_model) -> bool:
    """Whether a model on a CPU has so few parameters that one thread serves it."""
    if language_model.model is None or language_model.device.type != "cpu":
        return False
    return sum(weight.numel() for weight in language_model.model.parameters()) <= SMALL


def _can_fork() -> bool:
    return sys.platform != "darwin" and "fork" in multiprocessing.get_all_start_methods()


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
