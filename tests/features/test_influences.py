"""Influences on targets as methods ask for them: from a pool, a warm-up and gradients to scores."""

import numpy as np
import pytest
import torch

from analysis.methods import select
from analysis.methods.less import epoch_weights
from analysis.models.encoding import encode_batch
from analysis.models.passes.gradients import GradientPass
from analysis.models.training.checkpoints import WarmUpSettings
from analysis.models.training.warm_up import warm_up
from tests.models.test_gradients import (
    CPU,
    ENCODED,
    EVERYTHING,
    LANGUAGE_MODEL,
    WARM_UP,
    features,
)
from tests.references import less as reference
from tests.tiny import CONVERSATIONS, conversation


def expected_scores(asked, warm, groups, weights):
    rows, by_group = [], [[] for _ in groups]
    for epoch in range(2):
        adapters = warm.adapters(epoch, CPU)
        whole = reference.adapted(LANGUAGE_MODEL.model, adapters, warm.scale)
        rows.append(reference.directions(whole, adapters, asked, adam=True))
        for group, known in zip(groups, by_group, strict=True):
            encoded = encode_batch(group, LANGUAGE_MODEL.tokenizer, LANGUAGE_MODEL.template, 1024)
            known.append(reference.directions(whole, adapters, encoded, adam=False))
    return reference.scores(rows, by_group, weights)


@pytest.mark.parametrize("variant", ["original", "released", "released on targets"])
def test_a_selection_equals_the_slow_reference_from_gradient_to_score(variant, tmp_path):
    asked = features(tmp_path)
    options = "epochs=2, rank=2, learning_rate=0.01"
    if variant != "original":
        options += ", variant='released'" + (", targets='auto'" if "on" in variant else "")
    found = select(f"less({options})", asked, 10, seed=0)
    settings = WarmUpSettings(rank=2, epochs=2, learning_rate=0.01)
    order = np.argsort(np.random.default_rng(0).permutation(23)[np.argsort(np.argsort(asked.row_keys()))])
    warm = warm_up(asked, order, settings, seed=0)
    groups = list(asked.targets("pool" if variant == "released" else "auto").values())
    if variant != "original":
        groups = [[messages for group in groups for messages in group]]
    weights = epoch_weights(warm.learning_rates, cumulative=variant != "original")
    expected = expected_scores(ENCODED, warm, groups, weights)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert found.rows.tolist() == np.argsort(expected)[::-1][:10].tolist()


def test_shuffling_the_pool_shuffles_the_scores(tmp_path):
    forward = select("less(epochs=2)", features(tmp_path / "a"), 5, seed=0)
    order = np.random.default_rng(5).permutation(23)
    shuffled = select("less(epochs=2)", features(tmp_path / "b", order=order), 5, seed=0)
    np.testing.assert_allclose(shuffled.scores, forward.scores[order], atol=1e-5)
    assert order[shuffled.rows].tolist() == forward.rows.tolist()


def test_a_second_call_reads_the_store(tmp_path, monkeypatch):
    first = features(tmp_path).influences(np.arange(16), **WARM_UP)
    monkeypatch.setattr(GradientPass, "__call__", None)
    again = features(tmp_path).influences(np.arange(16), **WARM_UP)
    assert np.array_equal(first.values, again.values) and np.array_equal(first.on_pool, again.on_pool)
    assert first.values.shape == (23, 2, 2) and first.groups == ("few", "more") and first.sizes.tolist() == [3, 5]
    assert first.lengths.shape == (23, 2) and first.on_pool.shape == (23, 2)


@pytest.mark.parametrize("epochs", [1, 2, 4])
def test_every_epoch_trains_even_where_it_is_a_single_step(epochs, tmp_path):
    settings = WarmUpSettings(rank=2, epochs=epochs)  # 32 rows a step, of 23
    warm = warm_up(features(tmp_path), np.arange(23), settings, seed=0)
    assert len(warm.losses) == epochs and (epoch_weights(warm.learning_rates) > 0).all()
    before = torch.zeros(1)
    for epoch in range(epochs):
        after = torch.cat([pair[1].weight.ravel() for pair in warm.adapters(epoch, CPU).values()])
        assert (after - before).abs().max() > 1e-5, "B begins at zero and moves in every epoch"
        before = after
    assert np.isfinite(select(f"less(epochs={epochs}, rank=2)", features(tmp_path), 5, seed=0).scores).all()


def test_the_released_variant_loads_no_targets_but_the_pool_s(tmp_path):
    both, alone = features(tmp_path / "both"), features(tmp_path / "alone")
    expected = select("less(variant='released', targets='pool', epochs=2)", both, 10, seed=0)
    everything = alone.targets

    def pool_alone(name):
        if name != "pool":
            raise ValueError("no held-out row is set apart for targets")
        return everything(name)

    alone.targets = pool_alone
    found = select("less(variant='released', epochs=2)", alone, 10, seed=0)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)
    with pytest.raises(ValueError, match="no held-out row"):
        select("less(epochs=2)", alone, 10, seed=0)


def test_the_released_variant_reads_the_gradients_that_the_original_made(tmp_path, monkeypatch):
    asked = features(tmp_path)
    select("less(epochs=2)", asked, 5, seed=0)
    on_pool = asked.influences(np.arange(16), **WARM_UP).on_pool
    monkeypatch.setattr(GradientPass, "__call__", None)
    assert np.isfinite(select("less(variant='released', epochs=2)", features(tmp_path), 5, seed=0).scores).all()
    alone = features(tmp_path).influences(np.arange(16), None, **WARM_UP)
    assert np.array_equal(alone.on_pool, on_pool) and alone.values.shape == (23, 2, 0)


def test_scores_from_whole_gradients_are_those_without_a_projection(tmp_path):
    whole = features(tmp_path).influences(np.arange(16), **WARM_UP)
    np.testing.assert_allclose(
        features(tmp_path).influences(np.arange(16), dimension=EVERYTHING, **WARM_UP).values, whole.values, atol=1e-6
    )
    projected = features(tmp_path).influences(np.arange(16), dimension=64, **WARM_UP)
    assert np.abs(projected.values - whole.values).max() > 0.01


def test_a_target_without_a_gradient_changes_nothing(tmp_path):
    expected = features(tmp_path / "a").influences(np.arange(16), **WARM_UP).values
    asked = features(tmp_path / "b")
    known = asked.targets
    asked.targets = lambda name: {group: [*rows, conversation("Nothing?", "")] for group, rows in known(name).items()}
    np.testing.assert_allclose(asked.influences(np.arange(16), **WARM_UP).values, expected, atol=1e-6)


@pytest.mark.parametrize("tokens_per_batch", [1, 40, 5_000])
def test_who_else_is_in_a_batch_changes_no_score(tokens_per_batch, tmp_path):
    expected = select("less(epochs=2)", features(tmp_path / "a", tokens_per_batch=400), 5, seed=0)
    found = select("less(epochs=2)", features(tmp_path / "b", tokens_per_batch=tokens_per_batch), 5, seed=0)
    np.testing.assert_allclose(found.scores, expected.scores, atol=2e-5)


def test_targets_without_a_gradient_are_an_error(tmp_path):
    asked = features(tmp_path)
    asked.targets = lambda name: (
        {"empty": [conversation("Nothing?", "")]} if name == "auto" else {"pool": CONVERSATIONS}
    )
    with pytest.raises(ValueError, match="targets: none of the rows of 'auto' has a gradient"):
        asked.influences(np.arange(16), **WARM_UP)
