"""Tables about length: longest-first and what it takes at once against random, in pools of several kinds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind

from analysis.experiments import grid, length_designs
from analysis.experiments.length_designs import LONGEST_WORKED, RANDOM_WORKED, STYLE_FIXED
from analysis.experiments.results import EQUAL_ROWS, EQUAL_TOKENS, Results, Run
from analysis.experiments.workbench import Workbench, prepare
from analysis.methods import RANDOM, label, residual
from analysis.pools.testbed import RECIPES
from analysis.statistics import compare_all, interval_of_mean, rank_correlation_interval
from analysis.subsets.diversity import places
from analysis.subsets.long_answers import dependence_of_longest, kind_of
from analysis.subsets.overlap import rank_correlation, share_in_common

LONGEST, QUOTAS = "token_length", "kmeans"
FEWEST_DRAWS = 3  # of what is drawn from few parts: the spread of two says next to nothing
PIECES = {  # of longest-first: what is compared with random, at which design, and with which random rows
    "equal rows": (LONGEST, EQUAL_ROWS, RANDOM),
    "equal tokens": (LONGEST, EQUAL_TOKENS, RANDOM),
    "cluster quotas, equal rows": (QUOTAS, EQUAL_ROWS, RANDOM),
    "cluster quotas, equal tokens": (QUOTAS, EQUAL_TOKENS, RANDOM),
    "style fixed, equal rows": (STYLE_FIXED, EQUAL_ROWS, RANDOM),
    "worked only, equal rows": (LONGEST_WORKED, EQUAL_ROWS, RANDOM_WORKED),
}


def workbenches(pool: str, kinds: Sequence[str], **options) -> dict[str, Workbench]:
    """A workbench per kind of long answers, by name; of a pool that is none of the testbed's the pool as it is."""
    if pool not in RECIPES:
        return {"this pool": prepare(pool, **options)}
    return {f"{kind} long answers": prepare(pool, long_answers=kind, **options) for kind in kinds}


