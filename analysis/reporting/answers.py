"""What an answer to a claim is made of: the verdicts, the numbers that are read, and how they are written."""

import pandas as pd

from analysis.experiments.benchmarks.result import unit_of
from analysis.methods import METHODS, parse
from analysis.reporting.pages import Pages
from analysis.reporting.trained_rows import few
from analysis.reporting.wording import listed
from analysis.statistics import BETTER, NO_DIFFERENCE, NO_VERDICT, UNDECIDED, WORSE

HOLDS, FAILS, DEPENDS, OPEN, UNTESTED = (
    "holds here",
    "does not hold here",
    "depends on the setting",
    "undecided",
    "not tested here",
)
VERDICTS = (HOLDS, DEPENDS, FAILS, OPEN, UNTESTED)
HARDLY_ANY, USUALLY, FEWEST_METHODS = 0.1, 2 / 3, 3
DIFFICULTY = ("cross_entropy", "perplexity", "ifd", "superfiltering", "selectit")  # scores of single rows
Judged = tuple[str, str]


def main_comparisons(pages: Pages) -> pd.DataFrame:
    """Notebook 30's comparisons on the first benchmark of every pool and base, with `family` and `regime`."""
    table = pages.table("30_versus_random", "by_regime")
    if table.empty:
        return table
    table["family"] = [METHODS[parse(name)[0]].family for name in table["method"]]
    table["regime"] = [
        f"{few(rows)} rows per {kind}" for rows, kind in zip(table["rows_per_kind"], table["kind"], strict=True)
    ]
    return table


def written(line, unit: bool = False) -> str:
    """An estimate that is in the scale of its unit, with its interval: +1.5 [-0.5, +3.5], and with its unit if asked."""
    digits = unit_of(line["unit"]).digits
    estimate, low, high = (f"{line[name]:+.{digits}f}" for name in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]{' ' + line['in'] if unit else ''}"


def one_unit(table: pd.DataFrame) -> str:
    """What all lines are counted in; "" where they differ, and each number has its own behind it."""
    units = table["in"].unique()
    return units[0] if len(units) == 1 else ""


def counts(verdicts: pd.Series) -> str:
    """How often each verdict was spoken: 1 better and 3 undecided."""
    order = (BETTER, NO_DIFFERENCE, UNDECIDED, WORSE, NO_VERDICT)
    found = verdicts.value_counts()
    return listed([f"{found[name]} {name}" for name in order if name in found])


def not_run(notebook: str) -> Judged:
    return UNTESTED, f"notebook {notebook} has no such numbers in this run"


def first_benchmark(table: pd.DataFrame) -> pd.DataFrame:
    """The lines of the benchmark that each report names first."""
    return table[table["benchmark"] == table.groupby("report")["benchmark"].transform("first")] if len(table) else table


def comparisons(count: int) -> str:
    """1 comparison, 2 comparisons."""
    return f"{count:,} comparison{'s' * (count != 1)}"


def together(verdicts: list[str]) -> str:
    """One verdict of several: the one that all have; *depends* where one holds and another does not; else undecided."""
    if {HOLDS, FAILS} <= set(verdicts) or DEPENDS in verdicts:
        return DEPENDS
    return verdicts[0] if len(set(verdicts)) == 1 else OPEN


def as_claim(verdict: str, for_it: str, against_it: str) -> str:
    return HOLDS if verdict == for_it else FAILS if verdict == against_it else OPEN


def variant(report: str) -> str:
    """Of which pool and base a number is, where a notebook has several pages."""
    name = report.partition(".")[2]
    return f" ({name})" if name else ""


def names(calls: pd.Series) -> list[str]:
    """Names of the methods called, without their options."""
    return [parse(call)[0] for call in calls]
