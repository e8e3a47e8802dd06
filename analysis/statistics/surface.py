"""How a score depends on two things that were set independently: effects, interaction, and what one is worth in the other.

The model is linear in the share correct and in the log2 of the skills covered, with their product, and is fitted within
each part of the pool: a part has skills and rows of its own, and what is left of their luck is shared by its runs. So the
parts are what varies, and n is their number: an effect is the mean over parts with Student's interval.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from analysis.statistics.comparison import FEWEST_RUNS, NO_VERDICT, UNDECIDED
from analysis.statistics.families import held_together, spread_of_mean

QUALITY, DIVERSITY, INTERACTION = "10 points more correct rows", "twice as many skills", "both together"
EFFECTS = (QUALITY, DIVERSITY, INTERACTION)
RAISES, LOWERS = "raises", "lowers"
STEP = 0.10  # of the share correct


@dataclass(frozen=True)
class Surface:
    """The fitted surface.

    Attributes
    ----------
    coefficients : a line per part; level, the score in the middle of the design, and the three effects.
    centre : share correct and log2 of the skills there.
    runs : what it was fitted to: part, correct, skills, score.
    """

    coefficients: pd.DataFrame
    centre: tuple[float, float]
    runs: pd.DataFrame

    def by_part(self, correct, skills) -> np.ndarray:
        """Score at these shares of correct rows and numbers of skills by each part's own; shape (parts, ...)."""
        terms = _terms(np.asarray(correct), np.asarray(skills), self.centre)
        return np.tensordot(self.coefficients.to_numpy(), terms, axes=1)

    def predict(self, correct, skills) -> np.ndarray:
        """Score there, mean over parts; of their shape."""
        return self.by_part(correct, skills).mean(axis=0)

    def holds(self, correct, skills) -> np.ndarray:
        """Whether these lie where the surface was measured, and not beyond it."""
        inside = [
            (self.runs[name].min() <= values) & (values <= self.runs[name].max())
            for name, values in (("correct", np.asarray(correct)), ("skills", np.asarray(skills)))
        ]
        return inside[0] & inside[1]


def fit(runs: pd.DataFrame) -> Surface | None:
    """The surface of runs at one budget (part, correct, skills, score); None where no part tells the effects apart."""
    levels = runs[["correct", "skills"]].drop_duplicates()
    centre = float(levels["correct"].mean()), float(np.log2(levels["skills"]).mean())
    lines = {}
    for part, own in runs.groupby("part"):
        terms = _terms(own["correct"].to_numpy(), own["skills"].to_numpy(), centre).T
        if np.linalg.matrix_rank(terms) == terms.shape[1]:
            lines[part] = np.linalg.lstsq(terms, own["score"].to_numpy(), rcond=None)[0]
    if not lines:
        return None
    return Surface(pd.DataFrame.from_dict(lines, "index", columns=["level", *EFFECTS]), centre, runs)


def effects(surfaces: dict[int, Surface], *, alpha: float = 0.05) -> pd.DataFrame:
    """Main effects and interaction by budget, all of them one family (Holm).

    Returns
    -------
    One line per budget and effect: budget, effect, estimate (score per step), low and high (at the level at which Holm
    tests it), p, p_holm, standardised (standard deviations of the score for one of what was varied, within parts), n_runs,
    n_parts, verdict: raises, lowers, undecided, or no verdict from fewer than 3 parts.
    """
    lines, spreads = [], []
    for budget, surface in surfaces.items():
        scale = _scales(surface)
        for effect in EFFECTS:
            values = surface.coefficients[effect].to_numpy()
            spreads.append(spread_of_mean(values))
            lines.append({"budget": budget, "effect": effect, "estimate": values.mean(),
                          "standardised": values.mean() * scale[effect], "n_runs": len(surface.runs),
                          "n_parts": len(values)})  # fmt: skip
    table = held_together(pd.DataFrame(lines), spreads, alpha=alpha)
    signed = np.where(table["estimate"] > 0, RAISES, LOWERS)
    table["verdict"] = np.where(table["p_holm"] < alpha, signed, UNDECIDED)
    table.loc[table["n_parts"] < FEWEST_RUNS, "verdict"] = NO_VERDICT
    return table


def exchange_rate(surface: Surface, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Share of correct rows that is worth as much as twice as many skills, in the middle of the design, with its interval.

    All nan where the interval of quality's own effect holds 0: the rate is then not defined.
    """
    rate = ratio_of_means(surface.coefficients[DIVERSITY], surface.coefficients[QUALITY], confidence=confidence)
    return tuple(STEP * value for value in rate)


def ratio_of_means(numerator, denominator, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Ratio of the means of paired values and Fieller's interval; nan where the denominator's interval holds 0."""
    values = np.stack([numerator, denominator]).astype(np.float64)
    n = values.shape[1]
    if n < 2:
        return np.nan, np.nan, np.nan
    (above, below), spread = values.mean(axis=1), np.cov(values) / n
    reach = stats.t.isf((1 - confidence) / 2, n - 1) ** 2
    curve = below**2 - reach * spread[1, 1]
    if curve <= 0:
        return np.nan, np.nan, np.nan
    middle = above * below - reach * spread[0, 1]
    root = np.sqrt(max(middle**2 - curve * (above**2 - reach * spread[0, 0]), 0.0))
    return float(above / below), float((middle - root) / curve), float((middle + root) / curve)


def _terms(correct: np.ndarray, skills: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    """Constant, quality, diversity and their product in steps from the centre; shape (4, ...)."""
    quality, diversity = (correct - centre[0]) / STEP, np.log2(skills) - centre[1]
    return np.stack([np.ones_like(quality), quality, diversity, quality * diversity])


def _scales(surface: Surface) -> dict[str, float]:
    """Standard deviation of every term over that of the score within parts; 0 where all scores of a part are equal."""
    runs = surface.runs
    terms = _terms(runs["correct"].to_numpy(), runs["skills"].to_numpy(), surface.centre)[1:]
    within = (runs["score"] - runs.groupby("part")["score"].transform("mean")).to_numpy().std()
    return dict(zip(EFFECTS, terms.std(axis=1) / within if within else np.zeros(3), strict=True))
