"""Means of a language model's last hidden states over the tokens of a conversation."""

from collections.abc import Sequence

import numpy as np
import torch

from analysis.models.encoding import Encoded
from analysis.models.passes.batches import Pass, padded


class HiddenStatePass(Pass):
    """Weighted means of the last hidden states of encoded conversations under one model; padding has no weight.

    Parameters
    ----------
    kind : which mean, a key of `WEIGHTS`.
    others : see `Pass`; means are float32.
    """

    def __init__(
        self, model, device: torch.device, kind: str, tokens_per_batch: int, autocast: torch.dtype | None = None
    ):
        super().__init__(model, device, tokens_per_batch, autocast)
        self.decoder, self.weights = model.base_model, WEIGHTS[kind]
        self.dim = model.get_input_embeddings().weight.shape[1]

    def __call__(self, encoded: Sequence[Encoded]) -> np.ndarray:
        """Embed conversations: float32 of shape (n, dim), nan where a row has no token that counts."""
        weights = [self.weights(row) for row in encoded]

        def forward(rows: list[int]) -> np.ndarray:
            return self._forward([encoded[row] for row in rows], [weights[row] for row in rows])

        return self.per_row(forward, list(map(len, weights)), self.dim, "could not be embedded")

    @torch.inference_mode()
    def _forward(self, rows: list[Encoded], weights: list[np.ndarray]) -> np.ndarray:
        ids = padded([row.ids[: len(counted)] for row, counted in zip(rows, weights, strict=True)])
        ids, shares = self.on_device(ids, padded(weights, dtype=np.float32))
        with self.precision():
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
