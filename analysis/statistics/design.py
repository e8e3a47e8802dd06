"""What one comparison has to work with: the runs of both sides and the three sources of variance."""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.intervals import item_part, item_variance, satterthwaite
from analysis.statistics.runs import Runs, runs_of

BORROWED = "one run of the method: its run variance is assumed to be that of the random runs"
FEW_RUNS = "fewer than 3 runs of {}: the interval covers less than it says if their variance dominates"
IDENTICAL = "all runs of the method are identical: the training seed changed nothing"


@dataclass(frozen=True)
class Design:
    """The three sources of variance of one comparison."""

    method_items: np.ndarray
    method: Runs  # of the method, or the ones it borrows its variance from
    random: Runs
    borrowed: bool
    item_variance: float
    item_part: np.ndarray
    freedom: float

    @classmethod
    def of(cls, items: np.ndarray, random: Runs, single: Runs) -> "Design":
        borrowed = len(items) == 1
        method = single if borrowed else runs_of(items)
        difference = items.mean(axis=0) - random.items.mean(axis=0)
        cells = method.cell_variance / len(items) + random.cell_variance / len(random)
        left = item_variance(difference, cells)
        if method is random:  # one estimate serves both sides: a single term, as in the pooled t test
            terms = [(random.variance * (1 / len(items) + 1 / len(random)), random.freedom)]
        else:
            terms = [
                (method.variance / len(items), method.freedom),
                (random.variance / len(random), random.freedom),
            ]
        freedom = satterthwaite([*terms, (left / len(difference), len(difference) - 1)])
        return cls(items, method, random, borrowed, left, item_part(difference, left), freedom)

    def note(self) -> str:
        notes = []
        if self.borrowed:
            notes.append(BORROWED)
        elif len(self.method_items) < 3:
            notes.append(FEW_RUNS.format("the method"))
        if len(self.random) < 3:
            notes.append(FEW_RUNS.format("random"))
        if not self.borrowed and (self.method_items == self.method_items[0]).all():
            notes.append(IDENTICAL)
        return "; ".join(notes)
