"""Selection by the influence of a row's gradient on target rows, LESS (Xia M. et al. 2024, arXiv 2402.04333)."""

import numpy as np

from analysis.methods.selection import Selection, check_budget, choose, shuffled_places, top_k

# Whether targets are compared as groups, and whether an epoch weighs as all steps up to its end.
VARIANTS = {"original": (True, False), "released": (False, True)}
FEWEST_WARM_UP_ROWS = 128  # four steps of an epoch: one would leave the adapters next to where they began


def epoch_weights(learning_rates: np.ndarray, *, cumulative: bool = False) -> np.ndarray:
    """Weight of every checkpoint, summing to one; float64 of shape (n_epochs,).

    Parameters
    ----------
    learning_rates : mean of the steps of each epoch, all epochs of as many steps.
    cumulative : weigh by the mean over all steps up to an epoch's end, as the study's script does.
    """
    rates = np.asarray(learning_rates, dtype=np.float64)
    if rates.ndim != 1 or not np.isfinite(rates).all() or (rates < 0).any() or not rates.sum() > 0:
        raise ValueError(f"learning_rates: expected one positive mean rate per epoch, found {learning_rates!r}")
    if cumulative:
        rates = np.cumsum(rates) / np.arange(1, len(rates) + 1)
    return rates / rates.sum()


def influence(row_gradients: np.ndarray, target_gradients: np.ndarray) -> np.ndarray:
    """Mean inner product of each row with the rows of one target group, at one checkpoint; shape (n_rows,).

    Parameters
    ----------
    row_gradients : projected directions of Adam's steps, scaled to length 1, shape (n_rows, dimension).
    target_gradients : projected gradients, scaled to length 1, shape (n_targets, dimension).
    """
    # The mean of inner products is the inner product with the mean: rows x targets are never held.
    return np.asarray(row_gradients) @ np.asarray(target_gradients).mean(axis=0)


def score(influences: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Largest weighted influence of each row on a target group, higher = selected first; float64 of shape (n_rows,).

    Paper, definition 3.1 with the maximum of section 4.3. From -1 to 1; nan where the row has no gradient.

    Parameters
    ----------
    influences : of every row at every checkpoint on every group, shape (n_rows, n_epochs, n_groups).
    weights : of the checkpoints, shape (n_epochs,).
    """
    return np.einsum("neg,e->ng", np.asarray(influences, dtype=np.float64), weights).max(axis=1)


def select(
    features,
    budget: int,
    *,
    seed: int,
    variant: str = "original",
    targets: str | None = None,
    warm_up_share: float = 0.05,
    epochs: int = 4,
    rank: int = 8,
    learning_rate: float = 1e-3,
    dimension: int | None = None,
) -> Selection:
    """Take the rows along whose gradients a step would lower most the loss of a group of target rows.

    Parameters
    ----------
    variant : "original" is the mean within and the maximum over groups of targets, checkpoints weighted by their
        epoch's learning rate; "released" is what the study's scripts compute: one mean over all targets, drawn from
        the pool itself, checkpoints weighted by the mean learning rate of all steps so far.
    targets : see `features.targets`; default "auto", and for "released" rows of the pool, with no other loaded.
    warm_up_share : of the pool's rows, drawn by `seed`, on which adapters are trained first; at least 128 rows.
    epochs, rank, learning_rate : of the warm-up. The paper has 4, 128 and 2e-5 for models of 7 billion parameters.
    dimension : of the random projection of gradients; default none where adapters have at most 65,536 numbers, and
        8,192 as in the paper where they have more.

    Notes
    -----
    Differs from the authors' get_info.py and matching.py in template and truncation, in a projection by random signs
    and places of the same mean and variance (or none), in float32, and in leaving out the step at rate 0 with which
    the warm-up begins there; "released" also in scoring all turns, and the answer without a token that begins a text.
    """
    by_group, cumulative = choose("variant", variant, VARIANTS)
    budget = check_budget(budget, features.n_rows)
    found = influences_of(
        features, seed=seed, targets="auto" if by_group and targets is None else targets, warm_up_share=warm_up_share, epochs=epochs, rank=rank,
        learning_rate=learning_rate, dimension=dimension,
    )  # fmt: skip
    values = found.values
    if not by_group:
        # A mean over groups by their sizes is the mean over their rows.
        values = found.on_pool if targets is None else np.average(values, axis=2, weights=found.sizes)
        values = values[:, :, None]
    scores = score(values, epoch_weights(found.learning_rates, cumulative=cumulative))
    excluded = {"no gradient of an answer token": int(np.isnan(scores).sum())}
    return top_k(scores, budget, seed, keys=features.row_keys(), excluded=excluded)


def influences_of(
    features, *, seed: int, targets: str | None = "auto", warm_up_share: float = 0.05, **settings
):  # fmt: skip
    """Influences of the pool's rows as `select` asks for them, with the same options but the variant."""
    return features.influences(warm_up_rows(features, warm_up_share, seed), targets, seed=seed, **settings)


def warm_up_rows(features, share: float, seed: int) -> np.ndarray:
    """Rows of the warm-up, drawn by the rows' keys and not by their places; int64."""
    if not 0 < share <= 1:
        raise ValueError(f"warm_up_share: expected above 0 and at most 1, found {share!r}")
    count = min(max(round(share * features.n_rows), FEWEST_WARM_UP_ROWS), features.n_rows)
    return np.argsort(shuffled_places(features.n_rows, seed, features.row_keys()))[:count]
