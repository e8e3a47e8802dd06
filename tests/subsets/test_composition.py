import numpy as np
import pandas as pd
import pytest

from analysis.methods import Selection
from analysis.subsets import composition

ROWS = pd.DataFrame({
    "source": ["a", "a", "a", "b"], "dup_group": [0, 0, 1, 2], "answer tokens": [4, 2, 1, 3],
    "total tokens": [8, 4, 2, 6], "truncated": [True, False, False, False], "group": ["a", "a", "a", "b"],
})  # fmt: skip
TRUTH = ROWS.assign(skill=list("xxyy"), family="sums", style="terse", fault=["typo", "", "", ""])
SELECTIONS = {
    "random_selection": Selection(np.array([1, 2])),
    "token_length": Selection(np.array([0, 1]), excluded={"no answer": 1}),
}


def test_a_selection_is_described_beside_the_pool():
    found = composition.describe(TRUTH, SELECTIONS).set_index("method")
    assert found.index.tolist() == ["whole pool", "Random", "Token length"]
    line = found.loc["Token length"].to_dict()
    assert line == {
        "rows": 2, "median answer tokens": 3, "total tokens": 12, "skills": 1, "repeated rows": 0.5,
        "cut by max_tokens": 0.5, "faulty rows": 0.5, "shared with random": 0.5, "not selectable": 1,
    }  # fmt: skip
    assert "faulty rows" not in composition.describe(ROWS, SELECTIONS)


def test_curves_end_at_the_longest_row():
    last = composition.length_curves(ROWS, SELECTIONS).groupby("method")["answer tokens"].last()
    assert last.to_dict() == {"whole pool": 4, "Random": 2, "Token length": 4}


def test_the_shift_is_the_difference_of_shares_and_sums_to_zero():
    found = composition.composition_shift(TRUTH, SELECTIONS)
    typo = found[(found["what"] == "fault: typo") & (found["method"] == "Token length")].iloc[0]
    assert typo["difference in share"] == pytest.approx(0.25)
    sources = composition.composition_shift(ROWS, SELECTIONS)
    assert set(sources["what"]) == {"a", "b"}
    assert sources.groupby("method")["difference in share"].sum().tolist() == pytest.approx([0, 0])
