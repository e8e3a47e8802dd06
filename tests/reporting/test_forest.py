"""Pictures of comparisons, on planted scores."""

from dataclasses import replace
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.reporting import forest, group_map, regimes, style, versus_random
from analysis.reporting.trained_rows import Regime
from analysis.reporting.wording import in_lines
from tests.reporting.planted import ACCURACY, LOSS, N_ITEMS, grid


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
    fig = forest.draw(table, results)
    ax = fig.axes[0]
    assert [one.get_title("left") for one in fig.axes] == [ACCURACY, LOSS]
    assert [name.get_text() for name in ax.get_yticklabels()[:2]] == ["Random", "Token length"]
    assert len(ax.get_yticklabels()) == 4
    plt.close(fig)


def test_names_stand_clear_of_one_another_and_break_between_words():
    assert in_lines("LESS (targets held-out)", 19) == "LESS (targets\nheld-out)"
    quotas = [
        f"kmeans(inside={inside!r}, quota='equal')" for inside in ("cross_entropy", "token_length", "zip_compression")
    ]
    results = grid(dict.fromkeys(quotas, 0.1))
    style.use()
    fig = forest.draw(versus_random.versus_random(results), results)
    fig.canvas.draw()
    for ax in fig.axes:
        names = ax.get_yticklabels()
        boxes = [name.get_window_extent() for name in names]  # from random's, on top, downwards
        assert [name.get_text().count("\n") for name in names] == [0, 1, 1, 1]
        assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))
    plt.close(fig)


def test_designs_share_an_axis_that_holds_all_intervals_and_have_their_own_runs():
    results = grid({"token_length": 0.15, "cross_entropy": -0.15}, at_equal_tokens=("token_length",))
    table = versus_random.versus_random(results)
    designs = table[table["benchmark"] == ACCURACY]
    style.use()
    fig = forest.draw(designs, results, panels="design")
    assert [ax.get_title("left") for ax in fig.axes] == [f"{ACCURACY}, equal rows", f"{ACCURACY}, equal tokens"]
    (left, right), *others = [ax.get_xlim() for ax in fig.axes]
    assert others == [(left, right)]
    drawn = versus_random.in_units(designs)
    assert left < drawn["alone_low"].min() < 0 < drawn["alone_high"].max() < right
    plt.close(fig)


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow_and_hides_no_run():
    results = grid({"token_length": 0.02, "cross_entropy": 0.03}, n_random=6, n_runs=3)
    table = versus_random.versus_random(results)
    wide = table["method"] == "token_length"
    table.loc[wide, ["low", "high"]] = [-30.0, 0.1]
    fig = forest.draw(table, results, decides=True)
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


def cut(fig) -> list[str]:
    """Axes that leave the figure or reach into the strip at its foot, once it is laid out as it is saved."""
    style._add_provenance(fig, "mine.jsonl, up to 6,000 rows in up to 3 parts · budgets 40 and 150 · scratch")
    fig.canvas.draw()
    strip = max(text.get_window_extent().y1 for text in fig.texts)
    width, height = fig.bbox.size
    boxes = [ax.get_tightbbox() for ax in fig.axes]
    assert all(text.get_window_extent().x1 <= width for text in fig.texts)
    return [str(box) for box in boxes if box.x0 < -1 or box.x1 > width + 1 or box.y0 < strip - 1 or box.y1 > height + 1]


@pytest.mark.parametrize("n_methods", [1, 3, 12])
@pytest.mark.parametrize("group", ["alpaca", "toolformer-dedupe-only-dataset/train"])
def test_names_of_many_groups_and_of_methods_are_whole(n_methods, group):
    names = [f"IFD (pre experience, clusters {n})" for n in range(n_methods)]
    groups = pd.DataFrame([
        {"group": f"{group} {n}", "items": 30, "method": name, "name": name, "difference": 0.01 * n, "unit": "nats", "in": "nats per answer token"}
        for name in names for n in range(13)
    ])  # fmt: skip
    style.use()
    fig, ax = style.figure("full", group_map.height(groups))
    group_map.draw(ax, groups)
    ax.set_title("held-out answer loss: difference from random, 150 rows")
    assert cut(fig) == []
    plt.close(fig)


@pytest.mark.parametrize("n_methods", [1, 3, 12])
@pytest.mark.parametrize("benchmark", [ACCURACY, LOSS])
def test_panels_of_budgets_have_whole_labels_and_say_what_is_called(n_methods, benchmark):
    methods = {f"perplexity(band=({n}, {n + 20}))": 0.2 * (-1) ** n for n in range(n_methods)}
    results = grid(methods, budgets=(25, 100), n_random=6, n_runs=4, at_equal_tokens=tuple(methods)[:1])
    table = versus_random.versus_random(results)
    style.use()
    fig = regimes.draw(table, results, Regime(5, "cluster"), benchmark)
    drawn = table[table["benchmark"] == benchmark]
    texts = [text for ax in fig.axes for text in ax.texts]
    words = [text.get_text() for text in texts]
    assert all((text.xy[1] > 0) == (text.get_text() == "better") for text in texts), "on the side away from zero"
    assert all(words.count(verdict) == (drawn["verdict"] == verdict).sum() for verdict in ("better", "worse"))
    assert n_methods == 1 or benchmark == LOSS or {"better", "worse"} == set(words)
    assert benchmark in fig.texts[-1].get_text() and cut(fig) == []
    plt.close(fig)


def test_differences_without_verdicts_have_no_words():
    results = grid({"token_length": 0.2}, budgets=(25, 100), n_random=6, n_runs=4)
    table = versus_random.versus_random(results)
    fig = regimes.draw(table.drop(columns="verdict"), results, Regime(5, "skill"), ACCURACY)
    assert not [text for ax in fig.axes for text in ax.texts] and "bars: 95 % intervals" in fig.texts[-1].get_text()
    plt.close(fig)


def test_groups_of_few_items_are_one(results):
    small = versus_random.item_groups(results, ACCURACY, at_most=2)
    assert set(small) == {"family 0", "family 1", "all other"}
    assert set(versus_random.item_groups(results, ACCURACY)) == {f"family {n}" for n in range(4)}
    few = grid({"token_length": 0.1}, n_random=3)
    few = replace(few, groups={name: [f"source {n}" for n in range(N_ITEMS)] for name in (ACCURACY, LOSS)})
    assert set(versus_random.item_groups(few, LOSS)) == {"all"}
