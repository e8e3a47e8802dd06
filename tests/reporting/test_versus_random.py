"""Tables, plots and sentences of comparisons, on planted scores."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.experiments.results import Results
from analysis.methods import BASE, RANDOM
from analysis.reporting import forest, style, verdicts, versus_random
from analysis.reporting.topics import random_selection
from analysis.statistics import BETTER, VERDICTS, WORSE

N_ITEMS = 400
ACCURACY, LOSS = "testbed accuracy", "held-out answer loss"


def grid(shifts: dict[str, float], n_random: int = 8, n_seeds: int = 4, budget: int = 100) -> Results:
    """Runs whose accuracy is .5 plus a shift, run by run nearly the same; the loss benchmark has nothing planted."""
    rng, lines = np.random.default_rng(0), []
    runs = [(BASE, 0, 0, 0, -0.5)]
    runs += [(RANDOM, budget, draw, draw, 0.0) for draw in range(n_random)]
    runs += [(name, budget, 0, seed, shift) for name, shift in shifts.items() for seed in range(n_seeds)]
    hardness = rng.random(N_ITEMS)
    for method, size, draw, seed, shift in runs:
        right = (hardness < 0.5 + shift + rng.normal(0, 0.004)).astype(np.float32)
        loss = (-1 - hardness + rng.normal(0, 0.01, N_ITEMS)).astype(np.float32)
        for name, items, unit in ((ACCURACY, right, "share correct"), (LOSS, loss, "nats per answer token, negated")):
            lines.append({
                "method": method, "budget": size, "draw": draw, "training_seed": seed, "benchmark": name, "unit": unit,
                "score": float(items.mean()), "n_items": N_ITEMS, "n_rows": size, "tokens_trained": 50.0 * size + 1,
                "seconds_select": 0.1, "seconds_train": 1.0, "seconds_evaluate": 1.0, "items": items,
            })  # fmt: skip
    groups = [f"family {place % 4}" for place in range(N_ITEMS)]
    return Results(pd.DataFrame(lines), {ACCURACY: groups, LOSS: groups})


@pytest.fixture(scope="module")
def results():
    return grid({"token_length": 0.15, "cross_entropy": -0.15, "cross_entropy(variant='released')": 0.0})


@pytest.fixture(scope="module")
def table(results):
    return versus_random.versus_random(results, deltas={ACCURACY: 0.03, LOSS: 0.03})


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


def test_the_headline_names_every_method_once(table):
    first, second = verdicts.headline(table)
    assert first.startswith("1 of 3 methods is worth more than a random draw on testbed accuracy")
    assert "better: Token length" in first and "worse: Cross-entropy" in first
    assert second.startswith("No method of 3 is worth more")


def test_every_sentence_states_interval_and_numbers_of_runs(table):
    for sentence in verdicts.estimate_sentences(table, "equal rows"):
        assert "95 % interval; 4 runs, 8 random ones, 400 items" in sentence
        assert "equal rows" in sentence and sentence.endswith(".")
        assert not any(verdict in sentence for verdict in VERDICTS)  # one question, one verdict: that of the table


def test_table_picture_and_headline_say_the_same(results, table):
    base = versus_random.against_base(results)
    decided = verdicts.decided(table, base)
    assert decided["verdict"].tolist() == table["verdict"].tolist()
    for line in decided.to_dict("records"):
        ends = [float(end) for end in line["difference from random"].split("[")[1].rstrip("]").split(",")]
        assert (line["verdict"] in (BETTER, WORSE)) <= (ends[0] > 0 or ends[1] < 0)
    assert set(decided.loc[decided["benchmark"] == ACCURACY, "fine-tuning"]) == {"helps"}
    assert any("helps: Random" in sentence for sentence in verdicts.base_headline(base))
    fig = forest.draw(table, results, x="estimate", y="method", hue="method", height=1, decides=True)
    for ax, (_, part) in zip(fig.axes, table.groupby("benchmark", sort=False), strict=True):
        beside = [text.get_text() for text in ax.texts if text.get_text() in (*VERDICTS, "< δ")]
        ranked = part.sort_values("estimate", ascending=False)["verdict"].replace("no difference larger than δ", "< δ")
        assert beside == ranked.tolist()


def test_resolution_is_given_for_each_benchmark(table):
    sentences = verdicts.resolution(table)
    assert len(sentences) == 2 and all("four of five cases" in sentence for sentence in sentences)


@pytest.mark.parametrize("at_most", [1, 12])
def test_groups_add_up_to_the_whole_difference_few_or_many(results, table, at_most):
    groups = versus_random.by_group(results, ACCURACY, at_most)
    one = groups[groups["method"] == "token_length"]
    whole = table[(table["method"] == "token_length") & (table["benchmark"] == ACCURACY)]["estimate"].iloc[0]
    assert np.average(one["difference"], weights=one["items"]) == pytest.approx(100 * whole, abs=1e-4)


@pytest.mark.parametrize("methods", [1, 2])
def test_the_map_shows_every_method_in_every_group_the_best_first(results, methods):
    groups = versus_random.by_group(results, ACCURACY)
    groups = groups[groups["method"].isin(groups["method"].unique()[:methods])]
    fig, ax = style.figure()
    forest.group_map(ax, groups)
    shown = [float(text.get_text()) for text in ax.texts]
    assert np.allclose(np.sort(shown), np.sort(groups["difference"].round()))
    means = groups.groupby("name")["difference"].mean()
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert sorted(names) == sorted(means.index) and means[names].is_monotonic_decreasing
    plt.close(fig)


def test_every_method_is_drawn_beside_random(results, table):
    style.use()
    fig = forest.draw(table, results, x="estimate", y="method", hue="method", height=0.5)
    ax = fig.axes[0]
    assert [one.get_title("left") for one in fig.axes] == [ACCURACY, LOSS]
    assert [name.get_text() for name in ax.get_yticklabels()[:2]] == ["Random", "Token length"]
    assert len(ax.get_yticklabels()) == 4
    forest.score_dots(ax, forest.not_base(results), versus_random.base_score(results, ACCURACY))
    plt.close(fig)


def test_designs_share_an_axis_and_have_their_own_runs(results, table):
    designs = pd.concat(
        table[table["benchmark"] == ACCURACY].assign(design=name) for name in ("equal rows", "equal tokens")
    )
    both = {"equal rows": results, "equal tokens": results}
    style.use()
    fig = forest.draw(designs, both, x="estimate", y="method", hue="method", panels="design", height=0.5)
    assert [ax.get_title("left") for ax in fig.axes] == [f"{ACCURACY}, {name}" for name in both]
    assert fig.axes[0].get_xlim() == fig.axes[1].get_xlim()
    plt.close(fig)


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
            lines.append(base.table.iloc[0].to_dict() | {"method": RANDOM, "budget": 100, "draw": draw, "training_seed": seed,
                         "score": float(items.mean()), "items": items,
                         "benchmark": ACCURACY, "unit": "share correct"})  # fmt: skip
    results = Results(pd.DataFrame(lines), {ACCURACY: ["one"] * N_ITEMS})
    parts = random_selection.variance_parts(results, 100, 12).set_index("source")["standard deviation"]
    assert 2.5 < parts["subset"] < 9 and parts["training seed"] < 2
    power = random_selection.detectable(results, 100, 12, most=6, deltas={})
    least = power.pivot(index="runs", columns="methods compared", values="detectable difference")
    assert (least.diff().dropna() < 0).all().all() and (least[12] > least[1]).all()
    said = random_selection.findings(results, random_selection.variance_parts(results, 100, 12), 100, 12, {})
    assert (
        len(said) == 3 and "(12 subsets, 3 training seeds each)" in said[0] and "more than δ = 2.0: for δ" in said[-1]
    )


def test_differences_that_matter_are_those_of_the_unit_unless_given(results):
    deltas = versus_random.versus_random(results).groupby("benchmark")["delta"].unique()
    assert deltas[ACCURACY] == [0.02] and deltas[LOSS] == [0.05]
    given = versus_random.versus_random(results, deltas={ACCURACY: 0.1}).groupby("benchmark")["delta"].unique()
    assert given[ACCURACY] == [0.1] and given[LOSS] == [0.05]
    with pytest.raises(ValueError, match="deltas: no benchmark 'accuracy'; there are testbed accuracy, held-out"):
        versus_random.versus_random(results, deltas={"accuracy": 0.1})
