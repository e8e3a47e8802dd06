import numpy as np
import pytest

from analysis.methods import Selection
from analysis.subsets import overlap

SCORES = np.array([1.0, 2.0, 3.0, np.nan])
FIRST, SECOND = Selection(np.array([2, 1]), SCORES), Selection(np.array([1, 0, 3]), -(SCORES**3))


def test_rows_in_common_are_a_share_of_the_first():
    assert overlap.share_in_common(FIRST.rows, SECOND.rows) == 1 / 2
    assert overlap.share_in_common(SECOND.rows, FIRST.rows) == 1 / 3


def test_agreement_is_beside_what_chance_would_give():
    assert overlap.agreement(FIRST, SECOND, 4) == pytest.approx({"overlap": 0.5, "expected": 0.75, "spearman": -1})
    assert np.isnan(overlap.agreement(FIRST, Selection(np.array([0])), 4)["spearman"])


def test_rows_without_both_scores_do_not_count():
    assert overlap.rank_correlation([1, 2, np.nan, 3], [5, 6, 0, 7]) == pytest.approx(1)


def test_the_same_group_is_beside_what_chance_would_give():
    same, chance = overlap.same_group(["a", "a", "b", "c"], ["a", "b", "b", "b"])
    assert same == 0.5 and chance == pytest.approx(2 / 4 * 1 / 4 + 1 / 4 * 3 / 4)


def test_every_row_is_selected_by_one_by_both_or_by_neither():
    found = overlap.selected_by({"ifd": FIRST, "kmeans": SECOND}, "ifd", "kmeans", 5)
    assert found.tolist() == ["K-means (Token length)", "both", "IFD", "K-means (Token length)", "neither"]
    assert found.max() == "both" and found.min() == "neither"
