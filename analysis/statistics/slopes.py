"""Does a difference grow or fall along something else? Slopes within parts, with the parts as what varies."""

import numpy as np
import pandas as pd

from analysis.statistics.comparison import FEWEST_RUNS, NO_VERDICT, UNDECIDED
from analysis.statistics.families import held_together, spread_of_mean

GROWS, FALLS = "grows", "falls"


def slopes(values: pd.DataFrame, *, by: str = "method", alpha: float = 0.05) -> pd.DataFrame:
    """Least-squares slope of `value` over `at` within each part, and its mean over parts; all lines are one family (Holm).

    Parameters
    ----------
    values : part, at, value and `by`; a part counts where it has values at two different places.

    Returns
    -------
    One line per `by`: estimate (of value, per one of `at`), low and high (at the level at which Holm tests it; infinite from one
    part), p, p_holm, n_parts, n_places, verdict: grows, falls, undecided, or no verdict from fewer than 3 parts. All nan where no
    part has two places.
    """
    lines, spreads = [], []
    for name, own in values.groupby(by, sort=False):
        found = [_slope(part) for _, part in own.groupby("part") if part["at"].nunique() > 1]
        spreads.append(spread_of_mean(found))
        lines.append({by: name, "estimate": float(np.mean(found)) if found else np.nan, "n_parts": len(found),
                      "n_places": own["at"].nunique()})  # fmt: skip
    table = held_together(pd.DataFrame(lines), spreads, alpha=alpha)
    table["verdict"] = np.where(table["p_holm"] < alpha, np.where(table["estimate"] > 0, GROWS, FALLS), UNDECIDED)
    table.loc[table["n_parts"] < FEWEST_RUNS, "verdict"] = NO_VERDICT
    return table


def _slope(part: pd.DataFrame) -> float:
    away = part["at"] - part["at"].mean()
    return float((away * part["value"]).sum() / (away**2).sum())
