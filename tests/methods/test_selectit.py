import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy

from analysis.features.rating_text import digit_ids, rating_ids
from analysis.methods import select, selectit
from analysis.methods.selectit import PROMPTS, combine, score, token_score
from analysis.models.passes.next_token import NextTokenPass, common_beginning
from tests.features.test_features import features, language_model, toy_pool
from tests.references import selectit as reference
from tests.tiny import Faulty, tiny_model, tiny_tokenizer

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
    rate = NextTokenPass(model, CPU, tokens_per_batch)
    return np.stack(
        [rate(rating_ids(conversations, prompt, TOKENIZER, max_tokens, form), digits) for prompt in PROMPTS], axis=1
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


def test_shuffling_the_rows_shuffles_the_ratings():
    order = np.random.default_rng(0).permutation(len(CONVERSATIONS))
    expected, found = rated(), rated([CONVERSATIONS[row] for row in order])
    np.testing.assert_allclose(found, expected[order], atol=1e-4)


@pytest.mark.parametrize("fault", ["error", "nan"])
def test_a_row_at_fault_is_nan_and_changes_no_other_row(fault, recwarn):
    bad = TOKENIZER.convert_tokens_to_ids("Z")
    turns = [{"role": "user", "content": "Zzz?"}, {"role": "assistant", "content": "Yes!"}]
    conversations = [*CONVERSATIONS[:5], turns, *CONVERSATIONS[5:]]
    found, expected = score(rated(conversations, model=Faulty(MODEL, bad, fault))), score(rated())
    assert np.flatnonzero(np.isnan(found)).tolist() == [5]
    np.testing.assert_allclose(np.delete(found, 5), expected, atol=1e-5)
    told = {str(warning.message) for warning in recwarn if "could not be rated" in str(warning.message)}
    message = "1 of 25 rows could not be rated, first row 5 of the shard: OutOfMemoryError: out of memory"
    assert told == ({message} if fault == "error" else set())
    with pytest.raises(torch.OutOfMemoryError):
        rated(model=Faulty(MODEL, TOKENIZER.convert_tokens_to_ids(":"), "error"))


def test_one_prompt_that_fails_makes_its_row_nan_and_no_other():
    logits = np.random.default_rng(0).normal(size=(6, 5, 5))
    expected = score(logits)
    logits[2, 3] = np.nan
    np.testing.assert_equal(score(logits), np.where(np.arange(6) == 2, np.nan, expected))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), max_size=5))
def test_what_texts_begin_with_is_found_and_leaves_something_of_each(texts):
    head = common_beginning(texts)
    assert all(text[: len(head)] == head and len(text) > len(head) for text in texts)
    one_more = {tuple(text[: len(head) + 1]) for text in texts}
    assert not texts or len(one_more) > 1 or min(map(len, texts)) == len(head) + 1


def test_ratings_are_stored_by_prompt(tmp_path, monkeypatch):
    one = features(tmp_path).rating_logits(PROMPTS[:1])
    asked = []
    original = NextTokenPass.__call__
    monkeypatch.setattr(
        NextTokenPass, "__call__", lambda self, texts, tokens: asked.append(len(texts)) or original(self, texts, tokens)
    )
    two = features(tmp_path).rating_logits(PROMPTS[:2])
    assert two.shape == (50, 2, 5) and two.dtype == np.float32 and sum(asked) == 50
    np.testing.assert_array_equal(two[:, :1], one)
    np.testing.assert_array_equal(features(tmp_path).rating_logits(PROMPTS[:2]), two)
    assert sum(asked) == 50


def test_the_levels_and_models(tmp_path):
    one = features(tmp_path, toy_pool(12))
    small, large = (features(tmp_path, toy_pool(12), language_model(tiny_model(TOKENIZER, seed, hidden)))
                    for seed, hidden in ((1, 16), (2, 64)))  # fmt: skip
    one.with_model = {"small": small, "large": large}.get
    by_model = [score(scorer.rating_logits(PROMPTS)) for scorer in (small, large)]
    shares = np.array([small.n_parameters, large.n_parameters]) / (small.n_parameters + large.n_parameters)
    found = select("selectit(level='model', models=['small', 'large'])", one, 5, seed=0)
    np.testing.assert_allclose(found.scores, shares @ by_model)
    found = select("selectit(level='model', models=['small', 'large'], weights=(7, 13))", one, 5, seed=0)
    np.testing.assert_allclose(found.scores, 7 * by_model[0] + 13 * by_model[1])
    found = select("selectit(level='token')", one, 5, seed=0)
    np.testing.assert_allclose(found.scores, token_score(one.rating_logits(PROMPTS[:1])[:, 0]))


@pytest.mark.parametrize(
    "options, message",
    [
        ("level='model'", r"models: expected names in a list with level=.model. and only there, found \(\)"),
        ("models=['one']", "models: expected names in a list with"),
        ("weights=(1,)", "weights: expected only with level"),
        ("prompts=['Rate it.']", "prompts: expected at least 2 for the sentence level, found 1"),
        ("prompts='Rate it.'", "prompts: expected one or more texts, found 'Rate it.'"),
        ("alpha=-1", "alpha: expected a number from 0 up, found -1"),
        ("normalised='thrice'", "normalised: expected one of 'twice', 'once', found 'thrice'"),
        ("level='word'", "level: expected one of 'token', 'sentence', 'model', found 'word'"),
    ],
)
def test_a_wrong_option_is_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        select(f"selectit({options})", features(tmp_path, toy_pool(3)), 1, seed=0)
