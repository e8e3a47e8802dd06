"""Tables about how like a pool and its selections are to target rows, and whom the selected rows resemble."""

import numpy as np
import pandas as pd

from analysis.methods import Selection, label
from analysis.methods.rds_plus import normalised
from analysis.methods.rds_plus import score as largest_likeness
from analysis.pools.source_labels import source_labels
from analysis.reporting.palette import TARGET_ROWS
from analysis.reporting.sentences import change_finding
from analysis.reporting.wording import number, of_each, share
from analysis.subsets.overlap import rank_correlation, same_group
from analysis.subsets.rows import by_selection, quantiles, shares


def likeness(features, rows: pd.DataFrame, targets: str) -> pd.DataFrame:
    """Per row of the pool: largest cosine to a target row, the group of that target, and what the row is.

    Columns: likeness (nan where a row has no point), nearest (a group of the targets), own (family in the
    testbed, source elsewhere), answer tokens.
    """
    points = features.embeddings("weighted")
    groups = {name: features.embed(part, "weighted") for name, part in features.targets(targets).items()}
    groups = {name: normalised(part[np.isfinite(part).all(axis=1)]) for name, part in groups.items()}
    groups = {name: part for name, part in groups.items() if len(part)}
    by_group = np.stack([largest_likeness(points, part) for part in groups.values()], axis=1)
    nearest = np.array(list(groups))[by_group.argmax(axis=1)]  # nan is the largest to argmax, and left out below
    return pd.DataFrame({
        "likeness": by_group.max(axis=1), "nearest": nearest,
        "own": rows["kind"], "answer tokens": rows["answer tokens"],
    })  # fmt: skip


def likeness_curves(alike: pd.DataFrame, selections: dict[str, Selection]) -> pd.DataFrame:
    """Quantiles of the likeness in the whole pool and in every selection: method, share of rows, likeness."""
    return quantiles(by_selection(alike["likeness"], selections), "likeness")


def shares_by_group(
    features, alike: pd.DataFrame, selections: dict[str, Selection], targets: str, at_most: int = 16
) -> pd.DataFrame:
    """Share of each family (or source) among the target rows, in the pool and in every selection.

    Columns: what, method, share. At most so many groups, those with most target rows.
    """
    sizes = pd.Series({name: len(part) for name, part in features.targets(targets).items()})
    shown = sizes.sort_values(ascending=False, kind="stable").head(at_most).index
    table = shares(by_selection(alike["own"], selections)).reindex(shown, fill_value=0.0)
    table.insert(0, TARGET_ROWS, sizes[shown] / sizes.sum())
    table = table.rename(index=source_labels(shown)).rename_axis(index="what", columns="method")
    return table.stack().rename("share").reset_index()


def likeness_findings(alike: pd.DataFrame, selections: dict[str, Selection]) -> list[str]:
    """Whether likeness means the same kind of row, how it goes with length, how many ties, and who is more like."""
    known = alike.dropna(subset="likeness")
    same = known["own"] == known["nearest"]
    in_pool, by_chance = same_group(known["own"], known["nearest"])
    correlation = rank_correlation(known["likeness"], known["answer tokens"])
    medians = {label(name): alike["likeness"].iloc[chosen.rows].median() for name, chosen in selections.items()}
    own = {label(name): same.reindex(chosen.rows).mean() for name, chosen in selections.items()}
    tied = int(known["likeness"].duplicated(keep=False).sum())
    return [
        f"The target row most like a row is of the row's own group for {share(in_pool)} of the pool "
        f"({share(by_chance)} if the two had nothing to do with each other), and among the selected for {of_each(own)}.",
        f"Median likeness is {known['likeness'].median():.3f} in the pool and {of_each(medians, '{:.3f}'.format)} among the selected.",
        f"Spearman's correlation of likeness and answer length is {correlation:.2f}; {number(tied)} of "
        f"{number(len(known))} rows have exactly the likeness of another.",
    ]


def taken_finding(selections: dict[str, Selection], lost: str, following: str, n_rows: int) -> str:
    """What it changes that a turn is lost where its row is taken: common rows, by the rule of half of them."""
    words = ("Whether a target whose row is taken loses its turn or takes its next row", "matters", "does not matter")
    return change_finding(selections, lost, following, n_rows, words)


def turns_finding(selections: dict[str, Selection], turns: str, without: str, n_rows: int) -> str:
    """What it changes that the target rows take turns: common rows, by the rule of half of them."""
    return change_finding(selections, turns, without, n_rows, ("The turns", "matter", "do not matter"))
