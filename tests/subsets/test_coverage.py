import numpy as np
import pytest

from analysis.methods import Selection
from analysis.subsets import coverage

# Five points in a row, two of them copies, and one row that has no place.
POINTS = np.array([[0.0], [1.0], [1.0], [5.0], [9.0], [np.nan]], dtype=np.float32)
SELECTIONS = {
    "random_selection": Selection(np.array([1, 2])),
    "diverse_evol": Selection(np.array([0, 4])),
    "diverse_evol(space='base')": Selection(np.array([4, 1])),
}


def test_spread_tells_radius_mean_distance_and_twins():
    found = coverage.spread(POINTS, SELECTIONS).set_index("method")
    assert found["covering radius"].tolist() == pytest.approx([8, 4, 4])
    assert found["mean distance of the pool"].tolist() == pytest.approx([13 / 5, 6 / 5, 5 / 5], abs=1e-3)
    assert found["median distance apart"].tolist() == pytest.approx([0, 9, 8])
    # Half of all rows have a neighbour within 1, and only copies are nearer.
    assert found["with a twin"].tolist() == [1, 0, 0]


def test_the_curve_ends_at_the_covering_radius():
    last = coverage.coverage(POINTS, SELECTIONS).groupby("method", sort=False)["distance"].last()
    assert last.tolist() == pytest.approx([8, 4, 4])


def test_picks_are_as_far_as_from_the_nearest_before():
    found = coverage.pick_distances(POINTS, {"diverse_evol": Selection(np.array([3, 0, 4, 1]))})
    assert found["place"].tolist() == [2, 3, 4]
    assert found["distance"].tolist() == pytest.approx([5, 4, 1])


def test_rows_passed_over_are_those_nearest_to_a_selected_one():
    assert coverage.nearest_to_selected(POINTS, SELECTIONS["diverse_evol"], 3).tolist() == [1, 2, 3]


def test_isolation_is_the_distance_to_the_nearest_other_row():
    assert coverage.isolation(POINTS).tolist() == pytest.approx([1, 0, 0, 4, 4, np.nan], nan_ok=True)
