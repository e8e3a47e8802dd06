"""Comparisons with random selection on the same items: interval, exact test, Holm, equivalence, power, verdict."""

from dataclasses import asdict, dataclass
from math import comb

import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests

BETTER, WORSE, NO_DIFFERENCE, UNDECIDED = "better", "worse", "no difference larger than δ", "undecided"
LEVEL = 0.05
DRAWS = 10_000


@dataclass(frozen=True)
class Comparison:
    """A method against random: difference of means in the items' unit, positive = the method is better.

    `low`, `high` bound the 95 % interval; `low_90`, `high_90` the 90 % interval, whose place inside ± δ is the
    two-sided equivalence test at 5 %. `p_mann_whitney` is exact, one-sided in the direction of the estimate;
    `smallest_p` is the least it could be with so many runs. `spread_borrowed`: with a single run of the method its
    spread is assumed to be that of random.
    """

    estimate: float
    low: float
    high: float
    low_90: float
    high_90: float
    p_value: float
    p_mann_whitney: float
    smallest_p: float
    n_seeds: int
    n_random: int
    n_items: int
    spread_borrowed: bool = False


def smallest_p(n_method: int, n_random: int) -> float:
    """Least one-sided p of an exact Mann-Whitney test: 1 / C(n_method + n_random, n_method)."""
    return 1 / comb(n_method + n_random, n_method)


def mann_whitney(method: np.ndarray, random: np.ndarray) -> float:
    """Exact one-sided p that the run means of the method are not larger; ties by permutation of all arrangements."""
    if len(np.unique(np.concatenate([method, random]))) == len(method) + len(random):
        return float(stats.mannwhitneyu(method, random, alternative="greater", method="exact").pvalue)
    ranks = stats.rankdata(np.concatenate([method, random]))
    test = stats.permutation_test(
        (ranks[: len(method)], ranks[len(method) :]), lambda a, b, axis: a.sum(axis=axis) + 0 * b.sum(axis=axis),
        alternative="greater", n_resamples=100_000, vectorized=True, rng=0,
    )  # fmt: skip
    return float(test.pvalue)


