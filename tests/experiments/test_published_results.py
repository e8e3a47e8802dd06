"""Runs of a published file as results: one comparison at a time, worked out by hand, and nothing mixed."""

import numpy as np
import pytest

from analysis.experiments.published_results import chosen, comparisons
from analysis.methods import BASE, RANDOM
from analysis.reporting import versus_random
from tests.published_lines import H100, compared_lines, line, written


def test_results_are_those_of_the_lines(tmp_path):
    compared, others = chosen(written(tmp_path, compared_lines()))
    assert (compared.pool, compared.base, compared.n_parts, others) == ("rows", "model", 3, [])
    table = compared.results.table.set_index(["method", "draw"])
    assert table.loc[("ifd", 2), "score"] == pytest.approx(-1.5) and table.loc[(BASE, 0), "score"] == pytest.approx(-4)
    assert table.loc[("ifd", 0), ["part", "budget", "n_rows", "tokens_trained", "n_items"]].tolist() == [
        0,
        2,
        2,
        30,
        40,
    ]
    assert table["seconds_select"].isna().all()
    assert compared.results.item_groups("held-out answer loss").tolist() == ["left", "right"] * 20
    found = versus_random.versus_random(compared.results).set_index("method")
    assert found.loc["ifd", "estimate"] == pytest.approx(0.5) and found.loc["ifd", "tokens_ratio"] == pytest.approx(1.5)


def test_rows_are_counted_once_and_rows_of_two_parts_are_different(tmp_path):
    lines = [*compared_lines(), line("ifd", 0, -1.5, rows=[1, 2], training_seed=9)]
    compared, _ = chosen(written(tmp_path, lines))
    assert compared.different_rows["ifd", 2] == 7  # places 0 and 1 of three parts, and place 2 of the first
    assert compared.different_rows[BASE, 0] == 0


@pytest.mark.parametrize(
    "other, told",
    [
        ({"pool": "other rows"}, ("pool", "other rows")),
        ({"base": "other model"}, ("model", "other model")),
        ({"settings": {"learning_rate": 0.5}}, ("learning_rate", 0.5)),
        ({"device": "cpu"}, ("device", "cpu")),
        ({"prepared": {"seed": 7}}, ("seed", 7)),
    ],
)
def test_what_was_made_otherwise_is_another_comparison(tmp_path, other, told):
    few = [line(method, part, -9, **other) for method in (RANDOM, "ifd") for part in range(2)]
    compared, (further,) = chosen(written(tmp_path, [*few, *compared_lines()]))
    assert len(compared.lines) == 7 and len(further.lines) == 4
    assert compared.results.table["score"].min() == -4
    assert further.described[told[0]] == told[1] != compared.described[told[0]]
    assert chosen(written(tmp_path, [*few, *compared_lines()]), 2)[0].lines == further.lines


def test_another_budget_belongs_to_the_comparison_and_needs_random_draws(tmp_path):
    more = [line("ifd", part, -1, budget=3, prepared={"budget": [3]}) for part in range(2)]
    compared, others = chosen(written(tmp_path, [*compared_lines(), *more]))
    assert others == [] and compared.budgets == [2] and 3 not in set(compared.results.table["budget"])
    drawn = [line(RANDOM, part, -2, budget=3) for part in range(2)]
    compared, _ = chosen(written(tmp_path, [*compared_lines(), *more, *drawn]))
    assert compared.budgets == [2, 3]
    found = versus_random.versus_random(compared.results).set_index("budget")["estimate"]
    assert found.to_dict() == pytest.approx({2: 0.5, 3: 1.0})


def test_of_a_run_made_again_only_the_latest_counts(tmp_path):
    again = line("ifd", 0, -9, rows=[4, 5], made=5.0)
    compared, _ = chosen(written(tmp_path, [again, *compared_lines()]))
    assert compared.replaced == 1 and len(compared.lines) == 7
    assert compared.results.table.query("method == 'ifd' and part == 0")["score"].tolist() == [-9]


def test_devices_of_one_kind_are_counted(tmp_path):
    lines = [*compared_lines(), line("kmeans", 0, -2, made_on="A100, torch 2"), line("kmeans", 1, -2, made_on=None)]
    assert chosen(written(tmp_path, lines))[0].made_on == {H100: 7, "A100, torch 2": 1, "not noted": 1}


def test_a_part_of_two_contents_is_refused(tmp_path):
    with pytest.raises(ValueError, match="part 2 of rows had different rows"):
        comparisons(written(tmp_path, [*compared_lines(), line("kmeans", 1, -2, content="others")]))


def test_runs_that_no_method_selected_and_other_designs_are_not_read(tmp_path):
    lines = [line("half correct", 0, -2), line("ifd", 0, -2, design="equal tokens")]
    compared, others = chosen(written(tmp_path, [*compared_lines(), *lines]))
    assert len(compared.lines) == 7 and not others
    with pytest.raises(ValueError, match="found none"):
        comparisons(written(tmp_path, lines))


def test_what_cannot_be_compared_says_what_there_is(tmp_path):
    lines = [one for one in compared_lines() if one["method"] != "ifd"]
    with pytest.raises(ValueError, match="there are 1 of base, 3 of random_selection"):
        _ = chosen(written(tmp_path, lines))[0].results
    with pytest.raises(FileNotFoundError, match="no published file nowhere"):
        comparisons("nowhere")
    with pytest.raises(ValueError, match="expected 1 to 1"):
        chosen(written(tmp_path, lines), 2)


def test_the_published_real_runs_are_one_comparison():
    compared, _ = chosen("real_model")
    table = compared.results.table
    assert compared.changed == {"learning_rate": 3e-5} and compared.n_parts == 5
    assert len(table) >= 17 and np.isfinite(table["score"]).all() and table["n_items"].unique().tolist() == [765]
    assert table.loc[table["method"] == BASE, "score"].item() == pytest.approx(-2.773, abs=1e-3)
