"""Scores of a model, one per item: the testbed's held-out items, and the answer loss on held-out rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.models.encoding import encode_batch, encode_prompt
from analysis.models.generation import generate
from analysis.models.language_model import LanguageModel
from analysis.models.passes.token_losses import TokenLossPass
from analysis.pools.held_out import set_apart
from analysis.pools.testbed import evaluation_items, grade

ACCURACY, ANSWER_LOSS = "testbed accuracy", "held-out answer loss"
UNITS = {ACCURACY: "share correct", ANSWER_LOSS: "nats per answer token, negated"}


@dataclass(frozen=True)
class BenchmarkResult:
    """Scores of one model on one benchmark.

    `items` has shape (n_items,); higher is better, nan where an item has nothing to score.
    """

    name: str
    item_ids: list[str]
    items: np.ndarray
    groups: list[str]
    seconds: float
    responses: list[str] | None = None

    @property
    def unit(self) -> str:
        return UNITS[self.name]


def testbed_accuracy(
    language_model: LanguageModel,
    split: str = "evaluation",  # noqa: PT028 - its name only looks like that of a test
    *,
    max_new_tokens: int = 64,  # noqa: PT028
    batch_items: int = 256,  # noqa: PT028
) -> BenchmarkResult:
    """1 or 0 per item of the testbed: greedy answers of at most `max_new_tokens` tokens, graded exactly."""
    started, items = time.perf_counter(), evaluation_items(split)
    tokenizer, template = language_model.tokenizer, language_model.template
    prompts = [encode_prompt(item.messages, tokenizer, template) for item in items]
    responses = generate(language_model, prompts, max_new_tokens=max_new_tokens, batch_items=batch_items)
    graded = [grade(item, response) for item, response in zip(items, responses, strict=True)]
    return BenchmarkResult(
        ACCURACY, [item.id for item in items], np.array(graded, dtype=np.float32),
        [item.family for item in items], time.perf_counter() - started, responses,
    )  # fmt: skip


def held_out_answer_loss(
    language_model: LanguageModel, pool, *, max_rows: int = 1000, max_tokens: int = 1024
) -> BenchmarkResult:
    """Minus the mean loss per answer token (nats) of each held-out row, by source; nan if it has no token.

    The held-out rows that serve as targets (`held_out.set_apart`) are not scored: a method could have seen them.
    Of more than `max_rows` others a fixed random sample is scored, the same for every model.

    Raises
    ------
    ValueError
        The model gives a row that has answer tokens no finite loss (names the first such row).
    """
    started = time.perf_counter()
    rows = pool.held_out.select(np.flatnonzero(~set_apart(pool.held_out)))
    if len(rows) > max_rows:  # files are often ordered by source: not the first rows
        rows = rows.select(np.sort(np.random.default_rng(0).permutation(len(rows))[:max_rows]))
    encoded = encode_batch(rows["messages"][:], language_model.tokenizer, language_model.template, max_tokens)
    losses = TokenLossPass(language_model.model, language_model.device, tokens_per_batch=8192)(encoded)
    row = np.repeat(np.arange(len(encoded)), [len(one.spans) for one in encoded])
    scored = losses["count"] > 0
    total = np.bincount(row[scored], weights=losses["loss_sum"][scored], minlength=len(encoded))
    count = np.bincount(row[scored], weights=losses["count"][scored], minlength=len(encoded))
    if failed := np.flatnonzero(~np.isfinite(total)).tolist():
        where = f"held-out row {rows['id'][failed[0]]!r} of {pool.name}"
        raise ValueError(f"{where} and {len(failed) - 1} more: no finite loss under {language_model.name}")
    items = np.where(count > 0, -total / np.maximum(count, 1), np.nan).astype(np.float32)
    return BenchmarkResult(
        ANSWER_LOSS, list(rows["id"][:]), items, list(rows["source"][:]), time.perf_counter() - started
    )


def benchmarks_for(pool, max_tokens: int = 1024) -> dict[str, Callable[[LanguageModel], BenchmarkResult]]:
    """The benchmarks that a pool allows: exact accuracy where it is the testbed's, held-out loss always.

    Held-out rows are cut to `max_tokens`, as the rows of training are.
    """
    known: dict[str, Callable[[LanguageModel], BenchmarkResult]] = {}
    if pool.has_truth:
        known[ACCURACY] = testbed_accuracy
    known[ANSWER_LOSS] = lambda language_model: held_out_answer_loss(language_model, pool, max_tokens=max_tokens)
    return known
