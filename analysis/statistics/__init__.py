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
    confirmed,
    holm_levels,
    verdict,
)
from analysis.statistics.intervals import Spread, interval_of_mean
from analysis.statistics.power import Noise, detectable_difference, power_of, runs_needed
from analysis.statistics.ranks import (
    holm,
    mann_whitney_exact,
    rank_correlation_error,
    rank_correlation_interval,
    smallest_p,
    win_share,
)
from analysis.statistics.variance import variance_components

__all__ = [
    "BETTER",
    "FEWEST_RUNS",
    "HELPS",
    "HURTS",
    "NO_DIFFERENCE",
    "NO_VERDICT",
    "UNDECIDED",
    "VERDICTS",
    "WORSE",
    "Noise",
    "Spread",
    "against_base",
    "compare_all",
    "compare_twice",
    "confirmed",
    "detectable_difference",
    "holm",
    "holm_levels",
    "interval_of_mean",
    "mann_whitney_exact",
    "power_of",
    "rank_correlation_error",
    "rank_correlation_interval",
    "runs_needed",
    "smallest_p",
    "variance_components",
    "verdict",
    "win_share",
]
