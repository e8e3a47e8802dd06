"""Which rows bands, styles and worked answers are drawn from."""

from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

from analysis.experiments import length_designs
from analysis.experiments.results import EQUAL_ROWS, EQUAL_TOKENS, Run
from analysis.methods import RANDOM

ANSWER = np.array([5, 1, 9, 3, 7, 2, 8, 4, 6, 10, 12, 11])
STYLE = np.array(["terse", "terse", "worked", "terse", "worked", "worked"] * 2, dtype=object)


def workbench(has_truth=True):
    lengths = SimpleNamespace(answer=ANSWER, total=ANSWER + 10)
    pool = MagicMock(has_truth=has_truth, truth=lambda column: STYLE)
    pool.__len__.return_value = len(ANSWER)
    part = SimpleNamespace(pool=pool, features=SimpleNamespace(lengths=lambda: lengths), seed=0, part=0,
                           settings=SimpleNamespace(max_tokens=20))  # fmt: skip
    part.parts, part.with_part = [part], lambda number: part
    return part


def test_a_band_holds_rows_of_its_lengths_alone():
    runs = length_designs.of_bands(workbench(), 3, 3, 10_000)
    assert [(run.method, run.design) for run in runs[:2]] == [
        ("band 1 of 3", EQUAL_ROWS),
        ("band 1 of 3", EQUAL_TOKENS),
    ]
    for run, (low, high) in zip(runs[::2], ((1, 4), (5, 8), (9, 12)), strict=True):
        assert len(run.rows) == 3 and ((low <= ANSWER[run.rows]) & (ANSWER[run.rows] <= high)).all()
    assert all(len(run.rows) == 4 for run in runs[1::2])  # fewer tokens than asked for: the whole band


def test_equal_tokens_cut_a_band_where_the_tokens_are_reached():
    *_, longest = length_designs.of_bands(workbench(), 2, 3, 45)
    assert len(longest.rows) == 2  # rows of 19 tokens, or cut to 20: a third would be too much


def test_a_band_needs_as_many_rows_as_the_budget():
    with pytest.raises(ValueError, match="bands: 4 of a part have 3 rows each, fewer than the budget of 5"):
        length_designs.of_bands(workbench(), 5, 4, 100)
    assert length_designs.of_bands(workbench(), 5, 0, 100) == []


def test_styles_keep_their_shares_and_the_longest_of_each_are_taken():
    fixed, longest, *random = length_designs.of_styles(workbench(), 4, repeats=2)
    assert sorted(ANSWER[fixed.rows]) == [8, 10, 11, 12]  # two terse and two worked ones
    assert sorted(ANSWER[longest.rows]) == [7, 9, 11, 12]
    assert {run.method for run in random} == {length_designs.RANDOM_WORKED} and len(random) == 2
    assert all((STYLE[run.rows] == "worked").all() for run in random)
    assert length_designs.of_styles(workbench(has_truth=False), 4, repeats=2) == []


def test_random_tokens_are_counted_as_in_training():
    runs = [Run(RANDOM, 2, 0, 0, np.array([0, 1])), Run(RANDOM, 2, 1, 0, np.array([2, 10])), Run(RANDOM, 3, 0, 0, np.arange(3)),
            Run("token_length", 2, 0, 0, np.array([10, 11]))]  # fmt: skip
    assert length_designs.random_tokens(workbench(), runs, 2) == (15 + 11 + 19 + 20) // 2
