import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.pools import near_duplicates

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


def test_groups_are_the_linked_pairs_numbered_by_their_first_rows():
    texts = ["d", "a b c d e f g", "one other text", "A  b c d e f g", "d", "last of all", "one other text"]
    signed, keys = near_duplicates.signatures(texts), np.arange(7)
    assert near_duplicates.groups(signed, 0.8, keys).tolist() == [0, 1, 2, 1, 0, 3, 2]
    known = np.array([0, 1, 2, 3, 4, 1, 5])  # that the second row and the last but one belong together
    assert near_duplicates.groups(signed, 0.8, keys, known).tolist() == [0, 1, 2, 1, 0, 1, 2]
    assert near_duplicates.groups(signed[:0], 0.8, keys[:0]).tolist() == []


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_growing_band_by_band_joins_what_all_pairs_join(threshold):
    texts = texts_of(600, seed=4) + [f"{row} of many filled-in copies of one pattern" for row in range(100)]
    signed, keys = near_duplicates.signatures(texts), np.random.default_rng(0).permutation(700)
    first, second, _ = near_duplicates.pairs(signed, threshold, keys)
    known = np.append(np.arange(699), 0)  # the last row says what the first one says
    for linked, more in ((None, []), (known, [699])):
        expected = near_duplicates.components(700, np.append(first, more), np.append(second, [0] * len(more)))
        assert np.array_equal(near_duplicates.groups(signed, threshold, keys, linked), expected)
    assert 100 < len(set(expected)) < 600


@pytest.mark.parametrize("threshold", [0.3, 0.8, 0.95, 1.0])
def test_rows_with_a_near_duplicate_are_those_of_comparing_with_every_other(threshold):
    signed = near_duplicates.signatures(texts_of(400, seed=3))
    asked, among = np.arange(0, 400, 4), np.flatnonzero(np.arange(400) % 4)
    expected = [(near_duplicates.similarity(signed, np.full(300, row), among) >= threshold).any() for row in asked]
    found = near_duplicates.have_near_duplicate(signed, asked, among, threshold)
    assert found.tolist() == expected and 0 < sum(expected) < 100
