"""Answers to many prompts: those of every prompt alone, also where the memory ends."""

import pytest
import torch

from analysis.models import generation
from analysis.models.generation import generate
from tests.tiny import tiny_language_model


@pytest.fixture(scope="module")
def base():
    return tiny_language_model()


PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13], [14, 15], [16, 17, 18, 19]]


def alone(base) -> list[str]:
    return [generate(base, [prompt], max_new_tokens=8, batch_items=1)[0] for prompt in PROMPTS]


def fail_from(monkeypatch, rows: int) -> list[int]:
    """Let the memory end in the middle of every batch of so many rows; gives the sizes of the batches tried."""
    tried, keep = [], generation._continue

    def continued(model, prompts, answers, batch, *more):
        tried.append(len(batch))
        if len(batch) >= rows:
            keep(model, prompts, answers, batch, more[0], 3)
            raise torch.OutOfMemoryError("CUDA out of memory")
        keep(model, prompts, answers, batch, *more)

    monkeypatch.setattr(generation, "_continue", continued)
    return tried


def test_a_batch_that_does_not_fit_is_asked_in_halves_and_the_answers_stay(base, monkeypatch):
    expected = alone(base)
    assert len(set(expected)) > 1
    tried = fail_from(monkeypatch, 3)
    assert generate(base, PROMPTS, max_new_tokens=8, batch_items=5) == expected
    assert tried == [5, 2, 3, 1, 2]


def test_a_prompt_that_does_not_fit_alone_is_an_error(base, monkeypatch):
    fail_from(monkeypatch, 1)
    with pytest.raises(torch.OutOfMemoryError):
        generate(base, PROMPTS, max_new_tokens=8, batch_items=2)
