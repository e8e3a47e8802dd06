"""Selections measured on the rows of one part."""

import numpy as np
import pandas as pd
import pytest

from analysis.subsets.yardstick import Yardstick, saturation, tied

KNOWN = pd.DataFrame({
    "answer tokens": [1, 2, 3, 40, 50, 60], "skill": ["a", "a", "b", "b", "c", "c"], "fault": ["", "x", "", "", "y", ""],
})  # fmt: skip
YARDSTICK = Yardstick(
    KNOWN, np.array([0, 0, 1, 1, 2, -1]), np.arange(6, dtype=float)[:, None], np.array([0, 0, 1, 2, 3, 4])
)


def test_a_selection_is_measured_by_hand():
    found = YARDSTICK.measured(np.array([0, 1]))
    assert found["effective clusters"] == found["effective skills"] == pytest.approx(1)
    assert found["near-duplicates"] == found["faulty rows"] == 0.5
    assert found["median answer tokens"] == 1.5
    assert found["fault: x"] == 0.5 and found["fault: y"] == 0
    assert found["distance to the pool"] == pytest.approx((0 + 0 + 1 + 2 + 3 + 4) / 6)
    assert YARDSTICK.measured(np.array([0, 3, 5]))["effective clusters"] == pytest.approx(2)  # one row has none


def test_without_truth_neither_faults_nor_skills_are_measured():
    plain = Yardstick(KNOWN[["answer tokens"]], YARDSTICK.clusters, YARDSTICK.points, YARDSTICK.near_groups)
    assert {"faulty rows", "effective skills"}.isdisjoint(plain.measured(np.array([0, 1])))


def test_ties_are_equal_scores_of_any_row_and_no_near_ones():
    scores = np.array([5.0, 5.0, 4.9, 3.0, 3.0, np.nan])
    assert tied(scores, np.array([0, 2])) == 0.5
    assert tied(scores, np.array([2])) == 0 and tied(scores, np.array([0, 1])) == 1
    assert tied(scores * 1e-6, np.array([0, 2])) == 0.5
    assert np.isnan(tied(None, np.array([0])))


def test_saturation_is_the_fall_over_the_selection_in_the_distance_to_the_median():
    scores = np.array([10.0, 9.0, 5.0, 0.0, 0.0])  # median 5
    assert saturation(scores, np.array([0, 1])) == pytest.approx(0.2)
    assert np.isnan(saturation(np.ones(4), np.array([0, 1]))) and np.isnan(saturation(None, np.array([0])))
