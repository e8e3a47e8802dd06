import numpy as np
import pytest
from scipy.stats import spearmanr

from analysis.methods import call, label, parse, residual, select
from tests.methods.test_methods import ToyFeatures

RNG = np.random.default_rng(4)
LENGTH = RNG.integers(1, 2000, 600)
WORTH = RNG.normal(size=600)  # what a score knows beyond length
KEYS = RNG.permutation(600)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("shape", [np.log, np.sqrt, np.square, lambda length: length > 800])
def test_what_length_explains_in_either_direction_is_gone_and_the_rest_is_left(shape, sign):
    explained = shape(LENGTH.astype(float))
    scores = sign * 3 * explained / explained.std() + WORTH
    beyond = residual.score(scores, LENGTH, KEYS)
    assert abs(spearmanr(scores, LENGTH).statistic) > 0.7
    assert abs(spearmanr(beyond, LENGTH).statistic) < 0.1
    assert spearmanr(beyond, WORTH).statistic > 0.9


def test_a_score_that_is_length_alone_leaves_next_to_nothing():
    scores = -np.log(LENGTH)
    assert residual.score(scores, LENGTH, KEYS).std() < 0.05 * scores.std()


def test_a_row_is_no_part_of_its_own_fit():
    length, scores = np.repeat([5, 500], 10), np.repeat([0.0, 1.0], 10)
    scores[3] = 100  # in sample it would draw the fit of the short rows up, above that of the long ones
    beyond = residual.score(scores, length, np.arange(20), folds=20)
    assert beyond[3] == pytest.approx(100)


def test_the_order_of_the_rows_changes_no_bit():
    scores = np.log(LENGTH) + WORTH
    scores[::50] = np.nan
    order = RNG.permutation(600)
    expected = residual.score(scores, LENGTH, KEYS)
    assert np.array_equal(residual.score(scores[order], LENGTH[order], KEYS[order]), expected[order], equal_nan=True)
    assert np.array_equal(np.isnan(expected), np.isnan(scores))


@pytest.mark.parametrize("n_known", [0, 1, 2, 3])
def test_few_scored_rows_are_fitted_by_the_others(n_known):
    scores = np.full(7, np.nan)
    scores[:n_known] = np.arange(n_known) * 2.0
    beyond = residual.score(scores, np.full(7, 9), np.arange(7))
    expected = {0: [], 1: [0], 2: [-2, 2], 3: [-3, 0, 3]}[n_known]
    assert beyond[np.isfinite(beyond)].tolist() == expected


def test_rows_that_the_method_within_leaves_out_stay_out_and_are_counted():
    features = ToyFeatures(unscorable=(0, 5, 39))
    inside = select("cross_entropy", features, 1, seed=0)
    chosen = select("residual(inside='cross_entropy')", features, 37, seed=0)
    assert chosen.excluded == inside.excluded == {"no answer token could be scored": 3}
    assert np.isnan(chosen.scores[[0, 5, 39]]).all() and np.isfinite(chosen.scores).sum() == 37
    expected = residual.score(inside.scores, features.lengths().answer, features.row_keys())
    np.testing.assert_array_equal(chosen.scores, expected)


@pytest.mark.parametrize("folds", [1, 2.0, True])
def test_an_impossible_number_of_folds_is_named(folds):
    with pytest.raises(ValueError, match="folds: expected a whole number from 2 up"):
        residual.score(np.ones(5), np.ones(5), np.arange(5), folds)


def test_the_method_within_is_checked():
    with pytest.raises(ValueError, match="inside: expected a method's call as text; method 'random' is unknown"):
        parse("residual(inside='random')")
    with pytest.raises(ValueError, match="inside: 'kmeans' chooses a set and scores no row"):
        select("residual(inside='kmeans')", ToyFeatures(), 3, seed=0)
    assert label(call("residual", inside="selectit", folds=9)) == "Beyond length (SelectIT, folds 9)"
