"""Batches of rows, and what becomes of those that fail."""

import numpy as np
import pytest
import torch

from analysis.models.passes.batches import Pass, batches, padded

LENGTHS = [3, 0, 9, 1, 2, 3, 2, 30]


def run(forward, tokens_per_batch=12, **limits):
    return Pass(None, torch.device("cpu"), tokens_per_batch).per_row(forward, LENGTHS, 1, "could not be read", **limits)


def test_batches_hold_so_many_positions_padding_included():
    assert list(batches(LENGTHS, 12)) == [[3, 4, 6, 0], [5], [2], [7]]
    assert padded([[1, 2], [3]], filling=7).tolist() == [[1, 2], [3, 7]]


def test_only_the_row_at_fault_is_lost():
    asked = []

    def forward(rows):
        asked.append(rows)
        if 6 in rows:
            raise torch.OutOfMemoryError("out of memory")
        return np.array(rows)[:, None]

    with pytest.warns(UserWarning, match="^1 of 7 rows could not be read, first row 6 of the shard: OutOfMemoryError"):
        found = run(forward)
    assert asked == [[3, 4, 6, 0], [3, 4], [6, 0], [6], [0], [5], [2], [7]]
    np.testing.assert_array_equal(found[:, 0], [0, np.nan, 2, 3, 4, 5, np.nan, 7])
    asked.clear()
    with pytest.warns(UserWarning, match="first row 6"):
        run(forward, most_rows=3)
    assert [len(rows) for rows in asked] == [3, 1, 2, 1, 1, 1, 1, 1, 1]


def test_a_model_that_fails_on_every_row_is_an_error_and_other_errors_are_not_held_back():
    for error in (IndexError("of every row"), KeyError("no fault of a row")):
        with pytest.raises(type(error), match=str(error.args[0])):
            run(lambda rows, error=error: (_ for _ in ()).throw(error))
