"""How a model is run over many rows: in batches of similar length, a row at fault set apart from all others."""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

import numpy as np
import torch

# Errors that one row can cause: out of memory, too many positions, an unknown token. Rows are then tried
# alone.
ROW_ERRORS = (RuntimeError, IndexError, ValueError)
LOGITS_AT_ONCE = {"cpu": 2**24, "mps": 2**26, "cuda": 2**28}  # float32 numbers held by one softmax
SAME_LOGITS = 1e-3


class Pass:
    """A model that is run over rows, sorted by length and padded on the right.

    Under causal attention no position that counts sees the padding. A row that fails by itself is nan, with a
    warning, and changes no other; where every row fails one of `ROW_ERRORS` is raised, as the model is at fault then.

    Parameters
    ----------
    model : causal language model of transformers, in evaluation mode.
    device : where it is.
    tokens_per_batch : positions of a batch, padding included; a longer row is a batch by itself. Changes speed and
        memory only.
    autocast : precision of the matrix products, `None` for that of the weights.
    """

    def __init__(self, model, device: torch.device, tokens_per_batch: int, autocast: torch.dtype | None = None):
        if tokens_per_batch < 1:
            raise ValueError(f"tokens_per_batch: expected at least 1, found {tokens_per_batch}")
        self.model, self.device, self.autocast = model, torch.device(device), autocast
        self.tokens_per_batch = tokens_per_batch

    def precision(self):
        """The context in which the model runs."""
        return nullcontext() if self.autocast is None else torch.autocast(self.device.type, dtype=self.autocast)

    def on_device(self, *arrays: np.ndarray) -> list[torch.Tensor]:
        return [torch.from_numpy(array).to(self.device) for array in arrays]

    def over_batches(
        self, forward: Callable[[list[int]], np.ndarray], lengths: Sequence[int], failing: str,
        most_rows: int = sys.maxsize,
    ) -> Iterator[tuple[list[int], np.ndarray]]:  # fmt: skip
        """Rows of one batch after another with what `forward(rows)` gives; after an error the halves of the batch.

        Parameters
        ----------
        lengths : positions of each row; one without any is left out.
        failing : what is wrong with rows that fail, for the warning.
        most_rows : of a batch.
        """
        failures: dict[int, Exception] = {}
        parts = (
            batch[start : start + most_rows]
            for batch in batches(lengths, self.tokens_per_batch)
            for start in range(0, len(batch), most_rows)
        )
        for part in parts:
            waiting = [part]
            while waiting:
                rows, values = waiting.pop(), None
                try:
                    values = forward(rows)
                except ROW_ERRORS as error:
                    if len(rows) == 1:
                        failures[rows[0]] = error.with_traceback(None)
                if values is not None:
                    yield rows, values
                elif len(rows) > 1:  # the error is gone by now, and with it all that its traceback held
                    if self.device.type == "cuda":
                        torch.cuda.empty_cache()
                    waiting += [rows[len(rows) // 2 :], rows[: len(rows) // 2]]
        _report(failures, sum(length > 0 for length in lengths), failing)

    def per_row(self, forward: Callable, lengths: Sequence[int], n_numbers: int, failing: str, **limits) -> np.ndarray:
        """What `forward` gives for every row (see `over_batches`), float32 of shape (n_rows, n_numbers).

        All of a row is nan where any number is not finite.
        """
        found = np.full((len(lengths), n_numbers), np.nan, dtype=np.float32)
        for rows, values in self.over_batches(forward, lengths, failing, **limits):
            found[rows] = values
        found[~np.isfinite(found).all(axis=1)] = np.nan
        return found


class LogitPass(Pass):
    """A pass whose output layer is applied only where logits are asked for, and not at every position."""

    def __init__(self, model, device: torch.device, tokens_per_batch: int, autocast: torch.dtype | None = None):
        super().__init__(model, device, tokens_per_batch, autocast)
        self.decoder, self.head = decoder_and_head(model, self.device)

    @property
    def positions_at_once(self) -> int:
        """Positions whose logits are held together."""
        vocabulary = self.model.get_output_embeddings().weight.shape[0]
        return max(1, LOGITS_AT_ONCE[self.device.type] // vocabulary)

    def states(self, ids: torch.Tensor) -> torch.Tensor:
        """What `logits` makes logits of, at every position."""
        if self.decoder is None:
            return self.model(input_ids=ids, use_cache=False).logits
        return self.decoder(input_ids=ids, use_cache=False).last_hidden_state

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Float32, whatever the precision of the states."""
        return (states if self.head is None else self.head(states)).float()


def batches(lengths: Sequence[int], tokens_per_batch: int) -> Iterator[list[int]]:
    """Rows that have a position, shortest first, in batches of at most so many positions."""
    batch: list[int] = []
    for row in sorted((row for row, length in enumerate(lengths) if length), key=lambda row: lengths[row]):
        if batch and (len(batch) + 1) * lengths[row] > tokens_per_batch:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def padded(rows: Sequence[Sequence[float]], filling: int = 0, dtype: type = np.int64) -> np.ndarray:
    """Rows under each other, filled up on the right; of shape (n_rows, longest)."""
    lines = np.full((len(rows), max(map(len, rows))), filling, dtype=dtype)
    for line, row in zip(lines, rows, strict=True):
        line[: len(row)] = row
    return lines


@torch.inference_mode()
def decoder_and_head(model, device: torch.device) -> tuple:
    """The model in two parts, or (None, None) where it does more than these two (scaled or capped logits)."""
    head = model.get_output_embeddings()
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    if head is None:
        raise ValueError(f"{type(model).__name__}: expected a causal language model with an output layer")
    if decoder is None or decoder is model:
        return None, None
    probe = torch.arange(1, 9, device=device).remainder(head.weight.shape[0])[None]
    whole = model(input_ids=probe, use_cache=False).logits.float()
    parts = head(decoder(input_ids=probe, use_cache=False).last_hidden_state).float()
    same = whole.shape == parts.shape and torch.allclose(whole, parts, rtol=SAME_LOGITS, atol=SAME_LOGITS)
    return (decoder, head) if same else (None, None)


def _report(failures: dict[int, Exception], n_rows: int, failing: str) -> None:
    """A warning, or the error itself where there are several rows and every one fails."""
    if not failures:
        return
    row, error = next(iter(failures.items()))
    if len(failures) == n_rows and n_rows > 1:
        raise error
    warnings.warn(
        f"{len(failures)} of {n_rows} rows {failing}, first row {row} of the shard: {type(error).__name__}: {error}",
        stacklevel=4,
    )
