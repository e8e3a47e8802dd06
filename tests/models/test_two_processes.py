"""Two processes fine-tune together: the weights are those of one."""

import json

import pytest
import torch
from safetensors.torch import load_file

from analysis.models.training.finetuning import finetune
from tests.models.finetuned_by_two import SETTINGS, conversations
from tests.tiny import tiny_language_model
from tests.two_processes import SECONDS, launched

ROUNDED = "bfloat16"  # rounds so much that only the losses can be held against each other
TOLERANCE = {ROUNDED: 2e-2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    launched("tests.models.finetuned_by_two", str(folder))
    return folder


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("name", SETTINGS)
def test_two_processes_train_the_weights_that_one_trains(folder, name):
    alone = finetune(tiny_language_model(), conversations(), SETTINGS[name], seed=3)
    first, second = (load_file(folder / f"{name}.safetensors.{rank}") for rank in "01")
    tolerance = TOLERANCE.get(name, 1e-5)
    told = json.loads((folder / f"{name}.json.0").read_text(encoding="utf-8"))
    assert told["steps"] == alone.training["steps"] == 6
    assert told["losses"] == pytest.approx(alone.training["losses"], rel=tolerance)
    for key, weight in alone.model.state_dict().items():
        assert torch.equal(first[key], second[key]), key
        if name != ROUNDED:
            torch.testing.assert_close(first[key], weight, rtol=0, atol=tolerance, msg=key)


@pytest.mark.parametrize("name", ["held one at a time", "activations again", ROUNDED])
def test_what_saves_memory_or_time_trains_the_same(name):
    whole, other = (finetune(tiny_language_model(), conversations(), SETTINGS[one], seed=3) for one in ("whole", name))
    tolerance = TOLERANCE.get(name, 1e-5)
    assert other.training["losses"] == pytest.approx(whole.training["losses"], rel=tolerance)
    for (key, one), weight in zip(whole.model.named_parameters(), other.model.parameters(), strict=True):
        assert weight.dtype == torch.float32
        if name != ROUNDED:
            torch.testing.assert_close(one, weight, rtol=0, atol=tolerance, msg=key)
