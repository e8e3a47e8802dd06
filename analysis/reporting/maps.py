"""Places of rows on a flat map: two principal axes at once, UMAP once it is made, stored for the next time."""

import hashlib
from importlib import metadata

import numpy as np

from analysis.store.store import Store, digest
from analysis.subsets.rows import drawn

FITTED = 5_000  # rows that UMAP lays out; it places all others among them, as time grows faster than rows
N_NEIGHBORS = 15
MOST_PLACED = 100_000  # rows of a map; of a larger pool so many drawn at random


def on_map(points: np.ndarray) -> np.ndarray:
    """Rows that a map shows, ascending: those that have a point, of at most `MOST_PLACED` drawn at random."""
    some = drawn(len(points), MOST_PLACED)
    return some[np.isfinite(points[some]).all(axis=1)]


def map_maker(n_points: int, n_neighbors: int, seed: int):
    """UMAP by cosine with the settings of every map here; not fitted."""
    from umap import UMAP  # compiles for half a minute, which a stored map need not

    return UMAP(n_neighbors=min(n_neighbors, n_points - 1), min_dist=0.1, metric="cosine", random_state=seed, n_jobs=1)


def principal_places(points: np.ndarray) -> np.ndarray:
    """The first two principal axes of points of shape (n_rows, dim) at unit length; shape (n_rows, 2), nan off the map."""
    from sklearn.decomposition import PCA

    places, known = np.full((len(points), 2), np.nan, np.float32), on_map(points)
    lengths = np.linalg.norm(points[known], axis=1, keepdims=True)
    unit = points[known] / np.where(lengths > 0, lengths, 1)
    places[known] = PCA(2, random_state=0).fit_transform(unit)
    return places


def stored_places(points: np.ndarray, store: Store, seed: int) -> np.ndarray | None:
    """What `places` stored for these points, or None."""
    found = store.arrays("maps", _key(points, seed))
    return None if found is None else found["places"]


def places(points: np.ndarray, store: Store, seed: int) -> np.ndarray:
    """UMAP of points of shape (n_rows, dim): shape (n_rows, 2), nan off the map; stored.

    At most `FITTED` rows drawn at random are laid out, and the others placed among them.
    """
    key = _key(points, seed)
    with store.claim("maps", key):
        found = stored_places(points, store, seed)
        if found is None:
            found = np.full((len(points), 2), np.nan, np.float32)
            known = on_map(points)
            laid_out = known[drawn(len(known), FITTED, seed)]
            maker = map_maker(len(laid_out), N_NEIGHBORS, seed)
            found[laid_out] = maker.fit_transform(points[laid_out])
            others = np.setdiff1d(known, laid_out)
            if len(others):
                found[others] = maker.transform(points[others])
            store.save_arrays("maps", key, places=found)
    return found


def _key(points: np.ndarray, seed: int) -> str:
    content = hashlib.sha256(np.ascontiguousarray(points)).hexdigest()
    return digest(points=content, shape=points.shape, n_neighbors=N_NEIGHBORS, fitted=FITTED, seed=seed,
                  umap=metadata.version("umap-learn"))  # fmt: skip
