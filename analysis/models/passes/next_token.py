"""The one place where a model is asked for a rating: logits at the last position of many texts."""

import copy
import warnings
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicLayer

from analysis.models.passes.token_losses import LossKernel, batches


class RatingKernel(LossKernel):
    """Logits of a few tokens at the last position of many texts; the output layer is applied nowhere else.

    Batches are those of `LossKernel`; padding stands on the right, so that no position that counts sees it. What all
    texts begin with is computed once, where the model keeps keys and values of every position.
    """

    def __call__(self, texts: Sequence[list[int]], tokens: list[int]) -> np.ndarray:
        """Logits of the tokens that may follow each text; a text that fails gets nan (with a warning), no other changes.

        Parameters
        ----------
        texts : token ids; one without any is nan.
        tokens : ids of the candidates.

        Returns
        -------
        float32 of shape (n_texts, n_tokens).

        Raises
        ------
        One of ROW_ERRORS where every text fails: then the model is at fault, not a text.
        """
        head = common_beginning([text for text in texts if text])
        past = self._read(head) if head else None
        if past is not None:
            texts = [text[len(head) :] for text in texts]
        lengths = [len(text) for text in texts]
        logits = np.full((len(texts), len(tokens)), np.nan, dtype=np.float32)
        failures: dict[int, Exception] = {}
        for batch in batches(lengths, self.tokens_per_batch):
            for rows, values in self._score(batch, texts, (past, tokens), lengths, failures):
                logits[rows] = values
        n_texts = sum(length > 0 for length in lengths)
        if failures:
            row, error = next(iter(failures.items()))
            if len(failures) == n_texts and n_texts > 1:
                raise error
            warnings.warn(
                f"{len(failures)} of {n_texts} rows could not be rated, first row {row} of the shard: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
        logits[~np.isfinite(logits).all(axis=1)] = np.nan
        return logits

    @torch.inference_mode()
    def _read(self, head: list[int]) -> Cache | None:
        """Keys and values of these tokens, `None` where a layer keeps anything else (for instance a window)."""
        if self.decoder is None:
            return None
        with self._precision():
            ids = torch.tensor([head], device=self.device)
            past = getattr(self.decoder(input_ids=ids, use_cache=True), "past_key_values", None)
        layers = getattr(past, "layers", [None])
        return past if all(type(layer) is DynamicLayer for layer in layers) else None

    @torch.inference_mode()
    def _forward(self, rows, texts, wanted, lengths) -> np.ndarray:
        past, tokens = wanted
        ids = np.zeros((len(rows), max(lengths[row] for row in rows)), dtype=np.int64)
        for line, row in enumerate(rows):
            ids[line, : lengths[row]] = texts[row]
        ids = torch.from_numpy(ids).to(self.device)
        lines = torch.arange(len(rows), device=self.device)
        last = torch.tensor([lengths[row] - 1 for row in rows], device=self.device)
        with self._precision():
            if self.decoder is None:
                logits = self.model(input_ids=ids, use_cache=False).logits[lines, last]
            else:
                if past is not None:
                    past = copy.deepcopy(past)  # a forward pass adds to it
                    past.batch_repeat_interleave(len(rows))
                output = self.decoder(input_ids=ids, past_key_values=past, use_cache=past is not None)
                logits = self.head(output.last_hidden_state[lines, last])
        return logits[:, tokens].float().cpu().numpy()

    def _precision(self):
        return torch.autocast(self.device.type, dtype=self.autocast) if self.autocast is not None else nullcontext()


def common_beginning(texts: Sequence[list[int]]) -> list[int]:
    """The longest list with which all texts begin and after which none ends."""
    if not texts:
        return []
    first, last = min(texts), max(texts)  # in their order, so that all others share what these two do
    most = min(map(len, texts)) - 1
    differing = (place for place in range(most) if first[place] != last[place])
    return first[: next(differing, most)]
