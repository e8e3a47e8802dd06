"""What a model is trained on: token ids with labels on the answers, padded batches, a budget of tokens."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from analysis.encoding import Encoded

IGNORED = -100  # the label that torch's cross-entropy leaves out
NO_ANSWER_LEFT = "no answer token within max_tokens"


def training_examples(encoded: Sequence[Encoded]) -> tuple[list[dict], Counter]:
    """Ids and labels of the rows that have an answer token, and the number of other rows by reason.

    Labels are the ids of answer contents and end tokens, and `IGNORED` elsewhere. Position 0 is never
    learned, as nothing stands before it.
    """
    examples, dropped = [], Counter()
    for row in encoded:
        labels = [IGNORED] * len(row.ids)
        for start, end in row.spans:
            labels[start:end] = row.ids[start:end]
        labels[0] = IGNORED
        if all(label == IGNORED for label in labels):
            dropped[NO_ANSWER_LEFT] += 1
            continue
        for end in row.ends:
            if end is not None:
                labels[end] = row.ids[end]
        n_learned = sum(label != IGNORED for label in labels)
        examples.append({"input_ids": row.ids, "labels": labels, "n_learned": n_learned})
    return examples, dropped


def cut_by_tokens(rows: np.ndarray, training_tokens_per_row: np.ndarray, token_budget: int) -> np.ndarray:
    """The longest prefix of ranked rows whose tokens together stay within a budget.

    Parameters
    ----------
    rows : positions in the pool, best first.
    training_tokens_per_row : of shape (n_rows of the pool,); prompt and answer tokens that one epoch reads.
    token_budget : tokens of one epoch.

    Raises
    ------
    ValueError
        The first row alone exceeds the budget, or all rows together do not reach it.
    """
    rows = np.asarray(rows)
    total = np.cumsum(np.asarray(training_tokens_per_row)[rows])
    if token_budget < 1:
        raise ValueError(f"token budget: expected at least 1, found {token_budget}")
    if len(rows) == 0 or total[-1] < token_budget:
        found = int(total[-1]) if len(rows) else 0
        raise ValueError(f"token budget: {token_budget} asked for, but {len(rows)} rows have only {found}")
    n_kept = int(np.searchsorted(total, token_budget, side="right"))
    if n_kept == 0:
        raise ValueError(f"token budget: {token_budget} is less than the {int(total[0])} of row {rows[0]}")
    return rows[:n_kept]


@torch.inference_mode()
def rows_stay_apart(model) -> bool:
    """Whether rows laid end to end, each with positions from 0, give a causal model the logits they have alone.

    Not every architecture masks them from each other, and one that does not would learn from the wrong rows.
    """
    ids = torch.arange(2, 14, device=model.device)[None] % model.get_input_embeddings().weight.shape[0]
    rows = ids[:, :5], ids[:, 5:]
    positions = torch.cat([torch.arange(row.shape[1], device=model.device) for row in rows])[None]
    alone = torch.cat([model(input_ids=row, use_cache=False).logits for row in rows], dim=1).float()
    together = model(input_ids=ids, position_ids=positions, use_cache=False).logits.float()
    return torch.allclose(alone, together, rtol=1e-2, atol=1e-2)


class Padding:
    """Rows to tensors, padded on the right: attention is causal, so no mask is needed and none is given."""

    def __init__(self, pad_id: int) -> None:
        self.fill = {"input_ids": pad_id, "labels": IGNORED}

    def __call__(self, examples: list[dict]) -> dict[str, torch.Tensor]:
        return {
            name: pad_sequence([torch.tensor(row[name]) for row in examples], True, fill)
            for name, fill in self.fill.items()
        }
