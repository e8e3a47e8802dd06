"""What a design can see: its power, the runs needed for a difference, the smallest detectable difference."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from analysis.statistics.intervals import Spread, check_share, summed


@dataclass(frozen=True)
class Noise:
    """Standard deviations that a difference has to stand out from, in units of the score.

    Attributes
    ----------
    method : of the mean score of one run of the method (selection and training seed)
    random : of the mean score of one random run (draw and training seed)
    items : between items, of the paired difference without the cell noise
    """

    method: float
    random: float
    items: float

    def __post_init__(self) -> None:
        for name in ("method", "random", "items"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"noise {name}: expected a number of at least 0, found {getattr(self, name)!r}")

    def spread(self, *, n_runs: int, n_random: int, n_items: int) -> Spread:
        """Standard error of the difference in a design of this size, at least 2 of each."""
        counts = (n_runs, n_random, n_items)
        if min(counts) < 2:
            raise ValueError(f"expected at least 2 runs, random runs and items, found {', '.join(map(str, counts))}")
        deviations = (self.method, self.random, self.items)
        return summed([(sd**2 / count, count - 1) for sd, count in zip(deviations, counts, strict=True)])


def power_of(delta: float, spread: Spread, *, alpha: float = 0.05) -> float:
    """Probability that a true difference `delta` is called better (or, below 0, worse), by the noncentral t.

    `alpha` is two-sided and for one method; divide it by the number of methods for Holm's first level.
    """
    check_share("alpha", alpha)
    if spread.error == 0:
        return float(delta != 0)
    critical = special.stdtrit(spread.freedom, 1 - alpha / 2)
    # Not special.nctdtr, which is nan for some differences of 37 and more standard errors.
    return float(stats.nct.sf(critical, spread.freedom, abs(delta) / spread.error))


def detectable_difference(spread: Spread, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest true difference that is called better or worse with probability `power`.

    `spread` is that of the design, e.g. `noise.spread(n_runs=8, n_random=24, n_items=600)`.
    """
    check_share("power", power)
    if spread.error == 0:
        return 0.0
    unit = Spread(1.0, spread.freedom)
    most = 5 * special.stdtrit(spread.freedom, 1 - alpha / 2) + 10
    found = optimize.brentq(lambda size: power_of(size, unit, alpha=alpha) - power, 0, most)
    return float(found * spread.error)


def runs_needed(
    delta: float, noise: Noise, *, n_items: int, per_run: int = 3, power: float = 0.8, alpha: float = 0.05,
    most: int = 1000,
) -> int | None:  # fmt: skip
    """Fewest runs of the method, at least 2, that show a difference `delta`; None where even `most` do not.

    Random has `per_run` times as many. None means that the items set the limit: more runs do not help.
    """
    check_share("power", power)

    def enough(n_runs: int) -> bool:
        spread = noise.spread(n_runs=n_runs, n_random=per_run * n_runs, n_items=n_items)
        return power_of(delta, spread, alpha=alpha) >= power

    return 2 + bisect_left(range(2, most), True, key=enough) if enough(most) else None
