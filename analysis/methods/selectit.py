"""Selection by a model's own ratings and how sure it is of them, SelectIT (Liu et al. 2024, arXiv 2402.16705)."""

from collections.abc import Sequence

import numpy as np
from scipy.special import softmax

from analysis.methods.selection import Selection, choose, top_k

# One question in five wordings, as in the paper: how far the answers to them differ then tells how sure the model is.
PROMPTS = (
    "On a scale from 1 to 5, how far does the response do what its instruction asks? 1 means not at all, 5 means in full.",
    "Grade from 1 (not at all) to 5 (in full) how far the response below does what was asked of it.",
    "Does the response do what its instruction asks for? Say how far by a number between 1, not at all, and 5, in full.",
    "Give 5 to a response that does in full what the instruction asks, 1 to one that does not at all, else 2, 3 or 4.",
    "How far is the instruction carried out by its response? The grade goes from 1, for not at all, to 5, for in full.",
)
VARIANTS = {"original": "original", "released": "released"}
LEVELS = {"token": 1, "sentence": None, "model": None}  # how many of the prompts are asked
SOFTMAXES = {"twice": 2, "once": 1}
NOT_RATED = "no rating could be read"


def token_score(logits: np.ndarray, normalised: str = "twice") -> np.ndarray:
    """The likeliest rating, 1 to 5, times the mean of what its share is above the others'; higher = selected first.

    Parameters
    ----------
    logits : of the digits 1 to 5, shape (..., 5). Their softmax is the model's full one renormalised over them.
    normalised : "twice" takes the softmax of these shares once more, as the authors' code does: 0 to 1.279 in
        place of 0 to 5 ("once"), and another order.

    Returns
    -------
    float64 of shape (...); nan where a logit is.
    """
    shares = np.asarray(logits, dtype=np.float64)
    for _ in range(choose("normalised", normalised, SOFTMAXES)):
        shares = softmax(shares, axis=-1)
    n_ratings = shares.shape[-1]
    best = shares.max(axis=-1)
    return (shares.argmax(axis=-1) + 1) * (n_ratings * best - shares.sum(axis=-1)) / (n_ratings - 1)


def score(logits: np.ndarray, alpha: float = 0.2, normalised: str = "twice") -> np.ndarray:
    """Sentence level: mean of the token scores over the prompts / (1 + alpha times their standard deviation).

    Parameters
    ----------
    logits : shape (n, k prompts, 5), in nats.
    alpha : how much disagreement between prompts counts.

    Returns
    -------
    float64 of shape (n,), without unit, higher = selected first; nan where any prompt's logits are.
    """
    if not alpha >= 0:
        raise ValueError(f"alpha: expected a number from 0 up, found {alpha!r}")
    scores = token_score(logits, normalised)
    return scores.mean(axis=1) / (1 + alpha * scores.std(axis=1))


def combine(scores: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """Model level: weighted sum over the models of sentence scores of shape (n_models, n); nan where any is."""
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (len(scores),) or not (np.isfinite(weights) & (weights > 0)).all():
        raise ValueError(
            f"weights: expected {len(scores)} numbers above 0, one for each model, found {weights.tolist()}"
        )
    return weights @ scores


def select(
    features,
    budget: int,
    *,
    seed: int,
    variant: str = "original",
    level: str = "sentence",
    models: Sequence[str] = (),
    weights: Sequence[float] | None = None,
    alpha: float = 0.2,
    normalised: str = "twice",
    prompts: Sequence[str] = PROMPTS,
) -> Selection:
    """Take the rows that the model rates highest, most surely and most steadily.

    Parameters
    ----------
    variant : "original"; "released" writes the text as the study's script does (see `Features.rating_logits`).
    level : "token" asks the first prompt alone, "sentence" all; "model" adds the sentence scores of `models`.
    models : names or folders of the scorers, for the model level.
    weights : of the models; default their parameters' share of all, as the study does.
    alpha, normalised : see `score`.
    prompts : each asks for a rating from 1 to 5, all the same in other words; at least two but for the token level.

    Notes
    -----
    Differs from the authors' sentence_level.py in the prompts' wording, in the cue, which is on a line of its own,
    in turns and truncation, which they do not have, in the order of ties, in weights that sum to one, and in a
    failing row, which there gives its neighbours' scores to all that follow; so does "released".
    """
    form, asked = choose("variant", variant, VARIANTS), prompts[: choose("level", level, LEVELS)]
    if level != "token" and len(asked) < 2:
        raise ValueError(f"prompts: expected at least 2 for the {level} level, found {len(asked)}")
    if (level == "model") != bool(models) or isinstance(models, str):
        raise ValueError(f'models: expected names in a list with level="model" and only there, found {models!r}')
    if weights is not None and not models:
        raise ValueError(f'weights: expected only with level="model", found {weights!r}')
    scorers = [features.with_model(name) for name in models] or [features]
    each = np.stack([score(one.rating_logits(asked, form), alpha, normalised) for one in scorers])
    if weights is None:
        sizes = np.array([one.n_parameters for one in scorers]) if models else np.ones(1)
        weights = sizes / sizes.sum()
    scores = combine(each, weights)
    excluded = {NOT_RATED: int(np.isnan(scores).sum())}
    return top_k(scores, budget, seed, keys=features.row_keys(), excluded=excluded)
