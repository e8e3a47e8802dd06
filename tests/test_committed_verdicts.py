"""The committed verdicts are those that the quick profile still gives, where its run lies in this checkout."""

import pandas as pd
import pytest

from analysis.paths import FIGURES, REPORTS
from analysis.statistics import BETTER, WORSE

NAME = "30_versus_random/versus_random.csv"
KEY = ["benchmark", "method", "budget", "design"]
CLEAR = (
    5  # a p so many times away from 0.05, before and now, is not on another side because a machine rounds differently
)


@pytest.fixture(scope="module")
def tables():
    """The committed table and that of the last quick run, a line per comparison in the same order."""
    made = REPORTS / "quick" / "figures" / NAME
    if not made.is_file():
        pytest.skip("no quick run in this checkout: ./run_all.sh")
    return tuple(pd.read_csv(path).set_index(KEY).sort_index() for path in (FIGURES / NAME, made))


def test_the_same_comparisons_are_made_on_as_many_runs(tables):
    committed, made = tables
    assert list(committed.index) == list(made.index)
    for name in ("n_runs", "n_random", "n_items", "in"):
        assert committed[name].tolist() == made[name].tolist()


def test_a_clear_verdict_is_the_same(tables):
    committed, made = tables
    clear = pd.concat(
        [(table["p_holm"] < 0.05 / CLEAR) | (table["p_holm"] > 0.05 * CLEAR) for table in tables], axis=1
    ).all(axis=1)
    assert clear.any()
    called = [BETTER, WORSE]
    found, expected = (table["verdict"].where(table["verdict"].isin(called), "") for table in (made, committed))
    assert found[clear].tolist() == expected[clear].tolist()
    assert not ((found != expected) & (found != "") & (expected != "")).any(), "better became worse, or worse better"


def test_an_estimate_lies_in_the_committed_interval(tables):
    committed, made = tables
    inside = made["estimate"].between(committed["low"], committed["high"])
    assert inside.all(), made.loc[~inside, ["estimate"]].join(committed[["low", "high"]])
