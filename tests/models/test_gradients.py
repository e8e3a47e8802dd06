from dataclasses import replace

import datasets
import numpy as np
import pytest
import torch

from analysis.features.features import Features
from analysis.models.encoding import Encoded, encode_batch
from analysis.models.passes import batches, gradients
from analysis.models.passes.gradients import GradientPass, adam_direction
from analysis.models.passes.random_projection import Sketch, block_sizes, default_dimension
from analysis.models.training.checkpoints import WarmUpSettings
from analysis.models.training.warm_up import adapted_layers, warm_up
from analysis.pools import Pool
from analysis.store.store import Store
from tests.references import less as reference
from tests.tiny import CONVERSATIONS, tiny_language_model

LANGUAGE_MODEL = tiny_language_model()
CPU = torch.device("cpu")
EVERYTHING = 10**6  # no projection loses anything in so many numbers
WARM_UP = {"rank": 2, "epochs": 2, "batch_rows": 8, "learning_rate": 1e-2}


ENCODED = encode_batch(CONVERSATIONS, LANGUAGE_MODEL.tokenizer, LANGUAGE_MODEL.template, 256)


def features(folder, conversations=CONVERSATIONS, order=None, **settings):
    order = range(len(conversations)) if order is None else order
    rows = datasets.Dataset.from_list([{"id": f"toy-{row}", "messages": conversations[row]} for row in order])
    pool = Pool("toy", rows, rows.select([]), f"toy {list(order)}", {}, {})
    made = Features(pool, LANGUAGE_MODEL, store=Store(folder), shard_size=8, show_progress=False, **settings)
    groups = {"auto": {"few": conversations[:3], "more": conversations[3:8]}, "pool": {"pool": conversations[::2]}}
    made.targets = groups.__getitem__
    return made


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    return warm_up(features(tmp_path_factory.mktemp("warm")), np.arange(16), WarmUpSettings(**WARM_UP), seed=0)


def gradients_of(warm, epoch=1, dimension=EVERYTHING, tokens_per_batch=8192, model=LANGUAGE_MODEL.model, **settings):
    adapters = warm.adapters(epoch, CPU)
    sketch = Sketch(block_sizes(adapters), dimension, 0, CPU)
    return GradientPass(model, adapters, warm.scale, sketch, CPU, tokens_per_batch, **settings)


def test_the_worked_number_of_adam():
    found = adam_direction(torch.tensor(0.5), torch.tensor(0.1), torch.tensor(0.04))
    assert float(found) == pytest.approx(0.698170, abs=1e-6)
    assert reference.adam_direction(0.5, 0.1, 0.04) == pytest.approx(0.698170, abs=1e-6)


@pytest.mark.parametrize("kind", ["adam", "plain"])
@pytest.mark.parametrize("epoch", [0, 1])
def test_gradients_equal_those_of_peft_row_by_row(warm, kind, epoch):
    adapters = warm.adapters(epoch, CPU)
    whole = reference.adapted(LANGUAGE_MODEL.model, adapters, warm.scale)
    expected = reference.directions(whole, adapters, ENCODED, adam=kind == "adam")
    found, lengths = gradients_of(warm, epoch)(ENCODED, kind)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (lengths > 0).all()


@pytest.mark.parametrize("tokens_per_batch", [1, 100, 8192])
@pytest.mark.parametrize("numbers", [1, 2**26])
def test_a_batch_gives_what_each_row_gives_alone(warm, tokens_per_batch, numbers, monkeypatch):
    alone = np.concatenate([gradients_of(warm)([row], "adam")[0] for row in ENCODED])
    monkeypatch.setitem(gradients.GRADIENT_NUMBERS, "cpu", numbers)
    monkeypatch.setitem(batches.LOGITS_AT_ONCE, "cpu", 2000)
    together, _ = gradients_of(warm, tokens_per_batch=tokens_per_batch)(ENCODED, "adam")
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_model_that_is_not_trained_gives_the_same_and_is_left_as_it_was(warm):
    frozen = tiny_language_model().model.requires_grad_(False)
    np.testing.assert_allclose(
        gradients_of(warm, model=frozen)(ENCODED, "plain")[0], gradients_of(warm)(ENCODED, "plain")[0], atol=1e-6
    )
    assert not any(module._forward_hooks for module in frozen.modules())
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in frozen.parameters())


def test_bad_rows_are_nan_and_change_no_other(warm):
    expected, _ = gradients_of(warm)(ENCODED[:5], "adam")
    nothing = replace(ENCODED[0], spans=[(2, 2)], ends=[None])
    unknown = Encoded(ids=[1, 2, 10**6, 3], spans=[(1, 3)], ends=[3], truncated=False)
    empty = Encoded(ids=[], spans=[(0, 0)], ends=[None], truncated=False)
    with pytest.warns(UserWarning, match="1 of 6 rows have no gradient, first row 7 of the shard: IndexError"):
        found, lengths = gradients_of(warm)([*ENCODED[:5], nothing, empty, unknown], "adam")
    assert np.isnan(found[5:]).all() and np.isnan(lengths[5:]).all()
    np.testing.assert_allclose(found[:5], expected, atol=1e-6)
    with pytest.raises(IndexError):
        gradients_of(warm)([unknown, unknown], "adam")


