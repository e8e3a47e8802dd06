"""Tables that set every method of a grid against random selection, ready to be drawn or put into words."""

from collections.abc import Mapping

import pandas as pd

from analysis import statistics
from analysis.experiments.benchmarks.result import unit_of
from analysis.experiments.results import EQUAL_ROWS, Results
from analysis.methods import BASE, RANDOM
from analysis.pools.source_labels import OTHER, source_labels
from analysis.reporting.palette import label
from analysis.statistics import compare_all, compare_twice

SCALED = ("score", "random_score", "base_score", "estimate", "low", "high", "alone_low", "alone_high", "equivalence_low", "equivalence_high", "detectable", "delta", "difference", "standard deviation", "method_sd", "random_sd", "item_sd",
          "detectable difference", "random_low", "random_high")  # fmt: skip


FEWEST_IN_GROUP = 10  # items, from which a mean difference of their group is worth a number of its own
PROMISING = 0.2  # p of a first look, below which a comparison goes on
NO_LINES = [
    "benchmark",
    "method",
    "budget",
    "design",
    "estimate",
    "low",
    "high",
    "n_runs",
]  # read where nothing was run
FAMILY = ["method", "budget", "design"]  # what tells the comparisons of one family, one benchmark's, apart


def versus_random(
    results: Results, again: Results | None = None, *, deltas: Mapping[str, float] | None = None
) -> pd.DataFrame:  # fmt: skip
    """Every method at every budget and design against random selection of that budget, benchmark by benchmark.

    All comparisons on a benchmark are one family: Holm's correction is over methods, budgets and designs.

    Parameters
    ----------
    again : fresh runs of those methods that were taken further, see `statistics.compare_twice`.
    deltas : by benchmark, smallest differences that matter where they are not the unit's own.

    Returns
    -------
    One line per benchmark, method, budget and design: these, unit, tokens_ratio (to random's, of one pass), and the
    columns of `statistics.compare_all`, or `compare_twice` with `again`. No line where nothing was run.

    Raises
    ------
    ValueError
        No method besides random selection, or a δ of a benchmark that there is not.
    """
    tables = []
    for benchmark in results.benchmarks:
        lines = results.table[results.table["benchmark"] == benchmark]
        compared = _compared(lines)
        if not compared:
            raise ValueError("methods: expected at least one besides random_selection, found none")
        delta, look = delta_of(results, benchmark, deltas), _look(results, benchmark)
        table = compare_twice(look, _look(again, benchmark), delta=delta) if again else compare_all(*look, delta=delta)
        table[FAMILY] = pd.DataFrame(table["method"].tolist(), index=table.index)
        tokens = lines.groupby(FAMILY)["tokens_trained"].mean()
        table["tokens_ratio"] = [tokens[key] / tokens[RANDOM, key[1], EQUAL_ROWS] for key in compared]
        tables.append(table.assign(benchmark=benchmark, unit=lines["unit"].iloc[0]))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=NO_LINES)


def _look(results: Results, benchmark: str) -> tuple[dict, dict]:
    """Scores of every comparison on a benchmark, and those of the random runs that each is held against."""
    keys = _compared(results.table[results.table["benchmark"] == benchmark])
    random = {budget: results.items(RANDOM, benchmark, budget) for budget in dict.fromkeys(key[1] for key in keys)}
    return {key: results.items(key[0], benchmark, *key[1:]) for key in keys}, {key: random[key[1]] for key in keys}


def _compared(lines: pd.DataFrame) -> list[tuple]:
    """Method, budget and design of every comparison with random selection among lines of a table of runs."""
    keys = dict.fromkeys(lines[FAMILY].itertuples(index=False, name=None))
    return [key for key in keys if key[0] not in (RANDOM, BASE)]


