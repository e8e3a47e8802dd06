"""Runs on slices of a ranking, and whether a score predicts the result of a random draw."""

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.results import EQUAL_ROWS, Results, Run
from analysis.methods import RANDOM
from analysis.reporting.topics import score_slices
from tests.experiments.test_workbench import LONGEST, make_workbench

N_ITEMS, BENCHMARK = 40, "accuracy"


def results_of(scores):
    """Runs whose items all have the run's score: by method a list, one per part."""
    lines = [
        {"method": method, "budget": 8, "design": EQUAL_ROWS, "part": place, "draw": place, "training_seed": place,
         "benchmark": BENCHMARK, "unit": "share correct", "score": score, "items": np.full(N_ITEMS, score)}
        for method, values in scores.items() for place, score in enumerate(values)
    ]  # fmt: skip
    return Results(pd.DataFrame(lines), {BENCHMARK: ["one"] * N_ITEMS})


def named(number, count=4):
    return score_slices.name_of(LONGEST, number, count)


SLICED = results_of({
    RANDOM: [0.4, 0.5, 0.6], LONGEST: [0.2, 0.21, 0.22], named(1): [0.5, 0.51, 0.53], named(2): [0.6, 0.61, 0.62],
    named(3): [0.4, 0.42, 0.43], named(4): [0.1, 0.11, 0.12],
})  # fmt: skip


def test_slices_are_equal_parts_of_the_ranking_from_the_top(tmp_path):
    work = make_workbench(tmp_path)
    count = score_slices.most_slices(work, {LONGEST: 10}, 8)[LONGEST]
    assert count == 5  # forty rows to each part
    with pytest.raises(ValueError, match="slices: near_duplicate_filter chooses a set"):
        score_slices.most_slices(work, {"near_duplicate_filter": 2}, 8)
    runs = score_slices.plan(work, LONGEST, 8, count)
    assert len(runs) == 2 * count and {run.budget for run in runs} == {8}
    for part in work.parts:
        scores = part.select(LONGEST, 8).scores
        mine = [run for run in runs if run.part == part.part]
        assert sorted(np.concatenate([run.rows for run in mine])) == list(range(40))
        lowest = [scores[run.rows].min() for run in mine]
        highest = [scores[run.rows].max() for run in mine]
        assert all(low >= high for low, high in zip(lowest, highest[1:], strict=False))


def test_the_very_top_is_held_against_the_slices_of_the_upper_half_part_by_part():
    mean, low, high, parts = score_slices.top_against_upper_half(SLICED, BENCHMARK, LONGEST, 8, 4)
    by_hand = [0.2 - 0.55, 0.21 - 0.56, 0.22 - 0.575]
    assert mean == pytest.approx(np.mean(by_hand)) and low < mean < high < 0 and parts == 3


def test_findings_say_the_trend_and_the_curse():
    falls, curse = score_slices.findings(SLICED, {LONGEST: 4}, 8)
    assert "falls: from the first to the last of 4 slices -" in falls and "the best is slice 2" in falls
    assert curse.endswith("it lies below them.") and "(3 parts)" in curse


def test_one_part_has_estimates_without_intervals():
    of_one = SLICED.runs[SLICED.runs["part"] == 0]
    trend, curse = score_slices.findings(Results(of_one, SLICED.groups), {LONGEST: 4}, 8)
    assert "neither falls nor rises for certain" in trend and "(without an interval) points (1 part)" in trend
    assert "(without an interval)" in curse and curse.endswith("not decided.")


def test_a_score_that_predicts_is_told_from_one_that_does_not(tmp_path):
    work = make_workbench(tmp_path)
    rng, draws, reached = np.random.default_rng(0), [], []
    for draw in range(12):
        part = work.parts[draw % 2]
        rows = rng.permutation(40)[:8]
        places = score_slices.places(part.select(LONGEST, 8).scores)
        draws.append(Run(RANDOM, 8, draw, draw, rows, 0.0, part.part))
        reached.append(float(places[rows].mean()))
    predicted = score_slices.validity(work, [LONGEST, "kmeans"], draws, results_of({RANDOM: reached}), 8).iloc[0]
    assert predicted["correlation"] == pytest.approx(1) and predicted["low"] > 0.9 and predicted["draws"] == 12
    by_chance = results_of({RANDOM: list(rng.random(12))})
    table = score_slices.validity(work, [LONGEST], draws, by_chance, 8)
    assert table["low"].iloc[0] < 0 < table["high"].iloc[0]
    assert "None is beyond chance." in score_slices.validity_findings(table)[0]
    by_part = [
        value + 10 * run.part for value, run in zip(reached, draws, strict=True)
    ]  # parts differ: not the score's merit
    shifted = score_slices.validity(work, [LONGEST], draws, results_of({RANDOM: by_part}), 8).iloc[0]
    assert shifted["correlation"] == pytest.approx(1)
    few = score_slices.validity(work, [LONGEST], draws[:4], results_of({RANDOM: reached[:4]}), 8)
    assert few["correlation"].isna().all() and "too few" in score_slices.validity_findings(few)[0]


def test_where_nothing_was_trained_there_is_nothing_to_say(tmp_path):
    work, nothing = make_workbench(tmp_path), Results(pd.DataFrame([]), {})
    table = score_slices.validity(work, [LONGEST], [], nothing, 8)
    assert table.empty and not table["correlation"].notna().any()
    assert "Nothing was fine-tuned" in score_slices.validity_findings(table, trained=False)[0]
    assert "gives a score to rows" in score_slices.validity_findings(table)[0]
    assert score_slices.most_slices(work, {}, 8) == {} and score_slices.findings(nothing, {}, 8) == []
