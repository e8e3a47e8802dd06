"""Grids whose runs are simulated: the experiment's own plan, selections by chance, scores drawn instead of trained for."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from analysis.experiments.results import Run
from analysis.experiments.workbench import Workbench, stream
from analysis.methods import Selection

# Standard deviations of a run's mean score, measured on the testbed: by rows, by training seed, and by the luck of single
# items. That luck was measured on 720 items; here it is spread over fewer, such that the mean varies as much.
BY_ROWS, BY_SEED, BY_CELLS = 0.037, 0.033, 0.013
RUN_SD = float(np.sqrt(BY_ROWS**2 + BY_SEED**2 + BY_CELLS**2))
N_ITEMS = 200
PART_ROWS, BUDGET = 5_000, 125


def simulated_workbench(n_parts: int, seed: int) -> Workbench:
    """The first of `n_parts` parts of a pool that there is not."""
    parts = [Workbench(None, None, None, None, None, seed, part) for part in range(n_parts)]
    return replace(parts[0], others=tuple(parts[1:]))


def drawn(work, method: str, budget: int, *, seed: int, budget_unit: str = "rows") -> Selection:
    """In the place of `selecting.select`: random rows, others for every method, part and seed."""
    rng = np.random.default_rng(stream(seed, method, work.part))
    return Selection(rng.choice(PART_ROWS, budget, replace=False), seconds=0.0)


def measured(
    work: Workbench, runs: Sequence[Run], show_progress: bool, *, shifts: Mapping[str, float] | None = None
) -> list[tuple[dict, dict]]:
    """In the place of `grid._measure_all`: scores that depend on the rows and on the training seed as real ones do.

    `shifts` says by how much a method is better than chance. Every row has a worth of its own, so that selections that
    share rows share what these bring; what the training seed brings is another for other rows.
    """
    rng = np.random.default_rng(stream(work.seed, "worth of rows and difficulty of items"))
    worth = rng.standard_normal((len(work.parts), PART_ROWS))
    difficulty = rng.uniform(0.2, 0.8, N_ITEMS)
    benchmark = {"name": "simulated", "unit": "share correct", "groups": ["all"] * N_ITEMS, "seconds": 0.0}
    made = []
    for run in runs:
        by_rows = np.sqrt(len(run.rows)) * worth[run.part, run.rows].mean()
        luck = np.random.default_rng([run.training_seed, run.part, zlib.crc32(np.sort(run.rows).tobytes())])
        by_seed, *cells = luck.standard_normal(1 + N_ITEMS)
        score = (shifts or {}).get(run.method, 0.0) + BY_ROWS * by_rows + BY_SEED * by_seed
        items = difficulty + score + BY_CELLS * np.sqrt(N_ITEMS) * np.array(cells)
        made.append(({"tokens": 1, "seconds": 0.0, "benchmarks": [benchmark]}, {"items_0": items}))
    return made
