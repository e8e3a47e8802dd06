"""A short fine-tuning on varied instructions before rows are scored, stage 1 of IFD (Li et al. 2023, arXiv 2308.12032)."""

import numpy as np

from analysis.methods.selection import shuffled_places


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
    rows = sample(labels, perplexity, per_cluster=per_cluster, band=band, keys=features.row_keys())
    return features.after_finetuning(rows, seed=seed)


def sample(
    labels: np.ndarray,
    perplexity: np.ndarray,
    *,
    per_cluster: int = 10,
    band: tuple[float, float] = (25, 75),
    keys: np.ndarray | None = None,
) -> np.ndarray:
    """Rows of every cluster at an even stride by perplexity, without the ends; int64, cluster by cluster.

    Parameters
    ----------
    labels : cluster of each row, -1 for none, shape (n_rows,).
    perplexity : of each row's instruction, shape (n_rows,).
    per_cluster : of k rows in the band every (k // per_cluster)-th is taken, at most so many; all where k is
        smaller.
    band : percentiles of the cluster's own perplexities between which a row must lie, both included.
    keys : of shape (n_rows,), unique; order rows of equal perplexity. Default: the row numbers.

    Raises
    ------
    ValueError
        The band is not two percentiles, or `per_cluster` not a whole number from 1 up.
    """
    if len(band) != 2 or not 0 <= band[0] < band[1] <= 100:
        raise ValueError(f"band: expected percentiles (low, high) with 0 <= low < high <= 100, found {band!r}")
    if isinstance(per_cluster, bool) or not isinstance(per_cluster, int) or per_cluster < 1:
        raise ValueError(f"per_cluster: expected a whole number from 1 up, found {per_cluster!r}")
    places = shuffled_places(len(labels), 0, keys) if keys is not None else np.arange(len(labels))
    by_perplexity = np.lexsort((places, perplexity))
    taken = [np.zeros(0, dtype=np.int64)]
    for label in np.unique(labels[labels >= 0]):
        members = by_perplexity[labels[by_perplexity] == label]
        low, high = np.percentile(perplexity[members], band)
        inside = members[(perplexity[members] >= low) & (perplexity[members] <= high)]
        taken.append(inside[:: max(len(inside) // per_cluster, 1)][:per_cluster])
    return np.concatenate(taken)
