"""The one place where answer tokens are scored by a model."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np
import torch

from analysis.models.encoding import Encoded

# Errors that one row can cause: out of memory, too many positions, an unknown token. Rows are then tried
# alone.
ROW_ERRORS = (RuntimeError, IndexError, ValueError)
LOGITS_AT_ONCE = {"cpu": 2**24, "mps": 2**26, "cuda": 2**28}  # float32 numbers held by one softmax
SAME_LOGITS = 1e-3


class LossKernel:
    """Token losses of encoded conversations under one model.

    Rows are sorted by length and right-padded in batches of at most `tokens_per_batch` positions; a longer
    row is a batch by itself. The output layer is applied only where a label is, in chunks, the softmax in
    float32.

    Parameters
    ----------
    model : causal language model of transformers, in evaluation mode.
    device : where it is.
    tokens_per_batch : positions of a batch, padding included; changes speed and memory, not the losses.
    autocast : precision of the matrix products, `None` for that of the weights.
    """

    def __init__(self, model, device: torch.device, tokens_per_batch: int, autocast: torch.dtype | None = None):
        self.model, self.device, self.autocast = model, torch.device(device), autocast
        if tokens_per_batch < 1:
            raise ValueError(f"tokens_per_batch: expected at least 1, found {tokens_per_batch}")
        self.tokens_per_batch = tokens_per_batch
        self.decoder, self.head = _decoder_and_head(model, self.device)

    def __call__(self, encoded: Sequence[Encoded]) -> dict[str, np.ndarray]:
        """Score conversations; a row that fails by itself gets nan (with a warning), no other row changes.

        Returns
        -------
        dict of arrays with one value per assistant turn, in order: `count` int64, and `loss_sum`,
        `first_loss`, `unshifted_loss_sum` float64 in nats (see `TokenLosses`).

        Raises
        ------
        One of ROW_ERRORS where every row fails: then the model is at fault, not a row.
        """
        first_turn = np.cumsum([0, *(len(row.spans) for row in encoded)])
        # Nothing stands before position 0 that could predict it.
        spans = [[(max(start, 1), end) for start, end in row.spans] for row in encoded]
        count = np.array([max(end - start, 0) for row in spans for start, end in row], dtype=np.int64)
        losses = np.full((3, len(count)), np.nan)
        lengths = [max((end for start, end in row if end > start), default=0) for row in spans]
        failures: dict[int, Exception] = {}
        for batch in batches(lengths, self.tokens_per_batch):
            for rows, values in self._score(batch, encoded, spans, lengths, failures):
                turns = np.concatenate([np.arange(first_turn[row], first_turn[row + 1]) for row in rows])
                losses[:, turns] = values
        scored = sum(length > 0 for length in lengths)
        if failures:
            row, error = next(iter(failures.items()))
            if len(failures) == scored and scored > 1:
                raise error
            warnings.warn(
                f"{len(failures)} of {scored} rows could not be scored, first row {row} of the shard: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
        losses[~np.isfinite(losses)] = np.nan
        return {
            "count": count,
            "loss_sum": losses[0],
            "first_loss": losses[1],
            "unshifted_loss_sum": losses[2],
        }

    def _score(self, rows, encoded, spans, lengths, failures) -> Iterator[tuple[list[int], np.ndarray]]:
        """Losses of a batch; after an error of its halves, so that only the row at fault is lost."""
        values = None
        try:
            values = self._forward(rows, encoded, spans, lengths)
        except ROW_ERRORS as error:
            if len(rows) == 1:
                failures[rows[0]] = error.with_traceback(None)
        if values is not None:
            yield rows, values
        elif len(rows) > 1:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
                yield from self._score(half, encoded, spans, lengths, failures)

    @torch.inference_mode()
    def _forward(self, rows, encoded, spans, lengths) -> np.ndarray:
        width = max(lengths[row] for row in rows)
        ids = np.zeros((len(rows), width), dtype=np.int64)
        positions, turn_of, is_first, is_last = [], [], [], []
        n_turns = 0
        for line, row in enumerate(rows):
            ids[line, : lengths[row]] = encoded[row].ids[: lengths[row]]
            for turn, (start, end) in enumerate(spans[row], n_turns):
                if end > start:
                    positions.append(np.arange(start - 1, end) + line * width)
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
        batch = torch.from_numpy(ids).to(self.device)
        index, *tokens = (torch.from_numpy(x).to(self.device) for x in (position, next_token, this_token))
        wanted = torch.stack(tokens, dim=1)
        precise = torch.autocast(self.device.type, dtype=self.autocast) if self.autocast is not None else nullcontext()
        with precise:
            if self.decoder is None:
                states = self.model(input_ids=batch, use_cache=False).logits
            else:
                states = self.decoder(input_ids=batch, use_cache=False).last_hidden_state
            states = states.flatten(0, 1)
            vocabulary = self.model.get_output_embeddings().weight.shape[0]
            chunk = max(1, LOGITS_AT_ONCE[self.device.type] // vocabulary)
            losses = []
            for begin in range(0, len(index), chunk):
                logits = states[index[begin : begin + chunk]]
                if self.head is not None:
                    logits = self.head(logits)
                logits = logits.float()
                chosen = logits.gather(1, wanted[begin : begin + chunk])
                losses.append(torch.logsumexp(logits, dim=1, keepdim=True) - chosen)
        next_loss, this_loss = torch.cat(losses).double().cpu().numpy().T
        return next_loss, this_loss


def batches(lengths: list[int], tokens_per_batch: int) -> Iterator[list[int]]:
    """Rows that have a token to score, shortest first, in batches of at most so many positions."""
    batch: list[int] = []
    for row in sorted((row for row, length in enumerate(lengths) if length), key=lambda row: lengths[row]):
        if batch and (len(batch) + 1) * lengths[row] > tokens_per_batch:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


@torch.inference_mode()
def _decoder_and_head(model, device: torch.device) -> tuple:
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
