"""Groups of rows that lie near each other in a space: k-means, in batches so that it scales."""

import hashlib
import warnings

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

from analysis.features.arrays import POINTS_AT_ONCE, Clusters
from analysis.store.code_version import code_version
from analysis.store.store import digest

BATCH, BATCH_PER_CLUSTER = 4_096, 4  # rows of a batch: so many, or so many per cluster
INITS, PATIENCE, EPOCHS = 3, 20, 100  # first centres tried; batches without gain before it ends; at most


def cluster(points: np.ndarray, n_clusters: int, seed: int, *, keys: np.ndarray | None = None) -> Clusters:
    """Mini-batch k-means (Sculley 2010) from k-means++ centres, then every point to its nearest centre.

    Parameters
    ----------
    points : of shape (n_rows, dim); rows that are not finite belong to no cluster.
    n_clusters : at most so many are returned, fewer where points coincide or a centre attracts none.
    seed : of first centres and batches.
    keys : of shape (n_rows,), unique; the clusters then depend on them and not on the order of the rows.

    Raises
    ------
    ValueError
        `n_clusters` is not a whole number from 1 up to the number of rows that have a point.
    """
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    if isinstance(n_clusters, bool) or not isinstance(n_clusters, (int, np.integer)) or n_clusters < 1:
        raise ValueError(f"clusters: expected a whole number from 1 up, found {n_clusters!r}")
    if n_clusters > len(known):
        raise ValueError(f"clusters: {n_clusters} asked for, only {len(known)} of {len(points)} rows have a point")
    if keys is not None:
        known = known[np.argsort(np.asarray(keys)[known], kind="stable")]
    some = np.asarray(points[known], dtype=np.float32)
    batch = min(max(BATCH, BATCH_PER_CLUSTER * n_clusters), len(some))
    means = MiniBatchKMeans(
        n_clusters, batch_size=batch, init_size=min(3 * batch, len(some)), n_init=INITS, max_no_improvement=PATIENCE,
        max_iter=EPOCHS, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of fewer distinct points than clusters: said above
        found = means.fit_predict(some)
    return _by_size(found, known, some, len(points))


def pool_clusters(features, kind: str, n_clusters: int, seed: int) -> Clusters:
    """Clusters of a pool's rows by their embeddings of this kind, from the store where they are there."""
    points = features.embeddings(kind)
    key = digest(
        points=hashlib.blake2b(np.ascontiguousarray(points)).hexdigest(), shape=list(points.shape),
        rows=hashlib.blake2b(features.row_keys()).hexdigest(), n_clusters=n_clusters, seed=seed,
        code=code_version(__name__),
    )  # fmt: skip
    with features.store.claim("clusters", key):
        arrays = features.store.arrays("clusters", key)
        if arrays is None:
            found = cluster(points, n_clusters, seed, keys=features.row_keys())
            arrays = {"labels": found.labels, "centres": found.centres}
            features.store.save_arrays("clusters", key, **arrays)
    return Clusters(**arrays)


def _by_size(found: np.ndarray, known: np.ndarray, points: np.ndarray, n_rows: int) -> Clusters:
    """Number the clusters by size, leave out empty ones and take the means of those that remain."""
    sizes = np.bincount(found)
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    number = np.full(len(sizes), -1)
    number[order] = np.arange(len(order))
    labels = np.full(n_rows, -1, dtype=np.int64)
    labels[known] = number[found]
    sums = np.zeros((len(order), points.shape[1]))
    for start in range(0, len(points), POINTS_AT_ONCE):
        part = labels[known[start : start + POINTS_AT_ONCE]]
        belongs = csr_matrix((np.ones(len(part)), (part, np.arange(len(part)))), shape=(len(order), len(part)))
        sums += belongs @ points[start : start + POINTS_AT_ONCE]
    return Clusters(labels, (sums / sizes[order][:, None]).astype(np.float32))
