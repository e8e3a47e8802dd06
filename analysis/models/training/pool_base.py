"""A base trained on the spot from the text of a pool, so that any file can be studied without a hub."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from analysis.models.language_model import LanguageModel, load_model
from analysis.models.training.pretraining import Architecture, Pretraining, describe, pretrain, train_tokenizer
from analysis.pools.row_keys import KEY, row_keys
from analysis.store.code_version import code_version
from analysis.store.store import Store, digest

ARCHITECTURE = Architecture(hidden=128, layers=4, heads=4, intermediate=352, vocabulary=4096)
SEQUENCE_LENGTH = 256
TOKENS = 1_500_000  # about three minutes on two cores
TIMED_TOKENS = 8 * 16 * SEQUENCE_LENGTH  # eight batches
TOKENIZER_ROWS = 20_000
ROWS_AT_ONCE = 512
LONG_RUN = re.compile(r"\S{1000}|\s{1000}")
PASSES = 4  # over the text of a small pool


def plain_texts(pool, seed: int, passes: int = 1) -> Iterator[str]:
    """The selectable rows in random order, each as its contents joined by lines: no roles, no template."""
    rng = np.random.default_rng(seed)
    for _ in range(passes):
        order = rng.permutation(len(pool))
        for start in range(0, len(order), ROWS_AT_ONCE):
            for messages in pool.messages(order[start : start + ROWS_AT_ONCE]):
                yield "\n".join(message["content"] for message in messages)


def scratch_base(
    pool, *, store: Store, tokens: int = TOKENS, seed: int = 0, show_progress: bool = True
) -> LanguageModel:
    """A Llama-architecture base of about a million parameters, pre-trained on at most `tokens` of a pool.

    A pool with less text is read up to four times. Held-out rows are not read. The base is kept in the store.

    Raises
    ------
    ValueError
        The pool's text does not fill one batch.
    """
    settings = Pretraining(tokens=tokens, sequence_length=SEQUENCE_LENGTH, batch_sequences=16)
    record, key = describe(ARCHITECTURE, settings, seed), _key(pool, settings, seed)
    with store.claim("bases", key):
        folder = store.folder("bases", key)
        if folder is None:
            texts = islice(plain_texts(pool, seed), TOKENIZER_ROWS)
            tokenizer = train_tokenizer(_pieces(texts), ARCHITECTURE.vocabulary)
            # The learning rate falls to nothing at the last token, so it must be known how many there are.
            settings = replace(settings, tokens=min(tokens, PASSES * _count_tokens(pool, tokenizer, seed, tokens)))
            _check_enough(pool, settings)
            documents = plain_texts(pool, seed + 1, passes=PASSES)
            model, log = pretrain(documents, tokenizer, ARCHITECTURE, settings, seed=seed, show_progress=show_progress)

            def write(partial: Path) -> None:
                model.to(torch.float32).save_pretrained(partial)
                tokenizer.save_pretrained(partial)
                (partial / "recipe.json").write_text(json.dumps(record | {"log": log}), encoding="utf-8")

            folder = store.save_folder("bases", key, write)
    base = load_model(folder, store=store)
    base.name = f"scratch ({pool.name})"
    return base


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """The texts, cut where a run without spaces is long: a tokenizer learns from a run in the square of its length."""
    for text in texts:
        start = 0
        for run in LONG_RUN.finditer(text):
            yield text[start : run.end()]
            start = run.end()
        yield text[start:]


def _check_enough(pool, settings: Pretraining) -> None:
    batch = settings.batch_sequences * settings.sequence_length
    if settings.tokens < batch:
        raise ValueError(
            f"model 'scratch': pool {pool.name} has {len(pool):,} rows to train a base on, {settings.tokens:,} tokens when "
            f"read {PASSES} times; expected at least {batch:,}: name another model, or a larger pool"
        )


def timed_base(pool, *, store: Store, seed: int = 0) -> tuple[LanguageModel, float]:
    """The base where the store has it, and 0; else one that has read little, and the seconds training one would take.

    What a base does takes as long whatever it has read, so the second kind serves to time it. It is not stored.
    """
    settings = Pretraining(tokens=TOKENS, sequence_length=SEQUENCE_LENGTH, batch_sequences=16)
    if store.folder("bases", _key(pool, settings, seed)) is not None:
        return scratch_base(pool, store=store, seed=seed, show_progress=False), 0.0
    with TemporaryDirectory() as folder:
        base = scratch_base(pool, store=Store(folder), tokens=TIMED_TOKENS, seed=seed, show_progress=False)
        recipe = next(Path(folder).rglob("recipe.json")).read_text(encoding="utf-8")
    last = json.loads(recipe)["log"][-1]
    tokens = min(TOKENS, PASSES * _count_tokens(pool, base.tokenizer, seed, TOKENS))
    return base, last["seconds"] / last["tokens"] * tokens


def _key(pool, settings: Pretraining, seed: int) -> str:
    """By the content of the rows, however a file was named, limited or cut; of the testbed by the pool's fingerprint, as
    rows there have keys of their ids alone."""
    named = KEY in pool.rows.column_names
    rows = hashlib.sha256(row_keys(pool.rows).tobytes()).hexdigest() if named else pool.fingerprint
    return digest(rows=rows, recipe=describe(ARCHITECTURE, settings, seed), code=code_version(__name__))


def _count_tokens(pool, tokenizer, seed: int, enough: int) -> int:
    """Tokens of the pool's text in one pass, end tokens included; counting stops at `enough`."""
    found, texts = 0, plain_texts(pool, seed)
    while found < enough and (chunk := list(islice(texts, ROWS_AT_ONCE))):
        encodings = tokenizer.backend_tokenizer.encode_batch_fast(chunk, add_special_tokens=False)
        found += sum(len(encoding) + 1 for encoding in encodings)
    return found
