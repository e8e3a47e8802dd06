"""Methods against random at equal budget, and against the base: estimates, intervals, p values and verdicts.

The rule, fixed before any data is seen (α = 1 - confidence, 0.05 by default), for a family of methods:

1. "no verdict" from fewer than `FEWEST_RUNS` runs on a side or `FEWEST_ITEMS` items, or where training changed nothing;
2. "no difference larger than δ" if the (1 - 2α) interval lies inside ±δ (two one-sided tests at α);
3. else "better" or "worse" if the p, corrected by Holm over the family, is below α;
4. else "undecided".

p and intervals are those of Student's or of Welch's test, whichever is less certain (see `intervals`). Step 2 comes
before 3 on purpose: δ is what matters to the reader. It holds for each method by itself; Holm's correction is for
claims of a difference. The interval [low, high] is at the level at which Holm tests the method: it leaves out 0 if
and only if the corrected p is below α, so that a picture of intervals and the verdicts say the same.

Claims are about methods: every run of a method has a selection of its own, from a part of the pool of its own, and every
random run a draw of its own. Were the runs of a method trained on one selection, the claim would be about these rows, and
a lucky subset would count as a better method. Claims are about items like these.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.statistics.intervals import Spread, Widest, check_share, spread_of_difference, spread_of_gain
from analysis.statistics.power import Noise, detectable_difference, runs_needed
from analysis.statistics.ranks import holm, mann_whitney_exact, smallest_p, win_share
from analysis.statistics.runs import Runs, checked

BETTER, WORSE = "better", "worse"
NO_DIFFERENCE = "no difference larger than δ"
UNDECIDED = "undecided"
NO_VERDICT = "no verdict"
VERDICTS = (BETTER, WORSE, NO_DIFFERENCE, UNDECIDED, NO_VERDICT)
HELPS, HURTS = "helps", "hurts"
FEWEST_RUNS, FEWEST_ITEMS = 3, 30
UNTRAINED = "all runs are identical: training changed nothing"
WEIGHTS = (5.0, 1.25)  # of a first look and a confirmation on fresh runs; 1/5 + 1/1.25 = 1


def verdict(estimate: float, p: float, equivalence: tuple[float, float], *, delta: float, alpha: float = 0.05) -> str:
    """Steps 2 to 4 of the rule at the top of this file; `p` is two-sided and Holm-corrected."""
    if -delta < equivalence[0] and equivalence[1] < delta:
        return NO_DIFFERENCE
    if p < alpha:
        return BETTER if estimate > 0 else WORSE
    return UNDECIDED


def compare_all(
    items: Mapping[str, np.ndarray], random_items: np.ndarray, *, delta: float, confidence: float = 0.95
) -> pd.DataFrame:
    """Every method of a family against the same random runs.

    Parameters
    ----------
    items : scores of shape (k, n) by method, k runs on the same n items; higher is better.
    random_items : (r, n), independent draws, at least 2; best about 3 k.
    delta : smallest difference that matters, in units of the score.

    Returns
    -------
    One line per method: method; estimate (method minus random, above 0 = better); low, high (the interval that goes
    with the verdict); alone_low, alone_high (of this method by itself, at `confidence`); equivalence_low,
    equivalence_high (held against ±δ); delta; confidence; n_runs, n_random, n_items; p, p_holm;
    p_mann_whitney_better, p_mann_whitney_worse (exact, one-sided, over runs), smallest_p that these can reach;
    win_share of (run, draw) pairs; method_sd, random_sd, item_sd (see `Noise`); detectable (the smallest true
    difference called with probability 0.8 at Holm's first level); runs_needed to see δ so (random having three times
    as many; None where no number up to 1,000 does); verdict; note (why there is no verdict, else empty).
    """
    check_share("confidence", confidence)
    if not 0 <= delta < np.inf:
        raise ValueError(f"delta: expected a finite number of at least 0, found {delta!r}")
    if not items:
        raise ValueError("items: expected at least 1 method, found none")
    random = Runs.of(checked(random_items, "random", at_least=2))
    sides = {name: Runs.of(checked(one, name, n_items=random.items.shape[1])) for name, one in items.items()}
    spreads = {name: spread_of_difference(one, random) for name, one in sides.items()}
    table = pd.DataFrame([_line(name, one, random, spreads[name], delta, confidence) for name, one in sides.items()])
    alpha = (1 - confidence) / len(table)
    noises = [Noise(*noise) for noise in table[["method_sd", "random_sd", "item_sd"]].to_numpy()]
    sizes = {"n_random": len(random), "n_items": random.items.shape[1]}
    table["detectable"] = [
        detectable_difference(noise.spread(n_runs=max(n_runs, 2), **sizes), alpha=alpha)
        for noise, n_runs in zip(noises, table["n_runs"], strict=True)
    ]
    needed = [runs_needed(delta, noise, n_items=sizes["n_items"], alpha=alpha) for noise in noises]
    table["runs_needed"] = pd.array(needed, dtype="Int64")
    return judged(table, spreads)


def judged(table: pd.DataFrame, spreads: Mapping[str, Widest]) -> pd.DataFrame:
    """A table of one family with Holm's p, the intervals of the levels at which it tests, and the verdicts."""
    table = table.copy()
    alpha = 1 - table["confidence"].iloc[0]
    table["p_holm"] = holm(table["p"])
    levels = holm_levels(table["p"].to_numpy(), alpha)
    ends = [spreads[name].around(estimate, 1 - level)
            for name, estimate, level in zip(table["method"], table["estimate"], levels, strict=True)]  # fmt: skip
    table["low"], table["high"] = np.array(ends).T
    table["verdict"] = [
        verdict(line["estimate"], line["p_holm"], (line["equivalence_low"], line["equivalence_high"]),
                delta=line["delta"], alpha=alpha) if not line["note"] else NO_VERDICT
        for line in table.to_dict("records")
    ]  # fmt: skip
    return table


