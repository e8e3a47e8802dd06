"""Whether a method is worth what it costs: held against random draws that cost as much."""

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
PAYS, DOES_NOT, OPEN = "pays", "does not pay", "undecided"


def against_draws(costs: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Every method against the random draws that cost as much as it does, by the rule of the notebook.

    Benchmark, unit, method, budget, against and rows (the random draw's), compute_ratio (method's / draw's), estimate
    (method minus draw), low, high and p_holm (over all lines of a benchmark), n_runs, verdict: `PAYS` where the interval
    lies above zero, `DOES_NOT` where it lies below, `OPEN` otherwise and of fewer than three runs.
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
    return table.assign(verdict=[_pays(line.low, line.high, line.n_runs) for line in table.itertuples()])


def _pays(low: float, high: float, n_runs: int) -> str:
    return OPEN if n_runs < FEWEST_RUNS else PAYS if low > 0 else DOES_NOT if high < 0 else OPEN


def affordable(random: pd.DataFrame, total: float, budget: int) -> pd.DataFrame:
    """Random draws of more rows or passes that cost at most `SAME_COMPUTE` times `total`; else the one of the budget."""
    itself = (random["method"] == RANDOM) & (random["budget"] == budget)
    found = random[~itself & (random["total"] <= SAME_COMPUTE * total)]
    return found if len(found) else random[itself]
