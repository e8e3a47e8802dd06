"""Tables that set every method of a grid against random selection, ready to be drawn or put into words."""

from collections.abc import Mapping

import pandas as pd

from analysis import statistics
from analysis.experiments.benchmarks.result import unit_of
from analysis.experiments.results import Results
from analysis.experiments.workbench import Workbench
from analysis.methods import BASE, RANDOM
from analysis.pools.source_labels import OTHER, source_labels
from analysis.reporting.palette import label
from analysis.statistics import compare_all

SCALED = ("score", "estimate", "low", "high", "alone_low", "alone_high", "equivalence_low", "equivalence_high", "detectable", "delta", "difference", "standard deviation",
          "detectable difference")  # fmt: skip


def versus_random(results: Results, *, deltas: Mapping[str, float] | None = None) -> pd.DataFrame:
    """One line per benchmark and method: estimate, intervals, p values, verdict (see `statistics.compare_all`).

    Parameters
    ----------
    deltas : by benchmark, smallest differences that matter where they are not the unit's own.

    Raises
    ------
    ValueError
        No method besides random selection, or a δ of a benchmark that there is not.
    """
    tables = []
    for benchmark in results.benchmarks:
        lines = results.table[results.table["benchmark"] == benchmark]
        names = [name for name in dict.fromkeys(lines["method"]) if name not in (RANDOM, BASE)]
        if not names:
            raise ValueError("methods: expected at least one besides random_selection, found none")
        scores = {name: results.items(name, benchmark) for name in names}
        table = compare_all(scores, results.items(RANDOM, benchmark), delta=delta_of(results, benchmark, deltas))
        tokens = lines.groupby("method")["tokens_trained"].mean()
        table["tokens_ratio"] = table["method"].map(tokens / tokens[RANDOM])
        tables.append(table.assign(benchmark=benchmark, unit=lines["unit"].iloc[0]))
    return pd.concat(tables, ignore_index=True)


def delta_of(results: Results, benchmark: str, deltas: Mapping[str, float] | None = None) -> float:
    """Smallest difference that matters on a benchmark: the one given, else its unit's (see `Unit`)."""
    given = dict(deltas or {})
    if unknown := set(given) - set(results.benchmarks):
        raise ValueError(f"deltas: no benchmark {sorted(unknown)[0]!r}; there are {', '.join(results.benchmarks)}")
    return float(given.get(benchmark, unit_of(unit_in(results, benchmark)).delta))


def unit_in(results: Results, benchmark: str) -> str:
    """Name of the unit in which a benchmark's scores are counted."""
    return results.table.loc[results.table["benchmark"] == benchmark, "unit"].iloc[0]


def against_base(results: Results) -> pd.DataFrame:
    """One line per benchmark and method, random included: does fine-tuning help (see `statistics.against_base`)?"""
    tables = []
    for benchmark in results.benchmarks:
        lines = results.table[results.table["benchmark"] == benchmark]
        names = [name for name in dict.fromkeys(lines["method"]) if name != BASE]
        scores = {name: results.items(name, benchmark) for name in names}
        table = statistics.against_base(scores, results.items(BASE, benchmark)[0])
        tables.append(table.assign(benchmark=benchmark, unit=lines["unit"].iloc[0]))
    return pd.concat(tables, ignore_index=True)


def in_units(table: pd.DataFrame) -> pd.DataFrame:
    """The table as it is drawn, scores and differences in the scale of their unit; `in` says what that is."""
    drawn = table.drop(columns="runs_needed", errors="ignore")  # no number where no design would do
    if "note" in drawn and not drawn["note"].any():
        drawn = drawn.drop(columns="note")
    units = {name: unit_of(name) for name in drawn["unit"].unique()}
    scale = drawn["unit"].map({name: float(unit.scale) for name, unit in units.items()})
    for name in [name for name in SCALED if name in drawn]:
        drawn[name] = drawn[name] * scale
    drawn["in"] = drawn["unit"].map({name: unit.short for name, unit in units.items()})
    return drawn


def base_score(results: Results, benchmark: str) -> float:
    """Score of the base without fine-tuning, in the unit of `in_units`."""
    lines = in_units(results.table)
    return float(lines[(lines["method"] == BASE) & (lines["benchmark"] == benchmark)]["score"].iloc[0])


def runs_overview(results: Results) -> pd.DataFrame:
    """Runs, rows, tokens of an epoch, seconds of training and mean score, per method and benchmark."""
    grouped = results.table.groupby(["method", "benchmark"], sort=False)
    table = grouped.agg(
        runs=("score", "size"), rows=("n_rows", "mean"), tokens=("tokens_trained", "mean"),
        seconds_training=("seconds_train", "mean"), mean_score=("score", "mean"),
    )  # fmt: skip
    return table.round({"rows": 0, "tokens": 0, "seconds_training": 1, "mean_score": 4}).reset_index()


def by_group(results: Results, benchmark: str, at_most: int = 12) -> pd.DataFrame:
    """Difference from random per group of items (family of skills, or source), largest first, small ones together."""
    groups = pd.Series(results.item_groups(benchmark))
    large = groups.value_counts().head(at_most).index
    groups = groups.map(source_labels(groups.unique())).where(groups.isin(large), OTHER)
    random = pd.Series(results.items(RANDOM, benchmark).mean(axis=0)).groupby(groups).mean()
    sizes = groups.value_counts()
    lines = []
    unit = unit_in(results, benchmark)
    for method in dict.fromkeys(results.table["method"]):
        if method not in (RANDOM, BASE):
            scores = pd.Series(results.items(method, benchmark).mean(axis=0)).groupby(groups).mean()
            for group, size in sizes.items():
                difference = float(scores[group] - random[group])
                lines.append({"group": group, "items": int(size), "method": method, "name": label(method), "difference": difference,
                              "unit": unit})  # fmt: skip
    return in_units(pd.DataFrame(lines))


def random_tokens(work: Workbench, budget: int, n_draws: int) -> int:
    """Mean tokens of an epoch over the random subsets of `budget` rows that are planned: the token budget that equals it."""
    found = 0
    for draw in range(n_draws):
        part = work.parts[draw % len(work.parts)]
        rows = part.select(RANDOM, budget, number=draw // len(work.parts)).rows
        found += part.features.lengths().total.clip(max=work.settings.max_tokens)[rows].sum()
    return int(found / n_draws)
