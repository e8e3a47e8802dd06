"""Every family of models in use: what a batch gives is what each row gives alone, computed by the model as it is."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from analysis.features.rating_text import RATINGS, digit_ids, rating_ids
from analysis.models.chat_template import choose_template
from analysis.models.encoding import Encoded, encode_batch, encode_prompt
from analysis.models.generation import generate
from analysis.models.passes.gradients import GradientPass
from analysis.models.passes.hidden_states import WEIGHTS, HiddenStatePass
from analysis.models.passes.next_token import NextTokenPass
from analysis.models.passes.random_projection import Sketch, block_sizes
from analysis.models.passes.token_losses import TokenLossPass
from analysis.models.training.checkpoints import WarmUp, WarmUpSettings
from analysis.models.training.finetuning import FineTuning, finetune
from analysis.models.training.training_rows import IGNORED, rows_stay_apart, training_examples
from analysis.models.training.warm_up import train
from tests import real_tokenizers
from tests.families import FAMILIES, WINDOW, family_model, family_tokenizer
from tests.references import less as reference

SAME = {"rtol": 1e-4, "atol": 1e-4}  # of float32 numbers that a batch adds up in another order
CPU = torch.device("cpu")
MIXING = {"LFM2, a cache of convolutions"}  # rows laid end to end see each other
BEGINS = {"Llama-3", "Gemma 3", "Gemma 2, capped logits"}  # by their chat templates


def conversation(*contents, system=None):
    turns = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(contents)]
    return turns if system is None else [{"role": "system", "content": system}, *turns]


CONVERSATIONS = [
    conversation("What is 12 and 345?", "It is 357, of course."),
    conversation("Sort: owl, river", "owl, river", "And backwards?", "river, owl", system="Be brief."),
    conversation("Yes?", "No."),
    conversation("Say it again and again. " * 3, "Perhaps, if 7 is larger than 12. " * 4 + "Yes!"),
]
PROMPTS = [conversation("Say it again, and then what 12345 is."), conversation("Hi"), CONVERSATIONS[1][:4]]


@cache
def encoded_of(name):
    model = family(name)
    return encode_batch(CONVERSATIONS, model.tokenizer, model.template, 256)


@cache
def family(name):
    return family_model(name)


@pytest.fixture(params=FAMILIES)
def name(request):
    return request.param


def logits_alone(name, ids):
    with torch.inference_mode():
        return family(name).model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float()


def losses_alone(name, row):
    """The sum over each answer's contents; nan where there are none but position 0, which nothing predicts."""
    logs = torch.log_softmax(logits_alone(name, row.ids), dim=-1)
    places = [range(max(start, 1), end) for start, end in row.spans]
    return [-sum(float(logs[place - 1, row.ids[place]]) for place in of) if of else np.nan for of in places]


def test_spans_hold_the_answers_and_a_text_begins_at_most_once(name):
    model = family(name)
    begins = model.tokenizer.bos_token_id
    for messages, row in zip(CONVERSATIONS, encoded_of(name), strict=True):
        answers = [message["content"] for message in messages if message["role"] == "assistant"]
        assert [model.tokenizer.decode(row.ids[start:end]) for start, end in row.spans] == answers
        assert [row.ids[end] for end in row.ends] == [model.tokenizer.convert_tokens_to_ids(model.template.end)] * len(
            answers
        )
        assert len(row.ids) > 2 * WINDOW or messages is CONVERSATIONS[2]
        if begins is not None:
            assert [place for place, token in enumerate(row.ids) if token == begins] == [0] * (name in BEGINS)


def test_token_losses_with_and_without_the_prompt(name):
    model = family(name)
    with_prompt = encoded_of(name)
    alone = [
        Encoded(row.ids[start:end], [(0, end - start)], [None], False)
        for row in with_prompt
        for start, end in row.spans
    ]
    for rows in (with_prompt, alone):
        expected = [loss for row in rows for loss in losses_alone(name, row)]
        for tokens_per_batch in (1, 8192):
            found = TokenLossPass(model.model, CPU, tokens_per_batch)(rows)
            np.testing.assert_allclose(found["loss_sum"], expected, **SAME)


@pytest.mark.parametrize("form", ["original", "released"])
def test_ratings_are_the_logits_of_the_digits(name, form):
    model = family(name)
    digits = digit_ids(model.tokenizer)
    assert [model.tokenizer.decode([token]) for token in digits] == list(RATINGS)
    texts = rating_ids(
        [row for row in CONVERSATIONS if row[0]["role"] == "user"], "Rate it.", model.tokenizer, 200, form
    )
    begins = model.tokenizer.bos_token_id
    assert begins is None or all(text[0] == begins and text.count(begins) == 1 for text in texts)
    expected = [logits_alone(name, text)[-1, digits].numpy() for text in texts]
    np.testing.assert_allclose(NextTokenPass(model.model, CPU, 8192)(texts, digits), expected, **SAME)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_embeddings_are_means_of_the_last_states(name, kind):
    model, rows = family(name), encoded_of(name)
    expected = []
    for row in rows:
        with torch.inference_mode():
            states = model.model.base_model(input_ids=torch.tensor([row.ids]), use_cache=False).last_hidden_state[0]
        weights = WEIGHTS[kind](row)
        expected.append(weights @ states[: len(weights)].double().numpy())
    np.testing.assert_allclose(HiddenStatePass(model.model, CPU, kind, 8192)(rows), expected, **SAME)


