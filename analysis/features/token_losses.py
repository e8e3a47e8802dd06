"""Losses of the answer tokens of a pool, per assistant turn and per row."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TokenLosses:
    """Losses in nats of the tokens of each assistant turn's content (without the end token), in pool order.

    Arrays of shape (n_turns,). A turn without a token (empty, or lost to truncation) has count 0 and nan
    losses; a turn whose loss is not finite, or whose row could not be scored, has a count and nan losses.

    Attributes
    ----------
    n_rows : rows of the pool.
    row : int64; the pool row of the turn.
    count : int64; tokens scored.
    loss_sum : float64; sum over the tokens of -log p(token | all before it).
    first_loss : float64; the same for the first token alone.
    unshifted_loss_sum : float64; sum of -log p(next token = this token), what the study's script computes.
    """

    n_rows: int
    row: np.ndarray
    count: np.ndarray
    loss_sum: np.ndarray
    first_loss: np.ndarray
    unshifted_loss_sum: np.ndarray

    def per_row(self, turns: str = "all", *, shifted: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Sum of losses (nats) and number of tokens per row, over "all" assistant turns or the "last" one.

        Returns
        -------
        (float64, int64), each of shape (n_rows,). The sum is nan where there is no token, or any loss is nan.
        """
        losses = self.loss_sum if shifted else self.unshifted_loss_sum
        if turns == "all":
            counted = self.count > 0
            count = np.bincount(self.row[counted], weights=self.count[counted], minlength=self.n_rows)
            total = np.bincount(self.row[counted], weights=losses[counted], minlength=self.n_rows)
            count = count.astype(np.int64)
        elif turns == "last":
            count, total = np.zeros(self.n_rows, dtype=np.int64), np.full(self.n_rows, np.nan)
            is_last = np.diff(self.row, append=self.n_rows) > 0
            count[self.row[is_last]] = self.count[is_last]
            total[self.row[is_last]] = losses[is_last]
        else:
            raise ValueError(f'turns: expected "all" or "last", found {turns!r}')
        return np.where(count > 0, total, np.nan), count

    def mean(self, turns: str = "all", *, shifted: bool = True) -> np.ndarray:
        """Mean loss per token (nats) of each row, nan where it cannot be told; float64 of shape (n_rows,)."""
        total, count = self.per_row(turns, shifted=shifted)
        return total / np.maximum(count, 1)
