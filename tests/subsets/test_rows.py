from types import SimpleNamespace

import datasets
import numpy as np
import pandas as pd
import pytest

from analysis.features.arrays import Lengths
from analysis.methods import Selection
from analysis.subsets import rows

COUNTS = np.arange(1, 13)
LENGTHS = Lengths(COUNTS, COUNTS, COUNTS, 2 * COUNTS, COUNTS > 10)


def pool(**columns):
    """Twelve rows of as many sources, with these columns beside them."""
    each = {"source": [f"hub/{letter}.json" for letter in "abcdefghijkk"], "messages": [[]] * 12, "dup_group": [0] * 12}
    made = datasets.Dataset.from_dict(each | columns)
    return SimpleNamespace(rows=made, has_truth="fault" in columns)


def with_truth():
    return pool(skill=["add"] * 12, family=["sums"] * 6 + ["lists"] * 6, style=["terse"] * 12, fault=["", "typo"] * 6)


def test_small_sources_are_one_group_and_keep_their_kind():
    table = rows.table(pool(), LENGTHS)
    assert table["kind"].iloc[-1] == "hub/k.json" and table["group"].iloc[-1] == "k"
    assert table["group"].nunique() == rows.MOST_GROUPS and "all other" in set(table["group"])
    assert table["truncated"].sum() == 2 and table["total tokens"].iloc[0] == 2


def test_properties_are_those_of_the_testbed_or_the_source():
    known = rows.properties(rows.table(with_truth(), LENGTHS))
    assert list(known) == ["family", "style", "fault", "answer length"]
    assert known["fault"].tolist() == ["correct", "typo"] * 6
    assert list(rows.properties(rows.table(pool(), LENGTHS))) == ["source", "answer length"]
    assert rows.properties(rows.table(pool(), LENGTHS), ("fault",)) == {}


@pytest.mark.parametrize("n", [5, 7, 100, 5000])
def test_equal_parts_differ_by_one_row_at_most_and_are_ascending(n):
    parts = rows.equal_parts(pd.Series(np.arange(n)), 5)
    assert parts.is_monotonic_increasing and set(parts) == set(range(5))
    assert np.ptp(parts.value_counts()) == (n % 5 > 0)


def test_rows_are_shown_with_what_the_pool_has_of_them():
    assert rows.shown(pool(), [2]) == [{"source": "hub/c.json", "messages": []}]
    assert list(rows.shown(with_truth(), [1])[0]) == ["source", "skill", "style", "fault", "messages"]


def test_the_same_rows_are_drawn_at_every_call():
    assert np.array_equal(rows.drawn(100, 7), rows.drawn(100, 7)) and len(set(rows.drawn(100, 7))) == 7
    assert rows.drawn(4, 7).tolist() == [0, 1, 2, 3]


def test_quantiles_are_of_the_pool_and_of_every_selection():
    values = np.array([1.0, 2.0, np.nan, 4.0])
    found = rows.quantiles(rows.by_selection(values, {"token_length": Selection(np.array([3, 1]))}), "bytes")
    assert found.columns.tolist() == ["method", "share of rows", "bytes"]
    assert found.groupby("method", sort=False)["bytes"].last().to_dict() == {"whole pool": 4, "Token length": 4}
    assert found.groupby("method")["bytes"].first()["Token length"] == pytest.approx(2.01)


def test_shares_are_of_each_part_and_nothing_is_zero():
    found = rows.shares({"one": np.array(["a", "a", "b", "c"]), "other": np.array(["d"])})
    assert found["one"].to_dict() == {"a": 0.5, "b": 0.25, "c": 0.25, "d": 0} and found.loc["d", "other"] == 1
