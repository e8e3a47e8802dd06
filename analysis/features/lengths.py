"""Lengths of the rows of a pool in tokens; needs a tokenizer and no model."""

from dataclasses import dataclass

import numpy as np


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
