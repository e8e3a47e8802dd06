"""Length effects planted in results: tables and sentences find them, and say what is not decided."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.experiments.results import EQUAL_ROWS, EQUAL_TOKENS, Results
from analysis.methods.selection import Selection, top_k
from analysis.reporting import length_figures, length_findings, style
from analysis.reporting.topics import length_effects
from analysis.reporting.trained_rows import Regime
from tests.reporting.planted import ACCURACY, grid

REGIME = Regime(20, "skill")


def planted(shift, words=5.0, **options):
    """Longest-first `shift` off random at equal rows and equal tokens, answers of 10 words and `words` more."""
    made = grid({"token_length": shift}, at_equal_tokens=("token_length",), **options)
    longer = (made.runs["method"] == "token_length") * words + made.runs["draw"] * 0.01
    return Results(
        made.runs.assign(answer_words=np.where(made.runs["benchmark"] == ACCURACY, 10 + longer, np.nan)), made.groups
    )


def pieces_of(**shifts):
    return length_effects.pieces({name: planted(shift) for name, shift in shifts.items()}, 100)


def of_accuracy(table):
    return table[table["benchmark"] == ACCURACY]


def test_a_planted_effect_is_estimated_with_its_runs_items_and_tokens():
    line = of_accuracy(pieces_of(padded=0.15)).iloc[0]
    assert line["what"] == "equal rows" and line["low"] < line["estimate"] < line["high"]
    assert line["estimate"] == pytest.approx(0.15, abs=0.03) and line["low"] > 0
    assert (line["n_runs"], line["n_random"], line["n_items"]) == (4, 8, 400)
    assert line["tokens_ratio"] == pytest.approx(3, abs=0.01) and line["random_low"] < 0 < line["random_high"]


@pytest.mark.parametrize(
    ("shifts", "words"),
    [
        ((-0.15, 0.15), "the sign is a property of the pool"),
        ((0.15, 0.15), "the sign is the same in all kinds tried"),
        ((0.15, 0.0), "is not decided"),
    ],
)
def test_the_headline_says_whose_the_sign_is(shifts, words):
    said = length_findings.headline(of_accuracy(pieces_of(padded=shifts[0], worked=shifts[1])), REGIME)
    assert len(said) == 1 and words in said[0] and "100 rows (5 rows per skill)" in said[0]
    assert "4 / 8 runs, 400 items, 3.0 × tokens" in said[0]


def test_where_the_longest_have_no_more_tokens_it_is_said():
    alike = length_effects.pieces({"this pool": grid({"token_length": 0.1})}, 100)
    assert "equal tokens would be no other comparison" in length_findings.decomposition(alike, ACCURACY)[0]
    assert "no other comparison" not in length_findings.decomposition(pieces_of(padded=0.1), ACCURACY)[0]


def test_one_pool_has_an_estimate_and_no_sign_of_others():
    (said,) = length_findings.headline(of_accuracy(pieces_of(**{"this pool": 0.15})), REGIME)
    assert "this pool +1" in said and "sign" not in said


def test_a_crossing_lies_between_decided_budgets_of_opposite_sign():
    few, many = (planted(shift, budgets=(budget,)).runs for shift, budget in ((-0.15, 40), (0.15, 160)))
    both = Results(pd.concat([few, many[many["budget"] > 0]]), planted(0.0).groups)
    said = length_findings.crossings(of_accuracy(length_effects.by_budget(both)), REGIME)
    assert len(said) == 2 and all(
        "the sign changes between 40 rows (2 rows per skill) and 160 rows" in one for one in said
    )
    same = length_effects.by_budget(planted(0.0, budgets=(40, 160)))
    assert all("no crossing in what was tried" in one for one in length_findings.crossings(same, REGIME))
    assert length_findings.crossings(length_effects.by_budget(planted(0.1)), REGIME) == []


@pytest.mark.parametrize(
    ("shift", "words", "found"),
    [(0.15, 5.0, "more is right"), (0.0, 5.0, "only more is said"), (0.0, 0.0, "not found to say more")],
)
def test_more_right_is_told_from_more_said(shift, words, found):
    table = length_effects.said_and_right({"padded": planted(shift, words)}, 100)
    assert set(table["benchmark"]) == {ACCURACY} and list(table["design"]) == [EQUAL_ROWS, EQUAL_TOKENS]
    assert table["more_words"].to_numpy() == pytest.approx(words, abs=0.1)
    assert all(one.endswith(f"{found}.") or found in one for one in length_findings.said_or_right(table))


def test_answers_that_were_not_recorded_are_said():
    table = length_effects.said_and_right({"this pool": grid({"token_length": 0.1})}, 100)
    assert table.empty and "not recorded" in length_findings.said_or_right(table)[0]


def test_how_much_of_a_score_is_length():
    """The first score is length alone, with a long tail; the second knows nothing of it, so that it keeps its rows; a set has no score."""
    rng = np.random.default_rng(0)
    length, luck = np.arange(1.0, 201), rng.permutation(200).astype(float)
    scores = {
        "perplexity": np.exp(length),
        "ifd": luck,
        "residual(inside='perplexity')": rng.normal(0, 0.01, 200),
        "residual(inside='ifd')": luck - luck.mean(),
    }
    chosen = {name: top_k(values, 20, 0) for name, values in scores.items()} | {"kmeans": Selection(np.arange(20))}
    lengths = SimpleNamespace(answer=length)
    work = SimpleNamespace(
        features=SimpleNamespace(lengths=lambda: lengths, row_keys=lambda: np.arange(200)),
        pool=range(200),
        select=lambda name, budget: chosen[name],
    )
    table = length_effects.scores_and_length(work, ["perplexity", "kmeans", "ifd"], 20).set_index("method")
    assert list(table.index) == ["perplexity", "ifd"] and (table["low"] <= table["correlation"]).all()
    assert table.loc["perplexity", "correlation"] == 1 and table.loc["perplexity", "explained"] > 0.99
    assert abs(table.loc["ifd", "correlation"]) < 0.2 and table.loc["ifd", "explained"] == pytest.approx(0, abs=1e-9)
    assert table.loc["ifd", "kept"] == 1 and table["expected"].tolist() == [0.1, 0.1]
    assert "length explains 0.0 % of the variance of its ranks" in length_findings.scores(table.reset_index())[1]


def test_bands_stand_in_order_of_length_with_what_was_trained_on():
    made = grid({"band 1 of 2": -0.1, "band 2 of 2": 0.1, "token_length": 0.2})
    rows = pd.DataFrame({"method": ["band 1 of 2", "band 2 of 2", "token_length"], "budget": 100, "design": EQUAL_ROWS,
                         "rows": 100.0, "answer tokens": [5.0, 30.0, 200.0]})  # fmt: skip
    table = of_accuracy(length_effects.by_band(made, rows, 100, 2))
    assert table["what"].tolist() == ["band 1", "band 2", "longest"] and table["answer tokens"].tolist() == [5, 30, 200]
    (said,) = length_findings.bands(table, ACCURACY)
    assert "5 (band 1) -9" in said and "200 (longest) +18" in said


def test_what_long_answers_are_like_is_said_with_its_interval():
    table = pd.DataFrame([
        {"pool": "this pool", "rows": 90, "dependence": 0.9, "low": 0.88, "high": 0.92, "kind": "like worked answers"},
        {"pool": "other", "rows": 1, "dependence": np.nan, "low": np.nan, "high": np.nan, "kind": ""},
    ])  # fmt: skip
    said = length_findings.kinds(table)
    assert (
        "90 % of comparisons (95 % interval 88 % to 92 % over 90 rows" in said[0] and "like worked answers" in said[0]
    )
    assert said[1:] == ["Other, the longest fifth: too few have words enough to tell what they are like."]


def test_pieces_have_a_panel_per_kind_and_a_mark_per_line():
    table = pieces_of(padded=-0.1, worked=0.1)
    style.use()  # titles stand on the left, whatever was drawn before
    fig = length_figures.pieces(table, ACCURACY)
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["padded", "worked"]
    assert [text.get_text() for text in fig.axes[0].get_yticklabels()] == ["equal rows", "equal tokens"]
