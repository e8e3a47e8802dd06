"""Token losses of all rows of a pool in one context, computed in shards and stored."""

import numpy as np

from analysis.features import contexts
from analysis.features.arrays import TokenLosses
from analysis.features.per_row import by_model, model_key, model_pass
from analysis.models.passes.token_losses import TokenLossPass
from analysis.pools.pool import Messages


def pool_losses(features, context: str) -> TokenLosses:
    """See `Features.token_losses`."""
    contexts.check(context)
    model = features.language_model
    losses = model_pass(features, TokenLossPass, "token losses")

    def compute(conversations: list[Messages]) -> dict[str, np.ndarray]:
        turns, encoded = contexts.in_context(
            context, conversations, model.tokenizer, model.template, features.max_tokens
        )
        cut = [turn for row in encoded for turn in row.prompt_cut or [False] * len(row.spans)]
        return {"turns": np.array(turns, dtype=np.int64), "prompt_cut": np.array(cut, dtype=bool), **losses()(encoded)}

    label = "Token losses" if context == "conversation" else f"Token losses ({context})"
    key = model_key(features, __name__, context=context)
    arrays = by_model(features, compute, kind="token_losses", key=key, label=label)
    row = np.repeat(np.arange(features.n_rows), arrays.pop("turns"))
    return TokenLosses(n_rows=features.n_rows, row=row, **arrays)
