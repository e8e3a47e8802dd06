"""How far a step along every row's gradient would lower the loss of target rows, at every epoch of a warm-up."""

from collections.abc import Callable, Sequence

import numpy as np

from analysis.features.arrays import Influences
from analysis.features.per_row import by_model, model_key, model_pass, steady_threads
from analysis.models.encoding import Encoded, encode_batch
from analysis.models.passes.gradients import GradientPass
from analysis.models.passes.random_projection import Sketch, block_sizes, default_dimension
from analysis.models.training.checkpoints import WarmUpSettings
from analysis.models.training.warm_up import warm_up
from analysis.pools.pool import Messages
from analysis.pools.targets import POOL

ON_POOL = "influences_on_pool"


def pool_influences(
    features, rows: np.ndarray, targets: str | None, *, settings: WarmUpSettings, dimension: int | None, seed: int
) -> Influences:
    """Influences of all rows of a pool, computed in shards and stored; see `Features.influences`.

    Gradients are never kept: each batch is projected and held against the groups' means. Those on the pool's own rows
    are by-products of any targets, so they are stored by themselves for whoever asks for nothing else.
    """
    warm = warm_up(features, rows, settings, seed=seed)
    groups = {} if targets is None else features.targets(targets)
    of_pool = list(features.targets(POOL).values())
    wanted = [*groups.values(), *of_pool]
    model = features.language_model
    autocast = features.autocast if model.device.type == "cuda" else None  # a CPU gains nothing here
    key, pool_key = (
        model_key(features, __name__, warm_up=warm.key, targets=asked, dimension=dimension, seed=seed, precision=str(autocast))
        for asked in (wanted, of_pool)
    )  # fmt: skip
    rates, stored = np.array(warm.learning_rates), features.store.arrays(ON_POOL, pool_key)
    if targets is None and stored is not None:
        return _on_pool_alone(stored, rates)

    def made(**common) -> GradientPass:
        adapters = warm.adapters(0, model.device)
        sizes = block_sizes(adapters)
        sketch = Sketch(sizes, default_dimension(sizes) if dimension is None else dimension, seed, model.device)
        return GradientPass(adapters=adapters, scale=warm.scale, sketch=sketch, **common | {"autocast": autocast})

    one_pass = model_pass(features, made, "gradients")

    def gradients(encoded: list[Encoded], epoch: int, kind: str, **against) -> tuple[np.ndarray, np.ndarray]:
        one_pass().adapters = warm.adapters(epoch, model.device)
        return one_pass()(encoded, kind, **against)

    means, sizes = _target_means(features, wanted, gradients, len(warm.learning_rates), key)

    def compute(conversations: list[Messages]) -> dict[str, np.ndarray]:
        encoded = encode_batch(conversations, model.tokenizer, model.template, features.max_tokens)
        values, lengths = [], []
        for epoch, mean in enumerate(means):
            products, norms = gradients(encoded, epoch, "adam", against=mean)
            values.append(products)
            lengths.append(norms)
        return {"values": np.stack(values, axis=1), "lengths": np.stack(lengths, axis=1)}

    found = by_model(features, compute, kind="influences", key=key, label="Gradients", backward=True)
    scored = np.flatnonzero(sizes[:-1])
    if not (len(scored) or (targets is None and sizes[-1])):
        raise ValueError(f"targets: none of the rows of {targets or POOL!r} has a gradient")
    on_pool = {"on_pool": found["values"][:, :, -1], "lengths": found["lengths"]}
    if sizes[-1]:
        _keep(features.store, pool_key, on_pool)
    if targets is None:
        return _on_pool_alone(on_pool, rates)
    return Influences(
        values=found["values"][:, :, scored],
        groups=tuple(np.array(list(groups), dtype=object)[scored]),
        sizes=sizes[scored],
        learning_rates=rates,
        **on_pool,
    )


def _on_pool_alone(found: dict[str, np.ndarray], rates: np.ndarray) -> Influences:
    nothing = np.zeros((*found["on_pool"].shape, 0), dtype=np.float32)
    return Influences(values=nothing, groups=(), sizes=np.zeros(0, dtype=np.int64), learning_rates=rates, **found)


def _keep(store, key: str, on_pool: dict[str, np.ndarray]) -> None:
    with store.claim(ON_POOL, key):
        if store.arrays(ON_POOL, key) is None:
            store.save_arrays(ON_POOL, key, **on_pool)


def _target_means(features, groups: Sequence[Sequence[Messages]], gradients: Callable, n_epochs: int, key: str):
    """Mean projected gradients, shape (n_epochs, n_groups, dimension), and rows in each mean, (n_groups,); stored."""
    model = features.language_model
    with features.store.claim("target_gradients", key):
        stored = features.store.arrays("target_gradients", key)
        if stored is None:
            targets = [messages for group in groups for messages in group]
            encoded = encode_batch(targets, model.tokenizer, model.template, features.max_tokens)
            ends = np.cumsum([len(group) for group in groups])[:-1]
            means = []
            for epoch in range(n_epochs):
                with steady_threads(model):
                    parts = np.split(gradients(encoded, epoch, "plain")[0], ends)
                parts = [part[np.isfinite(part).all(axis=1)] for part in parts]
                means.append([part.sum(axis=0) / max(len(part), 1) for part in parts])
                sizes = np.array([len(part) for part in parts])
            stored = {"means": np.array(means, dtype=np.float32), "sizes": sizes}
            features.store.save_arrays("target_gradients", key, **stored)
    return stored["means"], stored["sizes"]
