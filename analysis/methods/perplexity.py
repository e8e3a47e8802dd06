"""Selection by a model's perplexity of the answer, its highest or its middle (Marion et al. 2023, arXiv 2309.04564)."""

import numpy as np

from analysis.methods.selection import Selection, choose, rank_share, top_k

NOT_SCORED = "no answer token could be scored"


def score(perplexity: np.ndarray, band: str = "top") -> np.ndarray:
    """Higher = selected first; nan stays nan; shape (n_rows,).

    Parameters
    ----------
    perplexity : exp of the mean loss per answer token, from 1 up, shape (n_rows,).
    band : "top", "middle" (nearest to the median, by rank) or "bottom".
    """
    perplexity = np.asarray(perplexity, dtype=np.float64)
    known = np.isfinite(perplexity)
    of_perplexity = {
        "top": lambda values: values,
        "middle": lambda values: -np.abs(rank_share(values) - 0.5),
        "bottom": lambda values: -values,
    }
    scores = np.full(len(perplexity), np.nan)
    scores[known] = choose("band", band, of_perplexity)(perplexity[known])
    return scores


def select(features, budget: int, *, seed: int, band: str = "top") -> Selection:
    """Take the rows whose answers surprise the model most, or those around the pool's median.

    Parameters
    ----------
    band : see `score`; as wide as the budget.

    Notes
    -----
    "top" takes the rows of `cross_entropy`. Differs from the paper, which prunes text for pretraining, in counting
    the answers' tokens alone, and from the baselines of Ivison et al. 2025 (arXiv 2503.01807), which count all
    tokens and begin their middle at the 33rd percentile.
    """
    with np.errstate(over="ignore"):
        scores = score(np.exp(features.token_losses().mean()), band)
    excluded = {NOT_SCORED: int(np.isnan(scores).sum())}
    return top_k(scores, budget, seed, keys=features.row_keys(), excluded=excluded)
