"""The answer loss on the rows of a pool that no method can select."""

import time

import numpy as np

from analysis.experiments.benchmarks.result import NATS, BenchmarkResult
from analysis.models.encoding import encode_batch
from analysis.models.language_model import LanguageModel
from analysis.models.passes.token_losses import TokenLossPass
from analysis.pools.held_out import set_apart

ANSWER_LOSS = "held-out answer loss"


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
        ANSWER_LOSS, NATS.name, list(rows["id"][:]), items, list(rows["source"][:]), time.perf_counter() - started
    )
