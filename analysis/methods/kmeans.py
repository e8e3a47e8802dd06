"""Selection from every cluster of a space, so that quality is bought without losing diversity (Xia et al. 2024)."""

import numpy as np

from analysis.methods import calls
from analysis.methods.selection import Selection, check_budget, check_left, choose, shuffled_places
from analysis.methods.tools.quotas import allocate

QUOTAS = {"proportional": np.asarray, "equal": np.ones_like}


def select(
    features,
    budget: int,
    *,
    seed: int,
    inside: str = "token_length",
    clusters: int = 10,
    quota: str = "proportional",
    embedding: str = "all",
) -> Selection:
    """Give every cluster of the pool a quota, and take from each the best rows by another method's score.

    Parameters
    ----------
    inside : what decides in a cluster: "random", "nearest" to its centre, or the call of any method that scores
        rows, such as "ifd" or "cross_entropy(direction='lowest')". The study's recipe is "token_length".
    clusters : number of clusters; the study does not tell its own, its script has 10.
    quota : "proportional" to the rows of a cluster (largest remainder), or "equal"; what a cluster cannot give
        is shared among the others.
    embedding : space of the clusters, see `features.embeddings`.

    Returns
    -------
    Selection
        The clusters take turns as their quotas say, so that every beginning of `rows` is as spread; `scores` is
        `None`: whether a row is selected depends on the others of its cluster.

    Notes
    -----
    Differs from the study's token_length/kmeans_sample.py, which reads no length and takes the one row nearest to
    each centre (inside="nearest", quota="equal" with as many clusters as rows), and from its embedding.py, whose
    means include the padding.
    """
    budget, weigh = check_budget(budget, features.n_rows), choose("quota", quota, QUOTAS)
    groups = features.clusters(embedding, clusters, seed)
    scores, excluded = _scores_within(features, groups, inside, embedding, seed)
    has_place, scored = groups.labels >= 0, np.isfinite(scores)
    excluded = {**excluded, "not embedded": int((scored & ~has_place).sum())}
    rows = np.flatnonzero(has_place & scored)
    check_left(budget, len(rows), features.n_rows, excluded)
    weights = weigh(groups.sizes)
    quotas = allocate(weights, budget, np.bincount(groups.labels[rows], minlength=len(weights)))
    tie_break = shuffled_places(features.n_rows, seed, features.row_keys())[rows]
    rows = by_turns(rows, groups.labels[rows], scores[rows], tie_break, quotas, weights)
    return Selection(rows=rows, excluded={reason: count for reason, count in excluded.items() if count})


def by_turns(
    rows: np.ndarray, labels: np.ndarray, scores: np.ndarray, tie_break: np.ndarray, quotas: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The best rows of each group, as many as its quota, the groups in turns; int64.

    The n-th row of a group comes at (n - 1/2) / its weight, which is how Webster's rule hands out seats.

    Parameters
    ----------
    labels, scores, tie_break : of these rows, shape (rows,); of equal scores the lower `tie_break` comes first.
    quotas, weights : of shape (groups,).
    """
    order = np.lexsort((tie_break, -scores, labels))
    rows, labels = rows[order], labels[order]
    place = np.arange(len(rows)) - np.searchsorted(labels, labels)
    kept = place < quotas[labels]
    rows, labels, place = rows[kept], labels[kept], place[kept]
    return rows[np.lexsort((labels, (place + 0.5) / weights[labels]))]


def _scores_within(features, groups, inside: str, embedding: str, seed: int) -> tuple[np.ndarray, dict[str, int]]:
    """Score of every row by what decides inside a cluster, and counts of rows that it excludes."""
    if inside == "random":
        return np.zeros(features.n_rows), {}
    if inside == "nearest":
        return -np.nan_to_num(groups.distances(features.embeddings(embedding))), {}
    one = calls.scored(inside, features, seed=seed)
    return one.scores, one.excluded
