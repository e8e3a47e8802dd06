"""A group of runs scored on the same items: what varies between runs, and what is left in each cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Runs:
    """Independent runs (or draws) of one kind.

    Attributes
    ----------
    items : float64 of shape (n_runs, n_items), higher is better.
    deviations : float64, run means minus their mean, stretched so that their mean square is `variance`.
    variance : between run means, unbiased; it holds the cell noise divided by the number of items.
    freedom : degrees of freedom of `variance`.
    cell_variance : what is left in a cell after its run and its item (run-by-item interaction and noise).
    """

    items: np.ndarray
    deviations: np.ndarray
    variance: float
    freedom: int
    cell_variance: float

    def __len__(self) -> int:
        return len(self.items)


def runs_of(items: np.ndarray, groups: Sequence | None = None) -> Runs:
    """Variances between the runs; with `groups`, pooled within groups of runs (at least one of two runs)."""
    labels = np.zeros(len(items), dtype=int) if groups is None else np.unique(groups, return_inverse=True)[1]
    counts = np.bincount(labels)
    freedom = len(items) - len(counts)
    centre = np.stack([items[labels == label].mean(axis=0) for label in range(len(counts))])
    residual = items - centre[labels]
    deviations = residual.mean(axis=1)
    variance = float(deviations @ deviations / freedom)
    cells = residual - deviations[:, None]
    cell_variance = float((cells**2).sum() / (freedom * (items.shape[1] - 1)))
    stretched = deviations * np.sqrt(len(items) / freedom)
    return Runs(items, stretched, variance, freedom, cell_variance)


def checked(items: np.ndarray, name: str, *, n_items: int | None = None, at_least: int = 1) -> np.ndarray:
    """Scores as float64 of shape (runs, items).

    Raises
    ------
    ValueError
        Wrong shape, too few runs or items, another number of items, or a score that is not finite.
    """
    scores = np.asarray(items, dtype=np.float64)
    if scores.ndim != 2:
        raise ValueError(f"{name}: expected scores of shape (runs, items), found shape {scores.shape}")
    if len(scores) < at_least:
        raise ValueError(f"{name}: expected at least {at_least} runs, found {len(scores)}")
    if scores.shape[1] < 2:
        raise ValueError(f"{name}: expected at least 2 items, found {scores.shape[1]}")
    if n_items is not None and scores.shape[1] != n_items:
        raise ValueError(f"{name}: expected the same {n_items} items as random, found {scores.shape[1]}")
    if not np.isfinite(scores).all():
        bad = np.argwhere(~np.isfinite(scores))
        run, item = bad[0]
        raise ValueError(
            f"{name}: expected finite scores, found {scores[run, item]} at run {run}, item {item} "
            f"({len(bad)} such scores); leave the item out of every run"
        )
    return scores


def paired_item_difference(method_items: np.ndarray, random_items: np.ndarray) -> np.ndarray:
    """Per item, mean over the method's runs minus that over random's; shape (n_items,), above 0 = better."""
    random = checked(random_items, "random")
    return checked(method_items, "method", n_items=random.shape[1]).mean(axis=0) - random.mean(axis=0)
