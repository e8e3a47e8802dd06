"""Sentences about how a selection lies in a model's space: how far the pool is from it, and its rows from each other."""

import numpy as np
import pandas as pd

from analysis.methods import RANDOM, Selection, label
from analysis.reporting.sentences import common_rows
from analysis.reporting.wording import listed, of_each, share
from analysis.subsets.coverage import spread
from analysis.subsets.overlap import overlaps


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
    for line in overlaps(selections, len(points)).to_dict("records"):
        sentences.append(
            f"{line['method']} and {line['other']} share {share(line['common rows'])} of their rows "
            f"({share(line['by chance'])} by chance)."
        )
    return sentences


def evolution_finding(selections: dict[str, Selection], evolving: str, base: str, n_rows: int) -> str:
    """Whether training between the rounds changes the rows, by the rule of half of them."""
    matters, said = common_rows(selections, evolving, base, n_rows)
    matters = "matters" if matters else "does not matter"
    return f"The training in between {matters} by the rule above: {said}, and the same first draw)."


def isolation_finding(alone: pd.DataFrame) -> str:
    """Which groups of rows lie farthest from, and nearest to, their neighbours, per property that is known."""
    said = []
    for name, part in alone.groupby("of", sort=False):
        medians = part.groupby("group")["score"].median().sort_values()
        said.append(
            f"by {name} from {medians.iloc[0]:.2f} ({medians.index[0]}) to {medians.iloc[-1]:.2f} ({medians.index[-1]})"
        )
    return f"Median distance of a row to its nearest neighbour: {listed(said)}."
