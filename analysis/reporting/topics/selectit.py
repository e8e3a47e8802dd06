"""Tables about ratings: which digits a model gives, how far prompts and levels agree, what disagreement costs."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from analysis.features.rating_text import RATINGS
from analysis.methods import Selection
from analysis.methods.selectit import PROMPTS, score, token_score
from analysis.reporting.style import label
from analysis.reporting.wording import listed, number, share
from analysis.subsets.overlap import agreement, rank_correlation

SHARE, LIKELIEST = "mean share of probability", "rows that it is likeliest for"
LEAST_SPREAD = 0.5  # between rows, of a rating from 1 to 5; ratings drawn at random from all five have 1.41
NEAR = 0.001  # scores that differ by less are counted as near the last one selected


def prompts_shown(prompts=PROMPTS):
    """The prompts by number, in full."""
    return pd.DataFrame({"prompt": range(1, len(prompts) + 1), "asks": prompts}).style.hide(axis="index")


def digits(features, prompts=PROMPTS) -> pd.DataFrame:
    """Per prompt and rating, its mean share among the five and the rows for which it is likeliest, as (measure, value)."""
    logits = _rated(features, prompts)
    likeliest = logits.argmax(axis=-1)[..., None] == np.arange(len(RATINGS))
    measures = {LIKELIEST: likeliest, SHARE: softmax(logits, axis=-1)}
    return pd.DataFrame([
        {"prompt": f"prompt {prompt + 1}", "rating": int(digit), "measure": measure, "share": float(values[:, prompt, place].mean())}
        for prompt in range(len(prompts)) for place, digit in enumerate(RATINGS) for measure, values in measures.items()
    ])  # fmt: skip


def disagreement(features, selection: Selection, prompts=PROMPTS, most: int = 20_000) -> pd.DataFrame:
    """Mean and standard deviation of each row's token scores, and whether the row is selected; at most so many rows."""
    scores = token_score(features.rating_logits(prompts))
    rows = pd.DataFrame({"row": np.arange(len(scores)), "mean": scores.mean(axis=1), "deviation": scores.std(axis=1)})
    rows["rows"] = np.where(rows["row"].isin(selection.rows), "selected", "not selected")
    rows = rows.dropna().sort_values("rows", kind="stable")
    return rows.groupby("rows", sort=False).head(most)


def levels(selections: dict[str, Selection], reference: str, names: list[str]) -> pd.DataFrame:
    """How far each way of reading the ratings agrees with the reference, and what it picks."""
    lines = []
    for name in names:
        chosen, scores = selections[name], selections[name].scores
        found = agreement(selections[reference], chosen, len(scores))
        cut = scores[chosen.rows].min()
        lines.append({
            "method": label(name), "Spearman": found["spearman"], "shared rows": found["overlap"],
            "expected": found["expected"], "not rated": sum(chosen.excluded.values()),
            "lowest": np.nanmin(scores), "cut": cut, "highest": np.nanmax(scores),
            f"within {NEAR:g} of the cut": int((np.abs(scores - cut) < NEAR).sum()),
        })  # fmt: skip
    return pd.DataFrame(lines).round(3)


def rating_verdict(features, prompts=PROMPTS) -> str:
    """Whether the model can rate: its ratings differ between rows, and more than between wordings of the question.

    A row's rating is the mean of the five by their shares. Where it hardly depends on the row, the score orders rows by
    how sure the model is of a favourite digit.
    """
    logits = _rated(features, prompts)
    ratings = softmax(logits.astype(np.float64), axis=-1) @ np.arange(1, len(RATINGS) + 1)
    by_row, by_wording = float(ratings.mean(axis=1).std()), float(np.sqrt(ratings.var(axis=1).mean()))
    counts = np.bincount(logits.argmax(axis=-1).ravel(), minlength=len(RATINGS)) / logits[..., 0].size
    scores, most = score(logits), float(token_score([-np.inf] * (len(RATINGS) - 1) + [0]))
    can = by_row >= LEAST_SPREAD and by_row > by_wording
    return (
        f"The model {'can' if can else 'cannot'} rate: its ratings have a standard deviation of {by_row:.2f} between rows (at "
        f"least {LEAST_SPREAD:g} is asked for) and of {by_wording:.2f} between wordings of the question; "
        f"{RATINGS[counts.argmax()]} is likeliest for {share(counts.max())}, and scores go from {scores.min():.2f} to "
        f"{scores.max():.2f} of at most {most:.2f}."
        f"{'' if can else ' What follows is about its favourite digit rather than about the rows.'}"
    )


def findings(features, rows: pd.DataFrame, selection: Selection, prompts=PROMPTS) -> list[str]:
    """Whether the scale is used, whether prompts agree, and what a high score goes with."""
    logits = _rated(features, prompts)
    likeliest, scores = logits.argmax(axis=-1), token_score(logits)
    alike = np.mean([rank_correlation(*pair) for pair in combinations(scores.T, 2)])
    counts = np.bincount(likeliest.ravel(), minlength=len(RATINGS)) / likeliest.size
    used = [f"{digit} ({share(part)})" for digit, part in zip(RATINGS, counts, strict=True) if part > 0]
    said = [
        f"Likeliest ratings over {number(len(likeliest))} rows and {likeliest.shape[1]} prompts: {listed(used)}.",
        f"Spearman's correlation of the scores of two prompts is {alike:.2f} in the mean.",
    ]
    length = rank_correlation(selection.scores, rows["answer tokens"])
    said.append(f"Spearman's correlation of score and answer length: {length:+.2f}.")
    if "fault" in rows:
        scored, faulty = np.isfinite(selection.scores), rows["fault"].to_numpy() != ""
        if 0 < faulty[scored].sum() < scored.sum():
            chance = roc_auc_score(~faulty[scored], selection.scores[scored])
            said.append(f"Chance that a correct row is scored above a faulty one: {chance:.2f} (0.50 is guessing).")
    return said


def _rated(features, prompts) -> np.ndarray:
    logits = features.rating_logits(prompts)
    return logits[np.isfinite(logits).all(axis=(1, 2))]
