"""What the rows are that methods were trained on, and how much of the pool a budget buys: the regime of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.experiments.results import EQUAL_ROWS, Run
from analysis.experiments.workbench import ROWS_PER_BUDGET, Workbench
from analysis.reporting.palette import label
from analysis.reporting.wording import of_each, share
from analysis.statistics import FEWEST_RUNS

CLUSTERS = 100  # at most, of a pool whose skills are not known


@dataclass(frozen=True)
class Regime:
    """How many kinds of rows a pool has: `kinds` skills of the testbed, elsewhere the effective number of clusters."""

    kinds: float
    kind: str

    def rows_per_kind(self, budget: int) -> float:
        """Rows of each kind that a random draw of `budget` rows buys on average."""
        return budget / self.kinds

    def words(self, budget: int) -> str:
        """E.g. "20 rows per skill"."""
        return f"{few(self.rows_per_kind(budget))} rows per {self.kind}"


def few(rows: float) -> str:
    """Rows of a kind, and other numbers of two digits, as they are written: 2.8, 20 or 1,250."""
    return f"{rows:.2g}" if abs(rows) < 99.5 else f"{rows:,.0f}"


def regime_of(work: Workbench) -> Regime:
    """Skills where they are known; else clusters of the first part's rows (k-means on TF-IDF), weighed by size.

    The effective number is the exponential of the entropy of the clusters' shares: that many clusters of equal size
    would be as diverse.
    """
    if work.pool.has_truth:
        return Regime(len(np.unique(work.pool.truth("skill"))), "skill")
    n_clusters = min(CLUSTERS, max(len(work.pool) // 10, 1))
    sizes = work.features.clusters("tfidf", n_clusters, work.selection_seed).sizes
    shares = sizes / sizes.sum()
    return Regime(float(np.exp(-(shares * np.log(shares)).sum())), "cluster")


def trained_rows(work: Workbench, planned: Sequence[Run]) -> pd.DataFrame:
    """One line per method, budget and design, means over its selections.

    Columns: method, budget, design, rows, tokens and answer tokens (of one pass, cut as in training), cut (share of the
    rows longer than the model reads), faulty (share, where the truth is known), seconds (to select, when it was made).
    """
    lines = []
    for run in planned:
        part = work.with_part(run.part)
        lengths = part.features.lengths()
        line = {
            "method": run.method, "budget": run.budget, "design": run.design, "rows": len(run.rows),
            "tokens": lengths.total[run.rows].clip(max=work.settings.max_tokens).sum(),
            "answer tokens": lengths.answer[run.rows].mean(), "cut": lengths.truncated[run.rows].mean(),
            "seconds": run.seconds_select,
        }  # fmt: skip
        if part.pool.has_truth:
            line["faulty"] = (part.pool.truth("fault")[run.rows] != "").mean()
        lines.append(line)
    return pd.DataFrame(lines).groupby(["method", "budget", "design"], sort=False).mean().reset_index()


def parts_findings(work: Workbench, budget: int) -> list[str]:
    """What share of a part is selected, and where there are fewer parts than were asked for, why."""
    sizes, parts = [len(part.pool) for part in work.parts], len(work.parts)
    asked = work.pool.provenance.get("parts", {}).get("asked", parts)
    said = [
        f"Every method selects {budget:,} of the {round(np.mean(sizes)):,} rows of each of {parts} parts "
        f"({share(budget / np.mean(sizes))})."
    ]
    if parts < asked:
        said.append(
            f"The pool is too small for {asked} parts of at least {ROWS_PER_BUDGET} times the budget: there are {parts}; "
            f"a verdict takes {FEWEST_RUNS}, so use more rows or a smaller budget."
            if parts < FEWEST_RUNS
            else f"The pool is too small for {asked} parts of at least {ROWS_PER_BUDGET} times the budget: there are {parts}."
        )
    return said


def cut_findings(rows: pd.DataFrame, max_tokens: int) -> list[str]:
    """The methods of whose rows at least a tenth is longer than the model reads; nothing where there is none."""
    cut = rows[(rows["cut"] >= 0.1) & (rows["design"] == EQUAL_ROWS)]
    if cut.empty:
        return []
    named = {f"{label(line.method)}, {line.budget:,} rows": line.cut for line in cut.itertuples()}
    return [
        f"Of the rows selected these are longer than the {max_tokens:,} tokens that are trained on, and cut: {of_each(named)}."
    ]
