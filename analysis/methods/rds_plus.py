"""Selection by similarity to target rows in the base model's space (RDS+, Ivison et al. 2025)."""

from collections.abc import Sequence

import numpy as np

from analysis.methods.selection import Selection, check_budget, choose, shuffled_places, top_k

ROWS_AT_ONCE = 16_384
TURNS = dict.fromkeys(("rows", "groups", "none"))
TAKEN = ("lost", "next")  # what a turn is where its row is taken


def normalised(points: np.ndarray) -> np.ndarray:
    """Points scaled to length 1, float32; nan rows, and rows of zeros, are nan."""
    points = np.asarray(points, dtype=np.float32)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.where(lengths > 0, lengths, np.nan)


def score(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Largest cosine similarity of each row to a target row, from -1 to 1; float64 of shape (n_rows,).

    Parameters
    ----------
    points : position-weighted mean embeddings of the pool's rows, shape (n_rows, dim); nan stays nan.
    targets : of the target rows, shape (n_targets, dim).
    """
    directions = normalised(targets)
    slices = (points[start : start + ROWS_AT_ONCE] for start in range(0, len(points), ROWS_AT_ONCE))
    return np.concatenate([(normalised(part) @ directions.T).max(axis=1) for part in slices]).astype(np.float64)


def select(
    features, budget: int, *, seed: int, targets: str = "auto", turns: str = "rows", taken: str = "lost"
) -> Selection:
    """Let the target rows take turns: in its n-th each takes the pool row n-th most like it, if that is still there.

    Likeness is the cosine between means of last hidden states in which the i-th token has weight i (Ivison et
    al. 2025, arXiv 2503.01807).

    Parameters
    ----------
    targets : rows of what the model shall be good at, see `features.targets`.
    turns : who chooses in turn: "rows" of the targets, "groups" of them (each by its best row), or "none": the
        rows of largest similarity to any target.
    taken : what happens to a turn whose row is taken: "lost", as in the authors' get_top_influences.py, and the
        default because of that; or "next", which takes the row of largest similarity that is still there, so that
        all targets get equally many rows. Losing turns favours targets that are unlike all others.
    seed : orders rows of equal similarity.

    Returns
    -------
    Selection
        `scores` only for turns="none"; else a row's rank depends on whose turn it is (see `score`).

    Notes
    -----
    Differs from the authors' script in that the groups' rows alternate (the first of each group,
    then the second), as a budget below the number of targets would serve the first groups alone; in template
    and truncation; and in keeping at most `budget` similarities per target row.
    """
    choose("turns", turns, TURNS)
    choose("taken", taken, dict.fromkeys(TAKEN))
    budget = check_budget(budget, features.n_rows)
    points = features.embeddings("weighted")
    groups = [features.embed(rows, "weighted") for rows in features.targets(targets).values()]
    groups = [normalised(group[np.isfinite(group).all(axis=1)]) for group in groups]
    if not sum(map(len, groups)):
        raise ValueError(f"targets: none of the rows of {targets!r} could be embedded")
    keys, excluded = features.row_keys(), {"not embedded": int(np.isnan(points).any(axis=1).sum())}
    if turns == "none":
        return top_k(score(points, np.concatenate(groups)), budget, seed, keys=keys, excluded=excluded)
    order = shuffled_places(features.n_rows, seed, keys).argsort()  # ties follow it
    order = order[np.isfinite(points[order]).all(axis=1)]
    if budget > len(order):
        raise ValueError(
            f"budget: {budget} rows asked for, only {len(order)} of {features.n_rows} can be selected: "
            f"{excluded['not embedded']} not embedded"
        )
    choosers = [group for group in groups if len(group)] if turns == "groups" else alternating(groups)
    lists = best_rows(points[order], choosers, budget)
    rows = order[take_turns(lists, budget, taken)]
    return Selection(rows=rows, excluded={reason: count for reason, count in excluded.items() if count})


def alternating(groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Every row as a chooser of its own, of shape (1, dim): the first of each group, then the second."""
    longest = max(map(len, groups))
    return [group[place : place + 1] for place in range(longest) for group in groups if place < len(group)]


def best_rows(points: np.ndarray, choosers: Sequence[np.ndarray], count: int) -> np.ndarray:
    """The `count` rows most like each chooser, most alike first, equal ones in row order.

    Parameters
    ----------
    points : of shape (n, dim), not normalised.
    choosers : normalised points of shape (some, dim); a row is as like a chooser as like the nearest of these.

    Returns
    -------
    int64 of shape (choosers, count).
    """
    count = min(count, len(points))
    starts = np.cumsum([0, *(len(chooser) for chooser in choosers[:-1])])
    directions = np.concatenate(choosers).T
    rows = [np.zeros(0, dtype=np.int64)] * len(choosers)
    likeness = [np.zeros(0, dtype=np.float32)] * len(choosers)
    step = max(ROWS_AT_ONCE, count)
    for start in range(0, len(points), step):
        similarity = normalised(points[start : start + step]) @ directions
        by_chooser = np.maximum.reduceat(similarity, starts, axis=1).T
        for chooser, values in enumerate(by_chooser):
            values = np.concatenate([likeness[chooser], values])
            kept = _largest(values, count)
            places = np.concatenate([rows[chooser], np.arange(start, start + similarity.shape[0])])
            rows[chooser], likeness[chooser] = places[kept], values[kept]
    return np.stack([places[np.argsort(-values, kind="stable")] for places, values in zip(rows, likeness, strict=True)])


def take_turns(lists: np.ndarray, budget: int, when_taken: str = "lost") -> np.ndarray:
    """In turn each list gives its next row that no other has given, until there are `budget`; int64.

    Parameters
    ----------
    lists : row numbers of shape (choosers, at least budget), best first.
    when_taken : see `taken` of `select`.
    """
    if when_taken == "lost":  # every list goes on by one row a turn, so the order is known
        given, first = np.unique(lists.T, return_index=True)
        return given[np.argsort(first)][:budget].astype(np.int64)
    taken: dict[int, None] = {}
    places = [0] * len(lists)
    while len(taken) < budget:
        for chooser, rows in enumerate(lists):
            if len(taken) == budget:
                break
            while int(rows[places[chooser]]) in taken:
                places[chooser] += 1
            taken[int(rows[places[chooser]])] = None
    return np.array(list(taken), dtype=np.int64)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` largest values, in order of position; of equal ones the first."""
    if len(values) <= count:
        return np.arange(len(values))
    limit = np.partition(values, -count)[-count]
    kept = values > limit
    kept[np.flatnonzero(values == limit)[: count - int(kept.sum())]] = True
    return np.flatnonzero(kept)
