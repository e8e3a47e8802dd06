"""How strong a base is before any fine-tuning: its loss on plain text, without roles or a template that it never saw."""

from itertools import islice

from analysis.models.encoding import Encoded
from analysis.models.language_model import LanguageModel
from analysis.models.passes.token_losses import TokenLossPass
from analysis.pools import Pool
from analysis.pools.testbed.plain_text import documents

TEXTS, MOST_TOKENS = 300, 256
UNREAD = 99  # seed of documents that no embedded base was trained on


def plain_text_loss(base: LanguageModel, pool: Pool, n_texts: int = TEXTS) -> float:
    """Mean loss (nats a token, lower is stronger) on unread documents of the testbed's world; of another pool, on held-out rows.

    A held-out row is read as its contents joined by lines. In the testbed that would not do: the more a base has read of the
    world's statements, the less it expects instructions, and the loss on them rises.
    """
    if pool.has_truth:
        texts = list(islice(documents(UNREAD), n_texts))
    else:
        rows = pool.held_out["messages"][:n_texts]
        texts = ["\n".join(message["content"] for message in messages) for messages in rows]
    ids = [base.tokenizer(text, add_special_tokens=False).input_ids[:MOST_TOKENS] for text in texts]
    encoded = [Encoded(one, [(0, len(one))], [None], False) for one in ids if len(one) > 1]
    losses = TokenLossPass(base.model, base.device, tokens_per_batch=8192)(encoded)
    return float(losses["loss_sum"].sum() / losses["count"].sum())
