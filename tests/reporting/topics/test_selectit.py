from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.methods.selection import Selection, top_k
from analysis.methods.selectit import score
from analysis.reporting.topics import selectit

# Two prompts; rows 0 to 2 are rated 5, 4 and 1 by both, more surely by the second; row 3 could not be rated.
LOGITS = np.full((4, 2, 5), 0.0)
for row, digit in enumerate((5, 4, 1)):
    LOGITS[row, :, digit - 1] = 2, 4
LOGITS[3, 1] = np.nan
FEATURES = SimpleNamespace(rating_logits=lambda prompts: LOGITS)
ROWS = pd.DataFrame({"answer tokens": [9, 5, 1, 3], "fault": ["", "", "garbled", "refusal"]})


def test_the_shares_of_ratings_sum_to_one_and_name_the_likeliest():
    table = selectit.digits(FEATURES, ["one", "other"])
    np.testing.assert_allclose(table.groupby(["measure", "prompt"])["share"].sum(), 1)
    likeliest = table[(table["measure"] == selectit.LIKELIEST) & (table["prompt"] == "prompt 1")]
    np.testing.assert_allclose(likeliest["share"], [1 / 3, 0, 0, 1 / 3, 1 / 3])


def test_rows_are_shown_with_their_disagreement():
    table = selectit.disagreement(FEATURES, Selection(rows=np.array([1])), ["one", "other"])
    assert table["row"].tolist() == [0, 2, 1] and table["rows"].tolist() == ["not selected"] * 2 + ["selected"]
    assert (table["deviation"] > 0).all()


def test_the_findings_tell_digits_agreement_length_and_faults():
    selection = top_k(score(LOGITS), 2, 0)
    said = selectit.findings(FEATURES, ROWS, selection, ["one", "other"])
    assert said == [
        "Likeliest ratings over 3 rows and 2 prompts: 1 (33 %), 4 (33 %) and 5 (33 %).",
        "Spearman's correlation of the scores of two prompts is 1.00 in the mean.",
        "Spearman's correlation of score and answer length: +1.00.",
        "Chance that a correct row is scored above a faulty one: 1.00 (0.50 is guessing).",
    ]
    assert len(selectit.findings(FEATURES, ROWS.drop(columns="fault"), selection, ["one", "other"])) == 3


def rated(levels, wordings):
    """Features whose model gives each row, by each prompt, a rating near level + wording."""
    wanted = np.asarray(levels)[:, None] + np.asarray(wordings)[None, :]
    logits = -2.0 * (np.arange(1, 6) - wanted[..., None]) ** 2
    return SimpleNamespace(rating_logits=lambda prompts: logits.astype(np.float32))


def test_a_model_whose_ratings_depend_on_the_row_can_rate():
    said = selectit.rating_verdict(rated(np.tile([1, 2, 3, 4, 5], 20), [0, 0.2, -0.2]))
    assert said.startswith("The model can rate: ") and "of at most 1.28." in said and "favourite" not in said


@pytest.mark.parametrize(
    "levels, wordings",
    [(np.linspace(1.8, 2.2, 50), [0, 0.1, -0.1]), (np.tile([2.0, 3.4], 25), [-1.5, 0, 1.5])],
    ids=["the same digit for every row", "another digit for every wording"],
)
def test_a_model_whose_ratings_hardly_depend_on_the_row_cannot_rate(levels, wordings):
    said = selectit.rating_verdict(rated(levels, wordings))
    assert said.startswith("The model cannot rate: its ratings have a standard deviation of ")
    assert said.endswith("What follows is about its favourite digit rather than about the rows.")


def test_a_row_that_could_not_be_rated_is_left_out_of_the_verdict():
    assert "nan" not in selectit.rating_verdict(FEATURES)
