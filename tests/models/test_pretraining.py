"""Pre-training from scratch: the tokenizer, the packing, the schedule and the loop, on a few documents."""

import itertools
from dataclasses import replace

import pytest
import torch

from analysis.models.chat_template import choose_template
from analysis.models.language_model import fingerprint_weights
from analysis.models.training.pretraining import (
    ASSISTANT,
    END,
    PAD,
    SYSTEM,
    USER,
    Architecture,
    Pretraining,
    packed_batches,
    pretrain,
    train_tokenizer,
)

TEXTS = [f"The sum of {n} and {n + 1} is {2 * n + 1}. The owl sleeps by the river." for n in range(200)]
SMALL = Architecture(hidden=16, layers=1, heads=2, intermediate=32, vocabulary=300)
SHORT = Pretraining(tokens=16_000, sequence_length=32, batch_sequences=10, warmup_steps=5)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, 300)


def test_every_digit_is_a_token_of_its_own_and_text_survives(tokenizer):
    text = "In 2024 we paid 1375 coins — naïve, isn't it? 東京"
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids)
    assert all(sum(character.isdigit() for character in token) <= 1 for token in tokens)
    assert tokenizer.decode(tokenizer(text).input_ids) == text


def test_special_tokens_have_the_ids_that_the_model_is_told(tokenizer):
    model = SMALL.model(0)
    assert tokenizer.convert_tokens_to_ids([END, PAD]) == [0, 1]
    assert (model.config.eos_token_id, model.config.pad_token_id) == (0, 1)
    assert (tokenizer.eos_token, tokenizer.pad_token) == (END, PAD)
    assert len({tokenizer.convert_tokens_to_ids(token) for token in (END, PAD, SYSTEM, USER, ASSISTANT)}) == 5
    assert len(tokenizer) <= SMALL.vocabulary


def test_the_chat_template_is_usable_as_slots(tokenizer):
    messages = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}]
    rendered = tokenizer.apply_chat_template(messages, tokenize=False)
    assert rendered == "<|user|>Why?<|end|><|assistant|>No.<|end|>"
    template = choose_template(tokenizer)
    assert (template.name, template.end) == ("chat template", END)


def test_a_vocabulary_too_small_for_the_bytes_is_refused():
    with pytest.raises(ValueError, match="vocabulary is 260; expected at least 261"):
        train_tokenizer(TEXTS, 260)


def test_packing_joins_documents_by_the_end_token_and_loses_nothing_in_between(tokenizer):
    batches = list(packed_batches(TEXTS, tokenizer, SHORT))
    stream = [id for text in TEXTS for id in [*tokenizer(text).input_ids, 0]]
    packed = torch.cat([batch.flatten() for batch in batches]).tolist()
    assert all(batch.shape == (10, 32) for batch in batches)
    assert packed == stream[: len(packed)]
    assert len(stream) - len(packed) < 320


def test_the_rate_warms_up_stays_and_falls_to_nothing():
    settings = Pretraining(tokens=128 * 32 * 1000, learning_rate=1.0, warmup_steps=100, decay_share=0.4)
    assert settings.steps == 1000
    assert settings.rate(0) == pytest.approx(0.01)
    assert settings.rate(300) == 1.0
    assert settings.rate(800) == pytest.approx(0.5)
    assert 0 < settings.rate(999) < 0.01


def test_training_lowers_the_loss_keeps_a_log_and_depends_on_the_seed_alone(tokenizer):
    def run(seed: int):
        return pretrain(itertools.cycle(TEXTS), tokenizer, SMALL, SHORT, seed=seed, show_progress=False)

    (model, log), (again, _), (other, _) = run(0), run(0), run(1)
    assert not model.training
    assert log[-1]["step"] == SHORT.steps == 50
    assert log[-1]["tokens"] == 16_000
    untrained = float(torch.log(torch.tensor(300.0)))
    assert log[-1]["loss"] < untrained
    assert fingerprint_weights(model, tokenizer) == fingerprint_weights(again, tokenizer)
    assert fingerprint_weights(model, tokenizer) != fingerprint_weights(other, tokenizer)


def test_too_little_text_is_an_error(tokenizer):
    with pytest.raises(ValueError, match="fewer tokens than one batch; expected at least 320"):
        pretrain(["Too short."], tokenizer, SMALL, SHORT, seed=0, show_progress=False)


def test_documents_that_end_early_end_the_training(tokenizer):
    model, _ = pretrain(TEXTS, tokenizer, SMALL, replace(SHORT, tokens=10**6), seed=0, show_progress=False)
    assert not model.training
