"""Tables about clusters of a pool: what is in them, which of them a selection reaches, and what quotas give up."""

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from analysis.experiments.results import Results
from analysis.experiments.workbench import Workbench
from analysis.features.arrays import Clusters
from analysis.methods import Selection, inner_call, parse
from analysis.methods.selection import rank_share
from analysis.reporting import style
from analysis.reporting.topics.diverse_evol import drawn
from analysis.reporting.topics.pools import table
from analysis.reporting.wording import listed, number, quantity, share, unit_name
from analysis.statistics import BETTER, NO_DIFFERENCE, UNDECIDED, WORSE, compare

IN_THE_POOL = "whole pool"
LENGTH = "answer length"
MOST_CLUSTERS = 20
VERDICTS = {BETTER: "better", WORSE: "worse", NO_DIFFERENCE: "no different by δ or more", UNDECIDED: "undecided"}


def properties(work: Workbench) -> dict[str, pd.Series]:
    """What is known of every row that clusters may follow: family, style and fault in the testbed, else the source."""
    rows = table(work.pool, work.features.lengths())
    fifth = (rows["answer tokens"].rank(method="first", pct=True) * 5).clip(upper=4.999).astype(int) + 1
    known = {LENGTH: "length, fifth " + fifth.astype(str)}
    if work.pool.has_truth:
        return {"family": rows["family"], "style": rows["style"], "fault": rows["fault"].replace("", "correct")} | known
    return {"source": rows["group"]} | known


def contents(work: Workbench, clusters: Clusters) -> pd.DataFrame:
    """Share of each cluster's rows that are of each family (or source): one column per cluster, the largest first."""
    rows = next(iter(properties(work).values())).to_numpy()
    shown = range(min(len(clusters.centres), MOST_CLUSTERS))
    parts = {f"{one + 1} ({number(clusters.sizes[one])})": pd.Series(rows[clusters.labels == one]) for one in shown}
    shares = pd.DataFrame({name: part.value_counts(normalize=True) for name, part in parts.items()}).fillna(0.0)
    return shares.iloc[shares.to_numpy().argmax(axis=1).argsort(kind="stable")].rename_axis(index="rows of")


def agreement(work: Workbench, kinds: list[str], numbers: list[int]) -> pd.DataFrame:
    """How far clusters follow what is known of the rows: adjusted mutual information, 0 by chance and 1 if the same.

    Columns: space, clusters, of, agreement; of at most 5,000 rows.
    """
    known, lines = properties(work), []
    for kind in dict.fromkeys(kinds):
        for count in sorted(set(numbers)):
            labels = work.features.clusters(kind, count, work.seed).labels
            rows = np.flatnonzero(labels >= 0)
            rows = rows[drawn(len(rows))]
            lines += [
                {"space": kind, "clusters": f"{count:,} clusters", "of": name,
                 "agreement": adjusted_mutual_info_score(values.iloc[rows], labels[rows])}
                for name, values in known.items()
            ]  # fmt: skip
    return pd.DataFrame(lines)


def shares_by_cluster(clusters: Clusters, selections: dict[str, Selection]) -> pd.DataFrame:
    """Share of the rows of the pool and of every selection that lie in each cluster: method, cluster, share."""
    counted = {IN_THE_POOL: clusters.sizes} | {
        style.label(name): Clusters(clusters.labels[one.rows], clusters.centres).sizes
        for name, one in selections.items()
    }
    return pd.concat(
        pd.DataFrame({"method": name, "cluster": np.arange(1, len(sizes) + 1), "share": sizes / max(sizes.sum(), 1)})
        for name, sizes in counted.items()
    )


def diversity(work: Workbench, clusters: Clusters, selections: dict[str, Selection]) -> pd.DataFrame:
    """Per method: clusters and groups that its rows spread over, repeated rows, and what quotas leave of the score.

    An effective number is exp of the entropy: as many equal shares would be as even. The place by score is the mean
    place, 1 = highest, of the selected rows among the pool's by the score that decides (alone or in a cluster).
    """
    name, groups = next(iter(properties(work).items()))
    duplicates = table(work.pool, work.features.lengths())["dup_group"]
    lines = []
    for method, chosen in selections.items():
        scores, of_rows = deciding_scores(work, method, chosen), clusters.labels[chosen.rows]
        lines.append({
            "method": style.label(method), "rows": len(chosen.rows),
            "effective clusters": effective(np.extract(of_rows >= 0, of_rows)),
            f"effective number by {name}": effective(groups.iloc[chosen.rows]),
            "repeated rows": 1 - duplicates.iloc[chosen.rows].nunique() / len(chosen.rows),
            "place by score": np.nan if scores is None else places(scores)[chosen.rows].mean(),
        })  # fmt: skip
    return pd.DataFrame(lines)


