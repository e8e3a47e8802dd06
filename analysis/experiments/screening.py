"""A first look at all methods on few parts, and a confirmation on parts of their own of those that are still open."""

from analysis.experiments import grid
from analysis.experiments.results import EQUAL_TOKENS, Run
from analysis.methods import RANDOM

FEWEST = 3  # parts of a confirmation: fewer runs have no verdict


def looks(work, parts: int, confirm: int) -> tuple:
    """The workbench of a first look, with the first `parts` parts, and that of the confirmation with the others.

    The latter is None where none is asked for, or the pool was too small for so many parts.

    Raises
    ------
    ValueError
        A confirmation on fewer than three parts.
    """
    if confirm and confirm < FEWEST:
        raise ValueError(f"confirm: expected 0 or at least {FEWEST} parts, found {confirm}")
    others = len(work.parts) - parts
    return work.some(0, parts), work.some(parts, others) if others >= FEWEST else None


def confirmation(work, opened: set[tuple], *, n_draws: int) -> list[Run]:
    """The runs of a second look at what is still open, on the parts of `work`, which no first look has used.

    `opened` holds method, budget and design; what was compared at equal tokens is again, whatever tokens its rows have here.
    """
    planned = []
    for budget in sorted({budget for _, budget, _ in opened}):
        methods = sorted({method for method, size, _ in opened if size == budget})
        runs = grid.plan(work, methods, budget, n_draws=n_draws)
        planned += [run for run in runs if run.method == RANDOM or (run.method, budget, run.design) in opened]
        at_tokens = {method for method in methods if (method, budget, EQUAL_TOKENS) in opened}
        if at_tokens:
            beside = [run for run in runs if run.method in (RANDOM, *at_tokens)]
            planned += grid.at_equal_tokens(work, beside, alike=1.0)
    return planned
