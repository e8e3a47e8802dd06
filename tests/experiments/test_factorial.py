from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.experiments import factorial
from analysis.experiments.factorial import Cell

SKILLS = ["add", "sort", "spell"]


def truth(each=6):
    """`each` rows of every skill, correctness and style, each its own duplicate group."""
    lines = [
        {"skill": skill, "correct": correct, "style": style}
        for skill in SKILLS for correct in (True, False) for style in factorial.STYLES for _ in range(each)
    ]  # fmt: skip
    table = pd.DataFrame(lines).assign(dup_group=range(len(lines)))
    return table.set_index(pd.Index(np.arange(len(lines)) * 2))  # positions in the pool have gaps


def test_counts_are_equal_over_skills_and_styles_and_correctness_is_as_set():
    table, cell = truth(), Cell(0.5, 2, 24)
    rows = factorial.choose(table, cell, SKILLS, np.random.default_rng(0))
    assert len(set(rows)) == 24
    counts = table.loc[rows].value_counts(factorial.KIND)
    assert len(counts) == 12 and (counts == 2).all()  # 2 skills, 2 kinds, 3 styles
    assert set(table.loc[rows, "skill"]) == {"add", "sort"}


def test_rounding_leaves_counts_that_differ_by_one():
    need = factorial.wanted(Cell(0.75, 3, 20), SKILLS)
    assert need.groupby("correct").sum().to_dict() == {False: 5, True: 15}
    assert np.ptp(need.groupby("skill").sum()) == 1
    assert np.ptp(need.groupby("style").sum()) <= 2


def test_what_cannot_be_filled_is_told_and_not_filled():
    rng = np.random.default_rng(0)
    with pytest.raises(LookupError, match=r"7 .* wrong rows of .* are asked for, a part has 6"):
        factorial.choose(truth(6), Cell(0.5, 1, 42), SKILLS, rng)
    with pytest.raises(LookupError, match="the pool has 3 skills"):
        factorial.choose(truth(), Cell(0.5, 4, 8), SKILLS, rng)
    with pytest.raises(LookupError):  # copies of one row count once
        factorial.choose(truth().assign(dup_group=0), Cell(1.0, 1, 6), SKILLS, rng)


def test_parts_cover_skills_of_their_own_and_few_are_among_many(monkeypatch):
    parts = [SimpleNamespace(pool=None, part=number, seed=0) for number in range(8)]
    monkeypatch.setattr(factorial, "known", lambda pool: truth())
    monkeypatch.setattr(
        factorial, "runs_of", lambda work, name, choose, budget:
        [(name, part.part, choose(part, np.random.default_rng(0))) for part in work.parts])  # fmt: skip
    runs, settings, missing = factorial.plan(SimpleNamespace(parts=parts), [0.5, 1.0], [1, 2, 9], [6])
    covered = {(name, part): set(truth().loc[rows, "skill"]) for name, part, rows in runs}
    assert len({tuple(covered["50% correct, 1 skills", part]) for part in range(8)}) > 1
    assert all(covered["50% correct, 1 skills", part] == covered["100% correct, 1 skills", part]
               < covered["50% correct, 2 skills", part] for part in range(8))  # fmt: skip
    assert missing["method"].tolist() == ["50% correct, 9 skills", "100% correct, 9 skills"]
    assert len(runs) == 4 * 8 and len(settings) == 6