def interval_of_mean(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean of independent runs; nan with fewer than two."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float("nan"), float("nan")
    half = stats.sem(values) * stats.t.ppf((1 + confidence) / 2, len(values) - 1)
    return float(values.mean() - half), float(values.mean() + half)


def compare(method: np.ndarray, random: np.ndarray, *, seed: int = 0) -> Comparison:
    """Compare the runs of a method with the runs of random selection on the same items.

    The distribution of the difference is a bootstrap over items (paired: both sides see the same resampled items) to
    which the uncertainty from few runs is added as Student's t with runs - 1 degrees of freedom on each side: plain
    resampling of three runs would make intervals far too narrow. What runs and items vary together is counted with the
    runs only.

    Parameters
    ----------
    method, random : scores of shape (n_runs, n_items), higher is better, no nan; random needs two runs or more.

    Raises
    ------
    ValueError
        Shapes or values are not as expected (says what was found).
    """
    return compare_all({"method": method}, random, seed=seed)["method"]


def compare_all(
    methods: dict[str, np.ndarray], random: np.ndarray, *, seed: int = 0
) -> dict[str, Comparison]:
    """`compare` for several methods, all on the same resampled items."""
    random = _checked(random, "random")
    if len(random) < 2:
        raise ValueError(f"random: expected at least 2 runs, found {len(random)}")
    rng = np.random.default_rng(seed)
    n_items = random.shape[1]
    weights = rng.multinomial(n_items, np.full(n_items, 1 / n_items), size=DRAWS).astype(np.float32) / n_items
    found = {}
    for name, scores in methods.items():
        scores = _checked(scores, name)
        if scores.shape[1] != n_items:
            raise ValueError(f"{name}: expected the {n_items} items of random, found {scores.shape[1]}")
        found[name] = _compare(scores, random, weights, np.random.default_rng(seed + 1))
    return found


def _compare(
    method: np.ndarray, random: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> Comparison:
    m, r, n_items = len(method), len(random), method.shape[1]
    per_item = method.mean(axis=0) - random.mean(axis=0)
    estimate = float(per_item.mean())
    spread_random = float(random.mean(axis=1).std(ddof=1))
    spread_method = float(method.mean(axis=1).std(ddof=1)) if m > 1 else spread_random
    # Noise of single answers shows in the spread of run means already: keep only what the items add to it.
    noise = (_interaction(method if m > 1 else random) / m + _interaction(random) / r) / n_items
    from_items = per_item.var(ddof=1) / n_items
    kept = np.sqrt(max(from_items - noise, 0) / from_items) if from_items > 0 else 0.0
    draws = estimate + kept * (weights @ per_item.astype(np.float32) - estimate)
    draws += spread_method / np.sqrt(m) * rng.standard_t(m - 1 if m > 1 else r - 1, size=len(draws))
    draws += spread_random / np.sqrt(r) * rng.standard_t(r - 1, size=len(draws))
    low, high, low_90, high_90 = np.quantile(draws, [0.025, 0.975, 0.05, 0.95])
    beyond = min((draws <= 0).sum(), (draws >= 0).sum())
    ahead, behind = (method, random) if estimate >= 0 else (random, method)
    return Comparison(
        estimate, float(low), float(high), float(low_90), float(high_90),
        p_value=min(1.0, 2 * (beyond + 1) / (len(draws) + 1)),
        p_mann_whitney=mann_whitney(ahead.mean(axis=1), behind.mean(axis=1)), smallest_p=smallest_p(m, r),
        n_seeds=m, n_random=r, n_items=n_items, spread_borrowed=m == 1,
    )  # fmt: skip


def _interaction(scores: np.ndarray) -> float:
    """Variance of what is left of (run, item) scores after the means of runs and of items."""
    left = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    return float((left**2).sum() / ((len(scores) - 1) * (scores.shape[1] - 1)))


def _checked(scores: np.ndarray, name: str) -> np.ndarray:
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise ValueError(
            f"{name}: expected scores of shape (runs, items) with 2 items or more, found {scores.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError(f"{name}: {int((~np.isfinite(scores)).sum())} scores are not finite; expected none")
    return scores


def verdicts(comparisons: dict[str, Comparison], delta: float) -> pd.DataFrame:
    """Holm over the methods, and the verdict of each by a fixed rule.

    *No difference larger than δ* if the 90 % interval lies inside ± δ, first, because a difference that is real but
    smaller than what matters is no reason to prefer a method; else *better* or *worse* if the Holm-corrected two-sided
    p is below 5 %; else *undecided*.

    Raises
    ------
    ValueError
        `delta` is not positive.
    """
    if not delta > 0:
        raise ValueError(f"delta: expected more than 0, found {delta!r}")
    table = pd.DataFrame([{"method": name} | asdict(one) for name, one in comparisons.items()])
    table["p_holm"] = multipletests(table["p_value"], alpha=LEVEL, method="holm")[1]
    inside = (table["low_90"] > -delta) & (table["high_90"] < delta)
    decided = np.where(table["estimate"] > 0, BETTER, WORSE)
    table["verdict"] = np.where(inside, NO_DIFFERENCE, np.where(table["p_holm"] < LEVEL, decided, UNDECIDED))
    table["delta"] = delta
    return table


def variance_components(scores: np.ndarray) -> dict[str, float]:
    """Variances of one run's mean score that are due to subset, training seed and choice of items.

    Parameters
    ----------
    scores : of shape (n_draws, n_seeds, n_items); seeds are nested in draws, items crossed with both.

    Returns
    -------
    dict with "subset", "training seed" and "items": method of moments; what would be negative is 0.
    """
    means = scores.mean(axis=2)
    seeds = float(means.var(axis=1, ddof=1).mean()) if scores.shape[1] > 1 else float("nan")
    between = float(means.mean(axis=1).var(ddof=1))
    within = 0.0 if np.isnan(seeds) else seeds / scores.shape[1]
    per_item = scores.mean(axis=(0, 1))
    runs = scores.reshape(-1, scores.shape[2])
    items = per_item.var(ddof=1) - _interaction(runs) / len(runs)
    return {
        "subset": max(between - within, 0.0),
        "training seed": seeds,
        "items": max(items, 0.0) / scores.shape[2],
    }


def detectable_difference(spread: float, n_method: int, n_random: int, power: float = 0.8) -> float:
    """Smallest difference found with this power by a two-sided 5 % t test on run means.

    Parameters
    ----------
    spread : standard deviation of a run's mean score, assumed equal on both sides (same unit as the result).
    n_method, n_random : runs on each side.
    """
    freedom = n_method + n_random - 2
    if freedom < 1:
        raise ValueError(f"runs: expected at least 3 in all, found {n_method + n_random}")
    if spread == 0:
        return 0.0
    error, critical = np.sqrt(1 / n_method + 1 / n_random), stats.t.ppf(1 - LEVEL / 2, freedom)

    def missing(effect: float) -> float:
        # scipy's noncentral t loses its far lower tail; it is negligible at the powers asked for.
        return float(stats.nct.sf(critical, freedom, effect)) - power

    return float(optimize.brentq(missing, 0.0, 200.0) * error * spread)


def seeds_needed(
    spread: float, delta: float, n_random: int, power: float = 0.8, most: int = 1000
) -> int | None:
    """Training seeds of a method with which a difference of `delta` is found, or None if `most` are too few."""
    if detectable_difference(spread, most, n_random, power) > delta:
        return None
    low, high = 1 if n_random > 1 else 2, most
    while low < high:
        middle = (low + high) // 2
        if detectable_difference(spread, middle, n_random, power) <= delta:
            high = middle
        else:
            low = middle + 1
    return low