def test_an_unknown_kind_is_an_error(warm):
    with pytest.raises(ValueError, match="kind: expected one of 'adam', 'plain', found 'sgd'"):
        gradients_of(warm)(ENCODED[:1], "sgd")


@pytest.mark.parametrize("dimension", [256, 1024, 4096])
def test_a_projection_keeps_inner_products_up_to_one_over_the_root_of_its_dimension(dimension):
    sizes = {"one": 9_000, "two": 3_000}
    sketch = Sketch(sizes, dimension, 0, CPU)
    vectors = torch.randn(401, 12_000, generator=torch.Generator().manual_seed(0))
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    total = torch.zeros(dimension, len(vectors))
    for name, block in zip(sizes, vectors.split(list(sizes.values()), dim=1), strict=True):
        sketch.add(total, name, block)
    projected = total.T
    error = (projected[:200] * projected[200:400]).sum(1) - (vectors[:200] * vectors[200:400]).sum(1)
    assert float(error.square().mean().sqrt()) == pytest.approx(dimension**-0.5, rel=0.2)
    assert abs(float(error.mean())) < 4 * (200 * dimension) ** -0.5


def test_a_projection_depends_on_its_seed_and_loses_nothing_where_there_is_room():
    block = torch.randn(3, 40, generator=torch.Generator().manual_seed(0))

    def projected(dimension, seed):
        sketch = Sketch({"a": 40}, dimension, seed, CPU)
        total = torch.zeros(sketch.dimension, 3)
        sketch.add(total, "a", block)
        return total.T

    assert torch.equal(projected(8, 0), projected(8, 0)) and not torch.equal(projected(8, 0), projected(8, 1))
    assert torch.equal(projected(40, 0), block) and torch.equal(projected(100, 1), block)


def test_a_warm_up_keeps_every_epoch_with_adams_state_and_is_repeatable(warm, tmp_path):
    assert adapted_layers(LANGUAGE_MODEL.model) == [
        f"model.layers.{layer}.self_attn.{name}_proj" for layer in (0, 1) for name in "qkvo"
    ]
    assert len(warm.learning_rates) == 2 and len(warm.losses) == 4 and warm.losses[-1] < warm.losses[0]
    # Of four steps the first has the highest rate (a rise over 3 % is less than one), which then falls linearly.
    assert warm.learning_rates == pytest.approx([1e-2 * (1 + 3 / 4) / 2, 1e-2 * (2 / 4 + 1 / 4) / 2])
    first, last = (warm.adapters(epoch, CPU) for epoch in (0, 1))
    assert set(first) == set(adapted_layers(LANGUAGE_MODEL.model))
    for layer, (matrix_a, matrix_b) in last.items():
        assert matrix_a.weight.shape == (2, 32) and matrix_b.weight.shape == (32, 2)
        assert matrix_b.weight.abs().sum() > 0 and (matrix_b.square > 0).any() and (matrix_b.square >= 0).all()
        assert not torch.equal(matrix_b.weight, first[layer][1].weight)
    again = warm_up(features(tmp_path), np.arange(16), WarmUpSettings(**WARM_UP), seed=0)
    assert torch.equal(again.adapters(1, CPU)[layer][0].mean, last[layer][0].mean)


@pytest.mark.parametrize(
    "setting, message",
    [({"rank": 0}, "rank: expected a whole number from 1 up, found 0"),
     ({"epochs": 1.5}, "epochs: expected a whole number"),
     ({"learning_rate": 0}, "learning_rate: expected more than 0"),
     ({"dropout": 1}, "dropout: expected from 0 to below 1"),
     ({"device_rows": 5}, "device_rows: expected a divisor of 32, found 5")],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_an_error(setting, message):
    with pytest.raises(ValueError, match=message):
        WarmUpSettings(**setting)


def test_a_gradient_of_zero_is_no_direction_and_stays_finite(warm, monkeypatch):
    original = GradientPass._backward
    monkeypatch.setattr(GradientPass, "_backward", lambda self, rows, kind: 0 * original(self, rows, kind))
    found, lengths = gradients_of(warm)(ENCODED, "plain")
    assert (found == 0).all() and (lengths == 0).all()


def test_inner_products_are_those_of_the_gradients(warm):
    (gradients, lengths), target = gradients_of(warm)(ENCODED, "adam"), gradients_of(warm)(ENCODED[:3], "plain")[0]
    found, same = gradients_of(warm)(ENCODED, "adam", against=target)
    np.testing.assert_allclose(found, gradients @ target.T, atol=1e-6)
    np.testing.assert_array_equal(same, lengths)


def test_adapters_of_few_numbers_are_not_projected():
    assert default_dimension({"a": 20_000, "b": 12_768}) == 32_768
    assert default_dimension({"a": 60_000, "b": 60_000}) == 8_192
