from types import SimpleNamespace

import numpy as np
import pytest

from analysis.features.features import Features
from analysis.methods import select
from analysis.pools import load_pool
from analysis.store.store import Store


def features_of(group):
    group = np.array(group)
    return SimpleNamespace(
        n_rows=len(group), row_keys=lambda: np.arange(len(group)), near_duplicates=lambda threshold: group
    )


def test_one_row_of_each_group_in_the_order_of_the_random_draw():
    group = np.random.default_rng(0).integers(0, 30, 100)
    features, groups = features_of(group), len(set(group))
    everything = select("random_selection", features, 100, seed=5).rows
    expected = [row for place, row in enumerate(everything) if group[row] not in group[everything[:place]]]
    found = select("near_duplicate_filter", features, groups, seed=5)
    assert found.rows.tolist() == expected
    assert found.excluded == {"near-duplicate of another row": 100 - groups}
    with pytest.raises(ValueError, match=f"{groups + 1} rows asked for, only {groups} of 100 can be selected"):
        select("near_duplicate_filter", features, groups + 1, seed=5)


def test_without_near_duplicates_it_is_random_selection():
    features = features_of(range(50))
    found = select("near_duplicate_filter", features, 20, seed=3)
    assert found.rows.tolist() == select("random_selection", features, 20, seed=3).rows.tolist()
    assert found.excluded == {}


def test_every_row_of_a_group_is_kept_equally_often():
    features = features_of([0, 0, 0, 0, 1])
    kept = [
        next(row for row in select("near_duplicate_filter", features, 2, seed=seed).rows if row < 4)
        for seed in range(2000)
    ]
    # Each of four rows with probability 1/4: 500 +- 5 standard deviations of 19.4.
    assert abs(np.bincount(kept, minlength=4) - 500).max() < 97


def test_the_testbeds_near_duplicates_are_found(tmp_path):
    pool = load_pool("wild", limit=2000, cache=tmp_path)
    features = Features(pool, None, store=Store(tmp_path), show_progress=False)
    group, truth = features.near_duplicates(0.8), pool.truth("dup_group")
    first, second = np.triu_indices(len(pool), 1)
    found, true = group[first] == group[second], truth[first] == truth[second]
    assert (found & true).sum() / true.sum() > 0.85
    assert (found & true).sum() / found.sum() > 0.85
    again = Features(pool, None, store=Store(tmp_path), show_progress=False)
    assert np.array_equal(again.signatures, features.signatures)
