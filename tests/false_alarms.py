"""Twelve methods that draw by chance, fine-tuned for real in one grid: none of them may be called better or worse.

`python -m tests.false_alarms`, from the root of the checkout, makes 12 x parts + draws runs: 75 as it stands, of about 16
seconds of one core each, 20 minutes together. Every run is stored, so that the command goes on where it was stopped. The
exit status is 1 if anything was called, which chance may do in one of twenty tables: there is one for every benchmark, so
for a pool with two benchmarks in up to one of ten.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd

from analysis.experiments import grid, selecting
from analysis.experiments.workbench import Workbench, prepare, stream
from analysis.methods import RANDOM, Selection
from analysis.paths import RESULTS
from analysis.reporting.versus_random import in_units, versus_random
from analysis.statistics import BETTER, WORSE
from analysis.store.store import Store

# Calls of a real method, so that the grid and its tables take them; only their names are used.
LABELS = tuple(f"near_duplicate_filter(threshold={0.5 + place / 100:.2f})" for place in range(12))
SHOWN = ["benchmark", "method", "estimate", "low", "high", "in", "p_holm", "verdict"]


class ByChance(Workbench):
    """A workbench on which every method draws at random, each with a seed of its own in every part."""

    @classmethod
    def of(cls, work: Workbench) -> "ByChance":
        """The same pool, base and store."""
        first, *others = [
            cls(**{field.name: getattr(part, field.name) for field in fields(part)} | {"others": ()})
            for part in work.parts
        ]
        return replace(first, others=tuple(others))

    def select(self, method: str, budget: int, *, number: int = 0, budget_unit: str = "rows") -> Selection:
        """A random draw, whatever the method; those of random selection are the real ones."""
        if method == RANDOM:
            return super().select(method, budget, number=number, budget_unit=budget_unit)
        seed = stream(self.seed, f"by chance, {method}", self.part)
        return selecting.select(self, RANDOM, budget, seed=seed, budget_unit=budget_unit)


def called(table: pd.DataFrame) -> pd.DataFrame:
    """The lines of a table that claim a difference."""
    return table[table["verdict"].isin([BETTER, WORSE])]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fine-tune, print the table, and say by the exit status whether anything was called."""
    parser = argparse.ArgumentParser(prog="python -m tests.false_alarms", description=__doc__.splitlines()[0])
    parser.add_argument("--pool", default="curated", help="a pool as `prepare` takes it (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=1500, help="rows of the pool, in the testbed of each part")
    parser.add_argument("--skills", type=int, default=12, help="skills of the testbed; 0 for all")
    parser.add_argument("--budget", type=int, default=240, help="rows of every selection")
    parser.add_argument("--parts", type=int, default=5, help="parts of the pool, and so selections of every method")
    parser.add_argument("--draws", type=int, default=15, help="random draws, best three times as many")
    parser.add_argument("--seed", type=int, default=0, help="of the whole comparison")
    parser.add_argument("--store", type=Path, default=RESULTS, help="folder of stored runs")
    options = parser.parse_args(arguments)
    skills = options.skills if options.pool in ("curated", "wild") else 0
    work = ByChance.of(
        prepare(options.pool, limit=options.limit, skills=skills, parts=options.parts, budget=options.budget,
                seed=options.seed, store=Store(options.store))
    )  # fmt: skip
    runs = grid.plan(work, LABELS, options.budget, n_draws=options.draws)
    table = in_units(versus_random(grid.run(work, runs)))
    print(table[SHOWN].to_string(index=False, float_format="{:.3f}".format))
    found = called(table)
    print(f"\n{len(found)} of {len(table)} comparisons with chance called better or worse; expected: none")
    return int(len(found) > 0)


if __name__ == "__main__":
    sys.exit(main())
