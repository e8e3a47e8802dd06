"""How far two selections take the same rows, and two scores rank rows alike."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from analysis.methods import Selection, label

BOTH, NEITHER = "both", "neither"


def share_in_common(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the rows of the first that are also rows of the second."""
    return len(np.intersect1d(first, second)) / len(first)


def between(selections: Sequence[Mapping[str, np.ndarray]]) -> pd.DataFrame:
    """Share of the rows of one method (line) that another (column) also takes: mean over parts, by label."""
    names = list(selections[0])
    tables = [
        [[share_in_common(of_part[one], of_part[other]) for other in names] for one in names] for of_part in selections
    ]
    labels = [label(name) for name in names]
    return pd.DataFrame(np.mean(tables, axis=0), index=labels, columns=labels)


def rank_correlation(first, second) -> float:
    """Spearman's correlation of two scores over the rows that have both; shape (n_rows,) each."""
    first, second = np.asarray(first), np.asarray(second)
    both = np.isfinite(first) & np.isfinite(second)
    return float(spearmanr(first[both], second[both]).statistic)


def same_group(first, second) -> tuple[float, float]:
    """Share of the rows that two groupings put into the same group, and what chance would give; shape (n_rows,) each."""
    first, second = pd.Series(np.asarray(first)), pd.Series(np.asarray(second))
    chance = first.value_counts(normalize=True) * second.value_counts(normalize=True)
    return float((first == second).mean()), float(chance.sum())


def agreement(first: Selection, second: Selection, n_rows: int) -> dict[str, float]:
    """Share of the first's rows in common, what chance would give in a pool of `n_rows`, and Spearman's of the scores.

    `spearman` is nan where a method has no scores.
    """
    scored = first.scores is not None and second.scores is not None
    return {
        "overlap": share_in_common(first.rows, second.rows),
        "expected": len(second.rows) / n_rows,
        "spearman": rank_correlation(first.scores, second.scores) if scored else np.nan,
    }


def selected_by(selections: dict[str, Selection], first: str, second: str, n_rows: int) -> pd.Categorical:
    """Which of two methods selects each row: neither, the first, the second (by label), or both, in this order."""
    one, two = (np.isin(np.arange(n_rows), selections[name].rows) for name in (first, second))
    return pd.Categorical.from_codes(one + 2 * two, [NEITHER, label(first), label(second), BOTH], ordered=True)
