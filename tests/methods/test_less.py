import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods.less import epoch_weights, influence, score, warm_up_rows
from tests.references import less as reference

PAPER_RATES = [1.6877e-5, 1.2859e-5, 7.7030e-6, 2.5616e-6]
RELEASED_RATES = [1.6854e-5, 1.4868e-5, 1.2483e-5, 9.9999e-6]


def test_the_worked_weights_of_paper_and_released_script():
    assert epoch_weights(PAPER_RATES).tolist() == pytest.approx([0.4219, 0.3215, 0.1926, 0.0640], abs=1e-4)
    assert epoch_weights(RELEASED_RATES).tolist() == pytest.approx([0.3109, 0.2743, 0.2303, 0.1845], abs=1e-4)
    # What the script weighs by are the means of all steps so far, from rates written down by hand.
    found = epoch_weights(PAPER_RATES, cumulative=True)
    assert found.tolist() == pytest.approx(epoch_weights(RELEASED_RATES).tolist(), abs=5e-4)
    assert found[3] / epoch_weights(PAPER_RATES)[3] == pytest.approx(2.9, abs=0.03)


def test_the_worked_matching_of_two_checkpoints():
    rows, targets, weights = [[[1, 0]], [[0, 1]]], [[[1, 0]], [[1, 0]]], [2 / 3, 1 / 3]
    values = np.stack([influence(*pair) for pair in zip(rows, targets, strict=True)], axis=1)[:, :, None]
    assert score(values, weights).tolist() == pytest.approx([0.6667], abs=1e-4)
    assert reference.scores(np.array(rows), [np.array(targets)], weights) == pytest.approx([0.6667], abs=1e-4)


def test_the_worked_aggregation_turns_the_order_round():
    influences = np.array([[[1.0, 0.0]], [[0.6, 0.6]]])
    assert score(influences, [1.0]).tolist() == [1.0, 0.6]
    merged = influences.mean(axis=2, keepdims=True)
    assert score(merged, [1.0]).tolist() == [0.5, 0.6]


@pytest.mark.parametrize("rates", [[], [[1.0]], [0.0, 0.0], [1.0, -0.5], [1.0, float("nan")]])
def test_rates_that_are_none_are_an_error(rates):
    with pytest.raises(ValueError, match="learning_rates: expected one positive mean rate per epoch, found"):
        epoch_weights(rates)


@settings(max_examples=40, deadline=None)
@given(
    rates=st.lists(st.floats(1e-6, 1), min_size=1, max_size=5), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    seed=st.integers(0, 999),
)  # fmt: skip
def test_scores_equal_the_slow_reference(rates, sizes, seed):
    rng, weights = np.random.default_rng(seed), epoch_weights(rates)
    rows = [rng.normal(size=(7, 5)) for _ in rates]
    groups = [[rng.normal(size=(size, 5)) for _ in rates] for size in sizes]
    values = [
        np.stack([influence(rows[epoch], group[epoch]) for group in groups], axis=1) for epoch in range(len(rates))
    ]
    found = score(np.stack(values, axis=1), weights)
    np.testing.assert_allclose(found, reference.scores(rows, groups, weights), atol=1e-9)


def test_a_row_without_a_gradient_has_no_score_and_changes_no_other():
    values = np.random.default_rng(0).normal(size=(6, 2, 3))
    expected = score(values, [0.5, 0.5])
    values[2, 1] = np.nan
    found = score(values, [0.5, 0.5])
    assert np.isnan(found[2]) and found[[0, 1, 3, 4, 5]].tolist() == expected[[0, 1, 3, 4, 5]].tolist()


class Keys:
    """Rows known by their keys."""

    def __init__(self, keys):
        self.keys, self.n_rows = np.asarray(keys, dtype=np.uint64), len(keys)

    def row_keys(self):
        return self.keys


@pytest.mark.parametrize("n_rows, share, count", [(4000, 0.05, 200), (1000, 0.001, 128), (20, 0.05, 20), (50, 1.0, 50)])
def test_rows_of_the_warm_up_follow_their_keys_wherever_they_stand(n_rows, share, count):
    keys = np.random.default_rng(1).permutation(10 * n_rows)[:n_rows]
    forward, backward = Keys(keys), Keys(keys[::-1])
    rows = warm_up_rows(forward, share, seed=3)
    assert len(set(rows)) == count
    assert forward.keys[rows].tolist() == backward.keys[warm_up_rows(backward, share, seed=3)].tolist()
    assert count in (20,) or sorted(rows) != sorted(warm_up_rows(forward, share, seed=4)) or share == 1


@pytest.mark.parametrize("share", [0, -0.1, 1.5])
def test_a_share_that_is_none_is_an_error(share):
    with pytest.raises(ValueError, match="warm_up_share: expected above 0 and at most 1"):
        warm_up_rows(Keys(range(10)), share, seed=0)
