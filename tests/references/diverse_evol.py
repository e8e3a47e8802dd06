"""K-center sampling by its formulas: all distances, one by one. Slow on purpose."""

import numpy as np


def distances(points: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs, shape (n, n)."""
    return np.array([[np.sqrt(((one - other) ** 2).sum()) for other in points] for one in points])


def farthest_first(points: np.ndarray, labelled: list[int], count: int) -> list[int]:
    """Each the position of the largest smallest distance to all before; the lowest of equal ones."""
    between = distances(np.asarray(points, dtype=np.float64))
    chosen: list[int] = []
    for _ in range(count):
        before = [*labelled, *chosen]
        left = [place for place in range(len(points)) if place not in before]
        chosen.append(max(left, key=lambda place: (min(between[place, other] for other in before), -place)))
    return chosen


def farthest_at_once(points: np.ndarray, labelled: list[int], count: int) -> list[int]:
    """The positions of largest smallest distance to the labelled ones."""
    between = distances(np.asarray(points, dtype=np.float64))
    left = [place for place in range(len(points)) if place not in labelled]
    return sorted(left, key=lambda place: (-min(between[place, other] for other in labelled), place))[:count]


def radius(points: np.ndarray, centres: list[int]) -> float:
    """Largest distance of a point to its nearest centre."""
    between = distances(np.asarray(points, dtype=np.float64))
    return max(min(between[place, centre] for centre in centres) for place in range(len(points)))


def select(features, budget: int, order: np.ndarray, *, sizes: list[int], greedy: bool, fresh: bool, seed: int) -> list:
    """Rows in order of selection; the first of `order` are the random draw, and equal distances follow it."""
    order, model = [int(row) for row in order], features
    chosen = order[: sizes[0]]
    for size in sizes[1:]:
        model = (features if fresh else model).after_finetuning(np.array(chosen), seed=seed)
        points = model.embeddings("all")[order]
        take = farthest_first if greedy else farthest_at_once
        chosen += [order[place] for place in take(points, [order.index(row) for row in chosen], size)]
    assert len(chosen) == budget
    return chosen
