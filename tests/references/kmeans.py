"""Quotas in fractions, one seat after another; Lloyd's k-means with every distance written down."""

from fractions import Fraction

import numpy as np


def quotas(weights: list[int], budget: int, available: list[int]) -> list[int]:
    """Shares of a budget by largest remainder; who cannot give its share gives all, and the rest begins anew."""
    given: dict[int, int] = {}
    while True:
        sharing = [group for group in range(len(weights)) if group not in given and weights[group]]
        left = budget - sum(given.values())
        total = sum(weights[group] for group in sharing)
        exact = {group: Fraction(left * weights[group], total) for group in sharing}
        full = [group for group in sharing if exact[group] > available[group]]
        if not full:
            break
        given.update((group, available[group]) for group in full)
    given.update((group, int(exact[group])) for group in sharing)
    by_remainder = sorted(sharing, key=lambda group: (int(exact[group]) - exact[group], group))
    for group in by_remainder[: budget - sum(given.values())]:
        given[group] += 1
    return [given.get(group, 0) for group in range(len(weights))]


def chosen(labels: list[int], scores: list[float], budget: int, equal: bool) -> set[int]:
    """Rows that quotas and scores decide; the scores are all different, nan where a row has none."""
    groups = range(max(labels) + 1)
    members = [[row for row, label in enumerate(labels) if label == group] for group in groups]
    scored = [[row for row in rows if not np.isnan(scores[row])] for rows in members]
    weights = [1 if equal else len(rows) for rows in members]
    wanted = quotas(weights, budget, [len(rows) for rows in scored])
    best = [sorted(rows, key=lambda row: -scores[row])[:count] for rows, count in zip(scored, wanted, strict=True)]
    return {row for rows in best for row in rows}


def lloyd(points: np.ndarray, n_clusters: int, seed: int, rounds: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Labels and centres of k-means over all rows at every round, from centres that k-means++ draws."""
    rng, points = np.random.default_rng(seed), np.asarray(points, dtype=np.float64)
    centres = points[rng.integers(len(points), size=1)]
    nearest = np.full(len(points), np.inf)
    while len(centres) < n_clusters:
        nearest = np.minimum(nearest, _squared(points, centres[-1:])[:, 0])
        centres = np.concatenate([centres, points[rng.choice(len(points), size=1, p=nearest / nearest.sum())]])
    labels = np.full(len(points), -1)
    for _ in range(rounds):
        before, labels = labels, _squared(points, centres).argmin(axis=1)
        if np.array_equal(before, labels):
            break
        for number in range(n_clusters):
            if (labels == number).any():
                centres[number] = points[labels == number].mean(axis=0)
    return labels, centres


def _squared(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
