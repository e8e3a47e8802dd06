"""The rows that no method selects from: a benchmark, but for a part that methods with targets may see."""

import numpy as np
import pandas

from analysis.pools.conversion import content_hash

SHARE_FOR_TARGETS = 0.25  # of the held-out rows; the others can measure what a selection is worth
FEWEST_HELD_OUT = 20  # rows below which none is set apart


def set_apart(held_out) -> np.ndarray:
    """Which held-out rows serve as targets, and not as a benchmark, by what they say; bool of shape (n_rows,).

    Rows of one group of duplicates are on the same side.
    """
    if len(held_out) < FEWEST_HELD_OUT:
        return np.zeros(len(held_out), dtype=bool)
    content = np.array([content_hash(messages) for messages in held_out["messages"][:]], dtype=np.uint64)
    _, group = np.unique(np.array(held_out["dup_group"][:], dtype=np.int64), return_inverse=True)
    smallest = np.full(len(content), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, group, content)
    # Hashed once more: which rows are held out has been decided by the bits of their content.
    chance = pandas.util.hash_array(smallest[group]).astype(np.float64) / 2.0**64
    return chance < SHARE_FOR_TARGETS
