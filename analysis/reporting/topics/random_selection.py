"""How much random subsets differ: where the variance comes from, and what a comparison can see because of it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.experiments.results import Results
from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM
from analysis.reporting.versus_random import delta_of, in_units, unit_in
from analysis.reporting.wording import as_read, listed, quantity, unit_name
from analysis.statistics import FEWEST_RUNS, Noise, detectable_difference, runs_needed, variance_components

FAMILY, PER_RUN, ALPHA = 12, 3, 0.05  # methods compared at once, random subsets per run of a method, level


def variance_parts(results: Results, budget: int, n_draws: int) -> pd.DataFrame:
    """Standard deviation of a run's score by source (subset, training seed, items), per benchmark.

    The runs of `budget` must be `n_draws` subsets with equally many training seeds each.
    """
    lines = []
    for benchmark in results.benchmarks:
        items = results.items(RANDOM, benchmark, budget)
        sd, n_items = variance_components(items.reshape(n_draws, -1, items.shape[1]))["sd"], items.shape[1]
        parts = {"subset": sd["draw"], "training seed": sd["training seed"], "items": sd["item"] / np.sqrt(n_items)}
        unit = unit_in(results, benchmark)
        lines += [
            {"benchmark": benchmark, "source": source, "standard deviation": value, "unit": unit}
            for source, value in parts.items()
        ]
    return in_units(pd.DataFrame(lines))


def setting(work: Workbench) -> str:
    """What pool and base a comparison is of; its draws are from all parts of the pool."""
    return f"{work.pool.name.partition(', part')[0]}, {work.base.name}"


def variance_by_setting(settings: Mapping[str, Results], budget: int, n_draws: int) -> pd.DataFrame:
    """`variance_parts` of several pools and bases, by the name of each in the column `setting`."""
    tables = [variance_parts(results, budget, n_draws).assign(setting=name) for name, results in settings.items()]
    return pd.concat(tables, ignore_index=True)


def levels(results: Results) -> pd.DataFrame:
    """Scores of the random runs by benchmark and budget, a loss as the loss: runs, mean, sd, least and most."""
    runs = results.table[results.table["method"] == RANDOM]
    read = runs.assign(score=[as_read(score, unit) for score, unit in zip(runs["score"], runs["unit"], strict=True)])
    return read.groupby(["benchmark", "budget"])["score"].agg(["count", "mean", "std", "min", "max"])


def noise_of(results: Results, benchmark: str, budget: int, n_draws: int) -> tuple[Noise, int]:
    """Noise of a comparison with a method whose runs spread as random's do, and the number of items.

    That a method shifts items unevenly is not known from random alone: the items' part is taken to be nothing.
    """
    items = results.items(RANDOM, benchmark, budget)
    sd = variance_components(items.reshape(n_draws, -1, items.shape[1]))["sd"]
    single = np.sqrt((sd["draw by item"] ** 2 + sd["rest"] ** 2) / items.shape[1])
    run = float(np.hypot(np.hypot(sd["draw"], sd["training seed"]), single))
    return Noise(run, run, 0.0), items.shape[1]


def detectable(results: Results, budget: int, n_draws: int, most: int, deltas: dict) -> pd.DataFrame:
    """Smallest difference called with 80 % power against a method's runs, each with three random subsets.

    For one method and for one of `FAMILY`, at Holm's first level.
    """
    lines = []
    for benchmark in results.benchmarks:
        noise, n_items = noise_of(results, benchmark, budget, n_draws)
        unit = unit_in(results, benchmark)
        for compared in (1, FAMILY):
            for runs in range(FEWEST_RUNS, most + 1):
                spread = noise.spread(n_runs=runs, n_random=PER_RUN * runs, n_items=n_items)
                lines.append({"benchmark": benchmark, "methods compared": compared, "runs": runs, "delta": delta_of(results, benchmark, deltas),
                              "detectable difference": detectable_difference(spread, alpha=ALPHA / compared), "unit": unit})  # fmt: skip
    return in_units(pd.DataFrame(lines))


def findings(
    settings: Mapping[str, Results], spread: pd.DataFrame, budget: int, n_draws: int, deltas: dict
) -> list[str]:  # fmt: skip
    """How far random runs lie apart, why, and what number of runs is fine enough for δ: for each pool and base."""
    said = []
    for setting, results in settings.items():
        where = f", {setting}" if len(settings) > 1 else ""
        for benchmark in results.benchmarks:
            rows = spread[(spread["benchmark"] == benchmark) & (spread["setting"] == setting)]
            unit = unit_name(unit_in(results, benchmark))
            ordered = rows.sort_values("standard deviation", ascending=False)[["source", "standard deviation"]]
            largest = listed([f"{source} {value:.2g}" for source, value in ordered.itertuples(index=False)])
            said += [
                _level(results, benchmark, budget, n_draws, where),
                f"Standard deviations of a run's score on {benchmark}{where}, largest first ({unit}): {largest}.",
                _design(results, benchmark, budget, n_draws, delta_of(results, benchmark, deltas), where),
            ]
    return said


def _level(results: Results, benchmark: str, budget: int, n_draws: int, where: str) -> str:
    """What random runs of each budget reach on a benchmark."""
    runs = results.table[(results.table["benchmark"] == benchmark) & (results.table["method"] == RANDOM)]
    unit = runs["unit"].iloc[0]
    scores = as_read(runs["score"], unit)
    main, means = scores[runs["budget"] == budget], scores.groupby(runs["budget"]).mean()
    by_budget = listed([f"{quantity(mean, unit)} at {rows:,} rows" for rows, mean in means.items()])
    return (
        f"On {benchmark}{where} {len(main)} random runs of {budget:,} rows ({n_draws} subsets, {len(main) // n_draws} training "
        f"seeds each) reach {quantity(main.mean(), unit)} {unit_name(unit)} on average, from {quantity(main.min(), unit)} to "
        f"{quantity(main.max(), unit)}" + (f"; means by budget: {by_budget}." if len(means) > 1 else ".")
    )


def _design(results: Results, benchmark: str, budget: int, n_draws: int, delta: float, where: str) -> str:
    """What three runs of a method would see on a benchmark, and how many it would take."""
    noise, n_items = noise_of(results, benchmark, budget, n_draws)
    unit, alpha = unit_in(results, benchmark), ALPHA / FAMILY
    spread = noise.spread(n_runs=FEWEST_RUNS, n_random=PER_RUN * FEWEST_RUNS, n_items=n_items)
    least = detectable_difference(spread, alpha=alpha)
    needed = runs_needed(delta, noise, n_items=n_items, alpha=alpha)
    more = f"it takes {needed} runs of each method" if needed else "no number of runs up to 1,000 would do"
    return (
        f"On {benchmark}{where} {FEWEST_RUNS} runs of each of {FAMILY} methods, with {PER_RUN} random subsets per run, show a difference of "
        f"{quantity(least, unit)} {unit_name(unit)} in four of five cases, {'at most' if least <= delta else 'more than'} "
        f"δ = {quantity(delta, unit)}" + ("." if least <= delta else f": for δ {more}.")
    )
