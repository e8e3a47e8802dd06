"""How different the rows of a selection are from each other, as one number: measures that need no truth.

Points are float of shape (n_rows, dim) and finite; rows are positions in the pool. More is more diverse, but for the
share of near-duplicates.
"""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from analysis.pools.near_duplicates import groups
from analysis.subsets.diversity import effective_number

MEBIBYTES = 64  # of distances held at once
ALIKE = 0.8  # Jaccard similarity of two texts from which they are near-duplicates
LEAST = 1e-9  # added to a mean squared distance, as in the authors' code


def vendi_score(points: np.ndarray) -> float:
    """Effective number of different rows, from 1 to the number of rows (Friedman and Dieng 2023, arXiv 2210.02410).

    exp of the entropy of the eigenvalues of K / n, K the cosine similarities; those of the dim × dim matrix are the same.
    """
    unit = normalize(np.asarray(points, dtype=np.float64))
    shares = np.linalg.eigvalsh(unit.T @ unit / len(unit))
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def densities(points: np.ndarray, rows: np.ndarray, *, neighbours: int = 10, power: float = 0.5) -> np.ndarray:
    """How crowded the pool is around rows of it: 1 / (mean squared distance to the nearest others) ** power.

    Copies of a point count once, and a row is not its own neighbour. Distances are Euclidean; shape (rows,).
    """
    others, place = np.unique(points, axis=0, return_inverse=True)
    wanted = min(neighbours, len(others) - 1)
    near = NearestNeighbors(n_neighbors=wanted + 1, algorithm="brute").fit(others)
    squared, found = near.kneighbors(points[rows])
    squared = np.where(found == place.ravel()[rows][:, None], np.inf, squared**2)
    return 1 / (np.sort(squared, axis=1)[:, :wanted].mean(axis=1) + LEAST) ** power


def novel_sum(points: np.ndarray, density: np.ndarray, *, decay: float = 1.0) -> float:
    """NovelSum of selected rows (arXiv 2502.17184): distances that count more in crowded regions and to near rows.

    Mean over rows i of density_i times the mean of cosine distances from i, in ascending order (its own 0 first), with
    weights 1 / rank ** decay. Rows are taken in blocks: 10,000 of them need no more memory than `MEBIBYTES`.

    Parameters
    ----------
    points : of the selected rows alone.
    density : of the same rows, by `densities`; shape (rows,).
    """
    weights = 1 / np.arange(1, len(points) + 1) ** decay
    far = [
        np.sort(np.clip(block, 0, None), axis=1) @ weights
        for block in pairwise_distances_chunked(points, metric="cosine", working_memory=MEBIBYTES)
    ]
    return float(np.mean(density * np.concatenate(far)) / weights.sum())


def near_duplicate_share(signatures: np.ndarray, keys: np.ndarray, threshold: float = ALIKE) -> float:
    """Share of selected rows that could go, if of near-duplicates among them one were kept.

    Parameters
    ----------
    signatures, keys : of the selected rows alone, see `analysis.pools.near_duplicates.pairs`.
    """
    return 1 - len(np.unique(groups(signatures, threshold, keys))) / len(keys)


def cluster_entropy(labels: np.ndarray) -> float:
    """Entropy (nats) of the clusters of selected rows, those without one left out: log of their effective number."""
    return float(np.log(effective_number(labels[labels >= 0])))
