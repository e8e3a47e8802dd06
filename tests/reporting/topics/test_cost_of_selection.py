"""Costs by hand, the frontier on planted numbers, and what is said of them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.timings import Counted
from analysis.experiments.token_costs import ADAPTERS, FIXED, FORWARD, TRAINING, WITH_BUDGET, Stage
from analysis.methods import METHODS, RANDOM
from analysis.models.training.finetuning import FineTuning
from analysis.reporting import break_even
from analysis.reporting import cost_findings as words
from analysis.reporting.topics import cost_of_selection as topic
from analysis.reporting.trained_rows import Regime
from tests.reporting.planted import ACCURACY, grid

LOSSES = Stage("losses", FORWARD, tokens=1000, parameters=10)
GRADIENTS = Stage("gradients", ADAPTERS, tokens=1000, parameters=10, passes=4)
TUNED = Stage("tuned", TRAINING, tokens=100, parameters=10, passes=7, grows=WITH_BUDGET, rows=(1, 2))
TARGETS = Stage("targets", FORWARD, tokens=50, parameters=10, grows=FIXED)
STAGES = {
    "token_length": {},
    "cross_entropy": {"losses": LOSSES},
    "ifd": {"losses": LOSSES, "alone": Stage("alone", FORWARD, tokens=500, parameters=10)},
    "less": {"gradients": GRADIENTS, "targets": TARGETS},
}
# A device of 7.2e6 operations an hour that counts.
HARDWARE = topic.assumed({
    "rows": 1000, "budget": 100, "parameters": 20, "epochs": 3, "peak flop per second": 4000, "utilisation": 0.5,
})  # fmt: skip


def at_scale():
    # Ten tokens a row, a hundred rows.
    return topic.extrapolated(STAGES, HARDWARE, counted=Counted(100, 10), tokens_per_row=10).set_index("method")


def test_hours_by_hand():
    table = at_scale()
    assert table["training_hours"].iloc[0] == pytest.approx(6 * 20 * 3 * 100 * 10 / 7.2e6)
    assert table.loc["token_length", "hours"] == 0
    assert table.loc["cross_entropy", "hours"] == pytest.approx(2 * 20 * 10_000 / 7.2e6)
    assert table.loc["less", "hours"] == pytest.approx((4 * 20 * 10_000 * 4 + 2 * 20 * 50) / 7.2e6)
    assert table.loc["cross_entropy", "times_training"] == pytest.approx(400_000 / 360_000)


def test_what_another_method_had_stored_is_not_paid_twice():
    table = at_scale()
    assert table.loc["cross_entropy", "shared_hours"] == table.loc["cross_entropy", "hours"]
    assert table.loc["ifd", "hours"] == pytest.approx(1.5 * table.loc["cross_entropy", "hours"])
    assert table.loc["ifd", "shared_hours"] == pytest.approx(0.5 * table.loc["cross_entropy", "hours"])


def test_a_tuning_grows_with_the_budget_and_has_the_passes_assumed():
    large = topic.scaled({"tuned": TUNED}, rows=10, budget=5, parameters=20, epochs=3)
    assert topic.flop(large) == 6 * 20 * 500 * 3


def test_a_warm_up_of_a_least_number_of_rows_grows_once_its_share_is_more():
    floored = Stage("warm-up", ADAPTERS, tokens=128, parameters=10, floor=0.5)
    assert topic.scaled({"one": floored}, rows=1.5)["one"].tokens == 128
    assert topic.scaled({"one": floored}, rows=10)["one"].tokens == 640


def test_a_scorer_keeps_its_size():
    small = {"one": Stage("one", FORWARD, 100, 3, scorer="small")}
    assert topic.scaled(small, parameters=20, scorer_parameters=5)["one"].parameters == 5


def test_ratios_by_hand():
    table = topic.ratios(at_scale().reset_index()).set_index("method")
    assert words.ratios(topic.ratios(at_scale().loc[["token_length"]].reset_index())) == []  # reads nothing
    assert "token_length" not in table.index
    assert table.loc["cross_entropy", "ratio at 100%"] == pytest.approx(10 / 9)
    assert table.loc["cross_entropy", "ratio at 10%"] == pytest.approx(100 / 9)
    assert table.loc["cross_entropy", "published"] == 5 and table.loc["less", "published"] == 10
    assert table.loc["cross_entropy", "at_published"] == pytest.approx(2 / 9)
    text = " ".join(words.ratios(table.reset_index()))
    assert "5 times smaller" in text and "for 2 of 2" in text and "for 1 of 1" in text


def test_an_assumption_that_is_unknown_or_impossible_is_refused():
    with pytest.raises(ValueError, match="colour"):
        topic.assumed({"colour": 1})
    with pytest.raises(ValueError, match="utilisation"):
        topic.assumed({"utilisation": 1.2})


def test_a_straight_line_through_three_sizes():
    lines = [{"method": "ifd", "cost": "alone", "rows": rows, "seconds": 2 + 0.01 * rows} for rows in (100, 200, 400)]
    fit = topic.fits(pd.DataFrame(lines)).iloc[0]
    assert (fit["fixed"], fit["per_1000_rows"]) == pytest.approx((2, 10))
    assert not set(fit.index) & set(
        METHODS
    )  # a table heads a column that is called like a method by the method's label
    assert fit["largest_residual"] == pytest.approx(0, abs=1e-9)
    assert np.isnan(topic.fits(pd.DataFrame(lines[:2])).iloc[0]["largest_residual"])


def test_the_frontier_holds_what_nothing_beats_at_its_cost():
    cost, gain = [1, 2, 3, 3, 4, 1], [0, 5, 4, 6, 6, 0]
    assert topic.frontier(cost, gain).tolist() == [True, True, False, True, False, True]


def test_better_of_two_draws_by_hand():
    assert topic.better_of_two([0, 1, 2]) == pytest.approx((1 + 2 + 2) / 3 - 1)


def work():
    base = SimpleNamespace(model=SimpleNamespace(num_parameters=lambda: 10))
    return SimpleNamespace(pool=range(200), base=base, settings=FineTuning(epochs=2, least_steps=1))


def planted(shift):
    results = grid({"cross_entropy": shift, "token_length": 0.0}, budgets=(100, 200))
    return results.__class__(results.runs[results.runs["method"] != "base"], results.groups)


def costs_of(results):
    table = topic.compute(work(), results, STAGES, Counted(100, 100), {"rows": 2, "passes": 2})
    return table[(table["budget"] == 100) | (table["method"] == RANDOM)]


def test_compute_of_a_run_is_selecting_and_training():
    table = costs_of(planted(0.1)).set_index(["method", "budget"])
    assert table.loc[("cross_entropy", 100), "selecting"] == 2 * 10 * 2000  # twice the rows that were counted
    assert table.loc[("cross_entropy", 100), "training"] == 6 * 10 * 2 * 5001  # two passes over 50 tokens a row and 1
    assert table.loc[(RANDOM, 200), "total"] == 6 * 10 * 2 * 10_001


def test_break_even_is_against_what_costs_as_much():
    results = planted(0.1)
    table = break_even.against_draws(costs_of(results), results)
    table = table[table["benchmark"] == ACCURACY].set_index("method")
    # Token length trains on three times the tokens, for which twice the random rows can be had; cross-entropy does not.
    assert table.loc["token_length", "rows"] == 200 and table.loc["cross_entropy", "rows"] == 100
    assert table.loc["cross_entropy", "compute_ratio"] == pytest.approx((40_000 + 600_120) / 600_120)
    assert table.loc["cross_entropy", "verdict"] == break_even.PAYS
    assert table.loc["token_length", "verdict"] == break_even.OPEN
    said = words.headline(table.reset_index(), Regime(10, "skill"), 100)
    assert "10 rows per skill" in said[0] and "1 method of 2 pays" in said[0]


def test_a_method_that_loses_to_a_draw_does_not_pay():
    results = planted(-0.1)
    table = break_even.against_draws(costs_of(results), results).set_index(["benchmark", "method"])
    assert table.loc[(ACCURACY, "cross_entropy"), "verdict"] == break_even.DOES_NOT


def test_a_draw_that_costs_more_shows_only_that_a_method_pays():
    for shift, verdict in ((-0.1, break_even.OPEN), (0.1, break_even.PAYS)):
        results = planted(shift)
        costs = costs_of(results)
        costs.loc[costs["method"] == "cross_entropy", "total"] /= 2
        table = break_even.against_draws(costs, results)
        one = table[table["method"] == "cross_entropy"].iloc[0]
        assert one["compute_ratio"] * break_even.SAME_COMPUTE < 1 and one["verdict"] == verdict
        assert "at most 1.1 times as much (or of as many rows" in words.headline(table, Regime(10, "skill"), 100)[0]


def test_large_numbers_are_written_out():
    lines = topic.assumptions(topic.assumed({"parameters": 4.05e11}), 1.0).set_index("assumption")["value"]
    assert lines["rows"] == "1,000,000" and lines["utilisation"] == "0.4"
    large = topic.assumed({"parameters": 4.05e11, "rows": 1e9, "utilisation": 0.1})
    table = topic.extrapolated(STAGES, large, counted=Counted(100, 100), tokens_per_row=10.0)
    text = " ".join(words.at_scale(table, large))
    assert "405 billion parameters" in text and "e+" not in text
    line = {"benchmark": "accuracy", "method": "ifd", "compute_ratio": 1234.5, "rows": 40, "against": RANDOM, "unit": "share correct",
            "estimate": 0.1, "low": 0.0, "high": 0.2, "n_runs": 3, "verdict": break_even.OPEN}  # fmt: skip
    assert "(1,234 times the compute" in words.break_even(pd.DataFrame([line]))[0]


def test_gain_beside_cost_has_random_at_zero_and_a_frontier():
    results = planted(0.1)
    table = topic.gain_beside_cost(costs_of(results), results, 100)
    own = table[table["benchmark"] == ACCURACY].set_index(["method", "budget"])
    assert own.loc[(RANDOM, 100), "estimate"] == 0 and own.loc[(RANDOM, 100), "on_frontier"]
    assert own.loc[("cross_entropy", 100), "on_frontier"] and not own.loc[("token_length", 100), "on_frontier"]
    assert not own.isna().any().any()
