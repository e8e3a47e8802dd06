"""What goes wrong as a pool grows: failure modes by name, statistic and threshold, and which of them a method has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.experiments.results import Results
from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM
from analysis.reporting.palette import label
from analysis.reporting.trained_rows import Regime, few
from analysis.reporting.versus_random import delta_of, unit_in
from analysis.reporting.wording import gained_in, listed, number, quantity, share
from analysis.statistics import compare_all, interval_of_mean
from analysis.subsets.yardstick import FAULT

MINUS, OVER, ITSELF = "minus random's", "over random's", "as it is"
SHOWN, ABSENT, OPEN = "shown", "absent", "undecided"
WORSE = "worse"  # with more rows to select from
ROUNDED = 9  # decimals of a slope
DIFFERENCES = ["benchmark", "method", "pool rows", "unit", "estimate", "low", "high", "n_runs", "n_random"]


@dataclass(frozen=True)
class Mode:
    """A failure mode: shown where the interval of its statistic over the parts lies wholly beyond the threshold.

    Attributes
    ----------
    against : whether the statistic is counted minus random's on the same part, over it, or as it is.
    worse : 1 where more is worse, -1 where less is.
    """

    name: str
    statistic: str
    against: str
    threshold: float
    worse: int

    def level(self, values: pd.Series) -> pd.Series:
        """Values on the scale on which they change: ratios by their logarithm, so that half is as far as twice."""
        return np.log10(values.clip(lower=1e-3)) if self.against == OVER else values

    @property
    def rule(self) -> str:
        """The rule in words."""
        return f"{self.statistic} {self.against} {'above' if self.worse > 0 else 'below'} {self.threshold:.2g}"


MODES = (
    Mode("takes faulty rows", "faulty rows", MINUS, 0.05, 1),
    Mode("leaves skills out", "effective skills", OVER, 2 / 3, -1),
    Mode("leaves clusters out", "effective clusters", OVER, 2 / 3, -1),
    Mode("stays away from the pool", "distance to the pool", OVER, 1.1, 1),
    Mode("repeats itself", "near-duplicates", MINUS, 0.05, 1),
    Mode("takes long answers", "median answer tokens", OVER, 2.0, 1),
    Mode("takes short answers", "median answer tokens", OVER, 0.5, -1),
    Mode("changes with the seed", "rows kept with another seed", ITSELF, 0.5, -1),
    Mode("changes with the base", "rows kept with another base", ITSELF, 0.5, -1),
    Mode("cannot tell rows apart", "tied rows", ITSELF, 0.1, 1),
    Mode("hardly orders what it takes", "fall over the selection", ITSELF, 0.05, -1),
)


def relative(statistics: pd.DataFrame) -> pd.DataFrame:
    """Every mode's value by pool rows, part and method: the statistic against random's mean on the same part."""
    random = statistics[statistics["method"] == RANDOM].groupby(["statistic", "part"])["value"].mean()
    of_methods, tables = statistics[statistics["method"] != RANDOM], []
    for mode in MODES:
        lines = of_methods[of_methods["statistic"] == mode.statistic].assign(mode=mode.name)
        if mode.against != ITSELF:
            beside = [random.get((mode.statistic, part), np.nan) for part in lines["part"]]
            lines["value"] = lines["value"] - beside if mode.against == MINUS else lines["value"] / beside
        tables.append(lines)
    return pd.concat(tables, ignore_index=True).drop(columns=["draw", "statistic"])


def shown(values: pd.DataFrame) -> pd.DataFrame:
    """Per method and mode at the most pool rows: mean over parts, its 95 % t interval, parts, and whether it is shown."""
    lines, most = [], values[values["pool rows"] == values["pool rows"].max()]
    for mode in MODES:
        for method, part in most[most["mode"] == mode.name].groupby("method", sort=False):
            mean, low, high = interval_of_mean(part["value"].to_numpy())
            lines.append({"method": method, "mode": mode.name, "rule": mode.rule, "value": mean, "low": low, "high": high,
                          "parts": len(part), "found": _found(low, high, mode)})  # fmt: skip
    return pd.DataFrame(lines)


def _found(low: float, high: float, mode: Mode) -> str:
    least, most = (low, high) if mode.worse > 0 else (-high, -low)
    if least > mode.worse * mode.threshold:
        return SHOWN
    return ABSENT if most <= mode.worse * mode.threshold else OPEN


def slopes(values: pd.DataFrame) -> pd.DataFrame:
    """Per method and mode: change for ten times the pool rows, mean over parts with its 95 % t interval.

    Of ratios it is their logarithm (to base 10) that changes, see `Mode.level`.
    `grows` says whether it becomes worse or better with the pool (an interval beyond 0), or neither is shown.
    """
    lines = []
    for mode in MODES:
        for method, own in values[values["mode"] == mode.name].groupby("method", sort=False):
            if own["pool rows"].nunique() < 2:
                continue
            by_part = [
                np.polyfit(np.log10(part["pool rows"].astype(float)), mode.level(part["value"]), 1)[0]
                for _, part in own.groupby("part")
            ]
            # Rounded: what never changes has the slope of rounding.
            mean, low, high = interval_of_mean(np.round(by_part, ROUNDED))
            worse = low > 0 if mode.worse > 0 else high < 0
            better = high < 0 if mode.worse > 0 else low > 0
            grows = WORSE if worse else "better" if better else "not shown"
            lines.append({"method": method, "mode": mode.name, "slope": mean, "low": low, "high": high,
                          "parts": len(by_part), "grows": grows})  # fmt: skip
    return pd.DataFrame(lines, columns=["method", "mode", "slope", "low", "high", "parts", "grows"])


def matrix(found: pd.DataFrame) -> pd.DataFrame:
    """Mode by method, the mean and interval in each cell, with a mark where the mode is shown (●) or undecided (?)."""
    marks = {SHOWN: " ●", OPEN: " ?", ABSENT: ""}
    cells = found.assign(cell=[
        f"{few(line.value)} ({few(line.low)} to {few(line.high)}){marks[line.found]}" for line in found.itertuples()
    ])  # fmt: skip
    return _wide(cells, ["mode", "rule"])


def growth_table(grown: pd.DataFrame) -> pd.DataFrame:
    """Mode by method, the slope and its interval in each cell, with a mark where it is worse (▲) or better (▽)."""
    marks = {WORSE: " ▲", "better": " ▽"}
    cells = grown.assign(cell=[
        f"{line.slope:+.2g} ({line.low:+.2g} to {line.high:+.2g}){marks.get(line.grows, '')}" for line in grown.itertuples()
    ])  # fmt: skip
    return _wide(cells, ["mode"])


def _wide(cells: pd.DataFrame, index: list[str]) -> pd.DataFrame:
    """A line per mode, a column per method, in their order; "–" where there is nothing."""
    wide = cells.pivot(index=index, columns="method", values="cell").fillna("–")
    order = [mode.name for mode in MODES if mode.name in set(cells["mode"])]
    wide = wide.loc[order, list(dict.fromkeys(cells["method"]))].rename(columns=label).rename_axis(columns=None)
    return wide.reset_index(index[1:])


def faults_by_kind(statistics: pd.DataFrame) -> pd.DataFrame:
    """Share of each kind of fault among the selected rows, at the most pool rows: mean over parts (random: draws), by method."""
    most = statistics["pool rows"].max()
    lines = statistics[(statistics["pool rows"] == most) | (statistics["method"] == RANDOM)]
    lines = lines[lines["statistic"].str.startswith(FAULT)]
    lines = lines.assign(fault=lines["statistic"].str.removeprefix(FAULT))
    wide = lines.pivot_table(index="fault", columns="method", values="value")
    return wide[[name for name in dict.fromkeys(statistics["method"]) if name in wide]].rename(columns=label).round(3)


def differences(
    by_size: Mapping[int, Results], results: Results, methods: Sequence[str], budget: int
) -> pd.DataFrame:  # fmt: skip
    """Every trained method at every pool size against random: its estimate and own 95 % interval, per benchmark.

    Parameters
    ----------
    by_size : runs of the methods that selected from so many rows of each part.
    results : those that hold the random runs.
    """
    tables = []
    for benchmark in results.benchmarks:
        items = {
            (method, size): one.items(method, benchmark, budget) for size, one in by_size.items() for method in methods
        }
        table = compare_all(items, results.items(RANDOM, benchmark, budget), delta=delta_of(results, benchmark))
        table[["method", "pool rows"]] = pd.DataFrame(table["method"].tolist(), index=table.index)
        table["low"], table["high"] = table["alone_low"], table["alone_high"]
        tables.append(table.assign(benchmark=benchmark, unit=unit_in(results, benchmark))[DIFFERENCES])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=DIFFERENCES)


def why(found: pd.DataFrame, grown: pd.DataFrame, differences: pd.DataFrame) -> list[str]:
    """A sentence per method: its difference from random at the most pool rows, on the first benchmark, the failure modes
    that it shows there, and those that grow with the pool."""  # fmt: skip
    said, most = [], differences[differences["pool rows"] == differences["pool rows"].max()]
    first = most[most["benchmark"] == most["benchmark"].iloc[0]].set_index("method") if len(most) else most
    for method, own in found.groupby("method", sort=False):
        worse = grown[(grown["method"] == method) & (grown["grows"] == WORSE)]["mode"].tolist()
        modes = own[own["found"] == SHOWN]["mode"].tolist()
        start = (
            f"{label(method)} was not trained here" if method not in first.index else _result(first.loc[method], method)
        )
        shown_here = f"it {listed(modes)}" if modes else "it shows none of the failure modes"
        grows = f"; worse as the pool grows: it {listed(worse)}" if worse else ""
        said.append(f"{start}; {shown_here}{grows}.")
    return said


def _result(line: pd.Series, method: str) -> str:
    low, high = (quantity(line[end], line["unit"], True) for end in ("low", "high"))
    how = (
        "is below random"
        if line["high"] < 0
        else "is above random"
        if line["low"] > 0
        else "cannot be told from random"
    )
    return (
        f"{label(method)} {how} on {line['benchmark']}, {quantity(line['estimate'], line['unit'], True)} {gained_in(line['unit'])} "
        f"(95 % interval {low} to {high}; {line['n_runs']} runs, {line['n_random']} random ones)"
    )


def headline(work: Workbench, sizes: Sequence[int], budget: int, regime: Regime) -> str:
    """What was varied: the budget and its regime, the rows to select from, and the parts."""
    spans = listed([f"{number(size)} ({share(budget / size)})" for size in sizes])
    return (
        f"{number(budget)} rows, {regime.words(budget)}, were selected from {spans} rows of each of {len(work.parts)} parts: the "
        "share of the pool that is selected is what changes."
    )


def growth_finding(
    grown: pd.DataFrame, differences: pd.DataFrame, sizes: Sequence[int], selected: str
) -> str:  # fmt: skip
    """How many methods are below random from the most and from the fewest rows, and which modes get worse with the pool,
    those of most methods first, when so much is `selected`."""  # fmt: skip
    if grown.empty:
        return f"With {selected} and one size of the pool nothing can be said about growth."
    worse = grown[grown["grows"] == WORSE].groupby("mode", sort=False)["method"].nunique()
    never = [mode for mode in dict.fromkeys(grown["mode"]) if mode not in worse.index]
    n_methods = grown["method"].nunique()
    counted = [
        f"{mode} ({count} of {n_methods} methods)"
        for mode, count in worse.sort_values(ascending=False, kind="stable").items()
    ]
    return (
        f"With {selected} from {number(min(sizes))} to {number(max(sizes))} rows to select from{_below(differences)}; worse as the pool grows: "
        f"{listed(counted) if counted else 'nothing'}{f'; for no method: {listed(never)}' if never else ''}."
    )


def _below(differences: pd.DataFrame) -> str:
    """On the first benchmark, how many of the trained methods have intervals below zero at the most rows and at the fewest."""
    sizes = sorted(set(differences["pool rows"]))
    if len(sizes) < 2:
        return ""
    first = differences[differences["benchmark"] == differences["benchmark"].iloc[0]]
    below, methods = (first["high"] < 0).groupby(first["pool rows"]).sum(), first["method"].nunique()
    name = first["benchmark"].iloc[0]
    return f", below random on {name}: {below[sizes[0]]} of {methods} methods from {number(sizes[0])} and {below[sizes[-1]]} from {number(sizes[-1])}"
