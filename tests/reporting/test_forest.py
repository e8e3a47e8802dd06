"""Pictures of comparisons, on planted scores."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from analysis.reporting import forest, group_map, regimes, style, versus_random
from analysis.reporting.trained_rows import Regime
from tests.reporting.planted import ACCURACY, LOSS, grid


@pytest.mark.parametrize("methods", [1, 2])
def test_the_map_shows_every_method_in_every_group_the_best_first(results, methods):
    groups = versus_random.by_group(results, ACCURACY)
    groups = groups[groups["method"].isin(groups["method"].unique()[:methods])]
    fig, ax = style.figure()
    group_map.draw(ax, groups)
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
    plt.close(fig)


def test_designs_share_an_axis_and_have_their_own_runs():
    results = grid({"token_length": 0.15, "cross_entropy": -0.15}, at_equal_tokens=("token_length",))
    table = versus_random.versus_random(results)
    designs = table[table["benchmark"] == ACCURACY]
    style.use()
    fig = forest.draw(designs, results, x="estimate", y="method", hue="method", panels="design", height=0.5)
    assert [ax.get_title("left") for ax in fig.axes] == [f"{ACCURACY}, equal rows", f"{ACCURACY}, equal tokens"]
    assert fig.axes[0].get_xlim() == fig.axes[1].get_xlim()
    plt.close(fig)


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow_and_hides_no_run():
    results = grid({"token_length": 0.02, "cross_entropy": 0.03}, n_random=6, n_runs=3)
    table = versus_random.versus_random(results)
    wide = table["method"] == "token_length"
    table.loc[wide, ["low", "high"]] = [-30.0, 0.1]
    fig = forest.draw(table, results, x="estimate", y="method", hue="method", height=0.5, decides=True)
    for ax in fig.axes:
        left, right = ax.get_xlim()
        arrows = [line for line in ax.lines if line.get_marker() == "<"]
        assert len(arrows) == 1 and arrows[0].get_xdata()[0] == pytest.approx(left)
        assert left > -3000 and all(
            left <= x <= right for line in ax.lines if line.get_marker() == "." for x in line.get_xdata()
        )
    plt.close(fig)


def test_methods_are_drawn_against_what_a_budget_buys():
    results = grid({"token_length": 0.15, "cross_entropy": -0.15}, budgets=(25, 100), at_equal_tokens=("token_length",))
    style.use()
    fig = regimes.draw(versus_random.versus_random(results), results, Regime(5, "skill"), ACCURACY)
    assert [ax.get_title("left") for ax in fig.axes] == ["Token length", "Cross-entropy"]
    assert [tick.get_text() for tick in fig.axes[0].get_xticklabels()] == ["5", "20"]
    assert {ax.get_xlabel() for ax in fig.axes} == {"rows per skill"}
    plt.close(fig)


def test_groups_of_few_items_have_no_colour_and_every_group_its_number(results):
    groups = versus_random.by_group(results, ACCURACY)
    groups.loc[groups["group"] == "family 0", ["items", "difference"]] = [7, 90.0]
    fig, ax = style.figure()
    group_map.draw(ax, groups)
    names = [text.get_text() for text in ax.get_xticklabels()]
    assert sum("(n 7, few)" in name for name in names) == 1 and sum("(n 100)" in name for name in names) == 3
    mesh = ax.collections[0]
    assert mesh.get_clim()[1] < 50 and np.ma.count_masked(mesh.get_array()) == 3
    assert sum(text.get_style() == "italic" for text in ax.texts) == 3
    plt.close(fig)
