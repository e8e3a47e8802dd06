"""Exact accuracy on the testbed's held-out items."""

import time

import numpy as np

from analysis.experiments.benchmarks.result import POINTS, BenchmarkResult
from analysis.models.encoding import encode_prompt
from analysis.models.generation import generate
from analysis.models.language_model import LanguageModel
from analysis.pools.testbed import evaluation_items, grade

ACCURACY = "testbed accuracy"


def testbed_accuracy(
    language_model: LanguageModel,
    split: str = "evaluation",  # noqa: PT028 - its name only looks like that of a test
    *,
    skills: int | None = None,  # noqa: PT028
    max_new_tokens: int = 64,  # noqa: PT028
    batch_items: int = 256,  # noqa: PT028
) -> BenchmarkResult:
    """1 or 0 per item of the testbed, of `skills` of its skills: greedy answers of at most `max_new_tokens` tokens."""
    started, items = time.perf_counter(), evaluation_items(split, skills)
    tokenizer, template = language_model.tokenizer, language_model.template
    prompts = [encode_prompt(item.messages, tokenizer, template) for item in items]
    responses = generate(language_model, prompts, max_new_tokens=max_new_tokens, batch_items=batch_items)
    graded = [grade(item, response) for item, response in zip(items, responses, strict=True)]
    return BenchmarkResult(
        ACCURACY, POINTS.name, [item.id for item in items], np.array(graded, dtype=np.float32),
        [item.family for item in items], time.perf_counter() - started, responses,
    )  # fmt: skip
