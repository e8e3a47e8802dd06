"""How far a step along every row's gradient would lower the loss of target rows, at every epoch of a warm-up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from analysis.models.encoding import encode_batch
from analysis.models.passes.gradients import GradientPass
from analysis.models.passes.random_projection import Sketch, block_sizes
from analysis.models.training.checkpoints import WarmUp, WarmUpSettings
from analysis.models.training.warm_up import warm_up
from analysis.pools.pool import Messages
from analysis.pools.targets import POOL
from analysis.store.code_version import code_version
from analysis.store.shards import map_shards
from analysis.store.store import digest

ROWS_PER_SHARD = 2_048


@dataclass(frozen=True)
class Influences:
    """Likeness of every row's gradient to those of groups of target rows.

    A row's gradient is taken as Adam would step along it, a target row's as it is; both are projected at random and
    scaled to length 1.

    Attributes
    ----------
    values : float32 of shape (n_rows, n_epochs, n_groups), from -1 to 1: inner product of a row with the mean of a
        group's target rows; nan for a row without a gradient.
    on_pool : float32 of shape (n_rows, n_epochs); the same with the mean of rows drawn from the pool itself.
    lengths : float32 of shape (n_rows, n_epochs), of the row's projected gradient before scaling.
    groups : names of the groups.
    sizes : int64 of shape (n_groups,); target rows in the mean of each group.
    learning_rates : float64 of shape (n_epochs,), mean of every epoch of the warm-up.
    """

    values: np.ndarray
    on_pool: np.ndarray
    lengths: np.ndarray
    groups: tuple[str, ...]
    sizes: np.ndarray
    learning_rates: np.ndarray


def pool_influences(
    features, rows: np.ndarray, targets: str, *, settings: WarmUpSettings, dimension: int, seed: int,
    text_settings: dict, autocast: torch.dtype | None,
) -> Influences:  # fmt: skip
    """Influences of all rows of a pool, computed in shards and stored; see `Features.influences`.

    Gradients are never kept: each batch is projected and held against the groups' means.

    Parameters
    ----------
    text_settings : everything that decides the pool's token ids but `max_tokens`.
    autocast : precision of the matrix products on a CUDA device; a CPU gains nothing here.
    """
    warm = warm_up(features, rows, settings, seed=seed)
    groups = features.targets(targets)
    wanted = [*groups.values(), *features.targets(POOL).values()]
    model = features.language_model
    autocast = autocast if model.device.type == "cuda" else None
    key = digest(
        **text_settings, model=model.fingerprint, warm_up=warm.key, targets=wanted, dimension=dimension, seed=seed,
        max_tokens=features.max_tokens, weights=str(model.dtype), precision=str(autocast),
        code=code_version(__name__),
    )  # fmt: skip
    passes: list[GradientPass] = []  # made at the first shard that is missing

    def kernel() -> GradientPass:
        if not passes:
            passes.append(_pass(features, warm, dimension, seed, autocast))
        return passes[0]

    means, sizes = _target_means(features, warm, wanted, kernel, key)

    def compute(start: int, stop: int) -> dict[str, np.ndarray]:
        encoded = _encoded(features, features.messages(start, stop))
        values, lengths = [], []
        for epoch, mean in enumerate(means):
            kernel().adapters = warm.adapters(epoch, model.device)
            directions, norms = kernel()(encoded, "adam")
            values.append(directions @ mean.T)
            lengths.append(norms)
        return {"values": np.stack(values, axis=1), "lengths": np.stack(lengths, axis=1)}

    found = map_shards(
        compute, features.n_rows, store=features.store, kind="influences", key=key,
        shard_size=features.shard_size or ROWS_PER_SHARD, label="Gradients",
        weights=np.minimum(features.lengths().total, features.max_tokens), show_progress=features.show_progress,
    )  # fmt: skip
    scored = np.flatnonzero(sizes[:-1])
    if not len(scored):
        raise ValueError(f"targets: none of the rows of {targets!r} has a gradient")
    return Influences(
        values=found["values"][:, :, scored],
        on_pool=found["values"][:, :, -1],
        lengths=found["lengths"],
        groups=tuple(np.array(list(groups), dtype=object)[scored]),
        sizes=sizes[scored],
        learning_rates=np.array(warm.learning_rates),
    )


def _target_means(features, warm: WarmUp, groups: Sequence[Sequence[Messages]], kernel, key: str):
    """Mean projected gradients, shape (n_epochs, n_groups, dimension), and rows in each mean, (n_groups,); stored."""
    with features.store.claim("target_gradients", key):
        stored = features.store.arrays("target_gradients", key)
        if stored is None:
            encoded = _encoded(features, [messages for group in groups for messages in group])
            ends = np.cumsum([len(group) for group in groups])[:-1]
            means = []
            for epoch in range(len(warm.learning_rates)):
                kernel().adapters = warm.adapters(epoch, features.language_model.device)
                parts = np.split(kernel()(encoded, "plain")[0], ends)
                parts = [part[np.isfinite(part).all(axis=1)] for part in parts]
                means.append([part.sum(axis=0) / max(len(part), 1) for part in parts])
                sizes = np.array([len(part) for part in parts])
            stored = {"means": np.array(means, dtype=np.float32), "sizes": sizes}
            features.store.save_arrays("target_gradients", key, **stored)
    return stored["means"], stored["sizes"]


def _encoded(features, conversations: Sequence[Messages]):
    model = features.language_model
    return encode_batch(conversations, model.tokenizer, model.template, features.max_tokens)


def _pass(features, warm: WarmUp, dimension: int, seed: int, autocast: torch.dtype | None) -> GradientPass:
    model = features.language_model
    adapters = warm.adapters(0, model.device)
    sketch = Sketch(block_sizes(adapters), dimension, seed, model.device)
    return GradientPass(model.model, adapters, warm.scale, sketch, model.device, features.tokens_per_batch, autocast)
