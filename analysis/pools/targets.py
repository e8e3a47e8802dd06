"""What a model shall be good at: groups of conversations that methods with targets hold rows against."""

import numpy as np

from analysis.pools.held_out import set_apart
from analysis.pools.pool import Messages, Pool
from analysis.pools.testbed import evaluation_items

AUTO, DEVELOPMENT, HELD_OUT, POOL = "auto", "development", "held-out", "pool"
NAMES = (AUTO, DEVELOPMENT, HELD_OUT, POOL)
MOST_ROWS = 1_000  # of held-out rows, and of rows drawn from the pool
SHARE_OF_POOL = 0.1  # at most drawn from it


def load_targets(name: str, pool: Pool, *, seed: int = 0) -> dict[str, list[Messages]]:
    """Target conversations by group, each ending with the answer that the model shall give.

    Parameters
    ----------
    name : "development", the testbed's development items of the pool's skills with their answers, by family
        (never its evaluation items); "held-out", the quarter of the held-out rows that `set_apart` names, by source; "pool", rows of
        the pool itself as one group; "auto", "development" where the pool is the testbed's and "held-out"
        elsewhere. Rows of a file are `target_files.load_target_file`'s.
    seed : of the draw of rows of the pool (a tenth, at most `MOST_ROWS`), or of held-out rows where there are more.

    Raises
    ------
    ValueError
        `name` is none of these, or there is no such row in this pool.
    """
    if name == AUTO:
        name = DEVELOPMENT if pool.has_truth else HELD_OUT
    if name == DEVELOPMENT:
        return _development(pool)
    if name == HELD_OUT:
        return _held_out(pool, seed)
    if name != POOL:
        raise ValueError(f"targets: expected one of {', '.join(map(repr, NAMES))}, found {name!r}")
    most = min(MOST_ROWS, max(round(SHARE_OF_POOL * len(pool)), 1))
    return {POOL: pool.messages(_drawn(np.arange(len(pool)), seed, most))}


def _development(pool: Pool) -> dict[str, list[Messages]]:
    if not pool.has_truth:
        raise ValueError(
            f'targets: "development" items are of the testbed, and pool {pool.name} is not; expected "held-out", "pool" '
            f"or a file of target rows"
        )
    groups: dict[str, list[Messages]] = {}
    for item in evaluation_items("development", pool.skills):
        answer = {"role": "assistant", "content": item.answer}
        groups.setdefault(item.family, []).append([*item.messages, answer])
    return groups


def _held_out(pool: Pool, seed: int) -> dict[str, list[Messages]]:
    rows = np.flatnonzero(set_apart(pool.held_out))
    if not len(rows):
        raise ValueError(
            f'targets: "held-out": none of the {len(pool.held_out)} held-out rows of pool {pool.name} is set apart for '
            f"targets; expected a larger pool, or a file of target rows"
        )
    return by_source(pool.held_out.select(_drawn(rows, seed, MOST_ROWS)))


def by_source(rows) -> dict[str, list[Messages]]:
    """The conversations of rows by the source of each, sources in their order."""
    groups: dict[str, list[Messages]] = {}
    for source, messages in zip(rows["source"][:], rows["messages"][:], strict=True):
        groups.setdefault(source, []).append(messages)
    return dict(sorted(groups.items()))


def _drawn(rows: np.ndarray, seed: int, most: int) -> np.ndarray:
    """At most so many of these row numbers, in order."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])
