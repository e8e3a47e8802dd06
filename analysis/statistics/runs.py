"""A group of runs scored on the same items: what varies between runs, and what is left in each cell."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Runs:
    """Runs of one kind, each with a selection and a training seed of its own.

    Attributes
    ----------
    items : float64 of shape (n_runs, n_items), higher is better.
    variance : between run means, unbiased; it holds the cell noise divided by the number of items. nan for one run.
    cell_variance : what is left in a cell after its run and its item (their interaction and noise); 0 for one run.
    """

    items: np.ndarray
    variance: float
    cell_variance: float

    def __len__(self) -> int:
        return len(self.items)

    @property
    def freedom(self) -> int:
        """Degrees of freedom of `variance`."""
        return len(self) - 1

    @property
    def identical(self) -> bool:
        """Whether several runs agree in every item though items differ: their training changed nothing."""
        return len(self) > 1 and bool((self.items == self.items[0]).all()) and float(np.ptp(self.items[0])) > 0

    @classmethod
    def of(cls, items: np.ndarray) -> "Runs":
        """The runs whose scores of shape (n_runs, n_items) these are."""
        if len(items) < 2:
            return cls(items, float("nan"), 0.0)
        means = items.mean(axis=1)
        cells = items - items.mean(axis=0) - (means - means.mean())[:, None]
        freedom = (len(items) - 1) * (items.shape[1] - 1)
        return cls(items, float(means.var(ddof=1)), float((cells**2).sum() / freedom))


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
