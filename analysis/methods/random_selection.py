"""Uniform random selection, the baseline that every method must beat."""

from analysis.methods.selection import Selection, check_budget, shuffled_places


def select(features, budget: int, *, seed: int) -> Selection:
    """Draw `budget` rows uniformly without replacement.

    The draw depends on the seed and on which rows the pool holds, not on their order; a larger budget with
    the same seed contains the smaller one.

    Returns
    -------
    Selection
        `scores` is `None`: chance is no quality.
    """
    budget = check_budget(budget, features.n_rows)
    places = shuffled_places(features.n_rows, seed, features.row_keys())
    return Selection(rows=places.argsort()[:budget])