def test_gradients_of_a_warm_up_are_those_of_peft_row_by_row(name, tmp_path):
    model, rows = family(name), encoded_of(name)
    settings = WarmUpSettings(rank=2, epochs=1, batch_rows=2, learning_rate=1e-2)
    train(model, CONVERSATIONS, settings, 0, tmp_path)
    adapters = WarmUp(tmp_path, "", settings.scale, [], [], 0.0).adapters(0, CPU)
    whole = reference.adapted(model.model, adapters, settings.scale)
    sketch = Sketch(block_sizes(adapters), 10**6, 0, CPU)
    for kind in ("adam", "plain"):
        found, _ = GradientPass(model.model, adapters, settings.scale, sketch, CPU, 8192)(rows, kind)
        np.testing.assert_allclose(found, reference.directions(whole, adapters, rows, adam=kind == "adam"), atol=1e-4)


def test_answers_to_many_prompts_are_those_to_each_alone(name):
    model = family(name)
    prompts = [encode_prompt(messages, model.tokenizer, model.template) for messages in PROMPTS]
    expected = []
    for prompt in prompts:
        ids = list(prompt)
        while len(ids) < len(prompt) + 2 * WINDOW:
            token = int(logits_alone(name, ids)[-1].argmax())
            if token == model.tokenizer.convert_tokens_to_ids(model.template.end):
                break
            ids.append(token)
        expected.append(model.tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True))
    assert generate(model, prompts, max_new_tokens=2 * WINDOW, batch_items=3) == expected
    assert len(set(expected)) > 1


@pytest.mark.parametrize("end_to_end", [False, True])
def test_a_step_on_a_batch_is_that_on_its_rows_one_at_a_time(name, end_to_end):
    """By the loss before the step, and by the weights after three."""
    model = family(name)
    settings = FineTuning(
        epochs=3,
        least_steps=1,
        learning_rate=1e-3,
        batch_rows=4,
        weight_decay=0.0,
        warmup_share=0.0,
        end_to_end=end_to_end,
    )
    together = finetune(model, CONVERSATIONS, settings, seed=0)
    alone = finetune(model, CONVERSATIONS, replace(settings, device_rows=1, end_to_end=False), seed=0)
    losses, count = 0.0, 0
    for example in training_examples(encoded_of(name))[0]:
        logs = torch.log_softmax(logits_alone(name, example["input_ids"]), dim=-1)
        learned = [place for place, label in enumerate(example["labels"]) if label != IGNORED]
        losses -= sum(float(logs[place - 1, example["labels"][place]]) for place in learned)
        count += len(learned)
    assert together.training["losses"][0] == pytest.approx(losses / count, rel=1e-4)
    assert together.training["losses"] == pytest.approx(alone.training["losses"], rel=1e-3)
    for (parameter, one), other in zip(together.model.named_parameters(), alone.model.parameters(), strict=True):
        # Adam's step is as long where a gradient is nothing but rounding: of such numbers there may be a few.
        assert float(((one - other).abs() > 1e-4).float().mean()) < 5e-3, parameter


@pytest.mark.shared
@pytest.mark.skipif(not real_tokenizers.FOLDER.is_dir(), reason="needs ../shared")
@pytest.mark.parametrize("vocabulary, digits", [("qwen", ["1", "2", "3"]), ("llama3", ["123"])])
def test_real_vocabularies_split_answers_and_digits_as_theirs_do(vocabulary, digits):
    tokenizer = real_tokenizers.real_tokenizer(vocabulary)
    assert tokenizer.convert_ids_to_tokens(tokenizer("123")["input_ids"]) == digits
    template = choose_template(tokenizer)
    for messages, row in zip(CONVERSATIONS, encode_batch(CONVERSATIONS, tokenizer, template, 256), strict=True):
        answers = [message["content"] for message in messages if message["role"] == "assistant"]
        assert [tokenizer.decode(row.ids[start:end]) for start, end in row.spans] == answers
        assert [row.ids[end] for end in row.ends] == [tokenizer.eos_token_id] * len(answers)


def test_rows_laid_end_to_end_are_used_where_the_family_keeps_them_apart(name):
    assert rows_stay_apart(family(name).model) == (name not in MIXING)


def test_a_template_whose_prompt_ends_otherwise_before_an_answer_is_not_used():
    with pytest.warns(UserWarning, match="the generation prompt differs from what stands before an answer"):
        assert choose_template(family_tokenizer(FAMILIES["Mistral"])).name == "default"
