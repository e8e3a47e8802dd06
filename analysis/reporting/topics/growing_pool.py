"""Selections from ever more rows of a pool, and what each of them is like."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.experiments import designed, selecting
from analysis.experiments.results import Run
from analysis.experiments.workbench import Workbench, load_base, stream
from analysis.methods import RANDOM
from analysis.pools.parts import nested_rows
from analysis.reporting.trained_rows import CLUSTERS
from analysis.subsets.overlap import share_in_common
from analysis.subsets.rows import table
from analysis.subsets.yardstick import Yardstick, saturation, tied

DUPLICATES = 0.8  # similarity from which two rows are near-duplicates


def usable_sizes(work: Workbench, sizes: Sequence[int], budget: int) -> list[int]:
    """Rows of a part to select from, ascending: those asked for that lie between the budget and all, and all of them."""
    everything = len(work.pool)
    least = min(len(part.pool) for part in work.parts)
    return [*sorted(size for size in set(sizes) if budget < size < least), everything]


def at_size(work: Workbench, size: int) -> Workbench:
    """The comparison on so many rows of every part; on all of them where the first part has no more."""
    return work if size >= len(work.pool) else work.smaller(size)


def planned(work: Workbench, methods: Sequence[str], budget: int) -> list[Run]:
    """A run of every method on its selection from each part, as in `grid.plan`, without random draws."""
    return [
        run
        for method in dict.fromkeys(methods)
        for run in designed.runs_of(work, method, lambda part, rng, of=method: part.select(of, budget).rows, budget)
    ]


def yardsticks(work: Workbench) -> dict[int, Yardstick]:
    """By part, what its selections are measured with; no model is asked (clusters and points are of TF-IDF)."""
    made = {}
    for part in work.parts:
        n_clusters = min(CLUSTERS, max(len(part.pool) // 10, 1))
        clusters = part.features.clusters("tfidf", n_clusters, part.selection_seed)
        known, points = table(part.pool, part.features.lengths()), part.features.embeddings("tfidf")
        made[part.part] = Yardstick(known, clusters.labels, points, part.features.near_duplicates(DUPLICATES))
    return made


def measured(
    work: Workbench, sizes: Sequence[int], methods: Sequence[str], budget: int, draws: Sequence[Run], other_base: str = ""
) -> pd.DataFrame:  # fmt: skip
    """Every selection's statistics: pool rows, part, method, draw, statistic, value.

    Selections of all sizes are measured on all rows of their part; random draws are from all of them.

    Parameters
    ----------
    sizes : rows of a part to select from; see `at_size`.
    draws : random runs of this budget.
    other_base : base under which methods select again; empty for none.
    """
    by_part, lines = yardsticks(work), []
    for run in draws:
        found = by_part[run.part].measured(run.rows)
        lines += [_line(sizes[-1], run.part, RANDOM, run.draw, name, value) for name, value in found.items()]
    other = load_base(other_base, work.store) if other_base else None
    for size in sizes:
        for part in at_size(work, size).parts:
            whole = work.with_part(part.part).pool
            places = np.arange(len(whole)) if part.pool is whole else nested_rows(whole, size, work.seed)
            for method in methods:
                chosen = part.select(method, budget)
                found = by_part[part.part].measured(places[chosen.rows])
                found["tied rows"] = tied(chosen.scores, chosen.rows)
                found["fall over the selection"] = saturation(chosen.scores, chosen.rows)
                again = selecting.select(part, method, budget, seed=stream(work.seed, "stability", part.part, 1))
                found["rows kept with another seed"] = share_in_common(chosen.rows, again.rows)
                if other is not None:
                    under = replace(part, base=other, features=part.features.under(other))
                    under = selecting.select(under, method, budget, seed=part.selection_seed)
                    found["rows kept with another base"] = share_in_common(chosen.rows, under.rows)
                lines += [_line(size, part.part, method, 0, name, value) for name, value in found.items()]
    return pd.DataFrame(lines).dropna(subset="value")


def _line(size: float, part: int, method: str, draw: int, statistic: str, value: float) -> dict:
    return {"pool rows": size, "part": part, "method": method, "draw": draw, "statistic": statistic, "value": value}
