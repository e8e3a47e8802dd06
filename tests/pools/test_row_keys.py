"""Draws depend on what rows say and never on their order in a file."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.features.features import Features
from analysis.methods import select
from analysis.pools import load_pool, row_keys
from analysis.store.store import Store

numbers = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30)


def said(row):
    return " | ".join(message["content"] for message in row["messages"])


def records():
    """Rows of few different lengths, one in four an exact copy of another, some with other white space."""
    rng = np.random.default_rng(0)
    words = [f"word{number}" for number in range(60)]
    rows = [
        {"prompt": f"Question {number}: {' '.join(rng.choice(words, 6))}?", "response": " ".join(rng.choice(words, 5))}
        for number in range(150)
    ]
    spaced = [row | {"response": row["response"].replace(" ", "   ")} for row in rows[:20]]
    return rows + [rows[place] for place in rng.integers(0, 50, 40)] + spaced


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two files with the same rows in different orders."""
    folder, rows = tmp_path_factory.mktemp("orders"), records()
    order = np.random.default_rng(1).permutation(len(rows))
    for name, some in (("a", rows), ("b", [rows[place] for place in order])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))
    return folder


def pools(folder, **options):
    return [load_pool(str(folder / f"{name}.jsonl"), cache=folder / "cache", **options) for name in "ab"]


def lengths(pool):
    total = np.array([len(said(row)) // 20 for row in pool.rows])
    return SimpleNamespace(answer=total, last_answer=total, prompt=total, total=total, truncated=total < 0)


@pytest.mark.parametrize("method", ["random_selection", "token_length", "kmeans(embedding='tfidf', clusters=5)"])
def test_a_shuffled_copy_of_a_file_gives_the_same_selection(both, method, tmp_path):
    chosen = []
    for pool in pools(both):
        features = Features(pool, None, store=Store(tmp_path), show_progress=False)
        features.lengths = lambda pool=pool: lengths(pool)
        chosen.append([said(pool.rows[int(row)]) for row in select(method, features, 40, seed=3).rows])
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("options", [{}, {"limit": 100}, {"duplicates": "drop"}, {"limit": 60, "seed": 4}], ids=str)
def test_a_shuffled_copy_of_a_file_offers_and_holds_out_the_same_rows(both, options):
    first, second = pools(both, **options)
    assert sorted(map(said, first.rows)) == sorted(map(said, second.rows))
    assert sorted(map(said, first.held_out)) == sorted(map(said, second.held_out))
    keys = [dict(zip(pool.rows["key"], map(said, pool.rows), strict=True)) for pool in (first, second)]
    assert keys[0] == keys[1] and len(keys[0]) == len(first)


@given(numbers, st.randoms())
def test_keys_are_unique_and_follow_their_rows(rows, random):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    found = []
    for some in (rows, shuffled):
        content, verbatim = np.array(some, dtype=np.uint64).T
        occurrence = row_keys.occurrences(content, verbatim)
        keys = row_keys.unique_keys(content, occurrence)
        assert keys.dtype == np.uint64 and len(set(keys)) == len(keys)
        found.append(sorted(zip(map(int, keys), some, strict=True)))
    assert found[0] == found[1]


def test_keys_that_collide_are_told_apart_in_any_order(monkeypatch):
    monkeypatch.setattr(row_keys, "mixed", lambda keys, salt: keys % np.uint64(3))
    content = np.arange(20, dtype=np.uint64)
    keys = row_keys.unique_keys(content, np.zeros(20, dtype=np.int64))
    assert len(set(keys)) == 20
    assert np.array_equal(row_keys.unique_keys(content[::-1], np.zeros(20, dtype=np.int64)), keys[::-1])


def test_rows_without_a_key_are_known_by_their_ids():
    import datasets

    rows = datasets.Dataset.from_list([{"id": f"row {number}"} for number in range(50)])
    order = np.random.default_rng(0).permutation(50)
    keys = row_keys.row_keys(rows)
    assert len(set(keys)) == 50 and np.array_equal(row_keys.row_keys(rows.select(order)), keys[order])
