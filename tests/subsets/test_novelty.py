import numpy as np
import pytest

from analysis.pools.near_duplicates import signatures
from analysis.subsets import novelty


def test_vendi_score_counts_directions_by_their_shares():
    axes = np.eye(3)
    assert novelty.vendi_score(axes) == pytest.approx(3)
    assert novelty.vendi_score(np.array([[1.0, 2.0], [2.0, 4.0]])) == pytest.approx(1)
    # Three rows along one axis and one along another: the eigenvalues of K / n are 3/4 and 1/4.
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert novelty.vendi_score(axes[[0, 0, 0, 1]]) == pytest.approx(expected)


def test_density_leaves_out_the_row_itself_and_copies_and_uses_squared_distances():
    points = np.array([[0.0], [0.0], [1.0], [3.0]])
    # From 0 the others lie at 1 and 3, from 1 at 1 and 2, from 3 at 2 and 3: means of squares 5, 2.5 and 6.5.
    expected = [5**-0.5, 5**-0.5, 2.5**-0.5, 6.5**-0.5]
    assert novelty.densities(points, np.arange(4)) == pytest.approx(expected)
    assert novelty.densities(points, np.array([3]), neighbours=1, power=1) == pytest.approx([1 / 4])


def test_novel_sum_of_two_rows_by_hand():
    # At 60 degrees the cosine distance is 1/2; weights 1 and 1/2: rows .25 / 1.5 and 2 * .25 / 1.5.
    points = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
    assert novelty.novel_sum(points, np.array([1.0, 2.0])) == pytest.approx((1 / 6 + 1 / 3) / 2)
    assert novelty.novel_sum(points, np.array([1.0, 2.0]), decay=0) == pytest.approx((1 / 4 + 1 / 2) / 2)


def test_novel_sum_in_blocks_is_that_of_all_pairs(monkeypatch):
    rng = np.random.default_rng(0)
    points, density = rng.normal(size=(200, 5)), rng.uniform(1, 2, 200)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    weighted = density[:, None] * (1 - unit @ unit.T)
    expected = np.mean([np.average(np.sort(row), weights=1 / np.arange(1, 201)) for row in weighted])
    monkeypatch.setattr(novelty, "MEBIBYTES", 0.05)
    assert novelty.novel_sum(points, density) == pytest.approx(expected)


def test_near_duplicates_count_but_for_one_of_each_group():
    texts = ["What is the sum of three and four?", "What is the sum of three and four??", "Name a river in the north."]
    signed = signatures([*texts, "Sort these words by their length."])
    assert novelty.near_duplicate_share(signed, np.arange(4)) == pytest.approx(1 / 4)
    assert novelty.near_duplicate_share(signed[1:], np.arange(3)) == 0


def test_cluster_entropy_leaves_out_rows_without_a_cluster():
    assert novelty.cluster_entropy(np.array([0, 0, 1, 1, -1])) == pytest.approx(np.log(2))
