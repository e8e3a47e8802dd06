"""Is a method better than a random draw? Arrays of scores per run and item in, intervals and verdicts out."""

from analysis.statistics.comparison import (
    BETTER,
    FEWEST_RUNS,
    HELPS,
    HURTS,
    NO_DIFFERENCE,
    NO_VERDICT,
    UNDECIDED,
    VERDICTS,
    WORSE,
    against_base,
    compare_all,
    compare_twice,
)
from analysis.statistics.intervals import interval_of_mean
from analysis.statistics.power import Noise, detectable_difference, runs_needed
from analysis.statistics.ranks import holm, rank_correlation_error, rank_correlation_interval
from analysis.statistics.variance import variance_components

__all__ = [
    "BETTER", "FEWEST_RUNS", "HELPS", "HURTS", "NO_DIFFERENCE", "NO_VERDICT", "UNDECIDED", "VERDICTS", "WORSE", "Noise",
    "against_base", "compare_all", "compare_twice", "detectable_difference", "holm", "interval_of_mean", "rank_correlation_error",
    "rank_correlation_interval", "runs_needed", "variance_components",
]  # fmt: skip
