"""How evenly a selection spreads over clusters and groups, and what that costs in score."""

import numpy as np
import pandas as pd

from analysis.features.arrays import Clusters
from analysis.methods import Selection, inner_call, label, parse, select
from analysis.methods.selection import rank_share
from analysis.subsets.composition import repeated
from analysis.subsets.rows import by_selection, properties, shares


def shares_by_cluster(clusters: Clusters, selections: dict[str, Selection]) -> pd.DataFrame:
    """Share of the rows of the pool and of every selection that lie in each cluster: method, cluster, share."""
    taken = {name: labels[labels >= 0] + 1 for name, labels in by_selection(clusters.labels, selections).items()}
    table = shares(taken).reindex(range(1, len(clusters.centres) + 1), fill_value=0.0).rename_axis("cluster")
    return table.reset_index().melt("cluster", var_name="method", value_name="share")[["method", "cluster", "share"]]


def diversity(
    features, rows: pd.DataFrame, clusters: Clusters, selections: dict[str, Selection], seed: int
) -> pd.DataFrame:
    """Per method: clusters and groups that its rows spread over, repeated rows, and what quotas leave of the score.

    The place by score is the mean place, 1 = highest, of the selected rows among the pool's by the score that
    decides (alone or in a cluster).
    """
    name, groups = next(iter(properties(rows).items()))
    lines = []
    for method, chosen in selections.items():
        scores, of_rows = deciding_scores(features, method, chosen, seed), clusters.labels[chosen.rows]
        lines.append({
            "method": label(method), "rows": len(chosen.rows),
            "effective clusters": effective_number(of_rows[of_rows >= 0]),
            f"effective number by {name}": effective_number(groups.iloc[chosen.rows]),
            "repeated rows": repeated(rows.iloc[chosen.rows]),
            "place by score": np.nan if scores is None else places(scores)[chosen.rows].mean(),
        })  # fmt: skip
    return pd.DataFrame(lines)


def effective_number(values) -> float:
    """How many equal shares would be as even as those of the values: exp of the entropy in nats."""
    shares = pd.Series(values).value_counts(normalize=True)
    return float(np.exp(-(shares * np.log(shares)).sum()))


def places(scores: np.ndarray) -> np.ndarray:
    """Place of each score among those that are finite, from 0 to 1 = highest; nan for the others."""
    known, found = np.isfinite(scores), np.full(len(scores), np.nan)
    found[known] = rank_share(scores[known])
    return found


def deciding_scores(features, method: str, chosen: Selection, seed: int) -> np.ndarray | None:
    """The scores that a method ranks by, for k-means those that decide in a cluster; `None` where there are none."""
    inner = inner_call(*parse(method))
    return select(inner, features, len(chosen.rows), seed=seed).scores if inner else chosen.scores
