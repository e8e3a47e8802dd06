from types import SimpleNamespace

import datasets
import numpy as np
import pandas as pd
import pytest

from analysis.experiments.results import Results
from analysis.features.arrays import Clusters, Lengths
from analysis.methods import Selection
from analysis.reporting.topics import kmeans

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, -1])
CLUSTERS = Clusters(LABELS, np.array([[0.0], [10.0]], dtype=np.float32))
POINTS = np.array([[0.0], [3.0], [-2.0], [1.0], [10.0], [8.0], [13.0], [np.nan]], dtype=np.float32)
SOURCES = ["a", "a", "a", "a", "b", "b", "a", "b"]
SCORES = np.arange(8.0)
SELECTIONS = {
    "token_length": Selection(np.array([7, 6, 5]), SCORES),
    "kmeans": Selection(np.array([3, 6, 2])),
    "random_selection": Selection(np.array([0, 1, 4])),
}


class Pool:
    has_truth = False
    rows = datasets.Dataset.from_list(
        [{"source": source, "messages": [], "dup_group": place // 2} for place, source in enumerate(SOURCES)]
    )

    def __len__(self):
        return len(self.rows)


def work():
    counts = np.arange(8)
    features = SimpleNamespace(
        embeddings=lambda kind: POINTS,
        clusters=lambda kind, count, seed: CLUSTERS,
        lengths=lambda: Lengths(counts, counts, counts, counts, counts > 9),
    )
    select = lambda method, budget, seed: SELECTIONS[method]  # noqa: E731
    return SimpleNamespace(pool=Pool(), features=features, select=select, seed=0)


def test_contents_are_shares_of_each_cluster():
    found = kmeans.contents(work(), CLUSTERS)
    assert found.columns.tolist() == ["1 (4)", "2 (3)"] and found.index.tolist() == ["a", "b"]
    assert found["1 (4)"].tolist() == [1, 0]
    assert found["2 (3)"].tolist() == pytest.approx([1 / 3, 2 / 3])


def test_agreement_is_one_for_the_same_groups_and_is_said():
    same = work()
    same.pool.rows = datasets.Dataset.from_list(
        [{"source": "ab"[max(label, 0)], "messages": [], "dup_group": 0} for label in LABELS]
    )
    found = kmeans.agreement(same, ["all"], [2])
    assert found.set_index("of")["agreement"]["source"] == pytest.approx(1)
    assert set(found["of"]) == {"source", "answer length"}
    said = kmeans.agreement_finding(found)
    assert said[0].startswith("2 clusters of the space 'all' follow source rather than answer length: source 1.00")
    reversed_ = found.assign(agreement=[0.1, 0.4])
    assert "follow no more source than answer length" in kmeans.agreement_finding(reversed_)[0]


def test_shares_by_cluster_add_up_among_rows_with_a_place():
    found = kmeans.shares_by_cluster(CLUSTERS, SELECTIONS).pivot(index="method", columns="cluster", values="share")
    assert found.loc["whole pool"].tolist() == pytest.approx([4 / 7, 3 / 7])
    assert found.loc["Token length"].tolist() == [0, 1]
    assert found.loc["K-means"].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_diversity_counts_evenness_repeats_and_the_price_in_score():
    found = kmeans.diversity(work(), CLUSTERS, SELECTIONS).set_index("method")
    assert found["effective number by source"]["K-means"] == pytest.approx(1)
    thirds = np.exp(-(np.log(1 / 3) / 3 + np.log(2 / 3) * 2 / 3))
    assert found["effective clusters"]["K-means"] == pytest.approx(thirds)
    assert found["repeated rows"].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    # K-means ranks by length: places (3, 6, 2) of eight, each in the middle of its eighth.
    assert found["place by score"].tolist()[:2] == pytest.approx([(7.5 + 6.5 + 5.5) / 24, (3.5 + 6.5 + 2.5) / 24])
    assert np.isnan(found["place by score"]["Random"])
    said = kmeans.diversity_findings(found.reset_index())
    assert said[0] == "Effective number by clusters: 1.0 (Token length), 1.9 (K-means) and 1.9 (Random)."
    assert said[2].endswith("deciding score: 81 % (Token length) and 52 % (K-means).")


def test_typical_rows_are_the_nearest_to_each_centre():
    shown = kmeans.typical_rows(work(), CLUSTERS, "all", count=2)
    assert [(row["cluster"], row["source"]) for row in shown] == [(1, "a"), (1, "a"), (2, "b"), (2, "b")]


def test_rows_exchanged_are_in_the_order_of_selection():
    assert kmeans.exchanged(SELECTIONS["kmeans"], SELECTIONS["token_length"], 2).tolist() == [3, 2]


@pytest.mark.parametrize("runs", [1, 3])
def test_quotas_are_judged_against_the_same_method_alone(runs):
    rng = np.random.default_rng(0)
    lines = []
    for method, level in (("token_length", 0.2), ("kmeans", 0.8)):
        for seed in range(runs):
            lines.append({"method": method, "budget": 3, "draw": 0, "training_seed": seed, "benchmark": "accuracy",
                          "unit": "share correct", "items": (rng.random(200) < level).astype(float)})  # fmt: skip
    results = Results(pd.DataFrame(lines), {"accuracy": ["x"] * 200})
    said = kmeans.repair_findings(results, {"token_length": "kmeans"}, delta=0.02, seed=0)
    assert len(said) == 1 and said[0].startswith("K-means against Token length on accuracy: ")
    assert ("without an interval" in said[0]) == (runs == 1)
    assert runs == 1 or "better, +" in said[0]
