"""Tables about LESS: whose gradients help whom, how lengths decide, and what each released change does."""

from itertools import combinations, product

import numpy as np
import pandas as pd

from analysis.features.arrays import Influences
from analysis.methods import Selection, call, label, parse
from analysis.methods.less import epoch_weights, influences_of, score
from analysis.methods.selection import top_k
from analysis.pools.source_labels import source_labels
from analysis.reporting.wording import listed, number, share
from analysis.subsets.overlap import agreement, rank_correlation, same_group

MOST_GROUPS = 12
TENTHS = 10


def variants(options: dict) -> tuple[str, str]:
    """Calls of the original, its targets named, and of the released variant, which has no other than the pool's rows."""
    warm_up = {name: value for name, value in options.items() if name != "targets"}
    original = call("less", keep=("targets", *warm_up), targets=options.get("targets", "auto"), **warm_up)
    return original, call("less", keep=tuple(warm_up), variant="released", **warm_up)


def influences(features, method: str, seed: int) -> Influences:
    """The influences from which a method such as "less(epochs=2)" has its scores; read from the store."""
    options = {name: value for name, value in parse(method)[1].items() if name != "variant"}
    return influences_of(features, seed=seed, **options)


def by_target(found: Influences) -> np.ndarray:
    """Influence of every row on every group of targets, epochs weighted by their learning rates; (n_rows, n_groups)."""
    return np.einsum("neg,e->ng", found.values.astype(np.float64), epoch_weights(found.learning_rates))


def affinity(rows: pd.DataFrame, found: Influences) -> pd.DataFrame:
    """Mean influence of the rows of each group on each group of targets, less that of all rows on it.

    A table of own groups against target groups, the largest of each; a group that is in both stands in the same order.
    """
    own, values = rows["kind"], pd.DataFrame(by_target(found), columns=list(found.groups))
    kinds = own.value_counts().head(MOST_GROUPS).index
    columns = pd.Series(found.sizes, index=list(found.groups)).nlargest(MOST_GROUPS).index
    common = sorted(set(kinds) & set(columns))
    kinds, columns = (common + sorted(set(names) - set(common)) for names in (kinds, columns))
    means = (values - values.mean()).groupby(own.to_numpy()).mean().loc[kinds, columns]
    short = source_labels({*means.index, *means.columns})
    return means.rename(index=short, columns=short)


def selected_by_length(rows: pd.DataFrame, selections: dict[str, Selection]) -> pd.DataFrame:
    """Share of the rows selected in each tenth of answer length: method, answer tokens (median of the tenth), share."""
    answer = rows["answer tokens"]
    tenth = ((answer.rank(method="first") - 1) * TENTHS // len(answer)).astype(int) + 1
    parts = {
        label(name): pd.DataFrame({"answer tokens": answer, "share selected": answer.index.isin(chosen.rows)})
        for name, chosen in selections.items()
    }
    median_and_mean = {"answer tokens": "median", "share selected": "mean"}
    parts = {name: part.groupby(tenth).agg(median_and_mean) for name, part in parts.items()}
    return pd.concat(parts, names=["method", "tenth"]).reset_index()


def changes(features, found: Influences, budget: int, seed: int) -> pd.DataFrame:
    """What each of the released script's two changes does: targets, weights of epochs, rows shared with the original.

    Columns: targets, weights, overlap (share of the original's rows), spearman (of the scores).
    """
    all_targets = {"largest over groups": found.values, "mean over the pool's draw": found.on_pool[:, :, None]}
    lines, first = [], None
    for (targets, values), weights in product(all_targets.items(), ("each epoch's steps", "all steps so far")):
        scores = score(values, epoch_weights(found.learning_rates, cumulative=weights == "all steps so far"))
        chosen = top_k(scores, budget, seed, keys=features.row_keys())
        first = first or chosen
        same = agreement(first, chosen, len(scores))
        lines.append({"targets": targets, "weights": weights, "overlap": same["overlap"], "spearman": same["spearman"]})
    return pd.DataFrame(lines)


def changes_finding(changed: pd.DataFrame) -> str:
    """Which of the script's changes matter: those that leave fewer than half of the original's rows."""
    weights, targets, both = changed["overlap"].iloc[1:]
    said = [
        f"{what} {'matters' if part < 0.5 else 'does not matter'} by this page's rule ({share(part)} of the original's rows "
        f"remain)"
        for what, part in {"the weighting of epochs": weights, "the target drawn from the pool": targets}.items()
    ]
    return f"Of what the script changes, {listed(said)}; with both {share(both)} remain."


def group_findings(rows: pd.DataFrame, found: Influences, selection: Selection) -> list[str]:
    """Whether a row helps most the targets of its own kind, and which targets the selection serves."""
    own, values = rows["kind"], by_target(found)
    names = np.array(found.groups, dtype=object)
    known = np.isfinite(values).all(axis=1)
    best = np.where(known, values.argmax(axis=1), -1)
    served = pd.Series(names[best[selection.rows]]).value_counts()
    said = []
    if set(own) & set(names):
        same, chance = same_group(own[known], names[best[known]])
        picked = (names[best[selection.rows]] == own.to_numpy()[selection.rows]).mean()
        said.append(
            f"The targets on which a row has most influence are of its own kind for {share(same)} of the pool "
            f"({share(chance)} if the two had nothing to do with each other), and for {share(picked)} of the selected."
        )
    short = source_labels(names)
    largest = [f"{short[str(name)]} ({share(count / len(selection.rows))})" for name, count in served.head(3).items()]
    said.append(
        f"The selected rows have their largest influence on {len(served)} of {len(names)} groups of targets, most of all on "
        f"{listed(largest)}."
    )
    return said


def score_findings(rows: pd.DataFrame, found: Influences, selection: Selection) -> list[str]:
    """How the score goes with length, faults and the length of gradients, whether epochs agree, and how many ties."""
    answer, scores = rows["answer tokens"], selection.scores
    known = np.isfinite(scores)
    length = rank_correlation(answer, scores)
    norms = rank_correlation(answer, np.where(known, found.lengths[:, -1], np.nan))
    said = [
        f"Spearman's correlation of answer length is {length:.2f} with the score and {norms:.2f} with the length of the "
        f"row's step, which the score divides by."
    ]
    if "fault" in rows:
        faulty = rows["fault"] != ""
        rank = pd.Series(scores).rank(pct=True)
        said.append(
            f"A faulty row scores higher than {share(rank[faulty].median())} of the pool in the median, one without fault higher "
            f"than {share(rank[~faulty].median())}."
        )
    epochs = [score(found.values[:, [epoch]], np.ones(1))[known] for epoch in range(found.values.shape[1])]
    pairs = [rank_correlation(one, other) for one, other in combinations(epochs, 2)]
    if pairs:
        said.append(f"Scores of single epochs agree with a Spearman's correlation of {min(pairs):.2f} at least.")
    tied = int(known.sum()) - len(np.unique(scores[known]))
    return [*said, f"{number(tied)} of {number(known.sum())} rows repeat the score of another."]
