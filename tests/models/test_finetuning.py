"""Fine-tuning: what is learned, what is left alone, and that a seed decides everything."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from analysis.models.encoding import Encoded, encode
from analysis.models.language_model import LanguageModel, fingerprint_weights
from analysis.models.training.finetuning import FineTuning, finetune
from analysis.models.training.trainer import LossHistory
from analysis.models.training.training_rows import (
    IGNORED,
    EndToEnd,
    lay_end_to_end,
    rows_stay_apart,
    training_examples,
)
from tests.tiny import tiny_language_model

QUICK = FineTuning(epochs=2, least_steps=1, learning_rate=5e-3, batch_rows=4, max_tokens=128)


def conversation(question: str, *answers: str) -> list[dict]:
    turns = []
    for answer in answers:
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return turns


CONVERSATIONS = [conversation(f"What is {number}?", f"It is {number * 3}, of course.") for number in range(14)]


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return tiny_language_model()


def test_labels_are_the_answers_and_their_end_tokens_and_nothing_else(base):
    messages = conversation("Why?", "Yes!", "No.")
    encoded = encode(messages, base.tokenizer, base.template, 128)
    (example,), dropped = training_examples([encoded])
    learned = [token for token in example["labels"] if token != IGNORED]
    assert base.tokenizer.decode(learned) == "Yes!<|end|>No.<|end|>"
    kept = [label in (IGNORED, token) for label, token in zip(example["labels"], encoded.ids, strict=True)]
    assert all(kept)
    assert example["n_learned"] == len(learned)
    assert not dropped


def test_a_row_without_an_answer_token_left_is_dropped_and_counted(base):
    empty = Encoded(ids=[5, 6, 0], spans=[(2, 2)], ends=[2], truncated=False)
    whole = Encoded(ids=[5, 6, 7, 0], spans=[(2, 3)], ends=[3], truncated=False)
    examples, dropped = training_examples([empty, whole])
    assert [example["input_ids"] for example in examples] == [whole.ids]
    assert dict(dropped) == {"no answer token within max_tokens": 1}


def test_the_first_token_is_never_learned():
    starts_at_once = Encoded(ids=[7, 8, 0], spans=[(0, 2)], ends=[2], truncated=False)
    (example,), _ = training_examples([starts_at_once])
    assert example["labels"] == [IGNORED, 8, 0]


def test_training_reports_what_it_did_and_lowers_the_loss(base):
    training = finetune(base, CONVERSATIONS, replace(QUICK, epochs=6), seed=0).training
    encoded = [encode(row, base.tokenizer, base.template, 128) for row in CONVERSATIONS]
    assert training["rows_kept"] == 14 and training["rows_dropped"] == {}
    assert training["tokens"] == sum(len(row.ids) for row in encoded)
    assert training["answer_tokens"] == sum(end - start + 1 for row in encoded for start, end in row.spans)
    assert training["steps"] == len(training["losses"]) == 6 * 4
    assert np.mean(training["losses"][-4:]) < 0.8 * np.mean(training["losses"][:4])
    assert training["seconds"] > 0


def test_first_loss_is_the_mean_over_the_learned_tokens_of_the_batch(base):
    settings = replace(QUICK, epochs=1, batch_rows=14, weight_decay=0.0)
    model = finetune(base, CONVERSATIONS, settings, seed=0)
    total, count = 0.0, 0
    for row in CONVERSATIONS:  # one by one, without padding
        (example,), _ = training_examples([encode(row, base.tokenizer, base.template, 128)])
        ids, labels = torch.tensor([example["input_ids"]]), torch.tensor([example["labels"]])
        with torch.inference_mode():
            total += float(base.model(input_ids=ids, labels=labels).loss) * example["n_learned"]
        count += example["n_learned"]
    assert model.training["losses"][0] == pytest.approx(total / count, rel=1e-4)


def test_accumulation_changes_memory_and_not_the_result(base):
    whole = finetune(base, CONVERSATIONS[:12], replace(QUICK, batch_rows=4), seed=3)
    parts = finetune(base, CONVERSATIONS[:12], replace(QUICK, batch_rows=4, device_rows=2), seed=3)
    assert parts.training["steps"] == whole.training["steps"]
    for one, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_where_memory_ends_fewer_rows_are_held_and_the_result_stays(base, monkeypatch):
    half = finetune(base, CONVERSATIONS[:12], replace(QUICK, device_rows=2), seed=3)
    asked = []

    def share(settings, n_devices):
        asked.append(settings.device_rows)
        if settings.device_rows != 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 2, 2

    monkeypatch.setattr(FineTuning, "share", share)
    with pytest.warns(UserWarning, match="4 rows do not fit .*; trying 2 at once"):
        tried = finetune(base, CONVERSATIONS[:12], QUICK, seed=3)
    assert asked == [None, 2] and tried.training["losses"] == half.training["losses"]
    assert tried.fingerprint == half.fingerprint
    monkeypatch.setattr(FineTuning, "share", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("full")))
    with pytest.warns(UserWarning, match="2 rows do not fit"), pytest.raises(torch.OutOfMemoryError):
        finetune(base, CONVERSATIONS[:12], QUICK, seed=3)


def test_the_base_stays_as_it_is(base):
    before = torch.get_rng_state()
    tuned = finetune(base, CONVERSATIONS, QUICK, seed=0)
    assert fingerprint_weights(base.model, base.tokenizer) == base.fingerprint
    assert not base.model.training and base.training is None
    assert tuned.fingerprint != base.fingerprint and not tuned.model.training
    assert torch.equal(before, torch.get_rng_state())


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(base):
    first, again, other = (finetune(base, CONVERSATIONS, QUICK, seed=seed) for seed in (1, 1, 2))
    assert first.fingerprint == again.fingerprint
    assert first.training["losses"] == again.training["losses"]
    assert first.fingerprint != other.fingerprint


def test_lora_trains_adapters_and_merges_them(base):
    tuned = finetune(base, CONVERSATIONS, replace(QUICK, lora_rank=2), seed=0)
    assert type(tuned.model) is type(base.model)
    assert [name for name, _ in tuned.model.named_parameters()] == [name for name, _ in base.model.named_parameters()]
    embeddings = base.model.get_input_embeddings().weight, tuned.model.get_input_embeddings().weight
    torch.testing.assert_close(*embeddings)
    layers = base.model.model.layers[0].mlp.up_proj.weight, tuned.model.model.layers[0].mlp.up_proj.weight
    assert not torch.allclose(*layers)
    assert fingerprint_weights(base.model, base.tokenizer) == base.fingerprint


@pytest.mark.parametrize(
    "settings, steps, epochs",
    [({"least_steps": 7}, 8, 2), ({"least_steps": 8}, 8, 2), ({"least_steps": 9}, 12, 3), ({"epochs": 0.7, "least_steps": 3}, 3, 0.7),
     ({"epochs": 0.7, "least_steps": 4}, 4, 1)],
)  # fmt: skip
def test_few_rows_are_passed_over_until_there_are_enough_steps(base, settings, steps, epochs):
    training = finetune(base, CONVERSATIONS, replace(QUICK, **settings), seed=0).training  # four steps an epoch
    assert training["steps"] == len(training["losses"]) == steps and training["epochs"] == epochs


def test_the_number_of_rows_alone_decides_how_long_is_trained():
    settings = FineTuning()
    assert [settings.epochs_for(n_rows) for n_rows in (1, 16, 17, 125, 320, 5000)] == [60, 60, 30, 8, 3, 3]


@pytest.mark.parametrize(
    "batch_rows, n_rows, batch",
    [(8, 46, 2), (8, 160, 8), (8, 400, 16), (8, 3, 1), (128, 46, 32), (6, 80, 4), (5, 80, 2)],
)
def test_fewer_longer_rows_are_passed_over_as_often_in_about_as_many_steps(batch_rows, n_rows, batch):
    settings = FineTuning(batch_rows=batch_rows, least_steps=60)
    fewer = settings.as_for(n_rows, 160)
    assert fewer.batch_rows == batch and fewer.epochs_for(n_rows) == settings.epochs_for(160)
    steps, wanted = -(-n_rows // batch), -(-160 // batch_rows)
    assert n_rows < 10 or 0.6 <= steps / wanted <= 1.6  # batches are whole numbers


def test_rows_on_a_device_still_divide_a_batch_of_other_size():
    fewer = FineTuning(batch_rows=128, device_rows=4).as_for(60, 160)
    assert fewer.batch_rows == 48 and fewer.share(4) == (4, 3)


@pytest.mark.parametrize("scheduler", ["cosine", "linear", "constant"])
@pytest.mark.parametrize("warmup_share", [0.0, 0.03, 0.5])
def test_every_step_counts_from_the_first_to_the_last(base, monkeypatch, scheduler, warmup_share):
    rates = []
    monkeypatch.setattr(
        LossHistory,
        "on_pre_optimizer_step",
        lambda *_, optimizer, **__: rates.append(optimizer.param_groups[0]["lr"]),
        raising=False,
    )
    settings = replace(QUICK, batch_rows=14, warmup_share=warmup_share, scheduler=scheduler)
    for steps in (1, 2, 10):
        rates.clear()
        finetune(base, CONVERSATIONS, replace(settings, epochs=steps), seed=0)
        assert len(rates) == steps and 0 < min(rates) <= max(rates) <= QUICK.learning_rate
        peak = rates.index(max(rates))
        assert rates == sorted(rates[: peak + 1]) + sorted(rates[peak + 1 :], reverse=True)


def test_nothing_to_train_on_is_an_error_that_says_why(base):
    long_question = [conversation("word " * 200, "Yes!")]
    encoded = encode(long_question[0], base.tokenizer, base.template, 8)
    rows = [conversation("Why?", "")]
    assert encoded.truncated
    with pytest.raises(ValueError, match=r"tiny: none of 1 rows can be trained on.*no answer token"):
        finetune(base, rows, QUICK, seed=0)


def test_a_model_without_weights_cannot_be_trained(base):
    with pytest.raises(ValueError, match="tiny: loaded without weights"):
        finetune(replace(base, model=None), CONVERSATIONS, QUICK, seed=0)


def test_a_loss_that_is_not_finite_names_its_step(base):
    with pytest.raises(ValueError, match=r"the loss of step \d+ is (nan|inf): learning_rate 1e\+30"):
        finetune(base, CONVERSATIONS, replace(QUICK, learning_rate=1e30, scheduler="constant"), seed=0)


@pytest.mark.parametrize("dtype, rate", [(torch.float32, 1e-30), (torch.bfloat16, 1e-9)])
def test_a_training_that_changes_no_weight_is_an_error(base, dtype, rate):
    still = replace(base, model=copy.deepcopy(base.model).to(dtype), dtype=dtype)
    named = str(dtype).removeprefix("torch.")
    with pytest.raises(
        ValueError, match=f"tiny: 8 steps at a learning rate of at most {rate} changed no weight in {named}"
    ):
        finetune(still, CONVERSATIONS, replace(QUICK, learning_rate=rate), seed=0)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"epochs": 0}, "epochs: expected more than 0, found 0"),
        ({"least_steps": 0}, "least_steps: expected at least 1, found 0"),
        ({"batch_rows": 0}, "batch_rows: expected at least 1, found 0"),
        ({"learning_rate": 0.0}, "learning_rate: expected more than 0, found 0.0"),
        ({"warmup_share": 1.0}, "warmup_share: expected from 0 to below 1, found 1.0"),
        ({"batch_rows": 4, "device_rows": 8}, "device_rows: expected from 1 to 4, found 8"),
        ({"max_tokens": 1}, "max_tokens: expected at least 2, found 1"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        FineTuning(**settings)


def test_rows_per_device_must_divide_the_batch(base):
    with pytest.raises(ValueError, match="device_rows: expected a divisor of 4 rows per device, found 3"):
        finetune(base, CONVERSATIONS, replace(QUICK, device_rows=3), seed=0)


def test_rows_laid_end_to_end_teach_what_padded_rows_teach(base):
    """Batches of the same rows: one batch holds them all, so order does not matter."""
    rows = [conversation(f"What is {number}?", "It is so. " * (1 + number % 5)) for number in range(14)]
    one_batch = replace(QUICK, batch_rows=len(rows))
    padded = finetune(base, rows, replace(one_batch, end_to_end=False), seed=0)
    joined = finetune(base, rows, replace(one_batch, end_to_end=True), seed=0)
    assert np.allclose(joined.training["losses"], padded.training["losses"], atol=1e-4)
    for name, weight in padded.model.state_dict().items():
        assert torch.allclose(joined.model.state_dict()[name], weight, atol=1e-3), name


def test_a_model_that_mixes_rows_laid_end_to_end_is_found_out(base):
    assert rows_stay_apart(base.model)

    class Mixing(torch.nn.Module):
        device = base.model.device

        def get_input_embeddings(self):
            return base.model.get_input_embeddings()

        def forward(self, input_ids, position_ids=None, use_cache=False):
            return base.model(input_ids=input_ids, use_cache=use_cache)  # the positions are lost on the way

    assert not rows_stay_apart(Mixing())


@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_lines_hold_every_row_once_and_none_is_longer_than_the_longest_row(lengths):
    lines = lay_end_to_end(lengths)
    assert sorted(row for line in lines for row in line) == list(range(len(lengths)))
    assert all(sum(lengths[row] for row in line) <= max(lengths) for line in lines)
    if len(lines) > 1:  # no two lines would fit into one, so less than half is padding
        assert 2 * sum(lengths) > (len(lines) - 1) * max(lengths)


def test_rows_laid_end_to_end_begin_at_position_0():
    rows = [{"input_ids": list(range(n)), "labels": [-100, *range(1, n)]} for n in (2, 5, 3)]
    batch = EndToEnd(pad_id=9)(rows)
    assert batch["input_ids"].tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 0, 1]]
    assert batch["position_ids"].tolist() == batch["input_ids"].tolist()
    assert EndToEnd(pad_id=9)(rows[:2])["input_ids"].tolist() == [[0, 1, 2, 3, 4], [0, 1, 9, 9, 9]]
    assert EndToEnd(pad_id=9)(rows[:2])["labels"].tolist() == [[-100, 1, 2, 3, 4], [-100, 1, -100, -100, -100]]
