import numpy as np
import pytest

from analysis.features.arrays import TokenLosses
from analysis.methods import perplexity, select

# Mean losses of seven rows with two tokens each; the median of the six known is between rows 3 and 4.
LOSSES = np.array([3.0, 0.5, np.nan, 1.5, 2.0, 0.1, 2.5])


class Known:
    n_rows = len(LOSSES)

    def row_keys(self):
        return np.arange(self.n_rows)

    def token_losses(self):
        sums, count = 2 * LOSSES, np.full(self.n_rows, 2)
        return TokenLosses(self.n_rows, np.arange(self.n_rows), count, sums, LOSSES, sums)


@pytest.mark.parametrize("band, rows", [("top", [0, 6, 4]), ("bottom", [5, 1, 3])])
def test_the_ends_are_those_of_the_loss(band, rows):
    selection = select(f"perplexity(band='{band}')", Known(), 3, seed=0)
    assert selection.rows.tolist() == rows
    assert selection.excluded == {perplexity.NOT_SCORED: 1}
    with pytest.raises(ValueError, match="only 6 of 7 can be selected: 1 no answer token could be scored"):
        select("perplexity", Known(), 7, seed=0)


def test_the_middle_lies_around_the_median():
    chosen = select("perplexity(band='middle')", Known(), 4, seed=0).rows.tolist()
    assert set(chosen[:2]) == {3, 4} and set(chosen[2:]) == {1, 6}


def test_perplexity_is_the_exponential_of_the_mean_loss():
    np.testing.assert_allclose(select("perplexity", Known(), 1, seed=0).scores, np.exp(LOSSES))


def test_a_loss_too_large_for_a_perplexity_is_not_scored():
    assert np.isnan(perplexity.score([np.inf, 2.0], "middle")).tolist() == [True, False]


def test_an_unknown_band_is_named():
    with pytest.raises(ValueError, match="band: expected one of 'top', 'middle', 'bottom', found 'centre'"):
        select("perplexity(band='centre')", Known(), 1, seed=0)
