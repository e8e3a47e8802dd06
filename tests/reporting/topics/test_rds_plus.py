from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.methods import Selection
from analysis.reporting.topics import rds_plus

POINTS = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [np.nan, np.nan]], dtype=np.float32)
TARGETS = {"east": [[2.0, 0.0], [np.nan, 0.0]], "north": [[0.0, 1.0]], "nowhere": [[np.nan, np.nan]]}
SELECTIONS = {"random_selection": Selection(np.array([0, 2])), "rds_plus": Selection(np.array([1, 0]))}


ROWS = pd.DataFrame({"kind": ["east", "east", "north", "west"], "answer tokens": range(4)})
FEATURES = SimpleNamespace(
    embeddings=lambda kind: POINTS,
    embed=lambda rows, kind: np.array(rows, dtype=np.float32),
    targets=lambda name: TARGETS,
)


def test_likeness_is_the_largest_cosine_with_the_group_it_comes_from():
    found = rds_plus.likeness(FEATURES, ROWS, "auto")
    assert found["likeness"][:3].tolist() == pytest.approx([1, 1, np.sqrt(0.5)])
    assert np.isnan(found["likeness"][3])
    assert found["nearest"][:2].tolist() == ["east", "north"]
    assert found["own"].tolist() == ["east", "east", "north", "west"]


def test_shares_are_those_of_the_targets_the_pool_and_the_selections():
    alike = rds_plus.likeness(FEATURES, ROWS, "auto")
    found = rds_plus.shares_by_group(FEATURES, alike, SELECTIONS, "auto").pivot(
        index="what", columns="method", values="share"
    )
    assert found["target rows"].to_dict() == {"east": 0.5, "north": 0.25, "nowhere": 0.25}
    assert found["whole pool"].to_dict() == {"east": 0.5, "north": 0.25, "nowhere": 0}
    assert found["RDS+"].to_dict() == {"east": 1, "north": 0, "nowhere": 0}


def test_findings_follow_from_the_table():
    alike = rds_plus.likeness(FEATURES, ROWS, "auto")
    same, medians, length = rds_plus.likeness_findings(alike, SELECTIONS)
    assert "for 33 % of the pool" in same and "50 % (RDS+)" in same
    assert "1.000 (RDS+)" in medians and "2 of 3 rows" not in medians
    assert "2 of 3 rows have exactly" in length
    said = rds_plus.turns_finding(SELECTIONS, "rds_plus", "random_selection", 4)
    assert said.startswith("The turns do not matter") and "50 % of their rows" in said
    said = rds_plus.taken_finding(
        {"rds_plus": SELECTIONS["rds_plus"], "rds_plus(taken='next')": Selection(np.array([2, 3]))},
        "rds_plus", "rds_plus(taken='next')", 4,
    )  # fmt: skip
    assert said.startswith("Whether a target whose row is taken loses its turn or takes its next row matters")
    assert "RDS+ and RDS+ (taken next) have 0.0 % of their rows in common" in said
    curves = rds_plus.likeness_curves(alike, SELECTIONS)
    assert set(curves["method"]) == {"whole pool", "Random", "RDS+"}
