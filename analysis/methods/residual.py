"""What another method's score says beyond the length of the answers (isotonic regression, Barlow and Brunk 1972)."""

import numpy as np
from sklearn.isotonic import IsotonicRegression

from analysis.methods import calls
from analysis.methods.selection import Selection, top_k


def score(scores: np.ndarray, length: np.ndarray, keys: np.ndarray, folds: int = 5) -> np.ndarray:
    """The scores less what length explains of them, in the scores' unit, nan where a score is not finite; (n_rows,).

    What length explains is a monotone fit on the rows of the other folds, at the log of the row's length. Rising or
    falling is decided by the squared error on the rows left out.

    Parameters
    ----------
    scores : of another method, higher = selected first, shape (n_rows,).
    length : tokens of the row's answers, shape (n_rows,).
    keys : of shape (n_rows,), unique; deal the scored rows out to folds, so that their order does not matter.
    folds : number of parts; a single scored row is fitted by itself.

    Raises
    ------
    ValueError
        `folds` is not a whole number from 2 up.
    """
    if isinstance(folds, bool) or not isinstance(folds, (int, np.integer)) or folds < 2:
        raise ValueError(f"folds: expected a whole number from 2 up, found {folds!r}")
    scores = np.asarray(scores, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(scores))
    known = known[np.argsort(np.asarray(keys)[known], kind="stable")]
    residuals = np.full(len(scores), np.nan)
    if not len(known):
        return residuals
    values, log_length = scores[known], np.log1p(np.asarray(length, dtype=np.float64)[known])
    beyond = [_beyond(values, log_length, folds, rising=rising) for rising in (True, False)]
    residuals[known] = min(beyond, key=lambda one: np.square(one).sum())
    return residuals


def select(features, budget: int, *, seed: int, inside: str = "ifd", folds: int = 5) -> Selection:
    """Take the rows whose score by another method is highest for the length of their answers.

    Parameters
    ----------
    inside : the call of any method that scores rows, such as "ifd" or "cross_entropy(direction='lowest')"; rows
        that it leaves out stay out.
    folds : see `score`.

    Notes
    -----
    No method of the study: it tells whether a score is worth more than the length that it goes with. Rows alike in
    length keep their order but for what differs between folds.
    """
    one = calls.scored(inside, features, seed=seed)
    residuals = score(one.scores, features.lengths().answer, features.row_keys(), folds)
    return top_k(residuals, budget, seed, keys=features.row_keys(), excluded=one.excluded)


def _beyond(values: np.ndarray, log_length: np.ndarray, folds: int, *, rising: bool) -> np.ndarray:
    """Values less the fit on the rows of the other folds."""
    fold, beyond = np.arange(len(values)) % folds, np.empty(len(values))
    for number in range(min(folds, len(values))):
        out = fold == number
        others = ~out if not out.all() else out
        fit = IsotonicRegression(increasing=rising, out_of_bounds="clip").fit(log_length[others], values[others])
        beyond[out] = values[out] - fit.predict(log_length[out])
    return beyond
