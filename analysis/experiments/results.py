"""The runs of a grid and what they measured."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

RANDOM = "random_selection"
BASE = "base"


@dataclass(frozen=True)
class Run:
    """One fine-tuned model: the rows it was trained on and its seed; no rows means the base alone."""

    method: str
    budget: int
    draw: int
    training_seed: int
    rows: np.ndarray
    seconds_select: float = 0.0


@dataclass(frozen=True)
class Results:
    """What a grid measured.

    `table` has one line per run and benchmark: method, budget, draw, training_seed, benchmark, unit, score
    (mean over items, higher is better), n_items, n_rows, tokens_trained (of one epoch), seconds_select,
    seconds_train, seconds_evaluate.
    """

    table: pd.DataFrame
    per_item: dict[tuple, np.ndarray]
    groups: dict[str, list[str]]

    @property
    def benchmarks(self) -> list[str]:
        return list(dict.fromkeys(self.table["benchmark"]))

    def items(self, method: str, benchmark: str, budget: int | None = None) -> np.ndarray:
        """Scores of shape (n_runs, n_items), by draw and seed; without items that a run could not score.

        Raises
        ------
        KeyError
            No such run (names what there is).
        """
        found = [key for key in sorted(self.per_item) if key[0] == method and key[4] == benchmark
                 and budget in (None, key[1])]  # fmt: skip
        if not found:
            known = sorted({(key[0], key[1], key[4]) for key in self.per_item})
            raise KeyError(f"no run of {method!r} on {benchmark!r} with budget {budget}; there are {known}")
        return np.stack([self.per_item[key] for key in found])[:, self._scorable(benchmark)]

    def item_groups(self, benchmark: str) -> np.ndarray:
        """Group (family or source) of each item that `items` returns."""
        return np.array(self.groups[benchmark])[self._scorable(benchmark)]

    def _scorable(self, benchmark: str) -> np.ndarray:
        return np.isfinite([items for key, items in self.per_item.items() if key[4] == benchmark]).all(axis=0)
