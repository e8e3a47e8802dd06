"""Tables, plots and sentences of comparisons, on planted scores."""

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.benchmarks.result import NATS
from analysis.experiments.results import EQUAL_ROWS, Results
from analysis.methods import BASE, RANDOM
from analysis.reporting import forest, verdicts, versus_random
from analysis.reporting.topics import random_selection
from analysis.reporting.trained_rows import Regime
from analysis.statistics import BETTER, VERDICTS, WORSE
from tests.reporting.planted import ACCURACY, LOSS, N_ITEMS, grid


def verdict_of(table: pd.DataFrame, benchmark: str) -> dict[str, str]:
    return table[table["benchmark"] == benchmark].set_index("method")["verdict"].to_dict()


def test_planted_differences_get_their_verdicts(table):
    assert verdict_of(table, ACCURACY) == {
        "token_length": "better",
        "cross_entropy": "worse",
        "cross_entropy(variant='released')": "no difference larger than δ",
    }
    assert set(verdict_of(table, LOSS).values()) == {"no difference larger than δ"}


def test_shares_are_drawn_as_points_and_losses_as_they_are(table):
    drawn = versus_random.in_units(table)
    accuracy = table["benchmark"] == ACCURACY
    assert np.allclose(drawn.loc[accuracy, "estimate"], 100 * table.loc[accuracy, "estimate"])
    assert np.allclose(drawn.loc[~accuracy, "estimate"], table.loc[~accuracy, "estimate"])
    assert set(drawn["in"]) == {"points", "nats per answer token"}


def test_the_headline_names_every_method_once_with_regime_and_tokens(results, table):
    base = versus_random.against_base(results)
    first, second = verdicts.headline(table, base, Regime(12, "skill"))
    assert first.startswith(
        "On testbed accuracy, 100 rows (8.3 rows per skill), 1 of 3 methods is worth more than a random draw"
    )
    assert "better: Token length [3.0 × tokens]" in first and "worse: Cross-entropy" in first
    assert second.startswith(
        "On held-out answer loss, 100 rows (8.3 rows per skill), no method of 3 is found to be worth more"
    )
    for sentence in (first, second):
        assert all(sentence.count(name) == 1 for name in ("Token length", "(released)"))


def test_every_budget_and_design_has_a_sentence_and_all_are_one_family():
    results = grid({"token_length": 0.15, "cross_entropy": -0.15}, budgets=(25, 100), at_equal_tokens=("token_length",))
    table, base = versus_random.versus_random(results), versus_random.against_base(results)
    assert len(table) == 2 * 2 * 3 and table["n_runs"].eq(4).all() and table["n_random"].eq(8).all()
    of_accuracy = table[table["benchmark"] == ACCURACY]
    smallest = of_accuracy.loc[of_accuracy["p"].idxmin()]
    assert smallest["p_holm"] == pytest.approx(6 * smallest["p"])
    said = verdicts.headline(table, base, Regime(5, "skill"))
    starts = [
        "100 rows (20 rows per skill)",
        "100 rows (20 rows per skill), equal tokens",
        "25 rows (5 rows per skill)",
    ]
    for sentence, start in zip(said, starts, strict=False):
        assert sentence.startswith(f"On testbed accuracy, {start}, ")
    assert "of as many tokens (better: Token length)" in said[1]


def test_a_method_at_the_floor_is_marked_and_the_mark_explained():
    results = grid({"token_length": 0.0, "cross_entropy": -0.49})
    table, base = versus_random.versus_random(results), versus_random.against_base(results)
    assert "worse: Cross-entropy [at the floor]" in verdicts.headline(table, base, Regime(12, "skill"))[0]
    assert len(verdicts.floor_finding(table, base)) == 1
    above = grid({"token_length": 0.0})
    nothing = versus_random.versus_random(above), versus_random.against_base(above)
    assert verdicts.floor_finding(nothing[0][nothing[0]["benchmark"] == ACCURACY], nothing[1]) == []


def test_benchmarks_that_disagree_are_said_with_the_lengths_of_the_answers():
    results = grid({"token_length": 0.15, "cross_entropy": -0.15}, loss_shift=-0.5)
    rows = pd.DataFrame({"method": [RANDOM, "token_length", "cross_entropy"], "budget": 100, "design": EQUAL_ROWS,
                         "answer tokens": [40.0, 142.0, 12.0]})  # fmt: skip
    said = verdicts.disagreement(versus_random.versus_random(results), rows)
    assert len(said) == 1 and "above random on testbed accuracy, below on held-out answer loss" in said[0]
    assert "142 tokens on average, random's 40" in said[0]


