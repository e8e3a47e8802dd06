"""What a model answers when asked to rate each row of a pool from 1 to 5, computed in shards and stored."""

from collections.abc import Sequence

import numpy as np
import torch

from analysis.features.rating_text import FORMS, digit_ids, rating_ids
from analysis.models.passes.next_token import NextTokenPass
from analysis.store.code_version import code_version
from analysis.store.shards import map_shards
from analysis.store.store import digest

ROWS_PER_SHARD = 2_048


def rating_logits(
    features, prompts: Sequence[str], form: str, *, text_settings: dict, autocast: torch.dtype | None
) -> np.ndarray:
    """See `Features.rating_logits`.

    Parameters
    ----------
    text_settings : everything that decides the pool's token ids but `max_tokens`.
    autocast : precision of the matrix products, `None` for that of the weights.
    """
    if isinstance(prompts, str) or not prompts or not all(isinstance(one, str) and one.strip() for one in prompts):
        raise ValueError(f"prompts: expected one or more texts, found {prompts!r}")
    if form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(map(repr, FORMS))}, found {form!r}")
    digits = digit_ids(features.language_model.tokenizer, FORMS[form])
    passes: list[NextTokenPass] = []  # made at the first shard that is missing
    label = f"Ratings ({features.language_model.name})"
    each = [
        _one_prompt(features, prompt, form, digits, passes, f"{label}, prompt {number} of {len(prompts)}", text_settings, autocast)
        for number, prompt in enumerate(prompts, 1)
    ]  # fmt: skip
    return np.stack(each, axis=1)


def _one_prompt(features, prompt, form, digits, passes, label, text_settings, autocast) -> np.ndarray:
    model = features.language_model

    def compute(start: int, stop: int) -> dict[str, np.ndarray]:
        if not passes:
            passes.append(_pass(features, autocast))
        texts = rating_ids(features.messages(start, stop), prompt, model.tokenizer, features.max_tokens, form)
        return {"logits": passes[0](texts, digits)}

    return map_shards(
        compute,
        features.n_rows,
        store=features.store,
        kind="rating_logits",
        key=digest(
            **text_settings,
            model=model.fingerprint,
            prompt=prompt,
            form=form,
            max_tokens=features.max_tokens,
            weights=str(model.dtype),
            precision=str(autocast),
            code=code_version(__name__),
        ),
        shard_size=features.shard_size or ROWS_PER_SHARD,
        label=label,
        weights=np.minimum(features.lengths().total, features.max_tokens),
        show_progress=features.show_progress,
    )["logits"]


def _pass(features, autocast: torch.dtype | None) -> NextTokenPass:
    model = features.language_model
    if model.model is None:
        raise ValueError(f"{model.name}: loaded without weights, so rows cannot be rated")
    return NextTokenPass(model.model, model.device, features.tokens_per_batch, autocast)
