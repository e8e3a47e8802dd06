"""How a selection lies in a space: how far the pool is from it, and its rows from each other.

Points are float of shape (n_rows, dim), nan for a row without one; distances are Euclidean, in their unit.
"""

import numpy as np
import pandas as pd

from analysis.methods import Selection, label
from analysis.methods.tools.k_center import distances_to_nearest, distances_to_neighbour
from analysis.subsets.rows import drawn, quantiles


def coverage(points: np.ndarray, selections: dict[str, Selection]) -> pd.DataFrame:
    """Quantiles over the pool of the distance to the nearest selected row: method, share of rows, distance."""
    return quantiles(
        {label(name): distances_to_selected(points, chosen.rows) for name, chosen in selections.items()}, "distance"
    )


def distances_to_selected(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Distance of every row of the pool to the nearest of these rows, nan without a point; shape (n_rows,)."""
    known, far = np.isfinite(points).all(axis=1), np.full(len(points), np.nan, dtype=np.float32)
    far[known] = distances_to_nearest(points[known], points[rows[known[rows]]])
    return far


def isolation(points: np.ndarray) -> np.ndarray:
    """Distance of rows to the nearest other one of the pool, nan for those not drawn (`drawn`); shape (n_rows,)."""
    known, alone = np.flatnonzero(np.isfinite(points).all(axis=1)), np.full(len(points), np.nan, dtype=np.float32)
    some = drawn(len(known))
    alone[known[some]] = distances_to_neighbour(points[known], some)
    return alone


def spread(points: np.ndarray, selections: dict[str, Selection]) -> pd.DataFrame:
    """Per method: how far the pool is from the selection, how far its rows are from each other, and twins among them.

    A selected row has a twin where another selected row is nearer than the nearest other row of the pool is for
    half of all rows.
    """
    known, usual, lines = np.isfinite(points).all(axis=1), np.nanmedian(isolation(points)), []
    for name, chosen in selections.items():
        own = points[chosen.rows[known[chosen.rows]]]
        to_selected = distances_to_selected(points, chosen.rows)[known]
        apart = distances_to_neighbour(own, np.arange(len(own)))
        lines.append({
            "method": label(name), "rows": len(chosen.rows), "covering radius": to_selected.max(),
            "mean distance of the pool": to_selected.mean(), "median distance apart": np.median(apart),
            "with a twin": float((apart < usual).mean()),
        })  # fmt: skip
    return pd.DataFrame(lines)


def pick_distances(points: np.ndarray, selections: dict[str, Selection]) -> pd.DataFrame:
    """Distance of each selected row to the nearest one selected before it, in order: method, place, distance."""
    parts = []
    for name, chosen in selections.items():
        own = points[chosen.rows]
        far = [np.nan, *(np.linalg.norm(own[:place] - own[place], axis=1).min() for place in range(1, len(own)))]
        parts.append(pd.DataFrame({"method": label(name), "place": np.arange(1, len(own) + 1), "distance": far}))
    return pd.concat(parts, ignore_index=True).dropna()


def nearest_to_selected(points: np.ndarray, selection: Selection, count: int) -> np.ndarray:
    """The rows not selected that lie nearest to a selected one: what the method holds to be covered."""
    far = distances_to_selected(points, selection.rows)
    far[selection.rows] = np.nan
    return np.argsort(far, kind="stable")[:count]
