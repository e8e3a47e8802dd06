import warnings

import datasets
import numpy as np
import pytest

from analysis.features.features import Features
from analysis.methods import ifd, select
from analysis.methods.tools import pre_experience
from analysis.models.passes.token_losses import TokenLossPass
from analysis.models.training.finetuning import FineTuning
from analysis.store.store import Store
from tests.features.test_features import toy_pool
from tests.references import ifd as reference
from tests.tiny import tiny_language_model

MODEL = tiny_language_model(seed=1)


def features(folder, pool=None, **settings):
    settings = {"shard_size": 16, "show_progress": False, "precision": "float32"} | settings
    return Features(pool or toy_pool(), MODEL, store=Store(folder), **settings)


def ratios(made, turns="mean"):
    return ifd.per_row(made.token_losses(), made.token_losses("none"), turns, ifd.score)


@pytest.mark.parametrize("max_tokens", [30, 200])
@pytest.mark.parametrize("tokens_per_batch", [1, 300, 8192])
def test_scores_and_rows_equal_the_slow_reference(tmp_path, max_tokens, tokens_per_batch):
    made = features(tmp_path, max_tokens=max_tokens, tokens_per_batch=tokens_per_batch)
    expected = [
        reference.ifd(MODEL.model, MODEL.tokenizer, MODEL.template, messages, max_tokens)
        for messages in made.messages(0, made.n_rows)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # mean of nothing
        means = [np.nanmean(values) for values in expected]
    np.testing.assert_allclose(ratios(made), means, rtol=1e-5)
    np.testing.assert_allclose(ratios(made, "last"), [values[-1] for values in expected], rtol=1e-5)
    budget = min(10, int((np.array(means) < 1).sum()))
    assert select("ifd", made, budget, seed=0).rows.tolist() == reference.select(expected, budget)


def test_shuffling_the_pool_shuffles_every_score(tmp_path):
    order = np.random.default_rng(0).permutation(50)
    first, second = features(tmp_path), features(tmp_path, toy_pool(order=order, fingerprint="shuffled"))
    for one, two in (("conversation", "none"), ("released conversation", "released none")):
        expected, found = (
            ifd.per_row(made.token_losses(one), made.token_losses(two), "last", ifd.score) for made in (first, second)
        )
        np.testing.assert_allclose(found, expected[order], rtol=1e-5)


def test_a_row_that_fails_alone_changes_no_other_row(tmp_path, monkeypatch):
    expected = ratios(features(tmp_path / "sound"))
    marker = MODEL.tokenizer("27", add_special_tokens=False)["input_ids"]
    whole = TokenLossPass._forward

    def failing(self, rows, encoded, spans, lengths):
        for row in rows:
            ids = encoded[row].ids
            if any(ids[place : place + len(marker)] == marker for place in range(len(ids))):
                raise RuntimeError("out of memory")
        return whole(self, rows, encoded, spans, lengths)

    monkeypatch.setattr(TokenLossPass, "_forward", failing)
    with pytest.warns(UserWarning, match="could not be scored"):
        found = ratios(features(tmp_path / "faulty"))
    lost = np.isnan(found)
    assert 1 <= lost.sum() < 5
    np.testing.assert_allclose(found[~lost], expected[~lost], rtol=1e-5)


@pytest.mark.parametrize("context", ["conversation", "none"])
def test_rows_scored_after_a_prompt_that_was_cut_are_known(tmp_path, context):
    long = [{"role": "user", "content": "Why? " * 30}, {"role": "assistant", "content": "So."}]
    pool = toy_pool(8)
    rows = [*pool.rows.to_list(), {"id": "long", "source": "toy", "messages": long}]
    pool.rows = datasets.Dataset.from_list(rows)
    made = features(tmp_path, pool, max_tokens=40)
    losses = made.token_losses(context)
    assert losses.count[-1] > 0
    cut = losses.rows_with_cut_prompts()
    assert cut[-1] and not cut[1]
    assert not cut[~made.lengths().truncated].any()
    assert not features(tmp_path, pool, max_tokens=300).token_losses(context).rows_with_cut_prompts().any()


def test_a_model_tuned_on_rows_is_stored_and_answers_for_the_same_pool(tmp_path):
    made, settings = features(tmp_path), FineTuning(epochs=4, least_steps=1, batch_rows=2, max_tokens=100)
    rows = np.array([4, 1, 7, 2])
    before = ratios(made)
    tuned = made.after_finetuning(rows, settings, seed=3)
    again = features(tmp_path).after_finetuning(rows, settings, seed=3)
    assert tuned.language_model.fingerprint == again.language_model.fingerprint
    assert tuned.language_model.template == MODEL.template and tuned.n_rows == made.n_rows
    assert len([path for path in (tmp_path / "tuned_models").glob("*/*") if path.is_dir()]) == 1
    np.testing.assert_array_equal(ratios(tuned), ratios(again))
    assert np.nanmax(np.abs(ratios(tuned) - before)) > 1e-4
    other = made.after_finetuning(rows, settings, seed=4)
    assert other.language_model.fingerprint != tuned.language_model.fingerprint
    np.testing.assert_array_equal(ratios(made), before)  # the base itself stays as it is


@pytest.mark.parametrize(
    "rows, message",
    [([], "at least one row"), ([1, 1], "1 positions are given twice"), ([50], "from 0 to 49, found 50")],
)
def test_rows_that_cannot_be_trained_on_are_named(tmp_path, rows, message):
    with pytest.raises(ValueError, match=message):
        features(tmp_path).after_finetuning(np.array(rows, dtype=int))


def test_the_prompts_tokens_are_scored_in_the_last_answers_place(tmp_path):
    made = features(tmp_path)
    prompt, lengths = made.token_losses("prompt"), made.lengths()
    count = prompt.per_row("last")[1]
    one_turn = np.arange(50) % 3 > 0
    assert np.array_equal(count[one_turn], lengths.prompt[one_turn] - 1)  # nothing stands before the first token
    assert np.isfinite(prompt.mean("last")).all()


def test_the_pre_experience_scores_with_a_model_tuned_on_the_sampled_rows(tmp_path):
    made, options = features(tmp_path), {"clusters": 4, "per_cluster": 2, "band": (25, 75)}
    plain = select("ifd", made, 3, seed=0)
    tuned = select("ifd(pre_experience=True, clusters=4, per_cluster=2)", made, 3, seed=0)
    expected = ratios(pre_experience.learned(made, **options, seed=0))
    kept = np.isfinite(tuned.scores)
    np.testing.assert_array_equal(kept, expected < 1)
    np.testing.assert_array_equal(tuned.scores[kept], expected[kept])
    assert not np.array_equal(plain.scores, tuned.scores, equal_nan=True)
    with pytest.raises(ValueError, match="clusters: expected a whole number from 1 up, found 0"):
        select("ifd(pre_experience=True, clusters=0)", made, 3, seed=0)
