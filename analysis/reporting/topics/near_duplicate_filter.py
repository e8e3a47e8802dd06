"""Tables about near-duplicates: how many by threshold, how many of them the truth confirms, and what they look like."""

import numpy as np
import pandas as pd

from analysis.experiments.workbench import Workbench
from analysis.pools import near_duplicates
from analysis.reporting.wording import agreeing, counted, number, share

THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
GOOD_ENOUGH = 0.8  # recall and precision, at least


def by_threshold(work: Workbench, threshold: float) -> pd.DataFrame:
    """Share of rows removed at several thresholds, and in the testbed recall and precision of the pairs.

    A pair is two rows of one group; it is true if the pool's dup_group, which is exact in the testbed, joins them.
    """
    lines = []
    for at in sorted({*THRESHOLDS, threshold}):
        group = work.features.near_duplicates(at)
        line = {"threshold": at, "rows removed": 1 - len(np.unique(group)) / len(group)}
        if work.pool.has_truth:
            truth = work.pool.truth("dup_group")
            both = np.unique(np.stack([group, truth]), axis=1, return_inverse=True)[1].reshape(-1)
            common, found, true = (_pairs(labels) for labels in (both, group, truth))
            line |= {"recall": common / max(true, 1), "precision": common / max(found, 1)}
        lines.append(line)
    return pd.DataFrame(lines)


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """`by_threshold` as (threshold, quantity, share)."""
    return table.melt("threshold", var_name="quantity", value_name="share")


def _pairs(labels: np.ndarray) -> int:
    counts = np.unique(labels, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())


def similar_pairs(work: Workbench, lowest: float = 0.5) -> pd.DataFrame:
    """Pairs of rows and their estimated similarity; in the testbed, what truth says of them."""
    signed = work.features.signatures
    first, second, similarity = near_duplicates.pairs(signed, lowest, work.features.row_keys())
    table = pd.DataFrame({"first": first, "second": second, "similarity": similarity, "pair": "found"})
    if work.pool.has_truth:
        truth = work.pool.truth("dup_group")
        table["pair"] = np.where(truth[first] == truth[second], "true near-duplicate", "another row of one pattern")
    return table.sort_values("similarity", ascending=False, kind="stable")


def histogram(pairs: pd.DataFrame, lowest: float = 0.5, steps: int = 25) -> pd.DataFrame:
    """Number of pairs by similarity, in equal steps, as (similarity, pairs, pair)."""
    edges = np.linspace(lowest, 1, steps + 1)
    return pd.concat(
        pd.DataFrame({"similarity": (edges[1:] + edges[:-1]) / 2, "pairs": np.histogram(part["similarity"], edges)[0],
                      "pair": name})
        for name, part in (pairs.groupby("pair") if len(pairs) else [("found", pairs)])
    )  # fmt: skip


def pairs_shown(work: Workbench, pairs: pd.DataFrame, threshold: float, count: int = 5) -> list[dict]:
    """The pairs just above the threshold and just below it: what a filter removes and what it keeps."""
    above = pairs[pairs["similarity"] >= threshold].tail(count).assign(kept="removed")
    below = pairs[pairs["similarity"] < threshold].head(count).assign(kept="kept")
    return [
        {"similarity": f"{line['similarity']:.2f}", "what becomes of it": line["kept"],
         **({"truth": line["pair"]} if work.pool.has_truth else {}),
         "one row": work.pool.rows[int(line["first"])]["messages"],
         "the other": work.pool.rows[int(line["second"])]["messages"]}
        for line in pd.concat([above, below]).to_dict("records")
    ]  # fmt: skip


def group_sizes(group: np.ndarray) -> pd.DataFrame:
    """Number of groups by how many rows they hold, as (rows in the group, groups)."""
    sizes, counts = np.unique(np.unique(group, return_counts=True)[1], return_counts=True)
    return pd.DataFrame({"rows in the group": sizes, "groups": counts})


def findings(table: pd.DataFrame, sizes: pd.DataFrame, threshold: float) -> list[str]:
    """What the filter removes at its threshold, how much of it is right, and how large groups become."""
    line = table[table["threshold"] == threshold].iloc[0]
    largest, grouped = sizes["rows in the group"].max(), sizes[sizes["rows in the group"] > 1]["groups"].sum()
    said = [
        f"At similarity {threshold:g} the filter removes {share(line['rows removed'])} of the rows; "
        f"{counted(grouped, 'group')} {agreeing(grouped, 'has', 'have')} more than one row, the largest {number(largest)}."
    ]
    if "recall" in table:
        balance = 2 * table["recall"] * table["precision"] / (table["recall"] + table["precision"])
        if balance.isna().all():
            return [*said, "No pair that is near-duplicate in truth is found at any threshold."]
        best = table.loc[balance.idxmax()]
        works = "works" if min(line["recall"], line["precision"]) > GOOD_ENOUGH else "does not work"
        said.append(
            f"By this page's rule the filter {works}: of the pairs that are near-duplicates in truth it finds {share(line['recall'])}, and {share(line['precision'])} of "
            f"the pairs that it finds are; the best balance of both is at {best['threshold']:g} (recall {share(best['recall'])}, "
            f"precision {share(best['precision'])})."
        )
    return said
