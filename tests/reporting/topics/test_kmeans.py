from types import SimpleNamespace

import datasets
import numpy as np
import pandas as pd
import pytest

from analysis.features.arrays import Clusters, Lengths
from analysis.methods import Selection
from analysis.reporting.topics import kmeans
from analysis.subsets.rows import table

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, -1])
CLUSTERS = Clusters(LABELS, np.array([[0.0], [10.0]], dtype=np.float32))
POINTS = np.array([[0.0], [3.0], [-2.0], [1.0], [10.0], [8.0], [13.0], [np.nan]], dtype=np.float32)
SOURCES = ["a", "a", "a", "a", "b", "b", "a", "b"]
SELECTIONS = {"token_length": Selection(np.array([7, 6, 5])), "kmeans": Selection(np.array([3, 6, 2]))}
LENGTHS = Lengths(*[np.arange(8)] * 4, np.arange(8) > 9)
FEATURES = SimpleNamespace(clusters=lambda kind, count, seed: CLUSTERS)


def pool(sources):
    made = datasets.Dataset.from_list([{"source": source, "messages": [], "dup_group": 0} for source in sources])
    return SimpleNamespace(has_truth=False, rows=made)


def known(sources=SOURCES):
    return table(pool(sources), LENGTHS)


def test_contents_are_shares_of_each_cluster():
    found = kmeans.contents(known(), CLUSTERS)
    assert found.columns.tolist() == ["1 (4)", "2 (3)"] and found.index.tolist() == ["a", "b"]
    assert found["1 (4)"].tolist() == [1, 0]
    assert found["2 (3)"].tolist() == pytest.approx([1 / 3, 2 / 3])


def test_agreement_is_one_for_the_same_groups_and_is_said():
    same = known(["ab"[max(label, 0)] for label in LABELS])
    found = kmeans.agreement(FEATURES, same, ["all"], [2], seed=0)
    assert found.set_index("of")["agreement"]["source"] == pytest.approx(1)
    assert set(found["of"]) == {"source", "answer length"}
    said = kmeans.agreement_finding(found)
    assert said[0].startswith("2 clusters of the space 'all' follow source more than answer length: source 1.00")
    reversed_ = found.assign(agreement=[0.1, 0.4])
    assert "do not follow source more than answer length" in kmeans.agreement_finding(reversed_)[0]


def test_diversity_is_said_with_its_price():
    found = pd.DataFrame({
        "method": ["Token length", "K-means", "Random"], "effective clusters": [1, 1.89, 1.89],
        "effective number by source": [1.89, 1, 1.89], "place by score": [0.8125, 0.5208, np.nan],
    })  # fmt: skip
    said = kmeans.diversity_findings(found)
    assert said[0] == "Effective number by clusters: 1.0 (Token length), 1.9 (K-means) and 1.9 (Random)."
    assert said[2].endswith("deciding score: 81 % (Token length) and 52 % (K-means).")


def test_typical_rows_are_the_nearest_to_each_centre():
    shown = kmeans.typical_rows(pool(SOURCES), CLUSTERS, POINTS, count=2)
    assert [(row["cluster"], row["source"]) for row in shown] == [(1, "a"), (1, "a"), (2, "b"), (2, "b")]


def test_rows_exchanged_are_in_the_order_of_selection():
    assert kmeans.exchanged(SELECTIONS["kmeans"], SELECTIONS["token_length"], 2).tolist() == [3, 2]
