"""The one place where a model is asked for a rating: logits at the last position of many texts."""

import warnings
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch

from analysis.loss_kernel import LossKernel, batches


class RatingKernel(LossKernel):
    """Logits of a few tokens at the last position of many texts; the output layer is applied nowhere else.

    Batches are those of `LossKernel`; padding stands on the right, so that no position that counts sees it.
    """

    def __call__(self, head: list[int], texts: Sequence[list[int]], tokens: list[int]) -> np.ndarray:
        """Logits of the tokens that may follow each text; a text that fails gets nan (with a warning), no other changes.

        Parameters
        ----------
        head : token ids that stand before every text; may be empty.
        texts : token ids; one without any is nan.
        tokens : ids of the candidates.

        Returns
        -------
        float32 of shape (n_texts, n_tokens).

        Raises
        ------
        One of ROW_ERRORS where every text fails: then the model is at fault, not a text.
        """
        lengths = [len(head) + len(text) if text else 0 for text in texts]
        logits = np.full((len(texts), len(tokens)), np.nan, dtype=np.float32)
        failures: dict[int, Exception] = {}
        for batch in batches(lengths, self.tokens_per_batch):
            for rows, values in self._score(batch, texts, (head, tokens), lengths, failures):
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
    def _forward(self, rows, texts, wanted, lengths) -> np.ndarray:
        head, tokens = wanted
        last = torch.tensor([lengths[row] - 1 for row in rows], device=self.device)
        ids = np.zeros((len(rows), max(lengths[row] for row in rows)), dtype=np.int64)
        for line, row in enumerate(rows):
            ids[line, : lengths[row]] = [*head, *texts[row]]
        ids = torch.from_numpy(ids).to(self.device)
        lines = torch.arange(len(rows), device=self.device)
        precise = torch.autocast(self.device.type, dtype=self.autocast) if self.autocast is not None else nullcontext()
        with precise:
            if self.decoder is None:
                logits = self.model(input_ids=ids, use_cache=False).logits[lines, last]
            else:
                states = self.decoder(input_ids=ids, use_cache=False).last_hidden_state
                logits = self.head(states[lines, last])
        return logits[:, tokens].float().cpu().numpy()
