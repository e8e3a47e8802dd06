"""The border between prompt and answer: whose first token is lost, and what that does to the ratio."""

import numpy as np
import pandas as pd
import pytest

from analysis.features.arrays import TokenLosses
from analysis.features.released_texts import borders
from analysis.models.chat_template import choose_template
from analysis.models.language_model import load_tokenizer
from analysis.paths import ROOT
from analysis.reporting import deviation_figures, deviation_findings
from analysis.reporting.topics import answer_borders
from analysis.reporting.topics.answer_borders import AFTER, ALONE, AS_MEANT, BOTH
from tests import real_tokenizers
from tests.experiments.test_workbench import make_workbench
from tests.tiny import tiny_tokenizer


def question(answer):
    return [{"role": "user", "content": "What?"}, {"role": "assistant", "content": answer}]


def test_a_first_word_that_joins_its_space_is_lost_alone():
    # Alone "Assistant: The" has " The" as one token, where "Assistant: " by itself ends in a space; other words have none.
    tokenizer = tiny_tokenizer(["a The b The c The", "Assistant: I. Assistant: The"] * 30)
    assert tokenizer.tokenize("Assistant: The")[-1] == "ĠThe" and tokenizer.tokenize("Assistant: ")[-1] == "Ġ"
    after, alone = borders([question(text) for text in ("The end, The", "(12)", "Zebra")], tokenizer)
    assert after.all() and alone.tolist() == [False, True, True]
    assert answer_borders.kinds(after, alone).tolist() == [ALONE, AS_MEANT, AS_MEANT]
    assert answer_borders.kinds(np.array([False, False]), np.array([True, False])).tolist() == [AFTER, BOTH]


def losses(count, loss_sum, first):
    count, loss_sum, first = (np.array(values, dtype=float) for values in (count, loss_sum, first))
    return TokenLosses(len(count), np.arange(len(count)), count.astype(int), loss_sum, first, loss_sum)


def test_the_token_that_one_pass_alone_scores_is_taken_out():
    # Row 0: after the prompt 3 + 1 + 1 nats, alone the last two 1.25 each: 5/3 / 1.25 as released, 1 / 1.25 on the same.
    # Row 1: as many tokens in both; row 2: the one more is alone; row 3: two more; row 4: nothing is left.
    given = losses([3, 2, 2, 4, 1], [5, 2, 2, 4, 3], [3, 1, 1, 1, 3])
    alone = losses([2, 2, 3, 2, 0], [2.5, 4, 11, 4, np.nan], [1.25, 1, 8, 2, np.nan])
    released, even = answer_borders.ratios(given, alone)
    np.testing.assert_allclose(released, [5 / 3 / 1.25, 0.5, 3 / 11, 0.5, np.nan])
    np.testing.assert_allclose(even, [0.8, 0.5, 2 / 3, np.nan, np.nan])


def test_losing_a_first_token_alone_turns_the_preference_of_planted_rows():
    # Alone the first token costs 8 nats and others 1.2; after the prompt 3 and others a little more in longer answers.
    n = np.tile([3, 5, 12, 20, 100, 400], 5)
    others = (n - 1) * (0.9 + 0.005 * np.log(n))
    given, alone = losses(n, 3 + others, np.full(len(n), 3)), losses(n - 1, 1.2 * (n - 1), np.full(len(n), 1.2))
    released, even = answer_borders.ratios(given, alone)
    rows = pd.DataFrame({"answer tokens": n, answer_borders.RELEASED: released, answer_borders.EVEN: even})
    preference = answer_borders.preference(rows)
    assert preference["correlation"].tolist() == pytest.approx([-1, 1])
    (said,) = deviation_findings.border_effect(preference)
    assert "By this page's rule the border turns the preference for long answers into one for short ones" in said
    both = preference.assign(correlation=0.5, low=0.4, high=0.6)
    assert "the border does not turn the preference" in deviation_findings.border_effect(both)[0]
    assert "is undecided" in deviation_findings.border_effect(both.assign(low=-0.1))[0]
    few = answer_borders.preference(rows.head(3))
    assert "cannot be told" in deviation_findings.border_effect(few)[0]


def test_where_no_row_is_short_enough_the_tokenizers_alone_are_drawn():
    none = pd.DataFrame({"answer tokens": [], answer_borders.RELEASED: [], answer_borders.EVEN: []})
    assert "cannot be told" in deviation_findings.border_effect(answer_borders.preference(none))[0]
    by_length = answer_borders.by_length(none)
    rates = pd.DataFrame(
        {"tokenizer": "tiny", "answer tokens": [2, 9], "border": ALONE, "share": [0.5, 0.2], "rows": 4}
    )
    assert by_length.empty and len(deviation_figures.borders(rates, by_length).axes) == 1


def test_every_answer_has_one_kind_of_border(tmp_path):
    work = make_workbench(tmp_path)
    rates = answer_borders.rates(work, answer_borders.tokenizers_of(work, []))
    assert rates["tokenizer"].unique().tolist() == [work.base.name]
    assert 4 * rates["share"].sum() == pytest.approx(len(rates))
    rows = rates.loc[rates["border"] == ALONE, "rows"].sum()
    assert rows == sum((part.features.lengths().last_answer > 0).sum() for part in work.parts)
    (said,) = deviation_findings.border_rates(rates)
    assert f"of {rows:,} answers" in said


def test_a_folder_with_a_tokenizer_alone_can_be_counted_with(tmp_path):
    tokenizer = tiny_tokenizer()
    tokenizer.save_pretrained(tmp_path / "some")
    again = load_tokenizer(str(tmp_path / "some"))
    assert choose_template(again).name and again.tokenize("The sum") == tokenizer.tokenize("The sum")
    assert answer_borders.short(f"{tmp_path}/some/") == "some"


@pytest.mark.shared
@pytest.mark.skipif(not real_tokenizers.FOLDER.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("name", ["qwen", "llama3"])
def test_real_vocabularies_lose_first_words_alone_in_answers_of_every_length(name):
    table = pd.read_parquet(ROOT.parent / "shared" / "pools" / "curated_real.parquet", columns=["messages"])
    conversations = [[dict(message) for message in row] for row in table["messages"] if len(row) == 2 and row[-1]["content"]][:3000]  # fmt: skip
    kinds = answer_borders.kinds(*borders(conversations, real_tokenizers.real_tokenizer(name)))
    words = np.array([len(row[-1]["content"].split()) for row in conversations])
    one_sided = kinds == ALONE
    # Measured on these rows: 71 % of the shortest quarter and 62 % of the longest.
    short, long = words <= np.quantile(words, 0.25), words >= np.quantile(words, 0.75)
    assert one_sided[short].mean() == pytest.approx(0.71, abs=0.02)
    assert one_sided[long].mean() == pytest.approx(0.62, abs=0.02)
