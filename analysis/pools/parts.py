"""Disjoint parts of a pool with one common held-out set, so that a method can select more than once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from datasets import concatenate_datasets

from analysis.pools import row_keys as keys_of_rows
from analysis.pools.loading import check_count, load_split
from analysis.pools.pool import Pool, Split
from analysis.pools.row_keys import mixed, row_keys
from analysis.pools.testbed import RECIPES
from analysis.pools.testbed.long_answers import PADDED
from analysis.pools.testbed_split import TESTBED_ROWS
from analysis.store.code_version import code_version, own_code
from analysis.store.store import digest

# What makes parts of a pool, whose own fingerprint says how it was read.
CODE = [own_code(__name__), code_version(keys_of_rows.__name__)]


def load_parts(
    name_or_path: str | Path,
    *,
    parts: int,
    limit: int | None = None,
    seed: int = 0,
    duplicates: str = "keep",
    fewest: int = 1,
    held_out_share: float = 0.05,
    skills: int | None = None,
    long_answers: str = PADDED,
    cache: Path | None = None,
) -> list[Pool]:
    """Load a pool as random parts that share no row.

    In the testbed rows are free: part i of a pool of `parts` times `limit` rows has the rows from i · limit on. The
    rows of a file are dealt to the parts at random by content and seed, in equal shares. Rows held out of any part
    are held out of all.

    Parameters
    ----------
    parts : parts asked for; one is the pool as `load_pool` gives it.
    limit : rows used, before any is held out: of each part in the testbed (default 5,000), elsewhere of the pool that
        is cut (default all).
    seed : of the testbed's draw, or of the draw of `limit` rows and of their dealing.
    fewest : selectable rows that a part needs; where one would have fewer, there are fewer parts, but at least one.
    name_or_path, duplicates, held_out_share, skills, long_answers : see `load_pool`.

    Returns
    -------
    Pools, whose `provenance["parts"]` says how many were asked for and made, and which one it is.

    Raises
    ------
    FileNotFoundError, ValueError
        Those of `load_pool`; `parts` or `fewest` is no whole number from 1 up.
    """
    check_count("parts", parts)
    check_count("fewest", fewest)
    options = {
        "seed": seed,
        "duplicates": duplicates,
        "held_out_share": held_out_share,
        "skills": skills,
        "long_answers": long_answers,
        "cache": cache,
    }
    if str(name_or_path) in RECIPES:
        split, dealt = _testbed(str(name_or_path), limit, parts, fewest, options)
    else:
        split = load_split(name_or_path, limit=limit, **options)
        dealt = _dealt(split, min(parts, max(len(split.selectable) // fewest, 1)), seed)
    whole = split.pool()
    return [_part(whole, split, rows, number, len(dealt), parts) for number, rows in enumerate(dealt, 1)]


def joined(parts: Sequence[Pool]) -> Pool:
    """All rows of the parts of one pool, part by part."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    return replace(
        first,
        name=first.name.removesuffix(f", part 1 of {len(parts)}"),
        rows=concatenate_datasets([part.rows for part in parts]),
        fingerprint=digest(parts=[part.fingerprint for part in parts]),
    )


def nested_rows(pool: Pool, n_rows: int, seed: int = 0) -> np.ndarray:
    """Positions of `n_rows` rows of a pool, drawn by content and seed, ascending; fewer rows are among more.

    Raises
    ------
    ValueError
        The pool has not so many.
    """
    check_count("n_rows", n_rows)
    if n_rows > len(pool):
        raise ValueError(f"n_rows: {n_rows:,} asked for, but {pool.name} has {len(pool):,} rows to select from")
    return np.sort(np.argsort(mixed(row_keys(pool.rows), salt=seed), kind="stable")[:n_rows])


def smaller(pool: Pool, n_rows: int, seed: int = 0) -> Pool:
    """A pool of the rows of `nested_rows` alone, with the same held-out rows; the pool itself where these are all."""
    rows = nested_rows(pool, n_rows, seed)
    if len(rows) == len(pool):
        return pool
    left_out = pool.provenance.get("left_out", {}) | {"not in the smaller pool": len(pool) - n_rows}
    return replace(
        pool,
        name=f"{pool.name}, {n_rows:,} rows",
        rows=pool.rows.select(rows),
        fingerprint=digest(pool=pool.fingerprint, rows=n_rows, seed=seed, code=CODE),
        provenance=pool.provenance | {"left_out": left_out},
    )


def _testbed(name: str, limit: int | None, parts: int, fewest: int, options: dict) -> tuple[Split, list[np.ndarray]]:
    """Rows in their order, `limit` to a part; which of them are held out does not depend on how many parts follow."""
    limit = TESTBED_ROWS if limit is None else limit
    check_count("limit", limit)
    while True:
        split = load_split(name, limit=limit * parts, **options)
        part_of = split.selectable // limit
        dealt = [split.selectable[part_of == part] for part in range(parts)]
        enough = next((part for part, rows in enumerate(dealt) if len(rows) < fewest), parts)
        if enough == parts or parts == 1:
            return split, dealt
        parts = max(enough, 1)


def _dealt(split: Split, parts: int, seed: int) -> list[np.ndarray]:
    """Positions of the selectable rows of each part, in the order of the file; sizes differ by one at most."""
    selectable = split.selectable
    order = np.argsort(mixed(row_keys(split.rows)[selectable], salt=seed), kind="stable")
    return [np.sort(selectable[order[part::parts]]) for part in range(parts)]


def _part(whole: Pool, split: Split, rows: np.ndarray, number: int, made: int, asked: int) -> Pool:
    about = {"number": number, "made": made, "asked": asked}
    left_out = dict(whole.provenance["left_out"])
    if made == 1:
        return replace(whole, provenance=whole.provenance | {"parts": about})
    left_out["in another part"] = len(whole) - len(rows)
    return replace(
        whole,
        name=f"{whole.name}, part {number} of {made}",
        rows=split.rows.select(rows),
        fingerprint=digest(pool=whole.fingerprint, part=number, parts=made, code=CODE),
        provenance=whole.provenance | {"left_out": left_out, "parts": about},
    )