def plan(work: Workbench, sizes: Sequence[int], n_draws: int, bands: int, design_parts: int) -> list[Run]:
    """Longest-first with and without quotas at the first size and random selection, at equal rows and equal tokens; longest-first
    at every further size; and at the first size bands and styles; from `design_parts` parts (0: all) what is beside a plain
    comparison at equal rows.

    Raises
    ------
    ValueError
        Fewer than two random draws, with which nothing can be compared.
    """
    if n_draws < 2:
        raise ValueError(f"n_draws: expected at least 2 random subsets to compare with, found {n_draws}")
    planned = grid.plan(work, [LONGEST, QUOTAS], sizes, n_draws=n_draws, equal_tokens=True)
    some, repeats = fewer(work, design_parts), max(FEWEST_DRAWS if design_parts else 1, n_draws // len(work.parts))
    numbers = [part.part for part in some.parts]
    for size in sizes[1:]:
        beside = [
            run for run in planned if run.budget == size and run.method in (RANDOM, LONGEST) and run.part in numbers
        ]
        planned += grid.at_equal_tokens(some, beside)
    tokens = length_designs.random_tokens(work, planned, sizes[0])
    planned += length_designs.of_bands(some, sizes[0], bands, tokens)
    return planned + length_designs.of_styles(some, sizes[0], repeats)


def plan_kind(work: Workbench, budget: int, n_draws: int, design_parts: int) -> list[Run]:
    """Longest-first and random selection from `design_parts` parts of a pool with other long answers, draws in proportion."""
    some = fewer(work, design_parts)
    draws = max(FEWEST_DRAWS, n_draws * len(some.parts) // len(work.parts))
    return grid.plan(some, [LONGEST], budget, n_draws=draws, equal_tokens=True)


def fewer(work: Workbench, design_parts: int) -> Workbench:
    """The workbench with the first parts only; 0: all."""
    return work.some(0, design_parts or len(work.parts))


def against(results: Results, name: str, budget: int, design: str, reference: str = RANDOM) -> pd.DataFrame:
    """A line per benchmark: what was trained against random rows of the same budget.

    benchmark, unit, budget, design, delta (0), score, estimate (score less random's, above 0 = better), low, high (of its own 95 % interval), n_runs, n_random,
    n_items, tokens_ratio (to random's), random_low, random_high (random's runs less their mean). No line where nothing is.
    """
    runs, lines = results.table, []
    own = (runs["method"] == name) & (runs["budget"] == budget) & (runs["design"] == design)
    random = (runs["method"] == reference) & (runs["budget"] == budget)
    for benchmark in results.benchmarks if own.any() and random.any() else []:
        here = runs["benchmark"] == benchmark
        items = results.items(name, benchmark, budget, design)
        found = compare_all({name: items}, results.items(reference, benchmark, budget), delta=0).to_dict("records")[0]
        spread = runs.loc[here & random, "score"] - runs.loc[here & random, "score"].mean()
        lines.append({
            "benchmark": benchmark, "unit": runs.loc[here, "unit"].iloc[0], "budget": budget, "design": design,
            "delta": found["delta"],
            "score": float(items.mean()),
            "estimate": found["estimate"], "low": found["alone_low"], "high": found["alone_high"],
            "n_runs": found["n_runs"], "n_random": found["n_random"], "n_items": found["n_items"],
            "tokens_ratio": runs.loc[here & own, "tokens_trained"].mean() / runs.loc[here & random, "tokens_trained"].mean(),
            "random_low": spread.min(), "random_high": spread.max(),
        })  # fmt: skip
    return pd.DataFrame(lines)


def pieces(results: Mapping[str, Results], budget: int) -> pd.DataFrame:
    """What of longest-first is left with something held fixed: `against` by pool and what, at one budget."""
    found = [
        against(of_pool, name, budget, design, reference).assign(pool=pool, what=what)
        for pool, of_pool in results.items()
        for what, (name, design, reference) in PIECES.items()
    ]
    return pd.concat([lines for lines in found if len(lines)], ignore_index=True)


def by_budget(results: Results) -> pd.DataFrame:
    """`against` of longest-first with and without quotas at every budget and design, with method."""
    keys = results.table[["method", "budget", "design"]].drop_duplicates()
    keys = keys[keys["method"].isin([LONGEST, QUOTAS])].sort_values(["method", "design", "budget"])
    found = [
        against(results, key.method, key.budget, key.design).assign(method=key.method) for key in keys.itertuples()
    ]
    return pd.concat(found, ignore_index=True)


def by_band(results: Results, rows: pd.DataFrame, budget: int, bands: int) -> pd.DataFrame:
    """`against` of every band and of longest-first, with what, rows and mean answer tokens (of `trained_rows`) of each."""
    known, found = rows.set_index(["method", "budget", "design"]), []
    names = {length_designs.band_name(number, bands): f"band {number}" for number in range(1, bands + 1)}
    for name, what in (names | {LONGEST: "longest"}).items():
        for design in (EQUAL_ROWS, EQUAL_TOKENS):
            if (name, budget, design) in known.index:
                told = known.loc[(name, budget, design), ["rows", "answer tokens"]].to_dict()
                found.append(against(results, name, budget, design).assign(what=what, **told))
    return pd.concat(found, ignore_index=True)


def scores_and_length(work: Workbench, methods: Sequence[str], budget: int) -> pd.DataFrame:
    """How much of each score is length, a line per method that scores rows, on this part.

    Spearman's correlation with answer tokens, low and high (95 %), the same of what `residual` leaves of the
    score, explained (share of the variance of the score's ranks, on rows left out of the fit, so that a score and its
    exponential are alike), kept (share of the rows chosen that the residual chooses too), expected by chance, and rows scored.
    """
    answer, keys, lines = work.features.lengths().answer, work.features.row_keys(), []
    for method in methods:
        chosen = work.select(method, budget)
        if chosen.scores is None:
            continue
        left = work.select(f"residual(inside={method!r})", budget)
        known = np.isfinite(chosen.scores)
        ranks = places(chosen.scores)
        beyond = residual.score(ranks, answer, keys)
        correlation, low, high = rank_correlation_interval(chosen.scores[known], answer[known])
        lines.append({
            "method": method, "correlation": correlation, "low": low, "high": high,
            "correlation left": rank_correlation(left.scores, answer),
            "explained": max(0.0, 1 - np.var(beyond[known]) / np.var(ranks[known])),
            "kept": share_in_common(chosen.rows, left.rows), "expected": budget / len(work.pool), "rows": int(known.sum()),
        })  # fmt: skip
    return pd.DataFrame(lines)


def said_and_right(results: Mapping[str, Results], budget: int) -> pd.DataFrame:
    """Whether longest-first makes a model say more, get more right, or both; `pieces` with words, where answers are recorded.

    words, random_words (mean per answer), more_words with words_low and words_high (95 % interval of Welch over runs, nan
    with a single run).
    """
    found = []
    for line in pieces(results, budget).to_dict("records"):
        name, design, reference = PIECES[line["what"]]
        runs = results[line["pool"]].runs
        runs = runs[(runs["benchmark"] == line["benchmark"]) & (runs["budget"] == budget)]
        if name != LONGEST or "answer_words" not in runs or runs["answer_words"].isna().any():
            continue
        own = runs.loc[(runs["method"] == name) & (runs["design"] == design), "answer_words"]
        random = runs.loc[runs["method"] == reference, "answer_words"]
        ends = (np.nan, np.nan)
        if len(own) > 1:
            ends = tuple(ttest_ind(own, random, equal_var=False).confidence_interval())
        found.append(line | {"words": own.mean(), "random_words": random.mean(), "more_words": own.mean() - random.mean(),
                             "words_low": ends[0], "words_high": ends[1]})  # fmt: skip
    return pd.DataFrame(found)


def long_answers(works: Mapping[str, Workbench]) -> pd.DataFrame:
    """What the longest fifth of each pool's answers is like: pool, rows, dependence on the prompt, low, high (95 % over rows), kind.

    On the first part; nan and "" where fewer than two answers are long enough to tell.
    """
    lines = []
    for name, work in works.items():
        values = dependence_of_longest(work.pool, work.features.lengths().answer)
        mean, low, high = interval_of_mean(values) if len(values) else (np.nan,) * 3
        kind = kind_of(low, high) if len(values) > 1 else ""
        lines.append({"pool": name, "rows": len(values), "dependence": mean, "low": low, "high": high, "kind": kind})
    return pd.DataFrame(lines)


def name_of(method: str) -> str:
    """A method as sentences and axes call it."""
    return {LONGEST: "longest-first", QUOTAS: "longest of each cluster"}.get(method) or label(method)
