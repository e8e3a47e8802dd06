"""A method against random at equal budget: estimate, interval, tests and one of four verdicts.

The rule, fixed before any data is seen (α = 1 - confidence, 0.05 by default):

1. "no difference larger than δ" if the (1 - 2α) interval lies inside ±δ (two one-sided tests at α);
2. else "better" or "worse" if the Holm-adjusted two-sided p is below α;
3. else "undecided".

Step 1 comes first on purpose: δ is what matters to the reader, so a difference that is real but surely
smaller than δ is reported as one that does not matter (its p is in the table all the same). "better" still
need not exceed δ: see the interval. Step 1 holds for each method by itself; Holm's correction is for claims
of a difference. Intervals are of one method by itself too: one may leave out 0 with the verdict "undecided".

The estimate is of this selected subset, over training seeds, against the average random draw, on items like
these. A subset as good as a lucky draw is therefore "better"; `win_share` says how many random runs it beats.
Equal training seeds on both sides are not paired: if they make scores alike, intervals are a little too wide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from analysis.statistics.design import Design
from analysis.statistics.intervals import Spread, check_share, resample_items, resample_runs
from analysis.statistics.power import Noise, detectable_difference, seeds_needed
from analysis.statistics.ranks import holm, mann_whitney_exact, smallest_p, win_share
from analysis.statistics.runs import checked, runs_of

BETTER, WORSE = "better", "worse"
NO_DIFFERENCE = "no difference larger than δ"
UNDECIDED = "undecided"
VERDICTS = (BETTER, WORSE, NO_DIFFERENCE, UNDECIDED)


@dataclass(frozen=True)
class Comparison:
    """A method against random; differences are method minus random, above 0 = better.

    Attributes
    ----------
    estimate, low, high : difference in mean score and its interval at `confidence`
    equivalence_low, equivalence_high : the narrower interval that is held against ±δ
    n_seeds, n_random, n_items : runs of the method, independent random draws, items
    p_bootstrap, p_holm : two-sided p that belongs to the interval; adjusted over all methods of the table
    p_mann_whitney_better, p_mann_whitney_worse : one-sided exact p over runs, at least `smallest_p`
    win_share : share of (method run, random draw) pairs that the method wins, ties counted half
    method_sd, random_sd, item_sd : what power is computed from; see `Noise`
    detectable : smallest true difference that this design calls better or worse with probability 0.8
    seeds_needed : runs on each side that see δ with probability 0.8; None if no number up to 1000 does
    note : assumptions and warnings, empty if there are none
    """

    estimate: float
    low: float
    high: float
    equivalence_low: float
    equivalence_high: float
    delta: float
    confidence: float
    n_seeds: int
    n_random: int
    n_items: int
    p_bootstrap: float
    p_holm: float
    p_mann_whitney_better: float
    p_mann_whitney_worse: float
    smallest_p: float
    win_share: float
    method_sd: float
    random_sd: float
    item_sd: float
    detectable: float
    seeds_needed: int | None
    verdict: str
    note: str

    @property
    def noise(self) -> Noise:
        return Noise(self.method_sd, self.random_sd, self.item_sd)


def verdict(estimate: float, p: float, equivalence: tuple[float, float], *, delta: float, alpha: float = 0.05) -> str:
    """One of `VERDICTS`, by the rule at the top of this file; `p` is two-sided and Holm-adjusted."""
    if -delta < equivalence[0] and equivalence[1] < delta:
        return NO_DIFFERENCE
    if p < alpha:
        return BETTER if estimate > 0 else WORSE
    return UNDECIDED


def compare(
    method_items: np.ndarray,
    random_items: np.ndarray,
    *,
    delta: float,
    confidence: float = 0.95,
    seed: int = 0,
    random_draws: Sequence | None = None,
) -> Comparison:
    """One method against random on the same items; p is not adjusted (`compare_all` does that).

    Parameters
    ----------
    method_items : (m, n), the same subset trained with m seeds; higher is better; m >= 3 for honest intervals
    random_items : (r, n), independent draws; at least 2, better 5 or more
    delta : smallest difference that matters, in units of the score
    seed : of the bootstrap
    random_draws : r labels; runs with the same label share a subset, so a draw counts once, as their mean
        (in the rank tests: as its first run)
    """
    return _compare({"method": method_items}, random_items, delta, confidence, seed, random_draws)["method"]


def compare_all(
    items: Mapping[str, np.ndarray],
    random_items: np.ndarray,
    *,
    delta: float,
    confidence: float = 0.95,
    seed: int = 0,
    random_draws: Sequence | None = None,
) -> pd.DataFrame:
    """Every method against the same random runs, one line each: `method` and the fields of `Comparison`.

    Parameters as in `compare`; `items` maps a method's name to its scores. p and verdicts are Holm-adjusted.
    """
    if not items:
        raise ValueError("items: expected at least 1 method, found none")
    compared = _compare(items, random_items, delta, confidence, seed, random_draws)
    table = pd.DataFrame([{"method": name, **asdict(one)} for name, one in compared.items()])
    table["seeds_needed"] = table["seeds_needed"].astype("Int64")
    return table


def _compare(
    items: Mapping[str, np.ndarray],
    random_items: np.ndarray,
    delta: float,
    confidence: float,
    seed: int,
    random_draws: Sequence | None,
) -> dict[str, Comparison]:
    check_share("confidence", confidence)
    if not 0 <= delta < np.inf:
        raise ValueError(f"delta: expected a finite number of at least 0, found {delta!r}")
    scores = checked(random_items, "random", at_least=2)
    draws = _draw_labels(random_draws, len(scores))
    firsts = np.unique(draws, return_index=True)[1]
    random = runs_of(np.stack([scores[draws == label].mean(axis=0) for label in range(len(firsts))]))
    single = runs_of(scores, draws) if len(firsts) < len(scores) else random  # runs that differ in the seed only
    methods = {name: checked(one, name, n_items=scores.shape[1]) for name, one in items.items()}
    designs = {name: Design.of(one, random, single) for name, one in methods.items()}
    resampled = resample_items(np.stack([one.item_part for one in designs.values()], axis=1), seed)
    rank_scores = scores[firsts].mean(axis=1)
    compared = {
        name: _one(one, means, rank_scores, delta, confidence, seed)
        for (name, one), means in zip(designs.items(), resampled.T, strict=True)
    }
    found = [one.p_bootstrap for one in compared.values()]
    adjusted = holm(found) if len(found) > 1 else found
    return {
        name: replace(one, p_holm=float(p), verdict=_verdict_of(one, float(p)))
        for (name, one), p in zip(compared.items(), adjusted, strict=True)
    }


def _one(
    design: Design,
    item_means: np.ndarray,
    rank_scores: np.ndarray,
    delta: float,
    confidence: float,
    seed: int,
) -> Comparison:
    items, random = design.method_items, design.random
    resampled = item_means + resample_runs(design.method.deviations, len(items), (seed, 1))
    resampled = resampled - resample_runs(random.deviations, len(random), (seed, 2))
    spread = Spread(float(np.std(resampled)), design.freedom)
    estimate = float(items.mean() - random.items.mean())
    low, high = spread.around(estimate, confidence)
    equivalence_low, equivalence_high = spread.around(estimate, 2 * confidence - 1)
    noise = Noise(*(float(np.sqrt(v)) for v in (design.method.variance, random.variance, design.item_variance)))
    n_seeds, n_random, n_items = len(items), len(random), items.shape[1]
    p = spread.p_value(estimate)
    alpha = 1 - confidence
    method_scores = items.mean(axis=1)
    return Comparison(
        estimate=estimate,
        low=low,
        high=high,
        equivalence_low=equivalence_low,
        equivalence_high=equivalence_high,
        delta=float(delta),
        confidence=confidence,
        n_seeds=n_seeds,
        n_random=n_random,
        n_items=n_items,
        p_bootstrap=p,
        p_holm=p,
        p_mann_whitney_better=mann_whitney_exact(method_scores, rank_scores, "greater"),
        p_mann_whitney_worse=mann_whitney_exact(method_scores, rank_scores, "less"),
        smallest_p=smallest_p(n_seeds, n_random),
        win_share=win_share(method_scores, rank_scores),
        method_sd=noise.method,
        random_sd=noise.random,
        item_sd=noise.items,
        detectable=detectable_difference(spread, alpha=alpha),
        seeds_needed=seeds_needed(delta, noise, n_items=n_items, alpha=alpha),
        verdict=UNDECIDED,
        note=design.note(),
    )


def _verdict_of(one: Comparison, p: float) -> str:
    inside = (one.equivalence_low, one.equivalence_high)
    return verdict(one.estimate, p, inside, delta=one.delta, alpha=1 - one.confidence)


def _draw_labels(random_draws: Sequence | None, n_runs: int) -> np.ndarray:
    if random_draws is None:
        return np.arange(n_runs)
    if len(random_draws) != n_runs:
        raise ValueError(f"random_draws: expected {n_runs} labels, one per random run, found {len(random_draws)}")
    labels = np.unique(np.asarray(random_draws), return_inverse=True)[1]
    if labels.max() == 0:
        raise ValueError(f"random_draws: expected at least 2 draws, found 1 ({random_draws[0]!r})")
    return labels
