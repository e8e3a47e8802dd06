"""A first look at all methods on few parts, and a confirmation on parts of their own of those that are still open."""

from collections.abc import Sequence

from analysis.experiments import grid
from analysis.experiments.results import Run
from analysis.methods import RANDOM


def looks(work, parts: int) -> tuple:
    """The workbench of a first look, with the first `parts` parts, and that of the others; None where there is no other."""
    return work.some(0, parts), work.some(parts, len(work.parts)) if len(work.parts) > parts else None


def confirmation(work, opened: set[tuple], *, n_draws: int) -> list[Run]:
    """The runs of a second look at what is still open, on the parts of `work`, which no first look has used.

    Random draws are as many per part as in a first look of `n_draws` draws on as many parts.
    """
    planned = []
    for budget in sorted({budget for _, budget, _ in opened}):
        methods: Sequence[str] = sorted({method for method, size, _ in opened if size == budget})
        runs = grid.plan(work, methods, budget, n_draws=n_draws, equal_tokens=True)
        planned += [run for run in runs if run.method == RANDOM or (run.method, budget, run.design) in opened]
    return planned
