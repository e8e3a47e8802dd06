"""Token losses of all rows of a pool in one context, computed in shards and stored."""

import numpy as np
import torch

from analysis.features import contexts
from analysis.features.token_losses import TokenLosses
from analysis.models.passes.token_losses import TokenLossPass
from analysis.store.code_version import code_version
from analysis.store.shards import map_shards
from analysis.store.store import digest

ROWS_PER_SHARD = 2_048


def pool_losses(features, context: str, *, text_settings: dict, autocast: torch.dtype | None) -> TokenLosses:
    """See `Features.token_losses`.

    Parameters
    ----------
    text_settings : everything that decides the pool's token ids but `max_tokens`.
    autocast : precision of the matrix products, `None` for that of the weights.
    """
    contexts.check(context)
    model = features.language_model
    passes: list[TokenLossPass] = []  # made at the first shard that is missing

    def compute(start: int, stop: int) -> dict[str, np.ndarray]:
        if not passes:
            passes.append(_pass(features, autocast))
        turns, encoded = contexts.in_context(
            context, features.messages(start, stop), model.tokenizer, model.template, features.max_tokens
        )
        return {"turns": np.array(turns, dtype=np.int64), **passes[0](encoded)}

    arrays = map_shards(
        compute,
        features.n_rows,
        store=features.store,
        kind="token_losses",
        key=digest(
            **text_settings,
            model=model.fingerprint,
            context=context,
            max_tokens=features.max_tokens,
            weights=str(model.dtype),
            precision=str(autocast),
            code=code_version(__name__),
        ),
        shard_size=features.shard_size or ROWS_PER_SHARD,
        label="Token losses" if context == "conversation" else f"Token losses ({context})",
        weights=np.minimum(features.lengths().total, features.max_tokens),
        show_progress=features.show_progress,
    )
    row = np.repeat(np.arange(features.n_rows), arrays.pop("turns"))
    return TokenLosses(n_rows=features.n_rows, row=row, **arrays)


def _pass(features, autocast: torch.dtype | None) -> TokenLossPass:
    model = features.language_model
    if model.model is None:
        raise ValueError(f"{model.name}: loaded without weights, so token losses cannot be computed")
    return TokenLossPass(model.model, model.device, features.tokens_per_batch, autocast)
