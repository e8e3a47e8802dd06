"""Tables about clusters of a pool: what is in them, which of them a selection reaches, and what quotas give up."""

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from analysis.features.arrays import Clusters
from analysis.methods import Selection
from analysis.pools import Pool
from analysis.reporting.wording import listed, number, of_each
from analysis.subsets.rows import LENGTH, drawn, properties, shares, shown

MOST_CLUSTERS = 20


def contents(rows: pd.DataFrame, clusters: Clusters) -> pd.DataFrame:
    """Share of each cluster's rows that are of each family (or source): one column per cluster, the largest first."""
    kinds = next(iter(properties(rows).values())).to_numpy()
    largest = range(min(len(clusters.centres), MOST_CLUSTERS))
    parts = {f"{one + 1} ({number(clusters.sizes[one])})": kinds[clusters.labels == one] for one in largest}
    table = shares(parts)
    return table.iloc[table.to_numpy().argmax(axis=1).argsort(kind="stable")].rename_axis(index="rows of")


def agreement(features, rows: pd.DataFrame, kinds: list[str], numbers: list[int], seed: int) -> pd.DataFrame:
    """How far clusters follow what is known of the rows: adjusted mutual information, 0 by chance and 1 if the same.

    Columns: space, clusters, of, agreement; of at most 5,000 rows.
    """
    known, lines = properties(rows), []
    for kind in dict.fromkeys(kinds):
        for count in sorted(set(numbers)):
            labels = features.clusters(kind, count, seed).labels
            some = np.flatnonzero(labels >= 0)
            some = some[drawn(len(some))]
            lines += [
                {"space": kind, "clusters": f"{count:,} clusters", "of": name,
                 "agreement": adjusted_mutual_info_score(values.iloc[some], labels[some])}
                for name, values in known.items()
            ]  # fmt: skip
    return pd.DataFrame(lines)


def typical_rows(pool: Pool, clusters: Clusters, points: np.ndarray, count: int = 2, at_most: int = 6) -> list[dict]:
    """The rows nearest to the centre of each of the largest clusters, with what is known of them."""
    far, found = clusters.distances(points), []
    for one in range(min(at_most, len(clusters.centres))):
        members = np.flatnonzero(clusters.labels == one)
        nearest = members[np.argsort(far[members], kind="stable")[:count]]
        found += [{"cluster": one + 1} | row for row in shown(pool, nearest)]
    return found


def exchanged(first: Selection, second: Selection, count: int) -> np.ndarray:
    """The first rows that `first` takes and `second` does not, in the order in which they are taken."""
    return first.rows[~np.isin(first.rows, second.rows)][:count]


def agreement_finding(found: pd.DataFrame) -> list[str]:
    """What the clusters of each space follow most and least, and whether that is skills rather than form."""
    first, sentences = found["of"].iloc[0], []
    for (space, count), part in found.groupby(["space", "clusters"], sort=False):
        said = part.sort_values("agreement", ascending=False)
        values = [f"{line['of']} {line['agreement']:.2f}" for line in said.to_dict("records")]
        by_name = part.set_index("of")["agreement"]
        follow = "follow" if by_name[first] > by_name[LENGTH] else "do not follow"
        sentences.append(f"{count} of the space {space!r} {follow} {first} more than {LENGTH}: {listed(values)}.")
    return sentences


def diversity_findings(found: pd.DataFrame) -> list[str]:
    """How evenly each selection spreads over clusters and groups, and at what price in score."""
    by_group, found = next(name for name in found if name.startswith("effective number")), found.set_index("method")
    sentences = []
    for column, what in (("effective clusters", "clusters"), (by_group, by_group.removeprefix("effective number by "))):
        sentences.append(f"Effective number by {what}: {of_each(found[column], '{:.1f}'.format)}.")
    said = of_each(found["place by score"].dropna())
    return [*sentences, f"Mean place of the selected rows among the pool's by the deciding score: {said}."]
