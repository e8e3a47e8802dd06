"""A short fine-tuning on varied instructions before rows are scored, stage 1 of IFD (Li et al. 2023, arXiv 2308.12032)."""

import numpy as np


def learned(features, *, clusters: int, per_cluster: int, band: tuple[float, float], seed: int):
    """The features under the model that has learned from rows of every cluster of instructions.

    Parameters
    ----------
    clusters : of the mean last hidden states over all that comes before the last answer; at most one per row.
    per_cluster, band : see `sample`.
    seed : of the clusters and of the fine-tuning.
    """
    if isinstance(clusters, bool) or not isinstance(clusters, int) or clusters < 1:
        raise ValueError(f"clusters: expected a whole number from 1 up, found {clusters!r}")
    with np.errstate(over="ignore"):
        perplexity = np.exp(features.token_losses("prompt").mean("last"))
    embedded = int(np.isfinite(features.embeddings("prompt")).all(axis=1).sum())
    labels = features.clusters("prompt", min(clusters, max(embedded, 1)), seed).labels
    labels = np.where(np.isfinite(perplexity), labels, -1)
    rows = sample(labels, perplexity, per_cluster=per_cluster, band=band)
    return features.after_finetuning(rows, seed=seed)


def sample(
    labels: np.ndarray, perplexity: np.ndarray, *, per_cluster: int = 10, band: tuple[float, float] = (25, 75)
) -> np.ndarray:
    """Rows of every cluster at an even stride in the pool's order; int64, cluster by cluster.

    A cluster of fewer rows than `per_cluster` gives all of them. Of a larger one count the k rows inside the band,
    and every (k // per_cluster)-th of these is taken, at most `per_cluster`; all where k is smaller. As in the
    authors' data_by_cluster.py.

    Parameters
    ----------
    labels : cluster of each row, -1 for none, shape (n_rows,).
    perplexity : of each row's instruction, shape (n_rows,).
    per_cluster : rows to take from each cluster.
    band : percentiles of the cluster's own perplexities between which a row must lie, both included.

    Raises
    ------
    ValueError
        The band is not two percentiles, or `per_cluster` not a whole number from 1 up.
    """
    if len(band) != 2 or not 0 <= band[0] < band[1] <= 100:
        raise ValueError(f"band: expected percentiles (low, high) with 0 <= low < high <= 100, found {band!r}")
    if isinstance(per_cluster, bool) or not isinstance(per_cluster, int) or per_cluster < 1:
        raise ValueError(f"per_cluster: expected a whole number from 1 up, found {per_cluster!r}")
    taken = [np.zeros(0, dtype=np.int64)]
    for label in np.unique(labels[labels >= 0]):
        members = np.flatnonzero(labels == label)
        if len(members) >= per_cluster:
            low, high = np.percentile(perplexity[members], band)
            members = members[(perplexity[members] >= low) & (perplexity[members] <= high)]
        taken.append(members[:: max(len(members) // per_cluster, 1)][:per_cluster])
    return np.concatenate(taken)
