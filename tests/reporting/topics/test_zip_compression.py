from types import SimpleNamespace

import numpy as np
import pytest

from analysis.features.features import Features
from analysis.methods import select
from analysis.methods.zip_compression import score
from analysis.pools import load_pool
from analysis.reporting.topics import zip_compression
from analysis.store.store import Store

RANDOM, RECORD, TEXT = "random_selection", "zip_compression", "zip_compression(variant='text')"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    pool = load_pool("curated", limit=700, cache=cache)
    return SimpleNamespace(pool=pool, features=Features(pool, None, store=Store(cache), show_progress=False))


@pytest.fixture(scope="module")
def selections(work):
    return {name: select(name, work.features, 30, seed=0) for name in (RANDOM, RECORD, TEXT)}


def test_every_row_has_its_bytes_its_ratio_and_who_selects_it(work, selections):
    rows = zip_compression.rows_by_ratio(work, selections, RECORD, TEXT).sort_values("row")
    assert len(rows) == len(work.pool)
    assert np.array_equal(rows["ratio"], score(zip_compression.read_texts(work.features)))
    one = set(rows.loc[rows["selected by"].isin(["ZIP", "both"]), "row"])
    assert one == set(selections[RECORD].rows)
    assert rows["bytes"].iloc[5] == len(str(work.features.records(5, 6)).encode())


def test_zip_keeps_the_ratio_of_its_set_below_that_of_random_rows(work, selections):
    growing = zip_compression.growing_ratio(work, selections)
    last = growing.groupby("method")["ratio"].last()
    assert last["ZIP"] < last["Random"]
    assert growing.groupby("method")["rows selected"].max().tolist() == [30, 30, 30]


def test_a_copy_is_cheap_within_the_window_and_not_beyond(work):
    distance = zip_compression.copies_at_a_distance(work, seed=0, copies=4).set_index("kilobytes")["share"]
    assert distance[0] < 0.3 and distance[distance.index >= 36].min() > 0.45 > distance[distance.index <= 24].max()


def test_findings_are_sentences_with_numbers(work, selections):
    said = zip_compression.findings(
        zip_compression.rows_by_ratio(work, selections, RECORD, TEXT), zip_compression.growing_ratio(work, selections),
        zip_compression.copies_at_a_distance(work, seed=0, copies=2), RECORD, TEXT, RANDOM,
    )  # fmt: skip
    assert len(said) == 5 and all(any(letter.isdigit() for letter in sentence) for sentence in said)
