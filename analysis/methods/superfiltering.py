"""Selection by the difficulty that a small model sees, Superfiltering (Li et al. 2024, arXiv 2402.00530)."""

import numpy as np

from analysis.methods import ifd
from analysis.methods.selection import Selection


def score(
    loss_given_instruction: np.ndarray, count_given: np.ndarray, loss_alone: np.ndarray, count_alone: np.ndarray
) -> np.ndarray:
    """Perplexity of the answer after its instruction / perplexity of it alone, nan without tokens.

    All of shape (n,): sums of -log p over the answer's tokens in nats, and the number of these tokens. The
    result is without unit, 1 where the instruction helps nothing, higher = selected first up to there.
    """
    difference = ifd.mean_loss(loss_given_instruction, count_given) - ifd.mean_loss(loss_alone, count_alone)
    with np.errstate(over="ignore"):
        ratio = np.exp(difference)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def select(features, budget: int, *, seed: int, scorer: str = "tiny-weak", turns: str = "mean") -> Selection:
    """Take the rows whose instruction helps a small model least to find the answer, but does help.

    Parameters
    ----------
    scorer : the small model: an embedded base, a folder or a hub id (the authors' is "gpt2"); it needs no
        template, as it reads contents and line ends alone.
    turns : of a conversation of several turns, "mean" over all of them or the "last" one.

    Notes
    -----
    The answer alone has nothing before its first token, which is therefore not scored there, as in the authors'
    script. Rows of a ratio from 1 up are set aside. Differs from data_analysis.py in tokenising prompt and answer
    apart, in turns, which it does not have, and in leaving out rows that cannot be scored instead of giving
    them 0.
    """
    scored = features.with_model(scorer)
    given, alone = scored.token_losses("plain conversation"), scored.token_losses("plain none")
    return ifd.ranked(features, ifd.per_row(given, alone, turns, score), budget, seed, one_is_allowed=False)
