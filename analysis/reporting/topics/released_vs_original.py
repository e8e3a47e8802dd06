"""Tables about what released scripts compute: which rows change, what they are, and what fine-tuning makes of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.experiments import selecting
from analysis.experiments.results import Results
from analysis.experiments.workbench import Workbench, stream
from analysis.methods import RANDOM, Selection
from analysis.methods.deviations import Pair
from analysis.reporting.versus_random import unit_in
from analysis.statistics.families import held_together, spread_of_mean
from analysis.subsets.overlap import agreement, share_in_common

CHANGES, KEEPS, OPEN = "changes the rows", "does not change the rows", "undecided"
HALF = 0.5  # of the rows in common
FORMS = ("original", "released")
TOKENS, FAULTY, ASIDE = "answer tokens", "faulty", "set aside"
DRAWS = 3  # of random rows from each part, to see what a draw is like


def by_part(work: Workbench, pairs: Sequence[Pair], budget: int, *, again: bool = True) -> pd.DataFrame:
    """Both forms of every deviation, a line per part.

    Columns: deviation, part, overlap (share of the rows in common), expected (by chance), spearman (of the scores; nan
    where a form has none), again (what the original shares with itself under another seed, or nan), and for each form
    ("answer tokens, original", ...): answer tokens (median, over the part's), set aside (share of the part's rows), and
    faulty (share, nan without truth).
    """
    lines = []
    for pair in pairs:
        for part in work.parts:
            both = [part.select(method, budget) for method in (pair.original, pair.released)]
            line = {"deviation": pair.name, "part": part.part, **agreement(*both, len(part.pool)), "again": np.nan}
            if again:
                seed = stream(work.seed, "stability", part.part, 1)
                other = selecting.select(part, pair.original, budget, seed=seed)
                line["again"] = share_in_common(both[0].rows, other.rows)
            for form, selection in zip(FORMS, both, strict=True):
                line |= {f"{what}, {form}": value for what, value in _described(part, selection).items()}
            lines.append(line)
    return pd.DataFrame(lines)


def random_draws(work: Workbench, budget: int) -> pd.DataFrame:
    """What random draws are like, a line per draw: answer tokens and faulty as in `by_part`."""
    made = [(part, part.select(RANDOM, budget, number=number)) for part in work.parts for number in range(DRAWS)]
    return pd.DataFrame([_described(part, selection) for part, selection in made])


def _described(part: Workbench, selection: Selection) -> dict[str, float]:
    answer, rows = part.features.lengths().answer, selection.rows
    return {
        TOKENS: np.median(answer[rows]) / max(np.median(answer), 1),
        FAULTY: (part.pool.truth("fault")[rows] != "").mean() if part.pool.has_truth else np.nan,
        ASIDE: sum(selection.excluded.values()) / len(part.pool),
    }


def decided(parts: pd.DataFrame) -> pd.DataFrame:
    """One line per deviation: mean overlap, its interval over parts (Holm over deviations), and what the rule says.

    Columns: deviation, overlap, low, high, found, parts, and the means of the other columns of `by_part`.
    """
    grouped = parts.groupby("deviation", sort=False)
    means = grouped.mean(numeric_only=True).drop(columns="part").reset_index()
    spreads = [spread_of_mean(own["overlap"]) for _, own in grouped]
    table = held_together(means.assign(estimate=means["overlap"] - HALF), spreads)
    found = np.select([table["high"] < 0, table["low"] > 0], [CHANGES, KEEPS], OPEN)
    ends = {end: (table[end] + HALF).clip(0, 1) for end in ("low", "high")}
    table = table.drop(columns=["estimate", "p", "p_holm"]).assign(**ends, found=found, parts=grouped.size().to_numpy())
    first = ["deviation", "overlap", "low", "high", "found", "parts"]
    return table[[*first, *(name for name in table if name not in first)]]


def by_result(results: Results, pairs: Sequence[Pair], budget: int) -> pd.DataFrame:
    """Score of the released form less that of the original on the same parts, with its interval; per benchmark.

    Intervals are Student's over parts, corrected by Holm over the deviations of a benchmark; the items are taken as given.
    Columns: benchmark, unit, deviation, estimate, low, high, p_holm, parts, n_items, differences (by part, a tuple),
    original and released (each less random's mean), random_low and random_high (random's runs less their mean).
    """
    tables = []
    for benchmark in results.benchmarks:
        runs = results.table[(results.table["benchmark"] == benchmark) & (results.table["budget"] == budget)]
        scores = {method: own.set_index("part")["score"] for method, own in runs.groupby("method")}
        random, lines, spreads = runs.loc[runs["method"] == RANDOM, "score"], [], []
        for pair in pairs:
            original, released = scores[pair.original], scores[pair.released]
            difference = released - original
            spreads.append(spread_of_mean(difference))
            lines.append({
                "benchmark": benchmark, "unit": unit_in(results, benchmark), "deviation": pair.name,
                "estimate": difference.mean(), "parts": len(difference), "n_items": int(runs["n_items"].min()),
                "differences": tuple(difference), "original": original.mean() - random.mean(),
                "released": released.mean() - random.mean(), "random_low": random.min() - random.mean(),
                "random_high": random.max() - random.mean(),
            })  # fmt: skip
        tables.append(held_together(pd.DataFrame(lines), spreads))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
