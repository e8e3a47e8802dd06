"""The one place where a model is asked for a rating: logits at the last position of many texts."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicLayer

from analysis.models.passes.batches import LogitPass, padded


class NextTokenPass(LogitPass):
    """Logits of a few tokens at the last position of many texts; the output layer is applied nowhere else.

    What all texts begin with is computed once, where the model keeps keys and values of every position.
    """

    def __call__(self, texts: Sequence[list[int]], tokens: list[int]) -> np.ndarray:
        """Logits of the tokens that may follow each text.

        Parameters
        ----------
        texts : token ids; one without any is nan.
        tokens : ids of the candidates.

        Returns
        -------
        float32 of shape (n_texts, n_tokens).
        """
        head = common_beginning([text for text in texts if text])
        past = self._read(head) if head else None
        if past is not None:
            texts = [text[len(head) :] for text in texts]

        def forward(rows: list[int]) -> np.ndarray:
            return self._forward([texts[row] for row in rows], past)[:, tokens].cpu().numpy()

        return self.per_row(forward, list(map(len, texts)), len(tokens), "could not be rated")

    @torch.inference_mode()
    def _read(self, head: list[int]) -> Cache | None:
        """Keys and values of these tokens, `None` where a layer keeps anything else (for instance a window)."""
        if self.decoder is None:
            return None
        with self.precision():
            ids = torch.tensor([head], device=self.device)
            past = getattr(self.decoder(input_ids=ids, use_cache=True), "past_key_values", None)
        layers = getattr(past, "layers", [None])
        return past if all(type(layer) is DynamicLayer for layer in layers) else None

    @torch.inference_mode()
    def _forward(self, texts: list[list[int]], past: Cache | None) -> torch.Tensor:
        ids, last = self.on_device(padded(texts), np.array([len(text) - 1 for text in texts]))
        with self.precision():
            if past is None:
                states = self.states(ids)
            else:
                past = copy.deepcopy(past)  # a forward pass adds to it
                past.batch_repeat_interleave(len(texts))
                states = self.decoder(input_ids=ids, past_key_values=past, use_cache=True).last_hidden_state
            return self.logits(states[torch.arange(len(texts), device=self.device), last])


def common_beginning(texts: Sequence[list[int]]) -> list[int]:
    """The longest list with which all texts begin and after which none ends."""
    if not texts:
        return []
    first, last = min(texts), max(texts)  # in their order, so that all others share what these two do
    most = min(map(len, texts)) - 1
    differing = (place for place in range(most) if first[place] != last[place])
    return first[: next(differing, most)]
