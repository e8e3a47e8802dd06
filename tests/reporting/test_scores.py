import numpy as np
import pandas as pd
import pytest

from analysis.methods import Selection
from analysis.reporting import scores

SCORES = np.array([3.0, 1.0, 2.0, np.nan, 5.0, 4.0])
KNOWN = pd.DataFrame({"answer tokens": [1, 2, 3, 4, 5, 6], "group": list("abbbba")})
TRUTH = KNOWN.assign(fault=["", "typo", "blank", "", "", ""], style=["terse"] * 3 + ["worked"] * 3, family="sums")


def test_groups_of_scores_stand_in_order_and_leave_out_what_has_no_score():
    table = scores.by_group(SCORES, TRUTH)
    faults = list(dict.fromkeys(table.loc[table["of"] == "fault", "group"]))
    assert faults == ["correct", "blank", "typo"]
    assert table["of"].value_counts().to_dict() == {"fault": 5, "style": 5}


def test_rows_without_truth_are_grouped_by_length_and_source():
    table = scores.by_group(SCORES, KNOWN)
    fifths = list(dict.fromkeys(table.loc[table["of"] == "answer length", "group"]))
    assert fifths == [f"length, fifth {number}" for number in (1, 2, 4, 5)]  # the fourth of six rows has no score
    assert set(table["of"]) == {"answer length", "source"}


def test_box_numbers_are_the_quantiles_of_each_group():
    line = scores.box_numbers(scores.by_group(SCORES, TRUTH)).query("group == 'correct'").iloc[0]
    assert line["quantile 0.5"] == 4 and line["rows"] == 3


def test_pairs_of_scores_say_who_selects_a_row():
    selections = {"cross_entropy": Selection(np.array([4, 5]), SCORES), "ifd": Selection(np.array([5, 0]), -SCORES)}
    table = scores.score_pairs(selections, "cross_entropy", "ifd", most=1)
    assert table["row"].tolist() == [1, 4, 0, 5]  # of the rows that neither selects one is shown
    assert table["selected by"].tolist() == ["neither", "Cross-entropy", "IFD", "both"]
    assert table["released"].tolist() == (-table["original"]).tolist()
    assert set(table["selected by"]) == set(scores.pair_colours("cross_entropy", "ifd"))


@pytest.mark.parametrize("names", [("style",), ("answer length", "fault", "style")])
def test_properties_stand_in_the_order_asked_for(names):
    assert tuple(dict.fromkeys(scores.by_group(SCORES, TRUTH, names)["of"])) == names
