"""A base trained on the spot from the text of a pool, so that any file can be studied without a hub."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from analysis import pretraining
from analysis.language_model import LanguageModel, load_model
from analysis.pretraining import Architecture, Pretraining, describe, pretrain, train_tokenizer
from analysis.store import Store, code_version, digest

ARCHITECTURE = Architecture(hidden=128, layers=4, heads=4, intermediate=352, vocabulary=4096)
TOKENS = 1_500_000  # about three minutes on two cores
TOKENIZER_ROWS = 20_000
ROWS_AT_ONCE = 512


def plain_texts(pool, seed: int, passes: int = 1) -> Iterator[str]:
    """The selectable rows in random order, each as its contents joined by lines: text, no roles, no template."""
    rng = np.random.default_rng(seed)
    for _ in range(passes):
        order = rng.permutation(len(pool))
        for start in range(0, len(order), ROWS_AT_ONCE):
            for messages in pool.messages(order[start : start + ROWS_AT_ONCE]):
                yield "\n".join(message["content"] for message in messages)


def scratch_base(pool, *, store: Store, tokens: int = TOKENS, seed: int = 0, show_progress: bool = True) -> LanguageModel:
    """A Llama-architecture base of about a million parameters, pre-trained on at most `tokens` tokens of the pool.

    A pool with less text is read up to four times. Held-out rows are not read. The base is kept in the store.
    """
    settings = Pretraining(tokens=tokens, sequence_length=256, batch_sequences=16)
    record = describe(ARCHITECTURE, settings, seed)
    key = digest(pool=pool.fingerprint, recipe=record, code=code_version(pretraining))
    with store.claim("bases", key):
        folder = store.folder("bases", key)
        if folder is None:
            texts = (text for text, _ in zip(plain_texts(pool, seed), range(TOKENIZER_ROWS), strict=False))
            tokenizer = train_tokenizer(texts, ARCHITECTURE.vocabulary)
            documents = plain_texts(pool, seed + 1, passes=4)
            model, log = pretrain(documents, tokenizer, ARCHITECTURE, settings, seed=seed, show_progress=show_progress)

            def write(partial: Path) -> None:
                model.to(torch.float32).save_pretrained(partial)
                tokenizer.save_pretrained(partial)
                (partial / "recipe.json").write_text(json.dumps(record | {"log": log}), encoding="utf-8")

            folder = store.save_folder("bases", key, write)
    base = load_model(folder, store=store)
    base.name = f"scratch ({pool.name})"
    return base
