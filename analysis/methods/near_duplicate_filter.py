"""Random selection among rows that are not near-duplicates of each other: the cheapest step towards diversity."""

import numpy as np

from analysis.methods.selection import Selection, check_budget, shuffled_places


def select(features, budget: int, *, seed: int, threshold: float = 0.8) -> Selection:
    """Draw rows uniformly, at most one of each group of near-duplicates.

    It is random selection that leaves out a row if it has drawn a near-duplicate of it before.

    Parameters
    ----------
    threshold : Jaccard similarity of the 5-byte shingles of two rows' text (all messages, case and white space
        ignored) from which they are near-duplicates, above 0 and up to 1. Groups are linked by chains: two rows
        of one group may be less similar than this.

    Returns
    -------
    Selection
        `scores` is `None`. `excluded` counts what the groups have beyond their first row.

    Notes
    -----
    MinHash and locality-sensitive hashing (Broder 1997; Lee et al. 2022, arXiv 2107.06499, section 4.2, who
    verify candidates by edit similarity, this method by the signatures). Similarities are estimates of 128 hash
    functions: standard error 0.035 at 0.8. No method of the study; what people do before they select.
    """
    budget = check_budget(budget, features.n_rows)
    group = features.near_duplicates(threshold)
    order = np.argsort(shuffled_places(features.n_rows, seed, features.row_keys()))
    first_of_group = np.sort(np.unique(group[order], return_index=True)[1])
    repeated = features.n_rows - len(first_of_group)
    if budget > len(first_of_group):
        raise ValueError(
            f"budget: {budget} rows asked for, only {len(first_of_group)} of {features.n_rows} can be selected: "
            f"{repeated} near-duplicate of another row"
        )
    excluded = {"near-duplicate of another row": repeated} if repeated else {}
    return Selection(rows=order[first_of_group[:budget]], excluded=excluded)
