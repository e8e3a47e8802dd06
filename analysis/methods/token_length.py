"""Selection by length in tokens (Xia et al. 2024, section 5.4; Zhao et al. 2024, "Long Is More")."""

import numpy as np

from analysis.methods.selection import Selection, choose, rank_share, top_k

MEASURES = {"answer": "answer", "last_answer": "last_answer", "total": "total"}


def score(length: np.ndarray, direction: str = "longest") -> np.ndarray:
    """Higher = selected first.

    Parameters
    ----------
    length : tokens, shape (n_rows,).
    direction : "longest", "shortest", or "middle" (nearest to the median, by rank).
    """
    length = np.asarray(length, dtype=np.float64)
    of_length = {
        "longest": lambda: length,
        "shortest": lambda: -length,
        "middle": lambda: -np.abs(rank_share(length) - 0.5),
    }
    return choose("direction", direction, of_length)()


def select(features, budget: int, *, seed: int, measure: str = "answer", direction: str = "longest") -> Selection:
    """Take the longest rows.

    Parameters
    ----------
    measure : "answer" (all assistant turns), "last_answer" or "total" (prompts and template included), in
        whole rows before truncation.
    direction : see `score`.

    Notes
    -----
    Differs from the study's token_length/compute_token_num.py, which counts non-zero ids (one fewer per "!"),
    the last turn only, and a beginning token twice. Its quotas per cluster are not part of this method.
    """
    lengths = getattr(features.lengths(), choose("measure", measure, MEASURES))
    return top_k(score(lengths, direction), budget, seed, keys=features.row_keys())
