"""A model folder is loaded as a whole or refused: nothing is filled with random numbers, nothing left out in silence."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from analysis.models.language_model import load_model
from analysis.paths import BASES
from tests.tiny import tiny_language_model

NORM = "model.layers.0.input_layernorm.weight"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(BASES / "tiny-weak", tmp_path / "base")


def change(folder, changed):
    file = next(folder.glob("*.safetensors"))
    weights = load_file(file)
    changed(weights)
    save_file(weights, file, metadata={"format": "pt"})


@pytest.mark.parametrize(
    "changed, message",
    [
        (lambda weights: weights.pop(NORM), f"lacks {NORM}"),
        (lambda weights: weights.update({"model.layers.0.gate.weight": torch.ones(2)}), r"has no place for model\.layers\.0\.gate"),
        (lambda weights: weights.update({NORM: weights[NORM][:5].clone()}), rf"has other shapes: {NORM} of \(5,\) for"),
        (lambda weights: weights[NORM].fill_(float("nan")), f"has infinite or no numbers in {NORM}"),
        (lambda weights: weights[NORM][:1].fill_(float("inf")), f"has infinite or no numbers in {NORM}"),
    ],
    ids=["missing", "unexpected", "other shape", "nan", "infinite"],
)  # fmt: skip
def test_weights_that_are_not_whole_are_listed(folder, changed, message):
    change(folder, changed)
    with pytest.raises(ValueError, match=message):
        load_model(folder)


def test_many_faults_are_counted(folder):
    change(folder, lambda weights: [weights.pop(name) for name in sorted(weights) if "layernorm" in name])
    with pytest.raises(ValueError, match=r"lacks (model\S+, ){3}model\S+ and \d+ more$"):
        load_model(folder)


@pytest.mark.parametrize("tied", [True, False])
def test_a_head_that_is_tied_may_be_absent_and_one_that_is_not_may_not(tmp_path, tied):
    base = tiny_language_model()
    model = type(base.model)(type(base.model.config)(**base.model.config.to_dict() | {"tie_word_embeddings": tied}))
    model.save_pretrained(tmp_path)
    base.tokenizer.save_pretrained(tmp_path)
    loaded = load_model(tmp_path).model
    same = loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight
    assert same == tied
    if not tied:
        change(tmp_path, lambda weights: weights.pop("lm_head.weight"))
        with pytest.raises(ValueError, match=r"lacks lm_head\.weight"):
            load_model(tmp_path)


def test_the_vocabulary_of_a_config_is_held_against_the_weights(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": config["vocab_size"] + 8}))
    with pytest.raises(ValueError, match=r"has other shapes: (lm_head|model\.embed_tokens)\.weight of"):
        load_model(folder)
