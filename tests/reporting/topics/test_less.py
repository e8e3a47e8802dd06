from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.features.arrays import Influences
from analysis.methods import Selection
from analysis.reporting.topics import less

N_ROWS = 40
FAMILY = np.array(["sums", "lists"] * (N_ROWS // 2))


FEATURES = SimpleNamespace(row_keys=lambda: np.arange(N_ROWS, dtype=np.uint64))
# Two families in which answers grow from row to row.
ROWS = pd.DataFrame({
    "kind": FAMILY, "answer tokens": np.arange(1, N_ROWS + 1), "fault": np.where(np.arange(N_ROWS) < 10, "typo", ""),
})  # fmt: skip


def influences(values, on_pool=None, rates=(2.0, 1.0)):
    values = np.asarray(values, dtype=np.float32)
    on_pool = values[:, :, 0] if on_pool is None else np.asarray(on_pool, dtype=np.float32)
    return Influences(
        values, on_pool, np.abs(values[:, :, 0]) + 1, ("lists", "sums"), np.array([5, 3]), np.array(rates)
    )


@pytest.fixture
def found():
    """Rows that help targets of their own family alone, the longer the more."""
    own = np.stack([FAMILY == "lists", FAMILY == "sums"], axis=1) * np.linspace(0.1, 1, N_ROWS)[:, None]
    return influences(
        np.repeat(own[:, None, :], 2, axis=1), on_pool=np.linspace(1, 0, N_ROWS)[:, None].repeat(2, axis=1)
    )


def test_the_variants_share_a_warm_up_and_only_one_has_targets():
    original, released = less.variants({"epochs": 4, "rank": 128, "targets": "pool"})
    assert original == "less(targets='pool', epochs=4, rank=128)"
    assert released == "less(variant='released', epochs=4, rank=128)"
    assert less.variants({})[0] == "less(targets='auto')"
    with pytest.raises(ValueError, match="unknown option 'ranks'"):
        less.variants({"ranks": 2})


def test_affinity_is_the_mean_of_a_kind_less_that_of_all(found):
    values = less.affinity(ROWS, found)
    assert values.index.tolist() == values.columns.tolist() == ["lists", "sums"]
    weighted = less.by_target(found)
    np.testing.assert_allclose(weighted, found.values[:, 0], atol=1e-6)
    expected = weighted[FAMILY == "sums", 0].mean() - weighted[:, 0].mean()
    assert values.loc["sums", "lists"] == pytest.approx(expected)
    assert values.loc["sums", "sums"] > 0 > values.loc["sums", "lists"]


def test_shares_of_tenths_count_every_selected_row_once():
    longest = Selection(np.arange(36, 40))
    tenths = less.selected_by_length(ROWS, {"less": longest})
    assert tenths["tenth"].tolist() == list(range(1, 11)) and tenths["share selected"].tolist() == [0] * 9 + [1]
    assert tenths["answer tokens"].iloc[0] == 2.5


def test_changes_are_measured_one_by_one(found):
    changed = less.changes(FEATURES, found, budget=10, seed=0)
    assert changed["overlap"].tolist() == [1, 1, 0, 0]
    assert changed["spearman"].tolist() == pytest.approx([1, 1, -1, -1])
    said = less.changes_finding(changed)
    assert "weighting of epochs does not matter by this page's rule (100 %" in said
    assert "target drawn from the pool matters by this page's rule (0.0 %" in said and said.endswith(
        "with both 0.0 % remain."
    )


def test_findings_are_about_the_rows_selected(found):
    chosen = Selection(np.arange(39, 29, -1), scores=less.by_target(found).max(axis=1))
    own, served = less.group_findings(ROWS, found, chosen)
    assert "of its own kind for 100 % of the pool (50 % if" in own and own.endswith("for 100 % of the selected.")
    assert "2 of 2 groups of targets, most of all on lists (50 %) and sums (50 %)" in served
    length, faults, epochs, ties = less.score_findings(ROWS, found, chosen)
    assert "correlation of answer length is 1.00 with the score" in length
    assert (
        "A faulty row scores higher than 14 % of the pool in the median, one without fault higher than 64 %" in faults
    )
    assert "of 1.00 at least" in epochs and ties == "0 of 40 rows repeat the score of another."


def test_targets_of_other_kinds_are_not_called_a_row_s_own(found):
    other = ROWS.assign(kind="file")
    said = less.group_findings(other, found, Selection(np.arange(10)))
    assert len(said) == 1 and "own kind" not in said[0]
    assert less.affinity(other, found).index.tolist() == ["file"]


def test_a_row_without_a_gradient_is_left_out(found):
    found.values[3] = found.on_pool[3] = np.nan
    chosen = Selection(np.arange(39, 29, -1), scores=less.score(found.values, np.array([0.5, 0.5])))
    assert "of 39 rows repeat" in less.score_findings(ROWS, found, chosen)[-1]
    assert "for 100 % of the pool" in less.group_findings(ROWS, found, chosen)[0]
    assert less.changes(FEATURES, found, budget=10, seed=0)["spearman"].notna().all()
