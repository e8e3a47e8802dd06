"""How much random subsets differ: where the variance comes from, and what a comparison can see because of it."""

import numpy as np
import pandas as pd

from analysis.experiments.results import Results
from analysis.methods import RANDOM
from analysis.reporting.versus_random import in_units
from analysis.reporting.wording import listed, quantity, unit_name
from analysis.statistics import Noise, detectable_difference, runs_needed, variance_components


def variance_parts(results: Results, budget: int, n_draws: int) -> pd.DataFrame:
    """Standard deviation of a run's score by source (subset, training seed, items), per benchmark.

    The runs of `budget` must be `n_draws` subsets with equally many training seeds each.
    """
    lines = []
    for benchmark in results.benchmarks:
        items = results.items(RANDOM, benchmark, budget)
        sd, n_items = variance_components(items.reshape(n_draws, -1, items.shape[1]))["sd"], items.shape[1]
        parts = {"subset": sd["draw"], "training seed": sd["training seed"], "items": sd["item"] / np.sqrt(n_items)}
        unit = results.table.loc[results.table["benchmark"] == benchmark, "unit"].iloc[0]
        lines += [
            {"benchmark": benchmark, "source": source, "standard deviation": value, "unit": unit}
            for source, value in parts.items()
        ]
    return in_units(pd.DataFrame(lines))


def noise_of(results: Results, benchmark: str, budget: int, n_draws: int) -> tuple[Noise, int]:
    """Noise of a comparison in which a method's runs spread by training seed as random's do, and the number of items.

    That a method shifts items unevenly is not known from random alone: the items' part is taken to be nothing.
    """
    items = results.items(RANDOM, benchmark, budget)
    sd = variance_components(items.reshape(n_draws, -1, items.shape[1]))["sd"]
    single = np.sqrt((sd["draw by item"] ** 2 + sd["rest"] ** 2) / items.shape[1])
    seed, both = np.hypot(sd["training seed"], single), np.hypot(np.hypot(sd["draw"], sd["training seed"]), single)
    return Noise(float(seed), float(both), 0.0), items.shape[1]


def detectable(results: Results, budget: int, n_draws: int, most_seeds: int, delta: float) -> pd.DataFrame:
    """Smallest difference found with 80 % power against training seeds, for one and four times the random subsets."""
    lines = []
    for benchmark in results.benchmarks:
        noise, n_items = noise_of(results, benchmark, budget, n_draws)
        unit = results.table.loc[results.table["benchmark"] == benchmark, "unit"].iloc[0]
        for subsets in (n_draws, 4 * n_draws):
            for seeds in range(2, most_seeds + 1):
                spread = noise.spread(n_runs=seeds, n_random=subsets, n_items=n_items)
                lines.append({"benchmark": benchmark, "random subsets": subsets, "seeds": seeds, "delta": delta,
                              "detectable difference": detectable_difference(spread), "unit": unit})  # fmt: skip
    return in_units(pd.DataFrame(lines))


def findings(results: Results, parts: pd.DataFrame, budget: int, n_draws: int, n_seeds: int, delta: float) -> list[str]:
    """How far random runs lie apart, why, and whether that is fine enough for δ."""
    said = []
    for benchmark in results.benchmarks:
        runs = results.table[(results.table["benchmark"] == benchmark) & (results.table["method"] == RANDOM)]
        unit, main = runs["unit"].iloc[0], runs[runs["budget"] == budget]["score"]
        means = runs.groupby("budget")["score"].mean()
        by_budget = listed([f"{quantity(mean, unit)} at {rows:,} rows" for rows, mean in means.items()])
        said.append(
            f"On {benchmark} {len(main)} random runs of {budget:,} rows ({n_draws} subsets, {n_seeds} seeds each) reach "
            f"{quantity(main.mean(), unit)} {unit_name(unit)} on average, from {quantity(main.min(), unit)} to "
            f"{quantity(main.max(), unit)}; means by budget: {by_budget}."
        )
        rows = parts[parts["benchmark"] == benchmark].sort_values("standard deviation", ascending=False)
        largest = listed(
            [f"{line.source} {line[1]:.2g}" for line in rows[["source", "standard deviation"]].itertuples(index=False)]
        )
        said.append(
            f"Standard deviations of a run's score on {benchmark}, largest first ({unit_name(unit)}): {largest}."
        )
        noise, n_items = noise_of(results, benchmark, budget, n_draws)
        least = detectable_difference(noise.spread(n_runs=3, n_random=n_draws, n_items=n_items))
        needed = runs_needed(delta, noise, n_items=n_items)
        enough = "at most" if least <= delta else "more than"
        more = (
            f"{needed} runs against three times as many subsets would do"
            if needed
            else "no number of runs would do, only more items"
        )
        said.append(
            f"Three runs of a method against {n_draws} random subsets show a difference of {quantity(least, unit)} "
            f"{unit_name(unit)} on {benchmark} with 80 % power, {enough} δ = {quantity(delta, unit)}"
            + ("." if least <= delta else f"; {more}.")
        )
    return said
