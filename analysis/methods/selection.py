"""What every method shares: the result, the ranking, and the checks of a budget."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Selection:
    """A subset of a pool.

    Attributes
    ----------
    rows : int64 of shape (budget,); unique positions in the pool, best first.
    scores : float64 of shape (n_rows,), higher = selected first, nan = could not be scored; `None` for
        methods that choose a set and not rows one by one.
    excluded : rows that could not be selected, counted by reason.
    seconds : that selecting took, features included that were not stored yet; nan where it was not timed.
    """

    rows: np.ndarray
    scores: np.ndarray | None = None
    excluded: dict[str, int] = field(default_factory=dict)
    seconds: float = float("nan")

    def __post_init__(self) -> None:
        rows = np.asarray(self.rows)
        if rows.ndim != 1 or rows.dtype.kind != "i":
            raise ValueError(f"rows: expected one axis of integers, found shape {rows.shape} of {rows.dtype}")
        if len(np.unique(rows)) != len(rows):
            raise ValueError(f"rows: {len(rows) - len(np.unique(rows))} positions are selected twice")
        object.__setattr__(self, "rows", rows.astype(np.int64))


def top_k(
    scores: np.ndarray,
    budget: int,
    seed: int,
    *,
    keys: np.ndarray | None = None,
    excluded: dict[str, int] | None = None,
) -> Selection:
    """The `budget` rows of highest score, best first.

    Parameters
    ----------
    scores : float of shape (n_rows,), higher first; what is not finite is never selected and is counted.
    seed : orders rows of equal score.
    keys : of shape (n_rows,), unique; the order of equal scores then depends on the rows' keys and not on
        their place in the file. Default: the row numbers.
    excluded : counts by reason of rows already made nan; the others count as "not scorable".

    Raises
    ------
    ValueError
        Fewer rows can be selected than asked for (says how many).
    """
    scores = np.asarray(scores, dtype=np.float64)
    budget = check_budget(budget, len(scores))
    scores = np.where(np.isfinite(scores), scores, np.nan)
    selectable = np.flatnonzero(~np.isnan(scores))
    counts = {reason: int(count) for reason, count in (excluded or {}).items() if count}
    unexplained = len(scores) - len(selectable) - sum(counts.values())
    if unexplained:
        counts["not scorable"] = unexplained
    check_left(budget, len(selectable), len(scores), counts)
    tie_break = shuffled_places(len(scores), seed, keys)
    order = np.lexsort((tie_break[selectable], -scores[selectable]))
    return Selection(rows=selectable[order[:budget]], scores=scores, excluded=counts)


def shuffled_places(n_rows: int, seed: int, keys: np.ndarray | None = None) -> np.ndarray:
    """A random permutation; with keys a row's place depends on the keys and the seed, not on row order."""
    places = np.random.default_rng(seed).permutation(n_rows)
    if keys is None:
        return places
    keys = np.asarray(keys)
    if keys.shape != (n_rows,):
        raise ValueError(f"keys: expected shape ({n_rows},), found {keys.shape}")
    by_key = np.empty(n_rows, dtype=np.int64)
    by_key[np.argsort(keys, kind="stable")] = places
    return by_key


def rank_share(values: np.ndarray) -> np.ndarray:
    """Place of each value among all, from 0 to 1, equal values sharing their middle place; float64."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    return ((below + counts / 2) / len(values))[inverse]


def check_budget(budget: int, n_rows: int) -> int:
    """The budget as an int.

    Raises
    ------
    ValueError
        Not a whole number from 1 to the number of rows.
    """
    if isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < 1:
        raise ValueError(f"budget: expected a whole number of rows from 1 up, found {budget!r}")
    if budget > n_rows:
        raise ValueError(f"budget: {budget} rows asked for, but the pool has only {n_rows}")
    return int(budget)


def check_left(budget: int, n_left: int, n_rows: int, excluded: dict[str, int]) -> None:
    """An error that says how many rows can be selected, and why no more, where the budget is above it."""
    if budget > n_left:
        why = ", ".join(f"{count} {reason}" for reason, count in excluded.items() if count)
        raise ValueError(f"budget: {budget} rows asked for, only {n_left} of {n_rows} can be selected: {why}")


def choose(name: str, value: str, choices: dict):
    """The choice called `value`, else an error that lists them."""
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, choices))}, found {value!r}")
    return choices[value]
