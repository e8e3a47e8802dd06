"""Signatures of all rows of a pool, by which near-duplicates are found, and what they are stored under."""

import numpy as np

from analysis.features.per_row import in_shards
from analysis.pools.near_duplicates import conversation_signatures
from analysis.store.code_version import code_version
from analysis.store.store import digest


def pool_signatures(features) -> np.ndarray:
    """Signatures of all messages' text of every row, from the store as far as it has them."""
    return in_shards(
        features, lambda conversations: {"signatures": conversation_signatures(conversations)}, kind="minhash",
        key=digest(pool=features.pool.fingerprint, code=code_version(__name__)), label="MinHash signatures",
    )["signatures"]  # fmt: skip
