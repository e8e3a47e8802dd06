"""Rank correlations with an interval."""

import numpy as np

from analysis.statistics import rank_correlation_interval


def test_the_interval_of_a_rank_correlation_covers_and_needs_pairs():
    rng, hit, truth = np.random.default_rng(0), 0, 6 / np.pi * np.arcsin(0.25)  # Spearman's of a normal with r = 0.5
    for _ in range(400):
        first = rng.normal(size=30)
        second = 0.5 * first + np.sqrt(0.75) * rng.normal(size=30)
        r, low, high = rank_correlation_interval(first, second)
        assert low < r < high
        hit += low <= truth <= high
    assert 0.92 <= hit / 400 <= 0.98
    assert np.isnan(rank_correlation_interval([1, 2, 3, 4], [1, 2, 3, 4])).all()
    assert np.isnan(rank_correlation_interval([1, 1, 1, 1, 1], [1, 2, 3, 4, 5])).all()
    assert np.isnan(rank_correlation_interval([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5], lost=2)).all()
    assert rank_correlation_interval([1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 7])[0] == 1


def test_an_interval_holds_its_estimate_where_the_order_is_the_same():
    for second in (range(50), range(50, 0, -1)):
        r, low, high = rank_correlation_interval(range(50), second)
        assert low <= r <= high and abs(abs(r) - 1) < 1e-9
