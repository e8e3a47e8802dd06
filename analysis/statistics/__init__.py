"""Is a method better than a random draw? Arrays of scores per run and item in, intervals and verdicts out."""

from analysis.statistics.comparison import (
    BETTER,
    NO_DIFFERENCE,
    UNDECIDED,
    VERDICTS,
    WORSE,
    Comparison,
    compare,
    compare_all,
    verdict,
)
from analysis.statistics.intervals import Interval, Spread, interval, interval_of_mean
from analysis.statistics.power import Noise, detectable_difference, power_of, seeds_needed
from analysis.statistics.ranks import holm, mann_whitney_exact, smallest_p, win_share
from analysis.statistics.runs import paired_item_difference
from analysis.statistics.variance import variance_components

__all__ = [
    "BETTER",
    "NO_DIFFERENCE",
    "UNDECIDED",
    "VERDICTS",
    "WORSE",
    "Comparison",
    "Interval",
    "Noise",
    "Spread",
    "compare",
    "compare_all",
    "detectable_difference",
    "holm",
    "interval",
    "interval_of_mean",
    "mann_whitney_exact",
    "paired_item_difference",
    "power_of",
    "seeds_needed",
    "smallest_p",
    "variance_components",
    "verdict",
    "win_share",
]
