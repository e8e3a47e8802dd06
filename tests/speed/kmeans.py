"""Clusters: every distance written down at every round, and scikit-learn's own k-means, against mini-batches."""

import tempfile
import time
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.cluster import KMeans

from analysis.experiments.workbench import Workbench, prepare
from analysis.features.clusters import cluster
from analysis.methods import kmeans
from analysis.store.store import Store
from tests.references import kmeans as reference

CLUSTERS = 100
LITERAL_ROWS = 4_000  # of which the literal reference makes clusters, and ours beside it


def compare(rows: int = 20_000) -> list[dict]:
    """Clusters of the same testbed rows by their words, with the sum of squared distances that each leaves."""
    with tempfile.TemporaryDirectory() as folder:
        work = prepare("curated", limit=rows, store=Store(folder), show_progress=False)
        points = work.features.embeddings("tfidf")
    few = points[:LITERAL_ROWS]
    return [
        _line("k-means, literal", few, lambda: reference.lloyd(few, CLUSTERS, seed=0)[0]),
        _line("k-means, scikit-learn's", points, lambda: KMeans(CLUSTERS, random_state=0).fit_predict(points)),
    ]


def growth(sizes: Sequence[int] = (1_000, 10_000, 100_000)) -> list[dict]:
    """Seconds of the longest rows of every cluster of words, counting tokens and making vectors included."""
    lines = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            work = prepare("curated", limit=size, store=Store(folder), show_progress=False)
            lines.append({"rows": len(work.pool), "seconds": _timed(lambda: _select(work))[1]})  # noqa: B023
    return lines


def _select(work: Workbench):
    return kmeans.select(work.features, 500, seed=0, clusters=CLUSTERS, embedding="tfidf")


def _line(step: str, points: np.ndarray, literal: Callable[[], np.ndarray]) -> dict:
    found, ours = _timed(lambda: cluster(points, CLUSTERS, seed=0))
    labels, slow = _timed(literal)
    spread, literal_spread = _spread(points, found.labels), _spread(points, labels)
    return {
        "step": step, "rows": len(points), "reference_seconds": slow, "ours_seconds": ours, "ratio": slow / ours,
        "note": f"{CLUSTERS} clusters of {points.shape[1]} dimensions; squared distances {spread / literal_spread:.3f} "
        "times the reference's",
    }  # fmt: skip


def _spread(points: np.ndarray, labels: np.ndarray) -> float:
    return sum(((part - part.mean(axis=0)) ** 2).sum() for part in (points[labels == one] for one in set(labels)))


def _timed(compute: Callable) -> tuple:
    started = time.perf_counter()
    found = compute()
    return found, time.perf_counter() - started
