"""Selections cut by a budget of tokens."""

import numpy as np
import pytest

from analysis.experiments.selecting import cut_by_tokens


def test_token_budget_keeps_the_longest_prefix_that_fits():
    tokens, rows = np.array([10, 20, 30, 40]), np.array([3, 0, 2, 1])
    assert cut_by_tokens(rows, tokens, 50).tolist() == [3, 0]
    assert cut_by_tokens(rows, tokens, 79).tolist() == [3, 0]
    assert cut_by_tokens(rows, tokens, 80).tolist() == [3, 0, 2]
    assert cut_by_tokens(rows, tokens, 100).tolist() == [3, 0, 2, 1]


@pytest.mark.parametrize(
    "budget, message",
    [
        (39, "39 is less than the 40 of row 3"),
        (101, "101 asked for, but 4 rows have only 100"),
        (0, "at least 1"),
    ],
)
def test_token_budgets_that_cannot_be_met_are_errors(budget, message):
    with pytest.raises(ValueError, match=message):
        cut_by_tokens(np.array([3, 0, 2, 1]), np.array([10, 20, 30, 40]), budget)
