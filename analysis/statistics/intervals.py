"""How far an estimate lies from what it estimates: standard errors in closed form, and their degrees of freedom.

Two things vary: the runs (selection and training seed) and the items. A difference of two means has the variance
between runs of each side, divided by their number, and the variance between items of the paired difference, divided
by theirs. Run means already hold the cell noise (the luck of one run on one item), so it is taken out of the item
part, which would count it a second time; if nothing is left, the item part is 0. Degrees of freedom are
Satterthwaite's. A bootstrap over runs and items that keeps only its standard deviation gives the same with noise of
its own (ratio 1.002, sd 0.0075); percentiles over three to eight runs cover 77 to 98 % instead of 95.

The variance between runs is taken twice: that of both sides pooled (Student), which is right where a method's
selections spread as random draws do, and each side's own (Welch), which is right where they spread more. The larger p
and the wider interval count: 12 methods that select like chance, anew for every run, are then called in at most 5 % of
tables.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.statistics.runs import Runs


@dataclass(frozen=True)
class Spread:
    """Standard error of an estimate and its degrees of freedom."""

    error: float
    freedom: float

    def around(self, estimate: float, confidence: float) -> tuple[float, float]:
        """The interval of `estimate` at this confidence."""
        half = stats.t.isf((1 - confidence) / 2, self.freedom) * self.error
        return float(estimate - half), float(estimate + half)

    def p_value(self, estimate: float) -> float:
        """Two-sided p of no difference; without any variance 1 for a zero estimate and 0 for another."""
        if self.error == 0:
            return float(estimate == 0)
        return float(2 * stats.t.sf(abs(estimate) / self.error, self.freedom))


@dataclass(frozen=True)
class Widest:
    """Several spreads of one estimate, of which the least certain counts."""

    spreads: tuple[Spread, ...]

    def around(self, estimate: float, confidence: float) -> tuple[float, float]:
        """The widest of the intervals."""
        return min(spread.around(estimate, confidence) for spread in self.spreads)

    def p_value(self, estimate: float) -> float:
        """The largest of the p values."""
        return max(spread.p_value(estimate) for spread in self.spreads)


def spread_of_difference(method: Runs, random: Runs) -> Widest:
    """Spread of the mean of `method` minus that of `random` on the same items; a single run borrows random's variance."""
    n_items = method.items.shape[1]
    difference = method.items.mean(axis=0) - random.items.mean(axis=0)
    cells = method.cell_variance / len(method) + random.cell_variance / len(random)
    items = (item_variance(difference, cells) / n_items, n_items - 1)
    both = method.freedom + random.freedom
    squares = (method.variance * method.freedom if method.freedom else 0.0) + random.variance * random.freedom
    student = [(squares / both * (1 / len(method) + 1 / len(random)), both), items]
    welch = [(method.variance / len(method), method.freedom), (random.variance / len(random), random.freedom), items]
    return Widest(tuple(summed(terms) for terms in ((student, welch) if method.freedom else (student,))))


def spread_of_gain(runs: Runs, base: np.ndarray) -> Spread:
    """Spread of the mean of at least two runs minus the base's scores of shape (n_items,), which do not vary."""
    n_items = len(base)
    items = item_variance(runs.items.mean(axis=0) - base, runs.cell_variance / len(runs)) / n_items
    return summed([(runs.variance / len(runs), runs.freedom), (items, n_items - 1)])


def item_variance(item_means: np.ndarray, cell_share: float) -> float:
    """Variance between items without the cell noise that `item_means` still hold; not below 0."""
    return max(0.0, float(np.var(item_means, ddof=1)) - cell_share)


def summed(terms: Sequence[tuple[float, float]]) -> Spread:
    """Spread of a sum of independent (variance, degrees of freedom), after Satterthwaite; the least if all are 0."""
    total = sum(variance for variance, _ in terms)
    if total == 0:
        return Spread(0.0, float(min(freedom for _, freedom in terms)))
    freedom = 1 / sum((variance / total) ** 2 / freedom for variance, freedom in terms)
    return Spread(float(np.sqrt(total)), float(freedom))


def interval_of_mean(run_means: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean over runs and the ends of its Student's t interval, nan of one run; the items are taken as given."""
    check_share("confidence", confidence)
    means = np.asarray(run_means, dtype=np.float64)
    if means.ndim != 1 or not len(means) or not np.isfinite(means).all():
        raise ValueError(f"run_means: expected finite numbers, at least one, found {run_means!r}")
    if len(means) == 1:
        return float(means[0]), math.nan, math.nan
    return float(means.mean()), *Spread(float(stats.sem(means)), len(means) - 1).around(means.mean(), confidence)


def check_share(name: str, value: float) -> None:
    """ValueError unless the value lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name}: expected a number between 0 and 1, found {value!r}")
