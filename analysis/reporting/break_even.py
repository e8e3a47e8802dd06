"""Whether a method is worth what it costs: held against random draws that cost about as much, or less."""

import pandas as pd

from analysis.experiments.results import Results
from analysis.methods import RANDOM
from analysis.reporting.topics.cost_of_selection import LONGER
from analysis.reporting.versus_random import unit_in
from analysis.statistics import FEWEST_RUNS
from analysis.statistics.families import held_together
from analysis.statistics.intervals import spread_of_difference
from analysis.statistics.runs import Runs

SAME_COMPUTE = 1.1  # times a method's compute: a random draw that costs so much costs the same
AS_MUCH = f"at most {SAME_COMPUTE:g} times as much"
PAYS, DOES_NOT, OPEN = "pays", "does not pay", "undecided"


def against_draws(costs: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Every method against random draws that cost at most `SAME_COMPUTE` times as much, by the rule of the notebook.

    Benchmark, unit, method, budget, against and rows (the random draw's), compute_ratio (method's / draw's), estimate
    (method minus draw), low, high and p_holm (over all lines of a benchmark), n_runs, verdict: `PAYS` where the interval
    lies above zero, `DOES_NOT` where it lies below and the draw costs no more than that, `OPEN` otherwise and of fewer
    than three runs.
    """
    tables, random = [], costs[costs["method"].isin([RANDOM, LONGER])]
    for benchmark in results.benchmarks:
        lines, spreads = [], []
        for one in costs.drop(random.index).to_dict("records"):
            for other in affordable(random, one["total"], one["budget"]).to_dict("records"):
                first, second = (
                    Runs.of(results.items(line["method"], benchmark, line["budget"])) for line in (one, other)
                )
                spreads.append(spread_of_difference(first, second))
                lines.append({
                    "benchmark": benchmark, "unit": unit_in(results, benchmark), "method": one["method"], "budget": one["budget"],
                    "against": other["method"], "rows": other["budget"], "compute_ratio": one["total"] / other["total"],
                    "estimate": float(first.items.mean() - second.items.mean()), "n_runs": len(first),
                })  # fmt: skip
        if lines:
            tables.append(held_together(pd.DataFrame(lines), spreads).drop(columns="p"))
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables, ignore_index=True)
    return table.assign(verdict=[_pays(line) for line in table.itertuples()])


def _pays(line) -> str:
    if line.n_runs < FEWEST_RUNS:
        return OPEN
    return PAYS if line.low > 0 else DOES_NOT if line.high < 0 and not is_dearer(line.compute_ratio) else OPEN


def is_dearer(compute_ratio):
    """Whether a draw costs more than `SAME_COMPUTE` times the method: losing to it says nothing of a draw as cheap."""
    return compute_ratio * SAME_COMPUTE < 1


def held_against(table: pd.DataFrame) -> str:
    """What the methods of `against_draws` are held against, in words."""
    dearer = " (or of as many rows, where none is as cheap)" if is_dearer(table["compute_ratio"]).any() else ""
    return f"random draws that cost {AS_MUCH}{dearer}"


def affordable(random: pd.DataFrame, total: float, budget: int) -> pd.DataFrame:
    """Random draws of more rows or passes that cost at most `SAME_COMPUTE` times `total`; else the one of the budget."""
    itself = (random["method"] == RANDOM) & (random["budget"] == budget)
    found = random[~itself & (random["total"] <= SAME_COMPUTE * total)]
    return found if len(found) else random[itself]
