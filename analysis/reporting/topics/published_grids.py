"""The rule of decision on results that others published: verdicts per cell, pooled estimates, and what one run can say."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import statistics
from analysis.experiments.benchmarks.result import POINTS
from analysis.experiments.published import CELL, RANDOM_DRAW, ZERO_SHOT
from analysis.reporting.wording import listed, number, quantity, share, with_interval
from analysis.statistics import Noise, compare_all, detectable_difference, runs_needed
from analysis.statistics.families import held_together, spread_of_mean

BASES = ["pool", "model"]  # over which a pooled estimate generalises, benchmarks averaged within
ITEMS = 1000  # that stand for the items of a benchmark, which are not published


def as_items(scores: Sequence[float]) -> np.ndarray:
    """Scores of runs in the shape (runs, items) that the rule takes.

    The items' scores are not published, so each stands for its run's mean: no part of an interval comes from the choice
    of items, and claims are about these items.
    """
    return np.repeat(np.asarray(scores, dtype=np.float64)[:, None], ITEMS, axis=1)


def _by_method(lines: pd.DataFrame) -> dict[tuple[str, int], np.ndarray]:
    trained = lines[lines["method"] != ZERO_SHOT]
    return {key: as_items(own["score"]) for key, own in trained.groupby(["method", "budget"], sort=False)}


def verdicts(table: pd.DataFrame, delta: float) -> pd.DataFrame:
    """The rule in every cell, all methods and budgets of which are one family: the columns of `compare_all` and those of `CELL`."""
    tables = []
    for cell, lines in table.groupby(CELL, sort=False):
        scores = _by_method(lines)
        methods = {key: items for key, items in scores.items() if key[0] != RANDOM_DRAW}
        random = {key: scores[RANDOM_DRAW, key[1]] for key in methods}
        found = compare_all(methods, random, delta=delta)
        found[["method", "budget"]] = pd.DataFrame(found["method"].tolist(), index=found.index)
        tables.append(found.assign(**dict(zip(CELL, cell, strict=True))))
    return pd.concat(tables, ignore_index=True)


def counted(table: pd.DataFrame, by: str, order: Sequence[str]) -> pd.DataFrame:
    """How many cells have each verdict, a line per value of `by`."""
    counts = table.groupby([by, "verdict"]).size().unstack(fill_value=0)
    return counts.reindex(columns=list(order), fill_value=0).loc[list(dict.fromkeys(table[by]))].reset_index()


def against_base(table: pd.DataFrame) -> pd.DataFrame:
    """Does fine-tuning on so many rows help? The verdict against the base in every cell, random draws included."""
    tables = []
    for cell, lines in table.groupby(CELL, sort=False):
        base = as_items(lines.loc[lines["method"] == ZERO_SHOT, "score"])[0]
        found = statistics.against_base(_by_method(lines), base)
        found[["method", "budget"]] = pd.DataFrame(found["method"].tolist(), index=found.index)
        tables.append(found.assign(**dict(zip(CELL, cell, strict=True))))
    return pd.concat(tables, ignore_index=True)


def differences(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds minus that of random draws, by cell, method and budget."""
    means = table[table["method"] != ZERO_SHOT].groupby([*CELL, "method", "budget"], sort=False)["score"].mean()
    wide = means.unstack("method")
    minus = wide.drop(columns=RANDOM_DRAW).sub(wide[RANDOM_DRAW], axis=0)
    return minus.stack().rename("difference").reset_index()


def pooled(differences: pd.DataFrame, by: Sequence[str] = ("method", "budget")) -> pd.DataFrame:
    """Every method (and budget) over all cells: estimate, low, high (Holm over all lines), p_holm, least, most, n_bases.

    The difference is averaged over the benchmarks (and budgets) of a pool and base, and its interval is Student's over these
    pairs.
    """
    by = list(by)
    of_bases = differences.groupby([*by, *BASES], sort=False)["difference"].mean()
    lines, spreads = [], []
    for key, own in of_bases.groupby(by):
        told = {"estimate": own.mean(), "least": own.min(), "most": own.max(), "n_bases": len(own)}
        lines.append(dict(zip(by, key, strict=True)) | told)
        spreads.append(spread_of_mean(own))
    return held_together(pd.DataFrame(lines), spreads)


def spread_of_draws(table: pd.DataFrame) -> pd.Series:
    """Standard deviation of the three random draws of every cell and budget."""
    return table[table["method"] == RANDOM_DRAW].groupby([*CELL, "budget"])["score"].std(ddof=1)


def slopes(tenths: pd.DataFrame) -> pd.DataFrame:
    """Per representation: the nearest tenth minus the mean of the others, and the change from the nearest to the farthest.

    The latter by a straight line; benchmarks averaged within a pool and base, Student's intervals over these pairs, all
    lines one family.
    """
    lines, spreads = [], []
    for name, own in tenths.groupby("representation", sort=False):
        wide = own.pivot_table(index=BASES, columns="quantile", values="score")
        change = np.polyfit(np.arange(wide.shape[1]), wide.to_numpy().T, 1)[0] * (wide.shape[1] - 1)
        for what, values in (
            ("nearest minus others", wide[0] - wide.drop(columns=0).mean(axis=1)),
            ("farthest minus nearest, by a line", change),
        ):
            lines.append(
                {"representation": name, "what": what, "estimate": float(np.mean(values)), "n_bases": len(wide)}
            )
            spreads.append(spread_of_mean(values))
    return held_together(pd.DataFrame(lines), spreads)


def best_tenth(tenths: pd.DataFrame) -> pd.Series:
    """In what share of the cells each representation's nearest tenth is the best of the ten."""
    best = tenths.loc[tenths.groupby([*CELL, "representation"])["score"].idxmax()]
    return (best["quantile"] == 0).groupby(best["representation"], sort=False).mean()


