"""How much random subsets differ: where the variance comes from, and what a comparison can see because of it."""

import numpy as np
import pandas as pd

from analysis.comparison import in_units
from analysis.experiments import RANDOM, Results
from analysis.statistics import detectable_difference, seeds_needed, variance_components
from analysis.wording import listed, quantity, unit_name


def variance_parts(results: Results, budget: int, n_draws: int) -> pd.DataFrame:
    """Standard deviation of a run's score by source (subset, training seed, items), per benchmark.

    The runs of `budget` must be `n_draws` subsets with equally many training seeds each.
    """
    lines = []
    for benchmark in results.benchmarks:
        items = results.items(RANDOM, benchmark, budget)
        parts = variance_components(items.reshape(n_draws, -1, items.shape[1]))
        unit = results.table.loc[results.table["benchmark"] == benchmark, "unit"].iloc[0]
        lines += [
            {"benchmark": benchmark, "source": source, "standard deviation": np.sqrt(variance), "unit": unit}
            for source, variance in parts.items()
            if np.isfinite(variance)
        ]
    return in_units(pd.DataFrame(lines))


def detectable(
    results: Results, budget: int, designs: list[int], most_seeds: int, delta: float
) -> pd.DataFrame:
    """Smallest difference found with 80 % power against training seeds, for several numbers of random subsets."""
    lines = []
    for benchmark in results.benchmarks:
        spread = results.items(RANDOM, benchmark, budget).mean(axis=1).std(ddof=1)
        unit = results.table.loc[results.table["benchmark"] == benchmark, "unit"].iloc[0]
        lines += [
            {"benchmark": benchmark, "random subsets": subsets, "seeds": seeds, "delta": delta, "unit": unit,
             "detectable difference": detectable_difference(spread, seeds, subsets)}
            for subsets in designs
            for seeds in range(1, most_seeds + 1)
        ]  # fmt: skip
    return in_units(pd.DataFrame(lines))


def findings(
    results: Results, parts: pd.DataFrame, budget: int, n_draws: int, n_seeds: int, delta: float
) -> list[str]:
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
            [
                f"{line.source} {line[1]:.2g}"
                for line in rows[["source", "standard deviation"]].itertuples(index=False)
            ]
        )
        said.append(
            f"Standard deviations of a run's score on {benchmark}, largest first ({unit_name(unit)}): {largest}."
        )
        spread = main.std(ddof=1)
        least, needed = detectable_difference(spread, 3, n_draws), seeds_needed(spread, delta, n_draws)
        enough = "at most" if least <= delta else "more than"
        more = "" if least <= delta else (
            f"; it would take {needed} training seeds" if needed else "; no number of training seeds is enough, only more subsets"
        )  # fmt: skip
        said.append(
            f"Three runs of a method against {n_draws} random subsets show a difference of {quantity(least, unit)} "
            f"{unit_name(unit)} on {benchmark} with 80 % power, {enough} δ = {quantity(delta, unit)}{more}."
        )
    return said
