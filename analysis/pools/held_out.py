"""The rows that no method selects from: a benchmark, but for a part that methods with targets may see."""

import numpy as np
import pandas
from datasets import Dataset

from analysis.pools.near_duplicates import (
    SIGNATURE,
    components,
    conversation_signatures,
    groups,
    have_near_duplicate,
)
from analysis.pools.row_keys import mixed
from analysis.pools.said import content_hash

SIMILARITY = 0.8  # from which two rows are near-duplicates and held out together
CHECKED = 500  # held-out rows that are compared with all others
ROWS_AT_ONCE = 1_024  # texts being signed need some fifty bytes per character
SHARE_FOR_TARGETS = 0.25  # of the held-out rows; the others can measure what a selection is worth
FEWEST_HELD_OUT = 20  # rows below which none is set apart


def set_apart(held_out) -> np.ndarray:
    """Which held-out rows serve as targets, and not as a benchmark, by what they say; bool of shape (n_rows,).

    Rows of one group of near-duplicates are on the same side.
    """
    if len(held_out) < FEWEST_HELD_OUT:
        return np.zeros(len(held_out), dtype=bool)
    content = np.array([content_hash(messages) for messages in held_out["messages"][:]], dtype=np.uint64)
    known = "near_group" if "near_group" in held_out.column_names else "dup_group"
    _, group = np.unique(np.array(held_out[known][:], dtype=np.int64), return_inverse=True)
    smallest = np.full(len(content), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, group, content)
    # Hashed once more: which rows are held out has been decided by the bits of their content.
    chance = pandas.util.hash_array(smallest[group]).astype(np.float64) / 2.0**64
    return chance < SHARE_FOR_TARGETS


def hold_out(messages: Dataset, content: np.ndarray, keys: np.ndarray, share: float) -> dict[str, np.ndarray]:
    """Choose rows by what they say, groups of near-duplicates as a whole, whatever the order of the rows.

    Groups follow one another in an order drawn by content, and each is held out that fits into what is left of the
    share. A group larger than the share is never held out.

    Parameters
    ----------
    messages : column `messages` of all rows.
    content : uint64 of shape (n_rows,), equal where rows say the same: these are near-duplicates too.
    keys : uint64 of shape (n_rows,), unique (see `row_keys`).

    Returns
    -------
    held : bool of shape (n_rows,).
    group : int64 of shape (n_rows,), equal number = near-duplicates, linked by chains.
    checked, near_duplicates : number of held-out rows that were compared with all others, and of those among them
        that have a near-duplicate which is not held out: groups are found by hashing, which may miss a pair.
    """
    signed = np.empty((len(messages), SIGNATURE), dtype=np.uint32)
    for start in range(0, len(messages), ROWS_AT_ONCE):
        signed[start : start + ROWS_AT_ONCE] = conversation_signatures(
            messages[start : start + ROWS_AT_ONCE]["messages"]
        )
    group = _groups(signed, content, keys)
    held = _whole_groups(group, content, round(share * len(messages)))
    among = np.flatnonzero(~held)
    asked = np.flatnonzero(held)
    asked = asked[np.argsort(mixed(keys[asked], salt=1))[:CHECKED]]
    twins = have_near_duplicate(signed, asked, among, SIMILARITY)
    return {"held": held, "group": group, "checked": np.array(len(asked)), "near_duplicates": np.array(twins.sum())}


def _groups(signed: np.ndarray, content: np.ndarray, keys: np.ndarray) -> np.ndarray:
    _, equal, same = np.unique(content, return_index=True, return_inverse=True)
    return groups(signed, SIMILARITY, keys, components(len(content), np.arange(len(content)), equal[same]))


def _whole_groups(group: np.ndarray, content: np.ndarray, room: int) -> np.ndarray:
    """Rows of the groups that fill so many places, in an order that their smallest content decides."""
    sizes = np.bincount(group)
    smallest = np.full(len(sizes), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, group, content)
    chosen = np.zeros(len(sizes), dtype=bool)
    for one in np.argsort(mixed(smallest, salt=0), kind="stable"):
        if room == 0:
            break
        if sizes[one] <= room:
            chosen[one], room = True, room - sizes[one]
    return chosen[group]
