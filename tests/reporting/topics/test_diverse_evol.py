from dataclasses import replace
from types import SimpleNamespace

import datasets
import numpy as np
import pytest

from analysis.features.arrays import Lengths
from analysis.methods import Selection
from analysis.reporting.topics import diverse_evol

# Five points in a row, two of them copies, and one that has no place.
POINTS = np.array([[0.0], [1.0], [1.0], [5.0], [9.0], [np.nan]], dtype=np.float32)


class Pool:
    has_truth = False
    rows = datasets.Dataset.from_list([{"source": "toy", "messages": []}] * 6)

    def __len__(self):
        return len(self.rows)


def work():
    counts = np.arange(6)
    lengths = Lengths(counts, counts, counts, counts, counts > 9)
    return SimpleNamespace(
        pool=Pool(), features=SimpleNamespace(embeddings=lambda kind: POINTS, lengths=lambda: lengths)
    )


SELECTIONS = {
    "random_selection": Selection(np.array([1, 2])),
    "diverse_evol": Selection(np.array([0, 4])),
    "diverse_evol(space='base')": Selection(np.array([4, 1])),
}


def test_spread_tells_radius_mean_distance_and_twins():
    found = diverse_evol.spread(work(), SELECTIONS).set_index("method")
    assert found["covering radius"].tolist() == pytest.approx([8, 4, 4])
    assert found["mean distance of the pool"].tolist() == pytest.approx([13 / 5, 6 / 5, 5 / 5], abs=1e-3)
    assert found["median distance apart"].tolist() == pytest.approx([0, 9, 8])
    # Half of all rows have a neighbour within 1, and only copies are nearer.
    assert found["with a twin"].tolist() == [1, 0, 0]


def test_picks_are_as_far_as_from_the_nearest_before():
    found = diverse_evol.pick_distances(work(), {"diverse_evol": Selection(np.array([3, 0, 4, 1]))})
    assert found["place"].tolist() == [2, 3, 4]
    assert found["distance"].tolist() == pytest.approx([5, 4, 1])


def test_rows_passed_over_are_those_nearest_to_a_selected_one():
    assert diverse_evol.nearest_to_selected(work(), SELECTIONS["diverse_evol"], 3).tolist() == [1, 2, 3]


def test_isolation_is_the_distance_to_the_nearest_other_row_by_what_is_known():
    found = diverse_evol.isolation_by_group(work())
    assert found.set_index("row")["distance"].sort_index().tolist() == pytest.approx([1, 0, 0, 4, 4])
    assert set(found["of"]) == {"answer length"}
    assert "from 0.00 (length, fifth" in diverse_evol.isolation_finding(found)


def test_findings_name_the_share_of_common_rows():
    said = diverse_evol.evolution_finding(work(), SELECTIONS, "diverse_evol", "diverse_evol(space='base')")
    assert said.startswith("The training in between does not matter") and "50 % of their rows" in said
    assert len(diverse_evol.spread_findings(work(), SELECTIONS)) == 4
    made = {name: replace(selection, seconds=1.25) for name, selection in SELECTIONS.items()}
    assert "1.2 s (DiverseEvol (base))" in diverse_evol.cost_finding(made)
