"""Greedy k-center: points one by one, each as far as can be from all before (farthest first)."""

import numpy as np
from numba import njit

CANDIDATES = 1_024  # points that are kept up to date between two updates of all
CENTRES_AT_ONCE = 1_024
PRODUCTS_AT_ONCE = 2**20  # float32 numbers held by one block of inner products
NOISE = 1e-6  # share of |x|^2 + |y|^2 below which a squared distance in float32 is nothing but rounding


def farthest_first(points: np.ndarray, labelled: np.ndarray, count: int) -> np.ndarray:
    """`count` positions, each the point of largest distance to the labelled ones and to those chosen before.

    Exact: squared distances only shrink, so that as long as the best of the `CANDIDATES` farthest points beats
    what all others were at the last update, it is the farthest of all; only then are all updated, by one matrix
    product. Memory is that of the points and of one block of products; time grows with points times `count`.

    Parameters
    ----------
    points : float of shape (n, dim).
    labelled : positions that are there already; at least one.
    count : of those that are not labelled.

    Returns
    -------
    int64 of shape (count,); the lowest position where distances are equal.
    """
    space = _Space.of(points)
    nearest = space.nearest(space.part(labelled))
    nearest[labelled] = -1  # never chosen, even when only copies of labelled points are left
    _check(nearest, count)
    chosen: list[int] = []
    while len(chosen) < count:
        candidates, bound, last_tied = _farthest(nearest, CANDIDATES)
        within, current, batch = space.part(candidates), nearest[candidates], []
        while len(chosen) + len(batch) < count:
            best = int(current.argmax())
            if current[best] < max(bound, 0) or (current[best] == bound and candidates[best] > last_tied):
                break  # a point that is no candidate may be as far
            batch.append(int(candidates[best]))
            np.minimum(current, within.squared_distances(space.part(batch[-1:]))[:, 0], out=current)
            current[best] = -1
        space.shrink(nearest, space.part(batch))
        nearest[batch] = -1
        chosen += batch
    return np.array(chosen, dtype=np.int64)


def farthest_at_once(points: np.ndarray, labelled: np.ndarray, count: int) -> np.ndarray:
    """The `count` points of largest distance to the labelled ones, however near they are to each other."""
    space = _Space.of(points)
    nearest = space.nearest(space.part(labelled))
    nearest[labelled] = -1
    _check(nearest, count)
    return np.argsort(-nearest, kind="stable")[:count]


def distances_to_nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distance of every point to the nearest of `others`; float32 of shape (n,).

    Parameters
    ----------
    points, others : finite, of shapes (n, dim) and (m, dim); distances are Euclidean, in their unit.
    """
    space = _Space.of(np.concatenate([points, others]))
    return np.sqrt(space.part(slice(len(points))).nearest(space.part(slice(len(points), None))))


def distances_to_neighbour(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Distance of the points at these positions to the nearest other point; float32 of shape (rows,)."""
    space, nearest = _Space.of(points), np.full(len(rows), np.inf, dtype=np.float32)
    step = max(1, PRODUCTS_AT_ONCE // len(points))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        squared = space.part(some).squared_distances(space)
        squared[np.arange(len(some)), some] = np.inf
        nearest[start : start + step] = squared.min(axis=1)
    return np.sqrt(nearest)


class _Space:
    """Squared distances by inner products of centred points, which cancel least.

    What rounding alone can give counts as zero, so that copies of a point lie on it.
    """

    def __init__(self, points: np.ndarray, norms: np.ndarray) -> None:
        self.points, self.norms = points, norms

    @classmethod
    def of(cls, points: np.ndarray) -> "_Space":
        points = np.asarray(points)
        if points.ndim != 2 or not np.isfinite(points).all():
            raise ValueError(f"points: expected finite values of shape (n, dim), found shape {points.shape}")
        centred = np.subtract(points, points.mean(axis=0, dtype=np.float64), dtype=np.float32, casting="same_kind")
        return cls(centred, np.einsum("ij,ij->i", centred, centred))

    def part(self, rows) -> "_Space":
        return _Space(self.points[rows], self.norms[rows])

    def squared_distances(self, others: "_Space") -> np.ndarray:
        """float32 of shape (points here, points of `others`)."""
        sums = self.norms[:, None] + others.norms
        squared = sums - 2 * (self.points @ others.points.T)
        squared[squared <= NOISE * sums] = 0
        return squared

    def nearest(self, centres: "_Space") -> np.ndarray:
        """Squared distance of every point to the nearest centre; float32 of shape (n,)."""
        nearest = np.full(len(self.points), np.inf, dtype=np.float32)
        for start in range(0, len(centres.points), CENTRES_AT_ONCE):
            self.shrink(nearest, centres.part(slice(start, start + CENTRES_AT_ONCE)))
        return nearest

    def shrink(self, nearest: np.ndarray, centres: "_Space") -> None:
        """Take further centres into account, in place."""
        step = max(1, PRODUCTS_AT_ONCE // len(centres.points))
        for start in range(0, len(nearest), step):
            some = self.part(slice(start, start + step))
            products = some.points @ centres.points.T
            _keep_nearest(nearest[start : start + step], products, some.norms, centres.norms, np.float32(NOISE))


@njit(cache=True)
def _keep_nearest(nearest, products, norms, other_norms, noise):
    """`np.minimum(nearest, squared_distances.min(axis=1))` to the last bit, without writing the distances down."""
    for row in range(len(nearest)):
        least = nearest[row]
        for other in range(len(other_norms)):
            total = norms[row] + other_norms[other]
            squared = total - np.float32(2) * products[row, other]
            least = min(least, squared if squared > noise * total else np.float32(0))
        nearest[row] = least


def _farthest(nearest: np.ndarray, count: int) -> tuple[np.ndarray, float, int]:
    """The `count` farthest points in order of position, of equally far ones the first.

    Returns
    -------
    positions; the largest distance among the other points; the last position at this same distance.
    """
    if len(nearest) <= count:
        return np.arange(len(nearest)), -np.inf, -1
    bound = np.partition(nearest, -count - 1)[-count - 1]
    beyond = np.flatnonzero(nearest > bound)
    tied = np.flatnonzero(nearest == bound)[: count - len(beyond)]
    return np.sort(np.concatenate([beyond, tied])), bound, int(tied[-1]) if len(tied) else -1


def _check(nearest: np.ndarray, count: int) -> None:
    left = int((nearest >= 0).sum())
    if count > left:
        raise ValueError(f"count: {count} points asked for, only {left} are not labelled")
