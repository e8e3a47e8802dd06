import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy

from analysis.methods import select, selectit
from analysis.methods.selectit import PROMPTS, combine, score, token_score
from analysis.rating_kernel import RatingKernel
from analysis.rating_text import digit_ids, rating_ids
from tests.references import selectit as reference
from tests.tiny import tiny_model, tiny_tokenizer
from tests.unit.test_features import features, toy_pool

TOKENIZER = tiny_tokenizer()
MODEL = tiny_model(TOKENIZER)
CPU = torch.device("cpu")
ONE_HOT_5, ONE_HOT_1, UNIFORM = [-1e9] * 4 + [0], [0] + [-1e9] * 4, [0] * 5
SHARES = [0.05, 0.10, 0.20, 0.40, 0.25], [0.02, 0.03, 0.05, 0.80, 0.10]


@pytest.mark.parametrize(
    "logits, twice, once",
    [
        (ONE_HOT_5, 1.27881, 5.0),  # 5 (e - 1) / (e + 4)
        (ONE_HOT_1, 0.25576, 1.0),
        (UNIFORM, 0.0, 0.0),
        (np.log(SHARES[0]), 0.21214, 1.0),
        (np.log(SHARES[1]), 0.72988, 3.0),
    ],
)
def test_the_worked_token_scores(logits, twice, once):
    assert token_score(logits) == pytest.approx(twice, abs=1e-5)
    assert token_score(logits, "once") == pytest.approx(once, abs=1e-5)


def test_the_worked_sentence_score(monkeypatch):
    scores = np.array([[0.21214, 0.72988, 1.27881, 0.07681, 0.41033]])
    monkeypatch.setattr(selectit, "token_score", lambda logits, normalised: scores)
    # mean .54159, population standard deviation .42912
    assert score(np.zeros((1, 5, 5)))[0] == pytest.approx(0.49879, abs=1e-5)
    assert score(np.zeros((1, 5, 5)), alpha=0)[0] == pytest.approx(0.54159, abs=1e-5)


def test_the_models_are_weighted():
    assert combine(np.array([[1.0, 0.5], [0.2, np.nan]]), [0.25, 0.75]).tolist()[0] == pytest.approx(0.4)
    assert np.isnan(combine(np.array([[1.0, 0.5], [0.2, np.nan]]), [0.25, 0.75])[1])
    with pytest.raises(ValueError, match=r"weights: expected 2 numbers above 0, one for each model, found \[1.0\]"):
        combine(np.zeros((2, 3)), [1])


@settings(max_examples=50, deadline=None)
@given(
    hypothesis_numpy.arrays(np.float64, (4, 3, 5), elements=st.integers(-80, 80).map(lambda whole: whole / 4)),
    st.sampled_from(["once", "twice"]),
)
def test_scores_equal_the_literal_ones_and_only_differences_of_logits_count(logits, normalised):
    expected = [reference.sentence_score([reference.shares(one) for one in row], normalised) for row in logits]
    np.testing.assert_allclose(score(logits, normalised=normalised), expected, atol=1e-9)
    np.testing.assert_allclose(
        score(logits + 7.0, normalised=normalised), score(logits, normalised=normalised), atol=1e-9
    )


def test_shares_of_the_full_softmax_are_the_softmax_of_the_five():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20, len(TOKENIZER))) * 5
    full = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    digits = digit_ids(TOKENIZER)
    expected = [reference.token_score(row[digits] / row[digits].sum(), "twice") for row in full]
    np.testing.assert_allclose(token_score(logits[:, digits]), expected, atol=1e-6)


CONVERSATIONS = [row["messages"] for row in toy_pool(24).rows]


def rated(conversations=CONVERSATIONS, tokens_per_batch=600, model=MODEL, form="original", max_tokens=300):
    digits = digit_ids(TOKENIZER)
    kernel = RatingKernel(model, CPU, tokens_per_batch)
    return np.stack(
        [kernel(rating_ids(conversations, prompt, TOKENIZER, max_tokens, form), digits) for prompt in PROMPTS], axis=1
    )


@pytest.mark.parametrize("form", ["original", "released"])
@pytest.mark.parametrize("tokens_per_batch", [1, 600, 100_000])
def test_batched_scores_equal_the_literal_ones_row_by_row(form, tokens_per_batch):
    expected = [reference.rate(MODEL, TOKENIZER, row, PROMPTS, 300, form) for row in CONVERSATIONS]
    np.testing.assert_allclose(score(rated(tokens_per_batch=tokens_per_batch, form=form)), expected, atol=1e-5)


def test_the_rows_of_the_reference_are_selected(tmp_path):
    pool = toy_pool(40)
    literal = [reference.rate(MODEL, TOKENIZER, row["messages"], PROMPTS, 1024) for row in pool.rows]
    chosen = select("selectit", features(tmp_path, pool, shard_size=16), 12, seed=0)
    np.testing.assert_allclose(chosen.scores, literal, atol=1e-5)
    assert chosen.rows.tolist() == sorted(range(40), key=lambda row: -literal[row])[:12]