def test_everything_below_the_base_is_said():
    results = grid({"token_length": 0.0})
    worse = results.runs.copy()
    worse.loc[worse["method"] == BASE, "items"] = pd.Series(
        [np.ones(N_ITEMS, np.float32)] * 2, index=worse.index[worse["method"] == BASE]
    )
    base = versus_random.against_base(Results(worse, results.groups))
    assert (
        "everything, random included, ends below it: hurts: Random and Token length" in verdicts.base_headline(base)[0]
    )


def test_fresh_runs_decide_what_a_first_look_left_open():
    small = {"token_length": 0.02, "cross_entropy": 0.0}
    first, again = grid(small, n_random=6, n_runs=3), grid({"token_length": 0.02}, n_random=18, n_runs=6)
    table = versus_random.versus_random(first, again)
    decided = table[table["benchmark"] == ACCURACY].set_index("method")
    assert decided.loc["token_length", ["look", "n_runs", "n_random"]].tolist() == ["confirmation", 6, 18]
    assert decided.loc["cross_entropy", ["look", "n_runs"]].tolist() == ["first", 3]
    alone = [
        versus_random.versus_random(one).set_index(["benchmark", "method"]).loc[(ACCURACY, "token_length"), "p"]
        for one in (first, again)
    ]
    assert decided.loc["token_length", "p"] == pytest.approx(min(5 * alone[0], 1.25 * alone[1]))
    for line in table.to_dict("records"):
        assert (line["p_holm"] < 0.05) == (line["low"] > 0 or line["high"] < 0)


def test_every_sentence_states_interval_and_numbers_of_runs(table):
    for sentence in verdicts.estimate_sentences(table):
        assert "95 % interval; 4 runs, 8 random ones, 400 items" in sentence
        assert sentence.endswith(".")
        assert not any(verdict in sentence for verdict in VERDICTS)  # one question, one verdict: that of the table


def test_table_picture_and_headline_say_the_same(results, table):
    base = versus_random.against_base(results)
    names = [RANDOM, *table["method"].unique()]
    rows = pd.DataFrame(
        {"method": names, "budget": 100, "design": EQUAL_ROWS, "rows": 100.0, "cut": 0.25, "seconds": 1.0}
    )
    decided = verdicts.decided(table, base, rows, Regime(10, "skill"))
    assert set(decided["rows cut"]) == {"25 %"} and set(decided["rows per skill"]) == {"10"}
    best_first = table.sort_values("estimate", ascending=False).sort_values("benchmark", ascending=False, kind="stable")
    assert decided["verdict"].str.removesuffix(" (at the floor)").tolist() == best_first["verdict"].tolist()
    for line in decided.to_dict("records"):
        ends = [float(end) for end in line["difference from random"].split("[")[1].rstrip("]").split(",")]
        assert (line["verdict"].split(" (")[0] in (BETTER, WORSE)) <= (ends[0] > 0 or ends[1] < 0)
    assert set(decided.loc[decided["benchmark"] == ACCURACY, "fine-tuning"]) == {"helps"}
    assert any("helps: Random" in sentence for sentence in verdicts.base_headline(base))
    fig = forest.draw(table, results, decides=True)
    for ax, (_, part) in zip(fig.axes, table.groupby("benchmark", sort=False), strict=True):
        beside = [text.get_text() for text in ax.texts if text.get_text() in (*VERDICTS, "< δ")]
        ranked = part.sort_values("estimate", ascending=False)["verdict"].replace("no difference larger than δ", "< δ")
        assert beside == ranked.tolist()


def test_what_the_design_could_see_is_said_and_what_more_runs_would_decide(table):
    seen = verdicts.resolution(table)
    assert len(seen) == 2 and all("in about four of five cases" in sentence for sentence in seen)
    open_ = table.assign(verdict="undecided", detectable=1.5)
    said = verdicts.resolution(open_)
    assert len(said) == 4 and "more than 100 points of " in said[0]
    runs = int(said[1].split("Token length ")[1].split(",")[0].split(" ")[0].rstrip("."))
    assert 2 <= runs <= 10 and "three times as many random ones" in said[1]


@pytest.mark.parametrize("at_most", [1, 12])
def test_groups_add_up_to_the_whole_difference_few_or_many(results, table, at_most):
    groups = versus_random.by_group(results, ACCURACY, at_most)
    one = groups[groups["method"] == "token_length"]
    whole = table[(table["method"] == "token_length") & (table["benchmark"] == ACCURACY)]["estimate"].iloc[0]
    assert np.average(one["difference"], weights=one["items"]) == pytest.approx(100 * whole, abs=1e-4)


