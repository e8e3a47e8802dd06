"""Sentences about how a selection lies in a model's space: how far the pool is from it, and its rows from each other."""

from itertools import combinations

import numpy as np
import pandas as pd

from analysis.methods import RANDOM, Selection, label
from analysis.reporting.sentences import change_finding
from analysis.reporting.wording import listed, of_each, share
from analysis.subsets.coverage import spread
from analysis.subsets.overlap import agreement


def spread_findings(points: np.ndarray, selections: dict[str, Selection]) -> list[str]:
    """Who covers the pool better than chance, whose rows are twins, and which methods take the same rows."""
    lines = spread(points, selections).set_index("method")
    random, others = lines.loc[label(RANDOM)], lines.drop(index=label(RANDOM))
    sentences = []
    for column, what in (("covering radius", "farthest row of the pool"), ("mean distance of the pool", "average row")):
        said = of_each(others[column] / random[column], "{:.2f} times".format)
        sentences.append(f"Distance of the {what} to the nearest selected row, relative to a random draw: {said}.")
    sentences.append(
        "Selected rows with a twin among the selected (nearer than half of the pool's rows have any neighbour): "
        f"{of_each(lines['with a twin'])}."
    )
    for first, second in combinations([name for name in selections if name != RANDOM], 2):
        found = agreement(selections[first], selections[second], len(points))
        sentences.append(
            f"{label(first)} and {label(second)} share {share(found['overlap'])} of their rows "
            f"({share(found['expected'])} by chance)."
        )
    return sentences


def evolution_finding(selections: dict[str, Selection], evolving: str, base: str, n_rows: int) -> str:
    """Whether training between the rounds changes the rows, by the rule of half of them."""
    words = "The training in between", "matters", "does not matter"
    return change_finding(selections, evolving, base, n_rows, words, note=", and the same first draw")


def isolation_finding(alone: pd.DataFrame) -> str:
    """Which groups of rows lie farthest from, and nearest to, their neighbours, per property that is known."""
    said = []
    for name, part in alone.groupby("of", sort=False):
        medians = part.groupby("group")["score"].median().sort_values()
        said.append(
            f"by {name} from {medians.iloc[0]:.2f} ({medians.index[0]}) to {medians.iloc[-1]:.2f} ({medians.index[-1]})"
        )
    return f"Median distance of a row to its nearest neighbour: {listed(said)}."
