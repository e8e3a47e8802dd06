"""How much of the spread of random runs is the draw, the training seed, and the items."""

from itertools import combinations
from math import prod

import numpy as np
import pandas as pd

DRAW, SEED, ITEM = 0, 1, 2


def variance_components(items: np.ndarray) -> pd.DataFrame:
    """Variance components of random runs, each draw trained with every seed, by the method of moments.

    The seed's part is its own plus its interaction with the draw: what changes when only the training seed
    does. So it stays right when the seeds of different draws have nothing in common.

    Parameters
    ----------
    items : (n_draws, n_seeds, n_items), at least 2 of each

    Returns
    -------
    Index: draw, training seed, item, draw by item, rest (seed by item and noise of a single score). Columns:
    `variance` and `sd` in units of one item's score, `moment` (the unbiased estimate, can be below 0),
    `clipped` (True where it was and 0 is reported), `n` (levels). A run's mean over n items has the draw's
    and the seed's variance in full, and the lower three divided by n.
    """
    scores = np.asarray(items, dtype=np.float64)
    if scores.ndim != 3 or min(scores.shape) < 2:
        raise ValueError(
            f"items: expected shape (draws, seeds, items) with at least 2 of each, found {scores.shape}; "
            "with one seed per draw, draw and seed cannot be told apart"
        )
    if not np.isfinite(scores).all():
        draw, seed, item = np.argwhere(~np.isfinite(scores))[0]
        found = scores[draw, seed, item]
        raise ValueError(f"items: expected finite scores, found {found} at draw {draw}, seed {seed}, item {item}")
    parts = _moments(scores)
    draws, seeds, n_items = scores.shape
    moments = {
        "draw": (parts[DRAW,], draws),
        "training seed": (parts[SEED,] + parts[DRAW, SEED], seeds),
        "item": (parts[ITEM,], n_items),
        "draw by item": (parts[DRAW, ITEM], draws * n_items),
        "rest": (parts[SEED, ITEM] + parts[DRAW, SEED, ITEM], scores.size),
    }
    table = pd.DataFrame.from_dict(moments, orient="index", columns=["moment", "n"])
    table.insert(0, "variance", table["moment"].clip(lower=0))
    table.insert(1, "sd", np.sqrt(table["variance"]))
    table["clipped"] = table["moment"] < 0
    return table.rename_axis("component")


def _moments(scores: np.ndarray) -> dict[tuple[int, ...], float]:
    """Unbiased component of every set of crossed random factors, from mean squares and their expectations."""
    axes = range(scores.ndim)
    sets = [chosen for size in axes for chosen in combinations(axes, size + 1)]
    effects: dict[tuple[int, ...], np.ndarray] = {(): scores.mean(keepdims=True)}
    squares = {}
    for chosen in sets:
        others = tuple(axis for axis in axes if axis not in chosen)
        below = [effect for inside, effect in effects.items() if set(inside) < set(chosen)]
        effects[chosen] = scores.mean(axis=others, keepdims=True) - sum(below)
        freedom = prod(scores.shape[axis] - 1 for axis in chosen)
        squares[chosen] = (effects[chosen] ** 2).sum() * prod(scores.shape[axis] for axis in others) / freedom
    parts: dict[tuple[int, ...], float] = {}
    for chosen in reversed(sets):
        above = sum(
            part * prod(scores.shape[axis] for axis in axes if axis not in larger)
            for larger, part in parts.items()
            if set(chosen) < set(larger)
        )
        repeats = prod(scores.shape[axis] for axis in axes if axis not in chosen)
        parts[chosen] = float((squares[chosen] - above) / repeats)
    return parts