def holm_levels(p: np.ndarray, alpha: float) -> np.ndarray:
    """The level at which each p is held in Holm's procedure: p is below it if and only if the corrected p is below α."""
    order = np.argsort(p, kind="stable")
    steps = np.empty(len(p))
    steps[order] = np.arange(len(p), 0, -1)  # the smallest p is held against α / m
    corrected = np.maximum.accumulate((p * steps)[order])[np.argsort(order, kind="stable")]
    return np.divide(alpha * p, corrected, out=alpha / steps, where=corrected > 0)


def confirmed(first: pd.DataFrame, second: pd.DataFrame) -> np.ndarray:
    """p of a first look and of a confirmation on fresh runs as one, min(5 p1, 1.25 p2), for the methods of `first`.

    A method that `second` does not hold was not taken further. Still to be corrected by Holm over all methods of `first`.
    """
    again = second.set_index("method")["p"].reindex(first["method"]).fillna(1.0).to_numpy()
    return np.minimum(1.0, np.minimum(WEIGHTS[0] * first["p"].to_numpy(), WEIGHTS[1] * again))


def against_base(items: Mapping[str, np.ndarray], base_items: np.ndarray, *, confidence: float = 0.95) -> pd.DataFrame:
    """Whether fine-tuning on what each method (or chance) selects helps, against the base as it is.

    Parameters
    ----------
    items : scores of shape (k, n) by method; base_items : (n,), those of the base alone.

    Returns
    -------
    One line per method: method, estimate (above 0 = better than the base), low, high, p, p_holm, n_runs, verdict: helps,
    hurts, undecided, or no verdict.
    """
    check_share("confidence", confidence)
    base = checked(np.asarray(base_items)[None], "base")[0]
    lines, spreads = [], {}
    for name, one in items.items():
        runs = Runs.of(checked(one, name, n_items=len(base)))
        spreads[name] = spread_of_gain(runs, base) if len(runs) > 1 else Spread(np.inf, 1.0)
        estimate = float(runs.items.mean() - base.mean())
        lines.append({"method": name, "estimate": estimate, "p": spreads[name].p_value(estimate), "n_runs": len(runs),
                      "confidence": confidence, "delta": 0.0, "equivalence_low": -np.inf, "equivalence_high": np.inf,
                      "note": _why_no_verdict(runs, runs)})  # fmt: skip
    table = judged(pd.DataFrame(lines), spreads)
    table["verdict"] = table["verdict"].replace({BETTER: HELPS, WORSE: HURTS})
    return table[["method", "estimate", "low", "high", "p", "p_holm", "n_runs", "verdict", "note"]]


def _line(name: str, method: Runs, random: Runs, spread: Widest, delta: float, confidence: float) -> dict:
    estimate = float(method.items.mean() - random.items.mean())
    scores, others = method.items.mean(axis=1), random.items.mean(axis=1)
    difference = method.items.mean(axis=0) - random.items.mean(axis=0)
    cells = method.cell_variance / len(method) + random.cell_variance / len(random)
    own = method.variance if len(method) > 1 else random.variance
    item_part = max(0.0, float(np.var(difference, ddof=1)) - cells)
    alone, equivalence = spread.around(estimate, confidence), spread.around(estimate, 2 * confidence - 1)
    return {
        "method": name, "estimate": estimate, "alone_low": alone[0], "alone_high": alone[1],
        "equivalence_low": equivalence[0], "equivalence_high": equivalence[1], "delta": float(delta),
        "confidence": confidence, "n_runs": len(method), "n_random": len(random), "n_items": method.items.shape[1],
        "p": spread.p_value(estimate),
        "p_mann_whitney_better": mann_whitney_exact(scores, others, "greater"),
        "p_mann_whitney_worse": mann_whitney_exact(scores, others, "less"),
        "smallest_p": smallest_p(len(method), len(random)), "win_share": win_share(scores, others),
        "method_sd": np.sqrt(own), "random_sd": np.sqrt(random.variance), "item_sd": np.sqrt(item_part),
        "note": _why_no_verdict(method, random),
    }  # fmt: skip


def _why_no_verdict(method: Runs, random: Runs) -> str:
    few = min(len(method), len(random))
    if few < FEWEST_RUNS:
        return f"a verdict takes at least {FEWEST_RUNS} runs on each side, found {few}"
    if method.items.shape[1] < FEWEST_ITEMS:
        return f"a verdict takes at least {FEWEST_ITEMS} items, found {method.items.shape[1]}"
    return UNTRAINED if method.identical or random.identical else ""
