"""What a model answers when asked to rate each row of a pool from 1 to 5, computed in shards and stored."""

from collections.abc import Sequence

import numpy as np

from analysis.features.per_row import by_model, model_key, model_pass
from analysis.features.rating_text import FORMS, digit_ids, rating_ids
from analysis.models.passes.next_token import NextTokenPass
from analysis.pools.pool import Messages


def rating_logits(features, prompts: Sequence[str], form: str) -> np.ndarray:
    """See `Features.rating_logits`."""
    if isinstance(prompts, str) or not prompts or not all(isinstance(one, str) and one.strip() for one in prompts):
        raise ValueError(f"prompts: expected one or more texts, found {prompts!r}")
    if form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(map(repr, FORMS))}, found {form!r}")
    model = features.language_model
    digits = digit_ids(model.tokenizer, FORMS[form])
    logits = model_pass(features, NextTokenPass, "ratings")

    def one_prompt(number: int, prompt: str) -> np.ndarray:
        def compute(conversations: list[Messages]) -> dict[str, np.ndarray]:
            texts = rating_ids(conversations, prompt, model.tokenizer, features.max_tokens, form)
            return {"logits": logits()(texts, digits)}

        label = f"Ratings ({model.name}), prompt {number} of {len(prompts)}"
        key = model_key(features, __name__, prompt=prompt, form=form)
        return by_model(features, compute, kind="rating_logits", key=key, label=label)["logits"]

    return np.stack([one_prompt(number, prompt) for number, prompt in enumerate(prompts, 1)], axis=1)