def effective(values) -> float:
    """exp of the entropy of the values' shares."""
    shares = pd.Series(values).value_counts(normalize=True)
    return float(np.exp(-(shares * np.log(shares)).sum()))


def places(scores: np.ndarray) -> np.ndarray:
    """Place of each score among those that are finite, from 0 to 1; nan for the others."""
    known, found = np.isfinite(scores), np.full(len(scores), np.nan)
    found[known] = rank_share(scores[known])
    return found


def deciding_scores(work: Workbench, method: str, chosen: Selection) -> np.ndarray | None:
    """The scores that a method ranks by, for k-means those that decide in a cluster; `None` where there are none."""
    inner = inner_call(*parse(method))
    return work.select(inner, len(chosen.rows), seed=work.seed).scores if inner else chosen.scores


def typical_rows(work: Workbench, clusters: Clusters, kind: str, count: int = 2, at_most: int = 6) -> list[dict]:
    """The rows nearest to the centre of each of the largest clusters, with what is known of them."""
    far = clusters.distances(work.features.embeddings(kind))
    columns = [
        name for name in ("source", "skill", "style", "fault", "messages") if name in work.pool.rows.column_names
    ]
    shown = []
    for one in range(min(at_most, len(clusters.centres))):
        members = np.flatnonzero(clusters.labels == one)
        for row in members[np.argsort(far[members], kind="stable")[:count]]:
            shown.append({"cluster": one + 1} | {name: work.pool.rows[int(row)][name] for name in columns})
    return shown


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
        which = f"{first} rather than" if by_name[first] > by_name[LENGTH] else f"no more {first} than"
        sentences.append(f"{count} of the space {space!r} follow {which} {LENGTH}: {listed(values)}.")
    return sentences


def diversity_findings(found: pd.DataFrame) -> list[str]:
    """How evenly each selection spreads over clusters and groups, and at what price in score."""
    by_group = next(name for name in found if name.startswith("effective number"))
    sentences = []
    for column, what in (("effective clusters", "clusters"), (by_group, by_group.removeprefix("effective number by "))):
        said = [f"{value:.1f} ({name})" for name, value in zip(found["method"], found[column], strict=True)]
        sentences.append(f"Effective number by {what}: {listed(said)}.")
    priced = found.dropna(subset="place by score")
    said = [f"{share(value)} ({name})" for name, value in zip(priced["method"], priced["place by score"], strict=True)]
    return [*sentences, f"Mean place of the selected rows among the pool's by the deciding score: {listed(said)}."]


def repair_findings(results: Results, pairs: dict[str, str], *, delta: float, seed: int) -> list[str]:
    """What quotas change against the same method without them, on every benchmark.

    Parameters
    ----------
    pairs : the method in clusters by the method alone.
    """
    sentences = []
    for benchmark in results.benchmarks:
        unit = results.table.loc[results.table["benchmark"] == benchmark, "unit"].iloc[0]
        for alone, grouped in pairs.items():
            first, second = results.items(grouped, benchmark), results.items(alone, benchmark)
            start = f"{style.label(grouped)} against {style.label(alone)} on {benchmark}: "
            if min(len(first), len(second)) < 2:
                difference = quantity(float(np.nanmean(first) - np.nanmean(second)), unit, True)
                sentences.append(f"{start}{difference} {unit_name(unit)}, of one run each and so without an interval.")
                continue
            found = compare(first, second, delta=delta, seed=seed)
            interval = f"{quantity(found.low, unit, True)} to {quantity(found.high, unit, True)}"
            sentences.append(
                f"{start}{VERDICTS[found.verdict]}, {quantity(found.estimate, unit, True)} {unit_name(unit)} "
                f"(95 % interval {interval}; {len(first)} and {len(second)} runs)."
            )
    return sentences
