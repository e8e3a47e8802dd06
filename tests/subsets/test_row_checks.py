import numpy as np
import pandas as pd
import pytest

from analysis.subsets.row_checks import (
    NO_TEXT,
    boilerplate,
    checks,
    languages,
    says_nothing,
    share_with_interval,
    twins,
)


def row(*answers, system=False):
    turns = [{"role": "system", "content": "Be brief."}] if system else []
    for answer in answers:
        turns += [{"role": "user", "content": "I cannot do it?"}, {"role": "assistant", "content": answer}]
    return turns


def test_turns_system_prompts_and_openings_are_read_from_answers():
    table = checks([row("The list starts here", system=True), row("Yes it is", "The list starts here")])
    assert table["turns"].tolist() == [1, 2] and table["system prompt"].tolist() == [True, False]
    assert table["opening"].tolist() == ["The list starts", ""]


@pytest.mark.parametrize("answer, refuses", [
    ("I'm sorry, but I can't help with that.", True), ("As an AI language model, I have no body.", True),
    ("I cannot open links.", True), ("对不起，我不能。", True), ("I’m unable to do this.", True),
    ("I'm sorry to hear that your cat is ill.", False), ("He said: I cannot swim.", False), ("Yes, I can.", False), ("I can’t imagine anyone else.", False),
])  # fmt: skip
def test_what_is_worded_as_a_refusal(answer, refuses):
    assert checks([row("Fine, go on.", answer)])["refusal"].tolist() == [refuses]


@pytest.mark.parametrize("answer, nothing", [
    ("<|endoftext|>", True), ("</s> .", True), ("[END]", True), ("nan", True), ("…", True),
    ("7", False), ("是", False), ("None", False), ("<b>bold</b>", False), ("a < b", False),
])  # fmt: skip
def test_what_says_nothing(answer, nothing):
    assert says_nothing(answer) == nothing


def test_boilerplate_is_what_one_in_a_hundred_and_five_open_with():
    openings = pd.Series(["here is the"] * 6 + ["once upon a"] * 5 + ["there are four"] * 4 + [""] * 485)
    assert boilerplate(openings).to_dict() == {"here is the": 6, "once upon a": 5}
    assert boilerplate(pd.concat([openings, pd.Series([""] * 60)])).to_dict() == {"here is the": 6}


def test_twins_inside_and_across_sources():
    # Rows 0 and 1 are alike in source a; row 2 is like them in b; row 3 is alone.
    table = twins(np.array([5, 5, 5, 9]), np.array(["a", "a", "b", "a"]))
    assert table["in its source"].tolist() == [True, True, False, False]
    assert table["in another source"].tolist() == [True, True, True, False]


def test_languages_are_named_only_where_there_is_text():
    english, german = "The weather is nice and the children play outside", "Das Wetter ist schön und die Kinder spielen"
    assert languages([english, german, "2 + 2 = 4"]).tolist() == ["en", "de", NO_TEXT]


def test_the_interval_of_a_share_holds_it_and_needs_rows():
    share, low, high = share_with_interval(5, 50)
    assert share == 0.1 and low == pytest.approx(0.0435, abs=1e-4) and high == pytest.approx(0.2136, abs=1e-4)
    assert np.isnan(share_with_interval(0, 0)).all()
