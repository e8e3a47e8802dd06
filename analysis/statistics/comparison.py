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

from collections.abc import Hashable, Mapping

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
LOOKS = ("first", "confirmation")
WEIGHTS = (5.0, 1.25)  # of a first look and a confirmation on fresh runs; 1/5 + 1/1.25 = 1


def verdict(estimate: float, p: float, equivalence: tuple[float, float], *, delta: float, alpha: float = 0.05) -> str:
    """Steps 2 to 4 of the rule at the top of this file; `p` is two-sided and Holm-corrected."""
    if -delta < equivalence[0] and equivalence[1] < delta:
        return NO_DIFFERENCE
    if p < alpha:
        return BETTER if estimate > 0 else WORSE
    return UNDECIDED


def compare_all(
    items: Mapping[Hashable, np.ndarray], random_items: np.ndarray | Mapping[Hashable, np.ndarray], *, delta: float,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Every method of a family against random runs, all on the same items.

    Parameters
    ----------
    items : scores of shape (k, n) by method, k runs on the same n items; higher is better.
    random_items : (r, n), independent draws, at least 2; best about 3 k. By method where they are not the same, such as
        those of another budget.
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
    return _family(*_looked_at(items, random_items, delta, confidence), delta)


def compare_twice(
    first: tuple[Mapping, Mapping | np.ndarray], second: tuple[Mapping, Mapping | np.ndarray], *, delta: float,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """A first look at every method of a family and a confirmation on fresh runs of those taken further.

    Parameters
    ----------
    first, second : items and random items of each look, see `compare_all`; the second has some methods of the first.

    Returns
    -------
    The columns of `compare_all`, and `look`: the one whose runs decide, "first" or "confirmation". p is that of
    `confirmed`; intervals are those of the deciding look, as wide as its share of the level asks.
    """
    (early, spreads), (late, again) = (_looked_at(*look, delta, confidence) for look in (first, second))
    later, lines = {line["method"]: line for line in late.to_dict("records")}, []
    for line, p in zip(early.to_dict("records"), confirmed(early, late), strict=True):
        name = line["method"]
        decides = name in later and WEIGHTS[1] * later[name]["p"] <= WEIGHTS[0] * line["p"]
        spreads[name], chosen = (again[name], later[name]) if decides else (spreads[name], line)
        weight = WEIGHTS[decides]
        ends = spreads[name].around(chosen["estimate"], 1 - 2 * (1 - confidence) / weight)
        told = {
            "p": p,
            "weight": weight,
            "look": LOOKS[decides],
            "equivalence_low": ends[0],
            "equivalence_high": ends[1],
        }
        lines.append(chosen | told)
    return _family(pd.DataFrame(lines), spreads, delta).drop(columns="weight")


def _looked_at(items, random_items, delta: float, confidence: float) -> tuple[pd.DataFrame, dict[Hashable, Widest]]:
    """A line per method without what depends on the family, and its spreads."""
    check_share("confidence", confidence)
    if not 0 <= delta < np.inf:
        raise ValueError(f"delta: expected a finite number of at least 0, found {delta!r}")
    if not items:
        raise ValueError("items: expected at least 1 method, found none")
    given = random_items if isinstance(random_items, Mapping) else dict.fromkeys(items, random_items)
    seen: dict[int, Runs] = {}  # random runs that several methods are held against are looked through once
    lines, spreads = [], {}
    for name, one in items.items():
        if id(given[name]) not in seen:
            seen[id(given[name])] = Runs.of(checked(given[name], "random", at_least=2))
        random = seen[id(given[name])]
        method = Runs.of(checked(one, str(name), n_items=random.items.shape[1]))
        spreads[name] = spread_of_difference(method, random)
        lines.append(_line(name, method, random, spreads[name], delta, confidence))
    return pd.DataFrame(lines), spreads


def _family(table: pd.DataFrame, spreads: Mapping[Hashable, Widest], delta: float) -> pd.DataFrame:
    """The table with what its design can see, and judged."""
    seen = [_resolution(line, delta, len(table)) for line in table.to_dict("records")]
    table["detectable"] = [least for least, _ in seen]
    table["runs_needed"] = pd.array([needed for _, needed in seen], dtype="Int64")
    return judged(table, spreads)


def _resolution(line: dict, delta: float, compared: int) -> tuple[float, int | None]:
    """The smallest difference that a line's design shows at Holm's first level, and the runs that δ would take."""
    alpha = (1 - line["confidence"]) / compared / line.get("weight", 1.0)
    noise = Noise(line["method_sd"], line["random_sd"], line["item_sd"])
    spread = noise.spread(n_runs=max(line["n_runs"], 2), n_random=line["n_random"], n_items=line["n_items"])
    return detectable_difference(spread, alpha=alpha), runs_needed(delta, noise, n_items=line["n_items"], alpha=alpha)


def judged(table: pd.DataFrame, spreads: Mapping[Hashable, Spread | Widest]) -> pd.DataFrame:
    """A table of one family with Holm's p, the intervals of the levels at which it tests, and the verdicts.

    `weight`, where the table has it, is by how much an interval's own p was multiplied to give p.
    """
    table = table.copy()
    alpha = 1 - table["confidence"].iloc[0]
    table["p_holm"] = holm(table["p"])
    levels = holm_levels(table["p"].to_numpy(), alpha) / table.get("weight", 1.0)
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

    A method that `second` does not hold was not taken further. The direction is that of the look whose p is the smaller
    one here. Still to be corrected by Holm over all methods of `first`.
    """
    again = dict(zip(second["method"], second["p"], strict=True))
    late = np.array([again.get(name, 1.0) for name in first["method"]])
    return np.minimum(1.0, np.minimum(WEIGHTS[0] * first["p"].to_numpy(), WEIGHTS[1] * late))


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


def _line(name: Hashable, method: Runs, random: Runs, spread: Widest, delta: float, confidence: float) -> dict:
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