def centred(tenths: pd.DataFrame) -> pd.DataFrame:
    """Score by tenth minus the mean of the cell's ten, mean over cells with the range of the pools and bases."""
    own = tenths.groupby([*CELL, "representation"])["score"]
    return tenths.assign(difference=tenths["score"] - own.transform("mean"))


def headline(found: pd.DataFrame, overall: pd.DataFrame, by_budget: pd.DataFrame) -> list[str]:
    """How many comparisons are decided cell by cell, and which methods are over all cells."""
    n = len(found)
    counts = found["verdict"].value_counts()
    said = [f"{number(counts[name])} {name}" for name in statistics.VERDICTS if counts.get(name, 0)]
    above, below = overall[overall["low"] > 0]["method"].tolist(), overall[overall["high"] < 0]["method"].tolist()
    beyond = int(((by_budget["low"] > 0) | (by_budget["high"] < 0)).sum())
    return [
        f"Of {number(n)} comparisons with random selection, three runs against three and each pool, base and benchmark one "
        f"family, {listed(said)}.",
        f"Over all pools, bases, benchmarks and budgets, Holm over {len(overall)} methods and n {overall['n_bases'].iloc[0]} pairs of "
        f"pool and base, above random: {listed(above) if above else 'none'}; below: {listed(below) if below else 'none'}.",
        f"Budget by budget {beyond} of {len(by_budget)} pooled differences lie beyond zero, Holm over all of them.",
    ]


def method_findings(overall: pd.DataFrame, by_budget: pd.DataFrame) -> list[str]:
    """Per method: its pooled difference over all budgets, at the smallest and at the largest, in points."""
    said = []
    for line in overall.to_dict("records"):
        own = by_budget[by_budget["method"] == line["method"]].sort_values("budget").iloc[[0, -1]]
        parts = [f"{with_interval(end, POINTS.name)} at {number(end['budget'])} rows" for end in own.to_dict("records")]
        least, most = (quantity(line[name], POINTS.name, True) for name in ("least", "most"))
        said.append(
            f"{line['method']}, pooled, minus random in points: {with_interval(line, POINTS.name)} over all budgets ({least} to {most} in single pairs "
            f"of pool and base); {listed(parts)}."
        )
    return said


def base_findings(found: pd.DataFrame) -> str:
    """How often random draws help and hurt against the untrained base, at the smallest and the largest budget."""
    random = found[found["method"] == RANDOM_DRAW]
    said = []
    for budget in (random["budget"].min(), random["budget"].max()):
        own = random[random["budget"] == budget]
        counts = own["verdict"].value_counts()
        below = (own["estimate"] < 0).sum()
        said.append(
            f"at {number(budget)} rows {counts.get(statistics.HELPS, 0)} of {len(own)} help and {counts.get(statistics.HURTS, 0)} "
            f"hurt ({below} means lie below the base)"
        )
    return f"Random draws against the base as it is: {listed(said)}."


def resolution(spread: pd.Series, compared: int, delta: float) -> str:
    """What three runs against three draws can decide where draws spread as in the middle cell, and how many decide δ."""
    middle, wide = float(spread.median()), float(spread.quantile(0.9))
    noise, alpha = Noise(middle, middle, 0.0), 0.05 / compared
    least = detectable_difference(noise.spread(n_runs=3, n_random=3, n_items=ITEMS), alpha=alpha)
    needed = runs_needed(delta, noise, n_items=ITEMS, alpha=alpha)
    return (
        f"Three random draws of a cell and budget have a standard deviation of {quantity(middle, POINTS.name)} points in the middle "
        f"and of {quantity(wide, POINTS.name)} in one cell of ten. With the former, three runs against three and {compared} "
        f"comparisons to a cell, a difference of {quantity(least, POINTS.name)} points is called in four of five cases, and "
        f"δ = {quantity(delta, POINTS.name)} takes {needed if needed else 'more than 1,000'} runs of each method."
    )


def tenth_findings(slopes: pd.DataFrame, best: pd.Series) -> list[str]:
    """Per representation: is the nearest tenth better, does the result fall with the distance, how often is nearest best."""
    said = []
    for name, own in slopes.groupby("representation", sort=False):
        parts = [f"{line['what']} {with_interval(line, POINTS.name)}" for line in own.to_dict("records")]
        said.append(
            f"{name}, tenths of the distance, in points (n {own['n_bases'].iloc[0]} pairs of pool and base): {listed(parts)}; the "
            f"nearest tenth is the best of ten in {share(best[name])} of the cells (10 % by chance)."
        )
    return said


def single_run_table(table: pd.DataFrame) -> pd.DataFrame:
    """Difference of every method's average from the one random run of its base, in points."""
    random = table[table["method"] == "random"].set_index("base")["average"]
    others = table[~table["method"].isin(["random", "whole pool"])]
    minus = POINTS.scale * (others["average"] - others["base"].map(random))
    return others.assign(minus=minus).pivot(index="method", columns="base", values="minus").round(2)


def single_run_finding(table: pd.DataFrame) -> str:
    """What one run each allows to say: the size of the differences, and how often a method has one sign over the bases."""
    flat, several = table.stack(), table[table.notna().sum(axis=1) > 1]
    alike = int(((several > 0).sum(axis=1) == several.notna().sum(axis=1)).sum())
    return (
        f"With one run each a difference has a size and no verdict: MIG's table has {len(flat)} of {flat.min():+.1f} to "
        f"{flat.max():+.1f} points from the one random run of their base; {alike} of {len(several)} methods tried on several bases "
        "are above it on all of them."
    )
