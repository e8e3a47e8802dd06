"""The rule on published results: what was seen in the data is found again, and planted differences are called."""

import numpy as np
import pandas as pd
import pytest

from analysis.experiments import published
from analysis.reporting.topics import published_grids
from analysis.statistics import BETTER, NO_DIFFERENCE, UNDECIDED


@pytest.fixture(scope="module")
def table():
    return published.budgets()


def planted(differences, spread=0.005):
    """One pool, base and benchmark: three draws around 0.5, three runs of a method beyond them by each difference."""
    around = np.array([-1, 0, 1]) * spread
    lines = [("p", "m", "b", "Random", 500, seed, 0.5 + noise) for seed, noise in enumerate(around)]
    lines += [("p", "m", "b", name, 500, seed, 0.5 + minus + noise)
              for name, minus in differences.items() for seed, noise in enumerate(around)]  # fmt: skip
    lines.append(("p", "m", "b", "zero-shot", 0, np.nan, 0.4))
    return pd.DataFrame(lines, columns=["pool", "model", "benchmark", "method", "budget", "seed", "score"])


def test_the_tables_are_whole(table):
    assert len(table) == 6050 and len(published.tenths()) == 1500 and len(published.single_runs()) == 24
    trained = table[table["method"] != published.ZERO_SHOT]
    assert (trained.groupby([*published.CELL, "method", "budget"])["seed"].nunique() == 3).all()


def test_pooled_differences_are_those_that_were_seen_in_the_data(table):
    overall = published_grids.pooled(published_grids.differences(table), ["method"]).set_index("method")
    expected = {"LESS (RR)": 0.0246, "RDS+ (RR)": 0.0189, "EMBED (RR)": 0.0099}
    assert {name: round(overall.loc[name, "estimate"], 4) for name in expected} == expected
    assert (overall["n_bases"] == 10).all()
    assert published_grids.spread_of_draws(table).median() == pytest.approx(0.0080, abs=5e-5)


def test_random_draws_lie_below_the_base_as_often_as_was_seen(table):
    said = published_grids.base_findings(published_grids.against_base(table))
    assert "at 500 rows" in said and "(27 means lie below the base)" in said and "(13 means lie below the base)" in said


def test_a_planted_difference_is_called_and_none_is_not():
    found = published_grids.verdicts(planted({"much": 0.1, "none": 0.0, "some": 0.013}), delta=0.02).set_index("method")
    assert found["verdict"].to_dict() == {"much": BETTER, "none": NO_DIFFERENCE, "some": UNDECIDED}
    assert found.loc["much", "estimate"] == pytest.approx(0.1)
    by_hand = 0.005 * np.sqrt(2 / 3)  # Student's standard error of a difference of two means of three
    assert (found.loc["much", "alone_high"] - 0.1) / by_hand == pytest.approx(2.776, abs=1e-3)


def test_tenths_that_fall_with_the_distance_are_found_and_the_nearest_is_best():
    rng = np.random.default_rng(0)
    lines = [(pool, model, "b", "R", tenth, 0.5 - 0.01 * tenth + rng.normal(0, 0.001))
             for pool in "pq" for model in "mno" for tenth in range(10)]  # fmt: skip
    made = pd.DataFrame(lines, columns=["pool", "model", "benchmark", "representation", "quantile", "score"])
    slopes = published_grids.slopes(made).set_index("what")
    assert slopes["estimate"].tolist() == pytest.approx([0.05, -0.09], abs=2e-3)
    assert slopes.loc["nearest minus others", "low"] > 0 > slopes.loc["farthest minus nearest, by a line", "high"]
    assert published_grids.best_tenth(made)["R"] == 1


def test_single_runs_get_sizes_and_no_verdict():
    table = published_grids.single_run_table(published.single_runs())
    assert table.loc["mig", "llama-3.1-8b"] == pytest.approx(55.32 - 51.81) and "whole pool" not in table.index
    said = published_grids.single_run_finding(table)
    assert "no verdict" in said and "21 of -7.1 to +3.5 points" in said
    assert not {"better", "worse"} & set(said.split())
