"""Which rows say almost the same: MinHash signatures of their text, and groups by locality-sensitive hashing."""

from collections.abc import Iterator, Sequence

import numpy as np
import rensa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SIGNATURE = 128  # hash functions; an estimate of Jaccard's similarity s has a standard error of sqrt(s (1 - s) / 128)
SHINGLE = 5  # bytes
SEED = 20_240_901  # of the hash functions: fixed, as what a near-duplicate is should not change with a draw
FOUND = 0.99  # chance, at least, that a pair just at the threshold shares a band
NEIGHBOURS = 4  # rows of the same bucket that each row is compared with, on either side
MIXER = np.uint64(0x9E3779B97F4A7C15)  # odd, bits spread evenly (2**64 / golden ratio)
ROWS_AT_ONCE = 8_192  # whose signatures, 4 MiB, stay in a processor's cache


def conversation_signatures(conversations: Sequence[list[dict]]) -> np.ndarray:
    """`signatures` of the text of all messages of every row."""
    return signatures(["\n".join(message["content"] for message in messages) for messages in conversations])


def signatures(texts: Sequence[str]) -> np.ndarray:
    """MinHash signature of the set of 5-byte shingles of every text, uint32 of shape (n_rows, 128).

    Case and runs of white space do not count; a text of fewer than 5 bytes is filled with spaces.
    """
    plain = [" ".join(text.lower().split()).encode("utf-8", "surrogatepass").ljust(SHINGLE) for text in texts]
    ends = np.cumsum([len(text) for text in plain])
    joined = np.frombuffer(b"".join(plain), dtype=np.uint8).astype(np.uint64)
    shingles = np.zeros(len(joined) - SHINGLE + 1, dtype=np.uint64)
    for place in range(SHINGLE):
        shingles |= joined[place : len(shingles) + place] << np.uint64(8 * place)
    inside = np.ones(len(shingles), dtype=bool)
    for back in range(1, SHINGLE):  # a shingle that begins so near to the end of a text runs into the next
        inside[ends[:-1] - back] = False
    hashes = shingles[inside] * MIXER
    hashes ^= hashes >> np.uint64(32)
    offsets = np.concatenate([[0], ends - (SHINGLE - 1) * np.arange(1, len(ends) + 1)]).astype(np.uint64)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, SIGNATURE, SEED)
    return np.array(matrix.to_rows(), dtype=np.uint32)


def similarity(signed: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Estimated Jaccard similarity of the rows `first` and `second`, pair by pair; float64."""
    parts = range(0, len(first), ROWS_AT_ONCE)
    equal = [
        (signed[first[part : part + ROWS_AT_ONCE]] == signed[second[part : part + ROWS_AT_ONCE]]).mean(axis=1)
        for part in parts
    ]
    return np.concatenate([np.zeros(0), *equal])


def band_width(threshold: float) -> int:
    """Hash functions per band: the most with which a pair at the threshold shares a band with a chance of 0.99."""
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold: expected a similarity above 0 and up to 1, found {threshold!r}")
    widths = np.arange(1, SIGNATURE + 1)
    chance = 1 - (1 - threshold**widths) ** (SIGNATURE // widths)
    return int(widths[chance >= FOUND].max(initial=1))


def pairs(signed: np.ndarray, threshold: float, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of rows whose estimated similarity reaches the threshold.

    Rows of one bucket are sorted by the next band too, and each is compared with its neighbours: work grows as
    n log n even where thousands of rows are filled-in copies of one pattern, and such a crowd is still joined,
    if through others.

    Parameters
    ----------
    signed : uint32 of shape (n_rows, 128).
    threshold : similarity from which two rows are near-duplicates.
    keys : of shape (n_rows,), unique; decide which rows are neighbours where buckets are equal.

    Returns
    -------
    first, second, similarity : of shape (n_pairs,), every pair once.
    """
    found = np.zeros(0, dtype=np.int64)
    for candidates in _candidates(signed, threshold, keys):  # most are found again by every band: each is kept once
        first, second = np.sort(_similar(signed, candidates, threshold), axis=1).T
        found = np.union1d(found, first * len(signed) + second)
    first, second = np.divmod(found, max(len(signed), 1))
    return first, second, similarity(signed, first, second)


def groups(signed: np.ndarray, threshold: float, keys: np.ndarray, linked: np.ndarray | None = None) -> np.ndarray:
    """Equal number = linked by a chain of near-duplicates; int64 of shape (n_rows,). Other parameters as in `pairs`.

    Numbers follow the first row of each group. Groups grow band by band, and pairs already linked are compared no more.

    Parameters
    ----------
    linked : groups that are known, of which these are made; numbered from 0, each before those that begin at later rows.
    """
    group = np.arange(len(signed)) if linked is None else linked
    for candidates in _candidates(signed, threshold, keys):
        first, second = _similar(signed, candidates[np.diff(group[candidates])[:, 0] != 0], threshold).T
        group = components(group.max(initial=-1) + 1, group[first], group[second])[group]
    return group


def have_near_duplicate(signed: np.ndarray, asked: np.ndarray, among: np.ndarray, threshold: float) -> np.ndarray:
    """Whether any of the rows `among` is a near-duplicate of each of the rows `asked`; bool of shape (n_asked,).

    Unlike `pairs` it misses none: a signature that differs in d places agrees on one of d + 1 bands.
    """
    differing = SIGNATURE - int(np.ceil(threshold * SIGNATURE))
    width = SIGNATURE // (differing + 1)
    found = np.zeros(len(asked), dtype=bool)
    for start in range(0, SIGNATURE - width + 1, width):
        bucket = _bucket(signed[:, start : start + width])
        order = among[np.argsort(bucket[among], kind="stable")]
        first, last = (np.searchsorted(bucket[order], bucket[asked], side=side) for side in ("left", "right"))
        for place in np.flatnonzero(~found & (last > first)):
            some = order[first[place] : last[place]]
            found[place] = (similarity(signed, np.full(len(some), asked[place]), some) >= threshold).any()
    return found


def components(n_rows: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number of the connected group of every row, given the linked pairs; int64 of shape (n_rows,)."""
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(n_rows, n_rows))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _candidates(signed: np.ndarray, threshold: float, keys: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs that share a band, band by band, as arrays of shape (n_candidates, 2)."""
    width = band_width(threshold)
    bands = [signed[:, start : start + width] for start in range(0, SIGNATURE - width + 1, width)]
    following = _bucket(bands[0])
    for band in [*bands[1:], bands[0]]:
        bucket, following = following, _bucket(band)
        order = np.lexsort((keys, following, bucket))
        for distance in range(1, NEIGHBOURS + 1):
            first, second = order[:-distance], order[distance:]
            together = bucket[first] == bucket[second]
            yield np.stack([first[together], second[together]], axis=1)


def _bucket(band: np.ndarray) -> np.ndarray:
    mixed = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        mixed = (mixed ^ column.astype(np.uint64)) * MIXER
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _similar(signed: np.ndarray, candidates: np.ndarray, threshold: float) -> np.ndarray:
    return candidates[similarity(signed, candidates[:, 0], candidates[:, 1]) >= threshold]
