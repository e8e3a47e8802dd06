"""Benchmarks: one score per item that depends on nothing but the model and the item."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset

from analysis.experiments.benchmarks import catalogue, testbed
from analysis.experiments.benchmarks.held_out import held_out_answer_loss
from analysis.experiments.benchmarks.result import NATS, POINTS, UNITS, unit_of
from analysis.models.encoding import encode, encode_prompt
from analysis.models.language_model import LanguageModel
from analysis.pools.targets import load_targets
from analysis.pools.testbed import evaluation_items
from tests.tiny import conversation, tiny_language_model, tiny_model

MESSAGES = [
    conversation("Why?", "Yes! No. Perhaps."),
    conversation("What is the sum of three and four?", "The sum is seven.", "And then?", "Sort the words, then."),
    conversation("Nothing?", ""),
    conversation("A longer question about owls, rivers and mountains, with many words?", "No."),
]


@pytest.fixture(scope="module")
def language_model() -> LanguageModel:
    return tiny_language_model()


@pytest.fixture(scope="module")
def pool():
    ids = [f"row-{place}" for place in range(len(MESSAGES))]
    held_out = Dataset.from_dict({"id": ids, "source": ["a", "b", "a", "b"], "messages": MESSAGES})
    return SimpleNamespace(name="four rows", held_out=held_out, has_truth=False)


def test_batched_generation_is_what_each_prompt_gives_alone(language_model):
    questions = ["Why?", "What is the sum of three and four?", "Sort the words by length: river, owl.", "12?"]
    prompts = [
        encode_prompt(conversation(question), language_model.tokenizer, language_model.template)
        for question in questions
    ]
    alone = [greedy(language_model, prompt, 20) for prompt in prompts]
    for batch_items in (1, 3, 8):
        batched = testbed.generate(language_model, prompts, max_new_tokens=20, batch_items=batch_items)
        assert batched == alone


def greedy(language_model: LanguageModel, prompt: list[int], max_new_tokens: int) -> str:
    """The definition: the likeliest next token, again and again, without cache, padding or batch."""
    ids, end = list(prompt), language_model.tokenizer.eos_token_id
    for _ in range(max_new_tokens):
        with torch.inference_mode():
            best = int(language_model.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if best == end:
            break
        ids.append(best)
    return language_model.tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True)


def test_each_item_is_graded_by_its_own_response(language_model, monkeypatch):
    items = evaluation_items("development")
    responses = [item.answer if place % 3 == 0 else "no idea" for place, item in enumerate(items)]
    monkeypatch.setattr(testbed, "generate", lambda *arguments, **options: responses)
    result = testbed.testbed_accuracy(language_model, "development")
    assert result.items.tolist() == [float(place % 3 == 0) for place in range(len(items))]
    assert result.item_ids == [item.id for item in items]
    assert result.groups == [item.family for item in items]
    assert result.unit == "share correct" and result.responses == responses


def test_prompts_and_items_stay_together(language_model, monkeypatch):
    """A model that repeats its prompt is graded on the right prompt, whatever order generation takes."""
    seen = []

    def repeat(language_model, prompts, **options):
        seen.extend(prompts)
        return [""] * len(prompts)

    monkeypatch.setattr(testbed, "generate", repeat)
    testbed.testbed_accuracy(language_model, "development")
    for prompt, item in zip(seen, evaluation_items("development"), strict=True):
        assert item.prompt in language_model.tokenizer.decode(prompt)


def test_held_out_loss_is_the_mean_over_all_answer_tokens_negated(language_model, pool):
    result = held_out_answer_loss(language_model, pool)
    for messages, score in zip(MESSAGES, result.items, strict=True):
        encoded = encode(messages, language_model.tokenizer, language_model.template, 1024)
        with torch.inference_mode():
            logits = language_model.model(input_ids=torch.tensor([encoded.ids])).logits[0]
        log_probabilities = torch.log_softmax(logits.double(), dim=-1)
        learned = [place for start, end in encoded.spans for place in range(start, end)]
        expected = [float(log_probabilities[place - 1, encoded.ids[place]]) for place in learned]
        if expected:
            assert score == pytest.approx(np.mean(expected), abs=1e-4)
        else:
            assert np.isnan(score)
    assert result.item_ids == ["row-0", "row-1", "row-2", "row-3"]
    assert result.groups == ["a", "b", "a", "b"]


def test_a_sample_of_held_out_rows_is_the_same_for_every_model(language_model, pool):
    whole = held_out_answer_loss(language_model, pool)
    part = held_out_answer_loss(language_model, pool, max_rows=3)
    again = held_out_answer_loss(replace(language_model, name="other"), pool, max_rows=3)
    assert part.item_ids == again.item_ids and len(part.item_ids) == 3
    chosen = [whole.item_ids.index(id) for id in part.item_ids]
    np.testing.assert_allclose(part.items, whole.items[chosen], atol=1e-5)
    assert part.groups == [whole.groups[place] for place in chosen]


@pytest.mark.filterwarnings("ignore:.*rows could not be scored")
def test_a_model_without_a_finite_loss_is_an_error_that_names_the_row(language_model, pool):
    broken = tiny_model(language_model.tokenizer)
    with torch.no_grad():
        broken.model.norm.weight.fill_(float("nan"))
    with pytest.raises(ValueError, match="held-out row 'row-0' of four rows and 2 more: no finite loss under tiny"):
        held_out_answer_loss(replace(language_model, model=broken), pool)


def test_accuracy_is_measured_only_where_the_testbed_is_the_pool(pool):
    assert list(catalogue.benchmarks_for(pool)) == [catalogue.ANSWER_LOSS]
    curated = SimpleNamespace(name="curated", held_out=pool.held_out, has_truth=True, skills=None)
    assert list(catalogue.benchmarks_for(curated)) == [catalogue.ACCURACY, catalogue.ANSWER_LOSS]


def test_held_out_rows_that_serve_as_targets_are_not_scored(language_model):
    rows = [
        [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": f"It is {n}."}] for n in range(80)
    ]
    ids = [f"row{n}" for n in range(80)]
    columns = {"id": ids, "source": ["a"] * 80, "messages": rows, "dup_group": list(range(80))}
    pool = SimpleNamespace(name="eighty rows", held_out=Dataset.from_dict(columns), has_truth=False)
    seen = {messages[0]["content"] for group in load_targets("held-out", pool).values() for messages in group}
    scored = {rows[ids.index(one)][0]["content"] for one in held_out_answer_loss(language_model, pool).item_ids}
    assert 8 <= len(seen) <= 32 and not seen & scored
    assert seen | scored == {messages[0]["content"] for messages in rows}


def test_a_unit_tells_how_scores_are_written_and_an_unknown_one_is_told_as_it_is():
    assert UNITS == {"share correct": POINTS, "nats per answer token, negated": NATS}
    assert all(unit_of(name) is unit for name, unit in UNITS.items())
    other = unit_of("exact_match")
    assert (other.name, other.short, other.scale, other.digits, other.delta) == (
        "exact_match",
        "exact_match",
        1,
        3,
        0.02,
    )
    assert POINTS.delta != NATS.delta
