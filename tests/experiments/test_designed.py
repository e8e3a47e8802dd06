"""Runs on rows that no method chose."""

import numpy as np
import pytest

from analysis.experiments import designed, grid
from tests.experiments.test_workbench import LONGEST, make_workbench


def some(part, rng):
    return rng.permutation(len(part.pool))[:8]


def test_every_part_and_repeat_has_a_choice_and_a_training_seed_of_its_own(tmp_path):
    work = make_workbench(tmp_path, n_parts=3)
    runs = designed.runs_of(work, "by chance", some, 8, repeats=2)
    assert [(run.part, run.draw) for run in runs] == [(0, 0), (1, 1), (2, 2), (0, 3), (1, 4), (2, 5)]
    assert len({run.training_seed for run in runs}) == len({tuple(run.rows) for run in runs}) == 6
    again = designed.runs_of(work, "by chance", some, 8)
    assert all((one.rows == other.rows).all() for one, other in zip(again, runs, strict=False))
    other = designed.runs_of(work, "another name", some, 8)
    assert not any((one.rows == two.rows).all() for one, two in zip(other, runs, strict=False))


def test_the_rows_of_a_method_are_the_run_of_the_method(tmp_path):
    work = make_workbench(tmp_path)
    of_method = [run for run in grid.plan(work, [LONGEST], 8, n_draws=1) if run.method == LONGEST]
    same = designed.runs_of(work, "longest", lambda part, rng: part.select(LONGEST, 8).rows, 8)
    for one, other in zip(same, of_method, strict=True):
        assert grid._key(work, one, {}) == grid._key(work, other, {})


@pytest.mark.parametrize("rows", [[], [1, 1], [-1], [10**6]])
def test_a_choice_that_is_no_subset_is_named(tmp_path, rows):
    with pytest.raises(ValueError, match="odd, part 0: expected unique rows"):
        designed.runs_of(make_workbench(tmp_path), "odd", lambda part, rng: np.array(rows, dtype=int), 8)
