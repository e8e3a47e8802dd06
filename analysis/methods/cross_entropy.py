"""Selection by the base model's cross-entropy of the answer (Xia et al. 2024)."""

import numpy as np

from analysis.methods.selection import Selection, choose, top_k

# The context, the turns that count, and whether the logits are held against the next token.
VARIANTS = {"original": ("conversation", "all", True), "released": ("released apart", "last", False)}
SIGNS = {"highest": 1.0, "lowest": -1.0}


def score(loss_sum: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Mean loss per answer token in nats, nan where there is no token; shape (n_rows,).

    Parameters
    ----------
    loss_sum : sum over the answer's tokens of -log p(token | all before it), shape (n_rows,).
    count : number of these tokens, shape (n_rows,).
    """
    loss_sum, count = np.asarray(loss_sum, dtype=np.float64), np.asarray(count)
    return np.where(count > 0, loss_sum / np.maximum(count, 1), np.nan)


def select(
    features,
    budget: int,
    *,
    seed: int,
    variant: str = "original",
    direction: str = "highest",
    band: tuple[float, float] | None = None,
) -> Selection:
    """Take the rows whose answers the base model finds least likely.

    Parameters
    ----------
    variant : "original" is the mean over all answer tokens of all assistant turns; "released" is what the
        study's script computes: the last turn only, in the study's format, and -log p(next token = this token), as
        labels are not shifted; the prompt's last tokens count where it has tokens of id 0 ("!").
    direction : "highest" or "lowest" first.
    band : (low, high) percentiles of the scores between which a row must lie, both included; default no
        limit.

    Notes
    -----
    "released" differs from cross_entropy/entropy_response.py in leaving out rows without a scorable token instead
    of giving them 0.
    """
    context, turns, shifted = choose("variant", variant, VARIANTS)
    sign = choose("direction", direction, SIGNS)
    losses = score(*features.token_losses(context).per_row(turns, shifted=shifted))
    excluded = {"no answer token could be scored": int(np.isnan(losses).sum())}
    if band is not None:
        outside = _outside(losses, band)
        excluded["outside the percentile band"] = int(outside.sum())
        losses = np.where(outside, np.nan, losses)
    return top_k(sign * losses, budget, seed, keys=features.row_keys(), excluded=excluded)


def _outside(losses: np.ndarray, band: tuple[float, float]) -> np.ndarray:
    if len(band) != 2 or not 0 <= band[0] < band[1] <= 100:
        raise ValueError(f"band: expected percentiles (low, high) with 0 <= low < high <= 100, found {band!r}")
    if np.isnan(losses).all():
        return np.zeros(len(losses), dtype=bool)
    low, high = np.nanpercentile(losses, band)
    return (losses < low) | (losses > high)
