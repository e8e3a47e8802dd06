"""What features give: arrays with one entry per row or turn of a pool, and their plain arithmetic."""

from dataclasses import dataclass

import numpy as np

POINTS_AT_ONCE = 65_536


@dataclass(frozen=True)
class Lengths:
    """Tokens of each row as a whole, before any truncation; int64 arrays of shape (n_rows,).

    Attributes
    ----------
    answer : content of all assistant turns.
    last_answer : content of the last assistant turn.
    prompt : everything that stands before an answer: system and user turns and the template's own tokens.
    total : prompt, answers and the tokens that end them.
    truncated : bool; whether `total` exceeds the `max_tokens` of the features.
    """

    answer: np.ndarray
    last_answer: np.ndarray
    prompt: np.ndarray
    total: np.ndarray
    truncated: np.ndarray


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
    prompt_cut : bool; whether the prompt right before the turn was cut to fit, `None` where it is not known.
    """

    n_rows: int
    row: np.ndarray
    count: np.ndarray
    loss_sum: np.ndarray
    first_loss: np.ndarray
    unshifted_loss_sum: np.ndarray
    prompt_cut: np.ndarray | None = None

    def rows_with_cut_prompts(self) -> np.ndarray:
        """Rows of which a turn is scored after a prompt that was cut; bool of shape (n_rows,)."""
        cut = self.prompt_cut & (self.count > 0)
        return np.bincount(self.row[cut], minlength=self.n_rows) > 0

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


@dataclass(frozen=True)
class Clusters:
    """A partition of rows.

    Attributes
    ----------
    labels : int64 of shape (n_rows,), from 0 for the largest cluster; -1 for a row without a point.
    centres : float32 of shape (clusters, dim), the means of the clusters' points; no cluster is empty.
    """

    labels: np.ndarray
    centres: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Rows per cluster; int64 of shape (clusters,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.centres))

    def distances(self, points: np.ndarray) -> np.ndarray:
        """Euclidean distance of every row's point to its cluster's centre, nan without one; float64 of shape (n_rows,)."""
        distances = np.full(len(points), np.nan)
        known = np.flatnonzero(self.labels >= 0)
        for start in range(0, len(known), POINTS_AT_ONCE):
            some = known[start : start + POINTS_AT_ONCE]
            distances[some] = np.linalg.norm(points[some] - self.centres[self.labels[some]], axis=1)
        return distances


@dataclass(frozen=True)
class Influences:
    """Likeness of every row's gradient to those of groups of target rows.

    A row's gradient is taken as Adam would step along it, a target row's as it is; both are projected at random and
    scaled to length 1.

    Attributes
    ----------
    values : float32 of shape (n_rows, n_epochs, n_groups), from -1 to 1: inner product of a row with the mean of a
        group's target rows; nan for a row without a gradient.
    on_pool : float32 of shape (n_rows, n_epochs); the same with the mean of rows drawn from the pool itself.
    lengths : float32 of shape (n_rows, n_epochs), of the row's projected gradient before scaling.
    groups : names of the groups.
    sizes : int64 of shape (n_groups,); target rows in the mean of each group.
    learning_rates : float64 of shape (n_epochs,), mean of every epoch of the warm-up.
    """

    values: np.ndarray
    on_pool: np.ndarray
    lengths: np.ndarray
    groups: tuple[str, ...]
    sizes: np.ndarray
    learning_rates: np.ndarray
