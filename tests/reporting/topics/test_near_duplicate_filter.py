from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.features.features import Features
from analysis.pools import load_pool
from analysis.reporting.topics import near_duplicate_filter
from analysis.store.store import Store


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    pool = load_pool("wild", limit=800, cache=cache)
    return SimpleNamespace(pool=pool, features=Features(pool, None, store=Store(cache), show_progress=False))


def test_recall_falls_and_precision_rises_with_the_threshold(work):
    table = near_duplicate_filter.by_threshold(work, 0.77)
    assert 0.77 in table["threshold"].tolist() and table["threshold"].is_monotonic_increasing
    assert table["recall"].iloc[0] > 0.95 > table["recall"].iloc[-1]
    assert table["precision"].iloc[-1] > table["precision"].iloc[0]
    assert table["rows removed"].is_monotonic_decreasing
    assert len(near_duplicate_filter.curves(table)) == 3 * len(table)
    found, truth = work.features.near_duplicates(0.77), work.pool.truth("dup_group")
    first, second = np.triu_indices(len(truth), 1)
    pair, true = found[first] == found[second], truth[first] == truth[second]
    line = table[table["threshold"] == 0.77].iloc[0]
    assert line["recall"] == pytest.approx((pair & true).sum() / true.sum())
    assert line["precision"] == pytest.approx((pair & true).sum() / pair.sum())


def test_pairs_beside_the_threshold_are_shown_with_what_becomes_of_them(work):
    pairs = near_duplicate_filter.similar_pairs(work)
    shown = near_duplicate_filter.pairs_shown(work, pairs, 0.8, count=3)
    assert [line["what becomes of it"] for line in shown] == ["removed"] * 3 + ["kept"] * 3
    assert float(shown[2]["similarity"]) >= 0.8 > float(shown[3]["similarity"]) - 0.005
    histogram = near_duplicate_filter.histogram(pairs)
    assert histogram["pairs"].sum() == len(pairs)


def test_a_pool_without_near_duplicates_gives_empty_tables():
    none = pd.DataFrame({"first": [], "second": [], "similarity": [], "pair": []})
    assert near_duplicate_filter.histogram(none)["pairs"].sum() == 0
    pool = SimpleNamespace(has_truth=False, rows=[])
    assert near_duplicate_filter.pairs_shown(SimpleNamespace(pool=pool), none, 0.8) == []


def test_findings_follow_the_rule(work):
    table = near_duplicate_filter.by_threshold(work, 0.8)
    sizes = near_duplicate_filter.group_sizes(work.features.near_duplicates(0.8))
    assert sizes["rows in the group"] @ sizes["groups"] == len(work.pool)
    said = near_duplicate_filter.findings(table, sizes, 0.8)
    assert len(said) == 2 and "the filter works" in said[1]
    said = near_duplicate_filter.findings(table.assign(recall=0.5), sizes, 0.8)
    assert "the filter does not work" in said[1]
    said = near_duplicate_filter.findings(table.assign(recall=0.0, precision=0.0), sizes, 0.8)
    assert len(said) == 2 and said[1] == "No pair that is near-duplicate in truth is found at any threshold."
    assert len(near_duplicate_filter.findings(table.drop(columns=["recall", "precision"]), sizes, 0.8)) == 1
