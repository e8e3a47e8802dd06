"""A number for every row by what it says, so that no draw depends on the order of the rows in a file."""

import numpy as np
import pandas
from datasets import Dataset

KEY = "key"  # the column of a file pool; rows of the testbed are known by their ids
IDS_AT_ONCE = 16_384
STEP = 0x9E3779B97F4A7C15  # odd, bits spread evenly (2**64 / golden ratio)


def row_keys(rows: Dataset) -> np.ndarray:
    """Unique keys of rows that do not depend on their order; uint64 of shape (n_rows,)."""
    if KEY in rows.column_names:
        return rows.select_columns([KEY]).to_pandas()[KEY].to_numpy()
    ids = rows.select_columns(["id"])
    slices = (ids[start : start + IDS_AT_ONCE]["id"] for start in range(0, len(rows), IDS_AT_ONCE))
    hashes = [pandas.util.hash_array(np.array(part, dtype=object), categorize=False) for part in slices]
    return np.concatenate([np.zeros(0, dtype=np.uint64), *hashes])


def unique_keys(content: np.ndarray, occurrence: np.ndarray) -> np.ndarray:
    """A key for every row from its content and its number among rows of equal content; uint64."""
    with np.errstate(over="ignore"):
        keys = mixed(content + occurrence.astype(np.uint64) * np.uint64(STEP), salt=0)
        while True:  # once, but for a chance of one in a million at a million rows
            order = np.lexsort((occurrence, content, keys))
            taken = np.flatnonzero(keys[order][1:] == keys[order][:-1]) + 1
            if not len(taken):
                return keys
            keys[order[taken]] += np.uint64(1)


def occurrences(content: np.ndarray, verbatim: np.ndarray) -> np.ndarray:
    """Number of each row among the rows of equal content, from 0; int64.

    Equal content may be written with other white space, or come from elsewhere: `verbatim` decides who comes first.
    """
    order = np.lexsort((verbatim, content))
    is_first = np.diff(content[order], prepend=~content[order][:1]) != 0
    places = np.arange(len(content))
    number = np.empty(len(content), dtype=np.int64)
    number[order] = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return number


def mixed(keys: np.ndarray, salt: int) -> np.ndarray:
    """Other numbers, one to one, that look random (splitmix64 of key and salt); uint64."""
    with np.errstate(over="ignore"):
        bits = keys + np.uint64((salt + 1) * STEP % 2**64)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def chance(keys: np.ndarray, salt: int) -> np.ndarray:
    """A number from 0 to 1 for each key, the same for equal keys; float64."""
    return mixed(keys, salt).astype(np.float64) / 2.0**64
