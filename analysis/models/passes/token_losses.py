"""The one place where answer tokens are scored by a model."""

from collections.abc import Sequence

import numpy as np
import torch

from analysis.models.encoding import Encoded
from analysis.models.passes.batches import LogitPass, padded


class TokenLossPass(LogitPass):
    """Token losses of encoded conversations under one model; logits in chunks, the softmax in float32."""

    def __call__(self, encoded: Sequence[Encoded]) -> dict[str, np.ndarray]:
        """Score conversations.

        Returns
        -------
        dict of arrays with one value per assistant turn, in order: `count` int64, and `loss_sum`,
        `first_loss`, `unshifted_loss_sum` float64 in nats (see `TokenLosses`).
        """
        first_turn = np.cumsum([0, *(len(row.spans) for row in encoded)])
        # Nothing stands before position 0 that could predict it.
        spans = [[(max(start, 1), end) for start, end in row.spans] for row in encoded]
        count = np.array([max(end - start, 0) for row in spans for start, end in row], dtype=np.int64)
        losses = np.full((3, len(count)), np.nan)
        lengths = [max((end for start, end in row if end > start), default=0) for row in spans]

        def forward(rows: list[int]) -> np.ndarray:
            return self._forward(rows, encoded, spans, lengths)

        for rows, values in self.over_batches(forward, lengths, "could not be scored"):
            turns = np.concatenate([np.arange(first_turn[row], first_turn[row + 1]) for row in rows])
            losses[:, turns] = values
        losses[~np.isfinite(losses)] = np.nan
        names = ("loss_sum", "first_loss", "unshifted_loss_sum")
        return {"count": count, **dict(zip(names, losses, strict=True))}

    @torch.inference_mode()
    def _forward(self, rows, encoded, spans, lengths) -> np.ndarray:
        ids = padded([encoded[row].ids[: lengths[row]] for row in rows])
        positions, turn_of, is_first, is_last = [], [], [], []
        n_turns = 0
        for line, row in enumerate(rows):
            for turn, (start, end) in enumerate(spans[row], n_turns):
                if end > start:
                    positions.append(np.arange(start - 1, end) + line * ids.shape[1])
                    turn_of.append(np.full(end - start + 1, turn))
                    is_first.append(np.arange(end - start + 1) == 0)
                    is_last.append(is_first[-1][::-1])
            n_turns += len(spans[row])
        position, turn_of = np.concatenate(positions), np.concatenate(turn_of)
        is_first, is_last = np.concatenate(is_first), np.concatenate(is_last)
        # The logits at a position predict the next token; the study's script holds them against this token.
        this_token = ids.ravel()[position]
        next_token = ids.ravel()[np.minimum(position + 1, ids.size - 1)]
        next_loss, this_loss = self._losses(ids, position, next_token, this_token)
        shifted = np.bincount(turn_of[~is_last], weights=next_loss[~is_last], minlength=n_turns)
        unshifted = np.bincount(turn_of[~is_first], weights=this_loss[~is_first], minlength=n_turns)
        first = np.bincount(turn_of[is_first], weights=next_loss[is_first], minlength=n_turns)
        values = np.stack([shifted, first, unshifted])
        values[:, np.setdiff1d(np.arange(n_turns), turn_of)] = np.nan
        return values

    def _losses(self, ids, position, next_token, this_token) -> tuple[np.ndarray, np.ndarray]:
        """-log p of both candidates at each position. No mask: padding is on the right, attention causal."""
        batch, index, *tokens = self.on_device(ids, position, next_token, this_token)
        wanted = torch.stack(tokens, dim=1)
        with self.precision():
            states = self.states(batch).flatten(0, 1)
            losses = []
            for begin in range(0, len(index), self.positions_at_once):
                logits = self.logits(states[index[begin : begin + self.positions_at_once]])
                chosen = logits.gather(1, wanted[begin : begin + self.positions_at_once])
                losses.append(torch.logsumexp(logits, dim=1, keepdim=True) - chosen)
        next_loss, this_loss = torch.cat(losses).double().cpu().numpy().T
        return next_loss, this_loss
