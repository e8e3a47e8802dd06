"""One measure for selections from one part of a pool, from however few of its rows each of them was made."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.subsets.coverage import distances_to_selected
from analysis.subsets.diversity import effective_number

FAULT = "fault: "  # before its kind
DIGITS = 6  # of a score, to which scores that count as equal agree


@dataclass(frozen=True)
class Yardstick:
    """What is known of the rows of a part.

    Attributes
    ----------
    known : `rows.table` of the part.
    clusters : number of each row's cluster, below 0 for none; shape (n_rows,).
    points : where the rows lie, float of shape (n_rows, dim); see `coverage`.
    near_groups : equal number = near-duplicates; shape (n_rows,).
    """

    known: pd.DataFrame
    clusters: np.ndarray
    points: np.ndarray
    near_groups: np.ndarray

    @cached_property
    def _kinds(self) -> list[str]:
        """Kinds of faults in the part."""
        return sorted(set(self.known["fault"]) - {""})

    def measured(self, rows: np.ndarray) -> dict[str, float]:
        """What a selection of these rows is like.

        Effective numbers of clusters and, where known, skills (higher = more diverse); mean distance of the part's rows
        to the nearest selected one; shares of near-duplicates among the selected and, where known, of faulty rows;
        median answer tokens; and the shares of each kind of fault.
        """
        part, labels = self.known.iloc[rows], self.clusters[rows]
        found = {
            "effective clusters": effective_number(labels[labels >= 0]),
            "distance to the pool": float(np.nanmean(distances_to_selected(self.points, rows))),
            "near-duplicates": 1 - len(np.unique(self.near_groups[rows])) / len(rows),
            "median answer tokens": float(part["answer tokens"].median()),
        }
        if "fault" in part:
            found |= {
                "faulty rows": float((part["fault"] != "").mean()),
                "effective skills": effective_number(part["skill"]),
            }
            found |= {f"{FAULT}{kind}": float((part["fault"] == kind).mean()) for kind in self._kinds}
        return found


def tied(scores: np.ndarray | None, rows: np.ndarray) -> float:
    """Share of the selected rows that another row of the pool equals in score, to six digits; nan without scores."""
    if scores is None:
        return float("nan")
    known = scores[np.isfinite(scores)]
    with np.errstate(divide="ignore"):
        size = 10.0 ** (np.floor(np.log10(max(np.abs(known).max(), 1e-300))) + 1 - DIGITS)
    _, place, counts = np.unique(np.round(known / size), return_inverse=True, return_counts=True)
    equal = np.full(len(scores), np.nan)
    equal[np.isfinite(scores)] = counts[place] > 1
    return float(equal[rows].mean())


def saturation(scores: np.ndarray | None, rows: np.ndarray) -> float:
    """How far the last selected row is below the first, relative to the pool's median: 0 = all at the top score alike.

    nan without scores, and where the best row is no better than the median.
    """
    if scores is None:
        return float("nan")
    best, worst, middle = scores[rows].max(), scores[rows].min(), np.nanmedian(scores)
    return float((best - worst) / (best - middle)) if best > middle else float("nan")
