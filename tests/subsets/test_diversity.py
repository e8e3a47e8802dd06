from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.features.arrays import Clusters, Lengths
from analysis.methods import Selection
from analysis.subsets import diversity

CLUSTERS = Clusters(np.array([0, 0, 0, 0, 1, 1, 1, -1]), np.array([[0.0], [10.0]], dtype=np.float32))
COUNTS = np.arange(8)
ROWS = pd.DataFrame({"group": list("aaaabbab"), "dup_group": COUNTS // 2, "answer tokens": COUNTS})
FEATURES = SimpleNamespace(
    n_rows=8, lengths=lambda: Lengths(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS > 9), row_keys=lambda: COUNTS.astype("u8")
)
SELECTIONS = {
    "token_length": Selection(np.array([7, 6, 5]), np.arange(8.0)),
    "kmeans(inside='token_length')": Selection(np.array([3, 6, 2])),
    "random_selection": Selection(np.array([0, 1, 4])),
}


def test_shares_by_cluster_add_up_among_rows_with_a_place():
    found = diversity.shares_by_cluster(CLUSTERS, SELECTIONS)
    found = found.pivot(index="method", columns="cluster", values="share")
    assert found.loc["whole pool"].tolist() == pytest.approx([4 / 7, 3 / 7])
    assert found.loc["Token length"].tolist() == [0, 1]
    assert found.loc["K-means (Token length)"].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_diversity_counts_evenness_repeats_and_the_price_in_score():
    found = diversity.diversity(FEATURES, ROWS, CLUSTERS, SELECTIONS, 0).set_index("method")
    kmeans = found.loc["K-means (Token length)"]
    assert kmeans["effective number by source"] == pytest.approx(1)
    thirds = np.exp(-(np.log(1 / 3) / 3 + np.log(2 / 3) * 2 / 3))
    assert kmeans["effective clusters"] == pytest.approx(thirds)
    assert found["repeated rows"].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    # The length decides in a cluster: places (3, 6, 2) of eight, each in the middle of its eighth.
    assert found["place by score"].tolist()[:2] == pytest.approx([(7.5 + 6.5 + 5.5) / 24, (3.5 + 6.5 + 2.5) / 24])
    assert np.isnan(found["place by score"]["Random"])


def test_equal_shares_count_in_full_and_places_leave_out_what_has_no_score():
    assert diversity.effective_number(list("aabbcc")) == pytest.approx(3)
    assert diversity.effective_number(["a"] * 5) == pytest.approx(1)
    assert diversity.places(np.array([2.0, np.nan, 1.0])).tolist() == pytest.approx([0.75, np.nan, 0.25], nan_ok=True)
