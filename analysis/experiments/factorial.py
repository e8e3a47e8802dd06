"""Subsets built from the testbed's truth, in which the share of correct rows and the skills covered are set apart.

Faulty rows are those with a wrong answer: it is of the kind, style and length that the right one would have. Other faults
(cut off, off topic, a refusal) are shorter, or show another skill. Every skill of a subset has equally many rows, correct
and wrong, and these equal shares of all styles, so that neither skills nor lengths go with correctness. Of near-duplicates
one row at most is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.experiments.designed import runs_of
from analysis.experiments.results import Run
from analysis.experiments.workbench import Workbench, stream
from analysis.pools import Pool
from analysis.pools.testbed.recipe import STYLE_WEIGHTS

WRONG = "wrong answer"
KIND = ["skill", "correct", "style"]
STYLES = np.array(list(STYLE_WEIGHTS))


@dataclass(frozen=True)
class Cell:
    """One setting: share of correct rows, skills covered at equal counts, rows."""

    correct: float
    skills: int
    budget: int

    @property
    def name(self) -> str:
        return f"{self.correct:.0%} correct, {self.skills} skills"


def plan(
    work: Workbench, correct_shares: Sequence[float], skill_counts: Sequence[int], budgets: Sequence[int]
) -> tuple[list[Run], pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """The runs of all settings, one from each part, and what cannot be built.

    Which skills are covered is drawn anew for every part; within one, few of them are among the many. A setting that
    some part has too few rows for is left out of all, never filled with others.

    Returns
    -------
    runs; their settings (method, correct, skills); the settings left out (budget, method, why).
    """
    truth, runs, missing = {part.part: known(part.pool) for part in work.parts}, [], []
    cells = [Cell(share, count, budget) for budget in dict.fromkeys(budgets)
             for share in dict.fromkeys(correct_shares) for count in dict.fromkeys(skill_counts)]  # fmt: skip
    for cell in cells:
        try:
            choose = partial(_choice, truth=truth, cell=cell)
            runs += runs_of(work, cell.name, choose, cell.budget)
        except LookupError as reason:
            missing.append({"budget": cell.budget, "method": cell.name, "why": reason.args[0]})
    settings = {cell.name: {"method": cell.name, "correct": cell.correct, "skills": cell.skills} for cell in cells}
    return runs, pd.DataFrame(settings.values()), pd.DataFrame(missing, columns=["budget", "method", "why"])


def known(pool: Pool) -> pd.DataFrame:
    """Skill, style and whether it is correct of each row of the two kinds that are used; the index is its position."""
    table = pool.rows.select_columns(["skill", "style", "fault", "dup_group"]).to_pandas()
    table = table[table["fault"].isin(["", WRONG])]
    return table.assign(correct=table["fault"] == "")[[*KIND, "dup_group"]]


def wanted(cell: Cell, skills: Sequence[str]) -> pd.Series:
    """Rows of every skill, correctness and style that a setting asks for, by these three.

    Row i is of skill i modulo their number; the first rounds over the skills are wrong, and styles take turns.
    """
    place = np.arange(cell.budget)
    slots = pd.DataFrame({
        "skill": np.array(skills, dtype=object)[place % len(skills)],
        "correct": place >= round(cell.budget * (1 - cell.correct)),
        "style": STYLES[(place // len(skills) + place % len(skills)) % len(STYLES)],
    })  # fmt: skip
    return slots.value_counts(KIND)


def choose(truth: pd.DataFrame, cell: Cell, skills: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Positions of rows as a setting asks for them, at random among those of a kind.

    Parameters
    ----------
    truth : what `known` gives.
    skills : all of them, in the order in which they are covered.

    Raises
    ------
    LookupError
        There are fewer skills, or fewer rows of some kind (says which, and how many).
    """
    if cell.skills > len(skills):
        raise LookupError(f"the pool has {len(skills)} skills")
    need = wanted(cell, skills[: cell.skills])
    mixed = truth.iloc[rng.permutation(len(truth))].drop_duplicates("dup_group")
    place = mixed.groupby(KIND).cumcount()
    asked = need.reindex(pd.MultiIndex.from_frame(mixed[KIND]), fill_value=0).to_numpy()
    rows = mixed.index[place.to_numpy() < asked].to_numpy()
    if len(rows) < cell.budget:
        lacking = need - mixed.loc[rows].value_counts(KIND).reindex(need.index, fill_value=0)
        skill, correct, style = lacking.idxmax()
        rest = f"{need[lacking.idxmax()]} {style} {'correct' if correct else 'wrong'} rows of {skill} are asked for"
        raise LookupError(f"{rest}, a part has {need[lacking.idxmax()] - lacking.max()}")
    return rows


def _choice(part: Workbench, rng: np.random.Generator, truth: dict[int, pd.DataFrame], cell: Cell) -> np.ndarray:
    skills = np.unique(truth[part.part]["skill"])
    order = np.random.default_rng(stream(part.seed, "skills covered", part.part)).permutation(len(skills))
    return choose(truth[part.part], cell, skills[order], rng)
