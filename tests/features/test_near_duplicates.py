from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.features import near_duplicates
from analysis.features.features import Features
from analysis.methods import select
from analysis.pools import load_pool
from analysis.store.store import Store

WORDS = [f"word{number}" for number in range(400)]


def jaccard(first, second):
    """Of the sets of 5-byte shingles, by their definition."""
    sets = []
    for text in (first, second):
        raw = " ".join(text.lower().split()).encode().ljust(5)
        sets.append({raw[place : place + 5] for place in range(len(raw) - 4)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def texts_of(n_rows, seed=0):
    """Random texts, every third a copy of an earlier one with some of its words replaced."""
    rng, texts = np.random.default_rng(seed), []
    for row in range(n_rows):
        if row % 3 == 2:
            words = np.array(texts[rng.integers(row)].split())
            words[rng.random(len(words)) < rng.choice([0, 0.02, 0.05, 0.2])] = "changed"
        else:
            words = rng.choice(WORDS, rng.integers(5, 60))
        texts.append(" ".join(words))
    return texts


def test_similarity_is_estimated_within_its_standard_error():
    texts = texts_of(300)
    signed = near_duplicates.signatures(texts)
    assert signed.shape == (300, 128) and signed.dtype == np.uint32
    first, second = np.triu_indices(300, 1)
    exact = np.array([jaccard(texts[a], texts[b]) for a, b in zip(first, second, strict=True)])
    error = near_duplicates.similarity(signed, first, second) - exact
    some = exact > 0.3
    assert some.sum() > 100
    standard = error[some] / np.sqrt(np.maximum(exact[some] * (1 - exact[some]), 1e-3) / 128)
    assert np.abs(standard.mean()) < 0.5 and 0.6 < standard.std() < 1.4
    assert (error[exact == 1] == 0).all() and (error[exact == 0] < 0.05).all()


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_a_signature_depends_on_its_own_text_alone(texts):
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    together = near_duplicates.signatures(texts)
    alone = np.concatenate([near_duplicates.signatures([text]) for text in texts])
    assert np.array_equal(together, alone)


def test_case_and_white_space_do_not_count():
    signed = near_duplicates.signatures(["Sort  these\nwords.", " sort these words. ", "sort those words."])
    assert (signed[0] == signed[1]).all() and (signed[0] != signed[2]).any()


@pytest.mark.parametrize("threshold, width", [(1.0, 128), (0.9, 10), (0.8, 6), (0.5, 3), (0.05, 1)])
def test_a_pair_at_the_threshold_is_found_with_a_chance_of_99_percent(threshold, width):
    found = near_duplicates.band_width(threshold)
    assert found == width
    if threshold > 0.05:
        assert 1 - (1 - threshold**found) ** (128 // found) >= 0.99


@pytest.mark.parametrize("threshold", [0, -1, 1.1, float("nan")])
def test_an_impossible_threshold_is_an_error(threshold):
    with pytest.raises(ValueError, match="threshold: expected a similarity above 0 and up to 1"):
        near_duplicates.band_width(threshold)


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.95])
def test_pairs_are_those_of_comparing_every_row_with_every_other(threshold):
    signed = near_duplicates.signatures(texts_of(400, seed=1))
    first, second = np.triu_indices(400, 1)
    close = near_duplicates.similarity(signed, first, second) >= threshold
    expected = set(zip(first[close].tolist(), second[close].tolist(), strict=True))
    one, two, _ = near_duplicates.pairs(signed, threshold, np.arange(400))
    found = set(zip(one.tolist(), two.tolist(), strict=True))
    assert found <= expected and len(found) >= 0.95 * len(expected) > 20


def test_a_crowd_of_equal_rows_is_one_group():
    signed = near_duplicates.signatures(["the same words again"] * 500 + ["other words altogether, all of them"])
    group = near_duplicates.groups(signed, 0.8, np.arange(501))
    assert len(set(group[:500])) == 1 and group[500] != group[0]


def test_the_order_of_the_rows_changes_no_group():
    texts, keys = texts_of(300, seed=2), np.random.default_rng(0).permutation(300)
    order = np.random.default_rng(1).permutation(300)
    group = near_duplicates.groups(near_duplicates.signatures(texts), 0.7, keys)
    shuffled = near_duplicates.groups(near_duplicates.signatures([texts[row] for row in order]), 0.7, keys[order])
    of_group = {}
    assert all(of_group.setdefault(a, b) == b for a, b in zip(group[order], shuffled, strict=True))
    assert len(set(group)) == len(set(shuffled)) < 300


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
