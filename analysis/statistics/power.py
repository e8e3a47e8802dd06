"""What a design can see: its power, the seeds needed for a difference, the smallest detectable difference."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from analysis.statistics.intervals import Spread, check_share, satterthwaite


@dataclass(frozen=True)
class Noise:
    """Standard deviations that a difference has to stand out from, in units of the score.

    Attributes
    ----------
    method : of the mean score of one run of the method (training seed)
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

    def spread(self, *, n_seeds: int, n_random: int, n_items: int) -> Spread:
        """Standard error of the difference in a design of this size, at least 2 of each."""
        counts = (n_seeds, n_random, n_items)
        if min(counts) < 2:
            raise ValueError(f"expected at least 2 seeds, random runs and items, found {', '.join(map(str, counts))}")
        deviations = (self.method, self.random, self.items)
        terms = [(sd**2 / count, count - 1) for sd, count in zip(deviations, counts, strict=True)]
        return Spread(float(np.sqrt(sum(variance for variance, _ in terms))), satterthwaite(terms))


def power_of(delta: float, spread: Spread, *, alpha: float = 0.05) -> float:
    """Probability that a true difference `delta` is called better (or, below 0, worse), by the noncentral t.

    `alpha` is two-sided and for one method; divide it by the number of methods for Holm's first step.
    """
    check_share("alpha", alpha)
    if spread.error == 0:
        return float(delta != 0)
    critical = special.stdtrit(spread.freedom, 1 - alpha / 2)
    return float(1 - special.nctdtr(spread.freedom, abs(delta) / spread.error, critical))


def detectable_difference(spread: Spread, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest true difference that is called better or worse with probability `power`.

    `spread` is that of the design, e.g. `noise.spread(n_seeds=3, n_random=5, n_items=600)`.
    """
    check_share("power", power)
    if spread.error == 0:
        return 0.0
    unit = Spread(1.0, spread.freedom)
    most = 5 * special.stdtrit(spread.freedom, 1 - alpha / 2) + 10
    found = optimize.brentq(lambda size: power_of(size, unit, alpha=alpha) - power, 0, most)
    return float(found * spread.error)


def seeds_needed(
    delta: float,
    noise: Noise,
    *,
    n_items: int,
    n_random: int | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    most: int = 1000,
) -> int | None:
    """Fewest seeds of the method, at least 2, that show a difference `delta`; None where even `most` do not.

    Random has `n_random` runs, by default as many as the method. None means that the items (or the given
    random runs) set the limit: more seeds do not help.
    """
    check_share("power", power)

    def enough(n_seeds: int) -> bool:
        spread = noise.spread(n_seeds=n_seeds, n_random=n_random or n_seeds, n_items=n_items)
        return power_of(delta, spread, alpha=alpha) >= power

    if not enough(most):
        return None
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
