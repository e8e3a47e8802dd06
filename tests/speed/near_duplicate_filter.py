"""Near-duplicates: the exact similarity of every pair of rows against signatures and bands."""

import time

import numpy as np

from analysis.features.per_row import TEXTS_PER_SHARD
from analysis.pools import load_pool, near_duplicates

EXACT = 1_000  # rows of which all pairs are compared


def texts_of(rows: int) -> list[str]:
    """The text of the testbed's first rows."""
    pool = load_pool("wild", limit=rows)
    return ["\n".join(message["content"] for message in row) for row in pool.messages(range(len(pool)))]


def ours(texts: list[str]) -> float:
    """Seconds for the groups of near-duplicates."""
    started = time.perf_counter()
    shards = range(0, len(texts), TEXTS_PER_SHARD)
    signed = [near_duplicates.signatures(texts[start : start + TEXTS_PER_SHARD]) for start in shards]
    near_duplicates.groups(np.concatenate(signed), 0.8, np.arange(len(texts)))
    return time.perf_counter() - started


def all_pairs(texts: list[str]) -> float:
    """Seconds for the exact Jaccard similarity of every pair."""
    started = time.perf_counter()
    plain = [" ".join(text.lower().split()).encode() for text in texts]
    shingles = [{text[place : place + 5] for place in range(max(len(text) - 4, 1))} for text in plain]
    for place, first in enumerate(shingles):
        for second in shingles[place + 1 :]:
            len(first & second) / len(first | second)
    return time.perf_counter() - started


def compare(rows: int = 20_000) -> list[dict]:
    """All pairs of 1,000 rows, extrapolated by the square of their number."""
    texts = texts_of(rows)
    part = texts[:EXACT]
    reference = all_pairs(part) * (len(texts) / len(part)) ** 2
    taken = ours(texts)
    return [{
        "step": "near-duplicates", "rows": len(texts), "reference_seconds": reference, "ours_seconds": taken,
        "ratio": reference / taken, "note": f"reference extrapolated from all pairs of {len(part)} rows",
    }]  # fmt: skip


def growth(sizes: list[int]) -> list[dict]:
    """Seconds by number of rows."""
    lines = []
    for size in sizes:
        texts = texts_of(size)
        lines.append({"rows": len(texts), "seconds": ours(texts)})
    return lines


if __name__ == "__main__":
    for line in [*compare(), *growth([1_000, 10_000, 100_000])]:
        print(line)