def still_open(table: pd.DataFrame) -> set[tuple]:
    """Method, budget and design of what a first look leaves undecided and fresh runs may decide, on any benchmark."""
    lines = table[(table["verdict"] == statistics.UNDECIDED) & (table["p"] < PROMISING)]
    return set(lines[FAMILY].itertuples(index=False, name=None))


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
    """One line per benchmark, method (random included), budget and design: does fine-tuning help?

    See `statistics.against_base`; the lines of a benchmark are one family.
    """
    tables = []
    for benchmark in results.benchmarks:
        lines = results.table[results.table["benchmark"] == benchmark]
        random = [(RANDOM, budget, EQUAL_ROWS) for budget in lines.loc[lines["method"] == RANDOM, "budget"].unique()]
        keys = [*random, *_compared(lines)]
        scores = {key: results.items(key[0], benchmark, *key[1:]) for key in keys}
        table = statistics.against_base(scores, results.items(BASE, benchmark)[0])
        table[FAMILY] = pd.DataFrame(table["method"].tolist(), index=table.index)
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


def with_scores(table: pd.DataFrame, results: Results) -> pd.DataFrame:
    """The table through `in_units`, with the scores of the method's and of random's runs in the same unit, as text."""
    runs = in_units(results.table)
    scores = runs.groupby(["benchmark", *FAMILY])["score"].agg(lambda own: " ".join(f"{score:.6g}" for score in own))
    keys = list(table[["benchmark", *FAMILY]].itertuples(index=False, name=None))
    drawn = in_units(table)
    drawn["scores"] = [scores[key] for key in keys]
    drawn["random_scores"] = [scores[benchmark, RANDOM, budget, EQUAL_ROWS] for benchmark, _, budget, _ in keys]
    drawn["base_score"] = [base_score(results, benchmark) for benchmark, *_ in keys]
    return drawn


def base_score(results: Results, benchmark: str) -> float:
    """Score of the base without fine-tuning, in the unit of `in_units`."""
    lines = in_units(results.table)
    return float(lines[(lines["method"] == BASE) & (lines["benchmark"] == benchmark)]["score"].iloc[0])


def by_group(results: Results, benchmark: str, at_most: int = 12) -> pd.DataFrame:
    """Difference from random per group of items at the largest budget, equal rows; the largest groups first.

    Group (family of skills, or source; small ones together), items, method, name, difference, unit and its scale.
    """
    groups = item_groups(results, benchmark, at_most)
    budget, unit = results.table["budget"].max(), unit_in(results, benchmark)
    sizes = groups.value_counts()
    random = pd.Series(results.items(RANDOM, benchmark, budget).mean(axis=0)).groupby(groups).mean()
    lines = []
    for method, size, design in _compared(results.table[results.table["benchmark"] == benchmark]):
        if size == budget and design == EQUAL_ROWS:
            scores = pd.Series(results.items(method, benchmark, budget).mean(axis=0)).groupby(groups).mean()
            lines += [
                {"group": group, "items": int(sizes[group]), "method": method, "name": label(method),
                 "difference": float(scores[group] - random[group]), "unit": unit}
                for group in sizes.index
            ]  # fmt: skip
    return in_units(pd.DataFrame(lines))


def grouped_benchmark(results: Results) -> str:
    """The first benchmark with several groups of items, as `item_groups` tells them apart; else the first."""
    several = (name for name in results.benchmarks if item_groups(results, name).nunique() > 1)
    return next(several, results.benchmarks[0])


def item_groups(results: Results, benchmark: str, at_most: int = 12) -> pd.Series:
    """Short name of the group of each item; beyond the `at_most` largest, and of few items each, all others as one."""
    groups = pd.Series(results.item_groups(benchmark))
    sizes = groups.value_counts()
    large = sizes[sizes >= FEWEST_IN_GROUP].head(at_most).index
    others = OTHER if len(large) else "all"
    return groups.map(source_labels(groups.unique())).where(groups.isin(large), others)


def measured_on(results: Results) -> pd.DataFrame:
    """What the items are: benchmark, group (family of skills, or source), items, share of the benchmark's items."""
    tables = []
    for benchmark in results.benchmarks:
        counts = item_groups(results, benchmark).value_counts()
        tables.append(pd.DataFrame({"benchmark": benchmark, "group": counts.index, "items": counts.to_numpy(),
                                    "share": (counts / counts.sum()).round(3).to_numpy()}))  # fmt: skip
    return pd.concat(tables, ignore_index=True)
