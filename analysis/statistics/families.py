"""Several estimates as one family: p corrected by Holm, each interval at the level at which its p is tested."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.statistics.comparison import holm_levels
from analysis.statistics.intervals import Spread
from analysis.statistics.ranks import holm


def held_together(table: pd.DataFrame, spreads: Sequence[Spread], *, alpha: float = 0.05) -> pd.DataFrame:
    """The table with p, p_holm, low and high of its estimates: an interval leaves out 0 where p_holm is below α."""
    p = np.array([spread.p_value(middle) for spread, middle in zip(spreads, table["estimate"], strict=True)])
    levels = holm_levels(p, alpha)
    ends = [
        spread.around(middle, 1 - level)
        for spread, middle, level in zip(spreads, table["estimate"], levels, strict=True)
    ]
    low, high = zip(*ends, strict=True) if ends else ((), ())
    return table.assign(p=p, p_holm=holm(p), low=low, high=high)


def spread_of_mean(values) -> Spread:
    """Student's spread of the mean of independent values; that of a single one is not known and without bound."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return Spread(np.inf, 1.0)
    return Spread(float(values.std(ddof=1) / np.sqrt(len(values))), len(values) - 1)
