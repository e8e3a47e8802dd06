"""Exact rank tests of a method's runs against random runs, and Holm's correction over methods."""

from collections.abc import Sequence
from math import comb

import numpy as np
from scipy import stats

ALTERNATIVES = ("greater", "less")
FEWEST_PAIRS = 5


def mann_whitney_exact(
    method_scores: Sequence[float], random_scores: Sequence[float], alternative: str = "greater"
) -> float:
    """Exact one-sided p against the claim that the method's runs are higher ("greater") or lower ("less").

    The null hypothesis is that all runs come from one distribution, which runs of a single subset never do.
    Ties share the mean of their ranks and p stays exact: every arrangement of the observed ranks is counted.
    scipy's exact test does this only without ties, its permutation test only with two runs on each side.
    """
    if alternative not in ALTERNATIVES:
        raise ValueError(f"alternative: expected one of {', '.join(ALTERNATIVES)}, found {alternative!r}")
    method, random = _scores("method_scores", method_scores), _scores("random_scores", random_scores)
    ranks = stats.rankdata(np.concatenate([method, random]))
    doubled = np.rint(2 * ranks).astype(int)  # mean ranks are multiples of a half
    # ways[k, s]: how many sets of k runs have ranks that sum to s
    ways = np.zeros((len(method) + 1, doubled.sum() + 1))
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    arrangements, observed = ways[-1], doubled[: len(method)].sum()
    extreme = arrangements[observed:] if alternative == "greater" else arrangements[: observed + 1]
    return float(extreme.sum() / arrangements.sum())


def smallest_p(n_runs: int, n_random: int) -> float:
    """Smallest one-sided p that the rank test can reach: 1 / C(n_runs + n_random, n_runs)."""
    if n_runs < 1 or n_random < 1:
        raise ValueError(f"expected at least 1 run on each side, found {n_runs} and {n_random}")
    return 1 / comb(n_runs + n_random, n_runs)


def win_share(method_scores: Sequence[float], random_scores: Sequence[float]) -> float:
    """Share of (method run, random run) pairs that the method wins, ties counted half; 0.5 = no winner."""
    method, random = _scores("method_scores", method_scores), _scores("random_scores", random_scores)
    return float((np.sign(method[:, None] - random) + 1).mean() / 2)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm-adjusted p values, in the order given."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p_values: expected numbers from 0 to 1, found {p_values!r}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))  # the smallest p times all of them
    return np.minimum(adjusted, 1.0)


def rank_correlation_interval(
    first: Sequence[float], second: Sequence[float], *, lost: int = 0, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Spearman's correlation of two measures of the same things, and the ends of its interval.

    By Fisher's transformation with the variance of Bonett & Wright (2000), (1 + r² / 2) / (n - 3). All three are nan
    where there are fewer than 5 pairs or one measure does not vary.

    Parameters
    ----------
    lost : pairs that do not count, such as one per group whose mean was taken off.
    """
    one, two = _scores("first", first), _scores("second", second)
    if len(one) != len(two):
        raise ValueError(f"second: expected {len(one)} numbers as in the first, found {len(two)}")
    pairs = len(one) - lost
    if pairs < FEWEST_PAIRS or np.ptp(one) == 0 or np.ptp(two) == 0:
        return (float("nan"),) * 3
    r = float(stats.spearmanr(one, two).statistic)
    half = stats.norm.isf((1 - confidence) / 2) * rank_correlation_error(r, pairs)
    at = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    return r, min(r, float(np.tanh(at - half))), max(r, float(np.tanh(at + half)))  # at ±1 rounding would leave r out


def rank_correlation_error(r: float, pairs: float) -> float:
    """Standard error of Fisher's transform of Spearman's r (Bonett and Wright 2000); infinite with 3 pairs or fewer."""
    return float(np.sqrt((1 + r**2 / 2) / (pairs - 3))) if pairs > 3 else float("inf")


def _scores(name: str, values: Sequence[float]) -> np.ndarray:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ValueError(f"{name}: expected finite numbers, one per run, found {values!r}")
    return scores