def test_a_grid_without_a_method_is_refused():
    with pytest.raises(ValueError, match="at least one besides random_selection"):
        versus_random.versus_random(grid({}))


def test_the_spread_of_random_runs_is_divided_and_put_into_words():
    rng = np.random.default_rng(1)
    base = grid({})
    hardness = rng.random(N_ITEMS)
    lines = []
    for draw in range(12):
        level = rng.normal(0, 0.05)
        for seed in range(3):
            items = (hardness < 0.5 + level + rng.normal(0, 0.01)).astype(np.float32)
            lines.append(base.table.iloc[0].to_dict() | {"method": RANDOM, "budget": 100, "design": EQUAL_ROWS, "draw": draw, "training_seed": seed,
                         "score": float(items.mean()), "items": items,
                         "benchmark": ACCURACY, "unit": "share correct"})  # fmt: skip
    results = Results(pd.DataFrame(lines), {ACCURACY: ["one"] * N_ITEMS})
    parts = random_selection.variance_parts(results, 100, 12).set_index("source")["standard deviation"]
    assert 2.5 < parts["subset"] < 9 and parts["training seed"] < 2
    power = random_selection.detectable(results, 100, 12, most=6, deltas={})
    least = power.pivot(index="runs", columns="methods compared", values="detectable difference")
    assert (least.diff().dropna() < 0).all().all() and (least[12] > least[1]).all()
    said = findings_of({"one": results})
    assert (
        len(said) == 3 and "(12 subsets, 3 training seeds each)" in said[0] and "more than δ = 2.0: for δ" in said[-1]
    )
    both = findings_of({"one": results, "other": results})
    assert len(both) == 6 and "accuracy, one 36 random runs" in both[0] and "accuracy, other 36 random runs" in both[3]
    lost = [
        line | {"score": -2 - line["score"], "items": -2 - line["items"], "benchmark": LOSS, "unit": NATS.name}
        for line in lines
    ]
    lost = Results(pd.DataFrame(lost), {LOSS: ["one"] * N_ITEMS})
    assert " reach 2." in findings_of({"one": lost})[0]  # a loss, though scores hold it negated
    levels = random_selection.levels(lost)
    assert (levels["min"] < levels["mean"]).all() and (levels["min"] > 2).all()


def findings_of(settings):
    spread = random_selection.variance_by_setting(settings, 100, 12)
    return random_selection.findings(settings, spread, 100, 12, {})


def test_differences_that_matter_are_those_of_the_unit_unless_given(results):
    deltas = versus_random.versus_random(results).groupby("benchmark")["delta"].unique()
    assert deltas[ACCURACY] == [0.02] and deltas[LOSS] == [0.05]
    given = versus_random.versus_random(results, deltas={ACCURACY: 0.1}).groupby("benchmark")["delta"].unique()
    assert given[ACCURACY] == [0.1] and given[LOSS] == [0.05]
    with pytest.raises(ValueError, match="deltas: no benchmark 'accuracy'; there are testbed accuracy, held-out"):
        versus_random.versus_random(results, deltas={"accuracy": 0.1})


def test_only_what_is_undecided_and_promising_goes_on():
    lines = [
        ("a", "undecided", 0.1),
        ("b", "undecided", 0.5),
        ("c", "worse", 0.001),
        ("d", "no difference larger than δ", 0.1),
    ]
    table = pd.DataFrame(
        [{"method": name, "budget": 8, "design": EQUAL_ROWS, "verdict": verdict, "p": p} for name, verdict, p in lines]
    )
    assert versus_random.still_open(table) == {("a", 8, EQUAL_ROWS)}


def test_a_benchmark_of_answers_comes_before_the_loss_and_groups_are_of_the_first_that_has_several():
    runs = pd.DataFrame({"benchmark": [LOSS, "mmlu"], "items": [np.ones(40)] * 2})
    asked = Results(runs, {LOSS: ["books", "web"] * 20, "mmlu": [f"subject {item // 5}" for item in range(40)]})
    assert asked.benchmarks == ["mmlu", LOSS] and versus_random.grouped_benchmark(asked) == LOSS
    one = Results(runs, {LOSS: ["web"] * 40, "mmlu": ["mmlu"] * 40})
    assert versus_random.grouped_benchmark(one) == "mmlu"
