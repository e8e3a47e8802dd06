"""Runs on rows that no method chose: built from what is known of them, from a band of a score, from lengths."""

from collections.abc import Callable

import numpy as np

from analysis.experiments.results import EQUAL_ROWS, Run
from analysis.experiments.workbench import Workbench, stream


def runs_of(
    work: Workbench, name: str, choose: Callable[[Workbench, np.random.Generator], np.ndarray], budget: int, *,
    repeats: int = 1, design: str = EQUAL_ROWS,
) -> list[Run]:  # fmt: skip
    """`repeats` runs from every part of the pool, each on a choice of its own; `Results` knows them by `name`.

    The training seeds are those of a method's selections from the same parts (see `grid.plan`), so that a choice of the
    same rows is the same run. Generators of other names, parts and repeats share nothing.

    Parameters
    ----------
    name : of what is chosen, not that of a method.
    choose : gives unique positions in the pool of a part's workbench, by the generator where it draws.
    budget : in rows, by which `Results` tells runs of one name apart; at equal tokens that of random's rows.

    Raises
    ------
    ValueError
        A choice holds no row, a row twice, or one that the part does not have.
    """
    runs = []
    for repeat in range(repeats):
        for place, part in enumerate(work.parts):
            rng = np.random.default_rng(stream(work.seed, f"designed, {name}", part.part, repeat))
            rows = np.asarray(choose(part, rng), dtype=np.int64)
            if not len(rows) or len(np.unique(rows)) < len(rows) or rows.min() < 0 or rows.max() >= len(part.pool):
                raise ValueError(
                    f"{name}, part {part.part}: expected unique rows from 0 to {len(part.pool) - 1:,}, found {rows!r}"
                )
            seed = stream(work.seed, "training, method", part.part, repeat, 0)
            runs.append(Run(name, budget, repeat * len(work.parts) + place, seed, rows, 0.0, part.part, design))
    return runs
