import numpy as np
import pytest

from analysis.experiments import workbench
from analysis.methods import Selection
from analysis.reporting.topics import selected
from analysis.store.store import Store


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return workbench.prepare("curated", limit=300, store=Store(tmp_path_factory.mktemp("store")), show_progress=False)


def scored(work):
    scores = np.arange(len(work.pool), dtype=float)
    scores[3] = np.nan
    return Selection(rows=np.array([5, 4]), scores=scores)


def test_groups_of_scores_stand_in_order_and_leave_out_what_has_no_score(work):
    table = selected.score_by_group(work, scored(work))
    faults = list(dict.fromkeys(table.loc[table["of"] == "fault", "group"]))
    assert faults[0] == "correct" and faults[1:] == sorted(faults[1:])
    assert (table["of"].value_counts() == len(work.pool) - 1).all()


def test_a_pool_without_truth_is_grouped_by_length_and_source(work, monkeypatch):
    monkeypatch.setattr(type(work.pool), "has_truth", property(lambda self: False))
    table = selected.score_by_group(work, scored(work))
    fifths = list(dict.fromkeys(table.loc[table["of"] == "answer length", "group"]))
    assert fifths == [f"length, fifth {number}" for number in range(1, 6)]
    assert set(table["of"]) == {"answer length", "source"}


def test_box_numbers_are_the_quantiles_of_each_group(work):
    table = selected.score_by_group(work, scored(work))
    line = selected.box_numbers(table).query("group == 'correct'").iloc[0]
    correct = table.loc[table["group"] == "correct", "score"]
    assert line["quantile 0.5"] == correct.median() and line["rows"] == len(correct)
