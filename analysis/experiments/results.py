"""The runs of a grid and what they measured."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.experiments.benchmarks.held_out import ANSWER_LOSS

EQUAL_ROWS, EQUAL_TOKENS = "equal rows", "equal tokens"  # what a method and random selection have in common


@dataclass(frozen=True)
class Run:
    """One fine-tuned model: the rows of a part that it was trained on, and its seed; no rows means the base alone."""

    method: str
    budget: int
    draw: int
    training_seed: int
    rows: np.ndarray
    seconds_select: float = 0.0
    part: int = 0
    design: str = EQUAL_ROWS


@dataclass(frozen=True)
class Results:
    """What a grid measured.

    Attributes
    ----------
    runs : one line per run and benchmark: the columns of `table`; items, the scores of shape (n_items,); and answer_words,
        the mean length of what the model answered, nan where a benchmark asks for no answer.
    groups : family or source of every item, by benchmark.
    """

    runs: pd.DataFrame
    groups: dict[str, list[str]]

    @property
    def table(self) -> pd.DataFrame:
        """Method, budget (in rows), design, part, draw, training_seed, benchmark, unit, score (mean over items, higher is better), n_items,
        n_rows, tokens_trained (of one epoch), seconds_select, seconds_train, seconds_evaluate."""
        return self.runs.drop(columns=["items", "answer_words"], errors="ignore")

    @property
    def benchmarks(self) -> list[str]:
        """Those of the pool, then of lm-eval; the loss of held-out answers last, as what a model answers decides."""
        names = dict.fromkeys(self.runs["benchmark"]) if len(self.runs) else ()
        return sorted(names, key=lambda name: name == ANSWER_LOSS)

    def items(
        self, method: str, benchmark: str, budget: int | None = None, design: str = EQUAL_ROWS
    ) -> np.ndarray:  # fmt: skip
        """Scores of shape (n_runs, n_items), by budget, draw and seed; without items that a run could not score.

        Raises
        ------
        KeyError
            No such run (names what there is).
        """
        of_budget = (self.runs["design"] == design) & (budget is None or self.runs["budget"] == budget)
        found = self.runs[(self.runs["method"] == method) & (self.runs["benchmark"] == benchmark) & of_budget]
        if found.empty:
            known = sorted(set(self.runs[["method", "budget", "benchmark"]].itertuples(index=False, name=None)))
            raise KeyError(f"no run of {method!r} on {benchmark!r} with budget {budget}, {design}; there are {known}")
        found = found.sort_values(["budget", "draw", "training_seed"], kind="stable")
        return np.stack(found["items"].tolist())[:, self._scorable(benchmark)]

    def item_groups(self, benchmark: str) -> np.ndarray:
        """Group (family or source) of each item that `items` returns."""
        return np.array(self.groups[benchmark])[self._scorable(benchmark)]

    def _scorable(self, benchmark: str) -> np.ndarray:
        return np.isfinite(np.stack(self.runs.loc[self.runs["benchmark"] == benchmark, "items"].tolist())).all(axis=0)
