"""Means of a language model's last hidden states over the tokens of a conversation."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np
import torch

from analysis.models.encoding import Encoded
from analysis.models.passes.token_losses import ROW_ERRORS, batches


class EmbeddingKernel:
    """Weighted means of the last hidden states of encoded conversations under one model.

    Rows are sorted by length and right-padded in batches of at most `tokens_per_batch` positions; under causal
    attention no state sees the padding, and padding has no weight in a mean.

    Parameters
    ----------
    model : causal language model of transformers, in evaluation mode.
    device : where it is.
    kind : which mean, a key of `WEIGHTS`.
    tokens_per_batch : positions of a batch, padding included; changes speed and memory only.
    autocast : precision of the matrix products, `None` for that of the weights; means are float32.
    """

    def __init__(
        self, model, device: torch.device, kind: str, tokens_per_batch: int, autocast: torch.dtype | None = None
    ):
        if tokens_per_batch < 1:
            raise ValueError(f"tokens_per_batch: expected at least 1, found {tokens_per_batch}")
        self.decoder, self.device, self.weights = model.base_model, torch.device(device), WEIGHTS[kind]
        self.tokens_per_batch, self.autocast = tokens_per_batch, autocast
        self.dim = model.get_input_embeddings().weight.shape[1]

    def __call__(self, encoded: Sequence[Encoded]) -> np.ndarray:
        """Embed conversations; a row that fails by itself gets nan (with a warning), no other row changes.

        Returns
        -------
        float32 of shape (n, dim); nan where a row has no token that counts.

        Raises
        ------
        One of ROW_ERRORS where every row fails: then the model is at fault, not a row.
        """
        weights = [self.weights(row) for row in encoded]
        lengths = [len(row_weights) for row_weights in weights]
        states = np.full((len(encoded), self.dim), np.nan, dtype=np.float32)
        failures: dict[int, Exception] = {}
        for batch in batches(lengths, self.tokens_per_batch):
            for rows, values in self._embed(batch, encoded, weights, failures):
                states[rows] = values
        n_rows = sum(length > 0 for length in lengths)
        if failures:
            row, error = next(iter(failures.items()))
            if len(failures) == n_rows and n_rows > 1:
                raise error
            warnings.warn(
                f"{len(failures)} of {n_rows} rows could not be embedded, first row {row} of the shard: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
        states[~np.isfinite(states).all(axis=1)] = np.nan
        return states

    def _embed(self, rows, encoded, weights, failures) -> Iterator[tuple[list[int], np.ndarray]]:
        """Means of a batch; after an error of its halves, so that only the row at fault is lost."""
        values = None
        try:
            values = self._forward(rows, encoded, weights)
        except ROW_ERRORS as error:
            if len(rows) == 1:
                failures[rows[0]] = error.with_traceback(None)
        if values is not None:
            yield rows, values
        elif len(rows) > 1:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
                yield from self._embed(half, encoded, weights, failures)

    @torch.inference_mode()
    def _forward(self, rows, encoded, weights) -> np.ndarray:
        shape = (len(rows), max(len(weights[row]) for row in rows))
        ids, shares = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        for line, row in enumerate(rows):
            length = len(weights[row])
            ids[line, :length], shares[line, :length] = encoded[row].ids[:length], weights[row]
        ids, shares = (torch.from_numpy(array).to(self.device) for array in (ids, shares))
        precise = torch.autocast(self.device.type, dtype=self.autocast) if self.autocast is not None else nullcontext()
        with precise:
            states = self.decoder(input_ids=ids, use_cache=False).last_hidden_state
        return torch.bmm(shares[:, None], states.float())[:, 0].cpu().numpy()


def _answer_weights(row: Encoded) -> np.ndarray:
    weights = np.zeros(max((end for start, end in row.spans if end > start), default=0))
    for start, end in row.spans:
        weights[start:end] = 1
    return weights / max(weights.sum(), 1)


def _equal_weights(row: Encoded) -> np.ndarray:
    return np.full(len(row.ids), 1 / max(len(row.ids), 1))


def _prompt_weights(row: Encoded) -> np.ndarray:
    """Equal weights on all that comes before the last answer."""
    start = row.spans[-1][0]
    return np.full(start, 1 / max(start, 1))


def _position_weights(row: Encoded) -> np.ndarray:
    positions = np.arange(1.0, len(row.ids) + 1)
    return positions / max(positions.sum(), 1)


# Weight of every position in the mean, up to the last one that counts; they sum to one.
WEIGHTS = {
    "answer": _answer_weights,
    "prompt": _prompt_weights,
    "all": _equal_weights,
    "weighted": _position_weights,
}
