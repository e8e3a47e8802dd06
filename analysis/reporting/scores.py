"""Tables about scores that several notebooks draw: two variants against each other, and values by what rows are."""

import pandas as pd

from analysis.methods import Selection
from analysis.pools.source_labels import OTHER
from analysis.reporting import style
from analysis.subsets.overlap import BOTH, NEITHER, selected_by
from analysis.subsets.rows import LENGTH, properties


def score_pairs(selections: dict[str, Selection], first: str, second: str, most: int = 20_000) -> pd.DataFrame:
    """Both scores of every row that has them, and which method selects it; at most so many rows that neither selects."""
    one, two = selections[first].scores, selections[second].scores
    chosen = selected_by(selections, first, second, len(one))
    pairs = pd.DataFrame({"original": one, "released": two, "selected by": chosen}).rename_axis("row").reset_index()
    pairs = pairs.dropna().sort_values("selected by", kind="stable").astype({"selected by": object})
    rest = pairs.index[pairs["selected by"] == NEITHER]
    return pairs.drop(index=rest[most:])


def pair_colours(first: str, second: str) -> dict[str, str]:
    """Colours of the groups of `score_pairs`."""
    groups = {NEITHER: style.LIGHT_GREY, BOTH: style.DARK_GREY}
    labels = [style.label(first), style.label(second)]
    return groups | {name: colour for name, colour in style.colours_of(labels).items() if name in labels}


def by_group(values, rows: pd.DataFrame, names: tuple[str, ...] = ()) -> pd.DataFrame:
    """Values of the rows of a pool with what is known of these: score, group, of; a row stands once per property.

    Parameters
    ----------
    values : shape (n_rows,), nan is left out.
    names : of `properties`; default fault and style, or length and source where these are not known.
    """
    known = properties(rows, names or ("fault", "style")) or properties(rows, (LENGTH, "source"))
    parts = [pd.DataFrame({"score": values, "group": groups, "of": name}) for name, groups in known.items()]
    # Rows without fault first, what is too small to show last, fifths of length in their order.
    return pd.concat(
        [part.dropna().sort_values("group", kind="stable", key=lambda names: names.map(_in_order)) for part in parts],
        ignore_index=True,
    )


def _in_order(name: str) -> tuple[bool, bool, str]:
    return name != "correct", name == OTHER, name


def box_numbers(groups: pd.DataFrame) -> pd.DataFrame:
    """Rows and quantiles of the score per group: what a box plot draws."""
    quantiles = groups.groupby(["of", "group"])["score"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()
    quantiles.columns = [f"quantile {name:g}" for name in quantiles.columns]
    return quantiles.assign(rows=groups.groupby(["of", "group"]).size()).reset_index()
