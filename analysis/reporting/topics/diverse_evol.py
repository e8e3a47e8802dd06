"""Tables about how a selection lies in a model's space: how far the pool is from it, and its rows from each other."""

import numpy as np
import pandas as pd

from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM, Selection
from analysis.methods.tools.k_center import distances_to_nearest, distances_to_neighbour
from analysis.reporting import style
from analysis.reporting.topics.pools import table
from analysis.reporting.wording import listed, share

ROWS_COMPARED = 5_000


def coverage(work: Workbench, selections: dict[str, Selection], kind: str = "all") -> pd.DataFrame:
    """Distance of every row of the pool to the nearest selected row in the base's space, as quantiles by method.

    Columns: method, share of rows, distance (Euclidean, in the unit of the embeddings).
    """
    points, shares = work.features.embeddings(kind), np.linspace(0.005, 1, 200)
    known = np.isfinite(points).all(axis=1)
    parts = []
    for name, chosen in selections.items():
        nearest = distances_to_nearest(points[known], points[_known(chosen.rows, known)])
        parts.append(pd.DataFrame({"method": style.label(name), "share of rows": shares,
                                   "distance": np.quantile(nearest, shares)}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def spread(work: Workbench, selections: dict[str, Selection], kind: str = "all") -> pd.DataFrame:
    """Per method: how far the pool is from the selection, how far its rows are from each other, and twins among them.

    A selected row has a twin where another selected row is nearer than the nearest other row of the pool is for
    half of all rows.
    """
    points = work.features.embeddings(kind)
    known = np.isfinite(points).all(axis=1)
    usual = np.median(distances_to_neighbour(points[known], drawn(int(known.sum()))))
    lines = []
    for name, chosen in selections.items():
        own = points[_known(chosen.rows, known)]
        to_selected, apart = distances_to_nearest(points[known], own), distances_to_neighbour(own, np.arange(len(own)))
        lines.append({
            "method": style.label(name), "rows": len(chosen.rows), "covering radius": to_selected.max(),
            "mean distance of the pool": to_selected.mean(), "median distance apart": np.median(apart),
            "with a twin": float((apart < usual).mean()),
        })  # fmt: skip
    return pd.DataFrame(lines)


def pick_distances(work: Workbench, selections: dict[str, Selection], kind: str = "all") -> pd.DataFrame:
    """Distance of each selected row to the nearest row selected before it, in the base's space, in order of selection."""
    points, parts = work.features.embeddings(kind), []
    for name, chosen in selections.items():
        own = points[chosen.rows]
        far = [np.nan, *(np.linalg.norm(own[:place] - own[place], axis=1).min() for place in range(1, len(own)))]
        parts.append(pd.DataFrame({"method": style.label(name), "place": np.arange(1, len(own) + 1), "distance": far}))
    return pd.concat(parts, ignore_index=True).dropna()


def isolation_by_group(work: Workbench, kind: str = "all") -> pd.DataFrame:
    """Distance of rows to the nearest other row of the pool, with what is known of them: who lies alone?

    Columns: row, distance, group, of ("fault" and "style" in the testbed, fifths of the answer's length).
    """
    points, rows = work.features.embeddings(kind), table(work.pool, work.features.lengths())
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    some = drawn(len(known))
    alone = pd.Series(distances_to_neighbour(points[known], some), index=known[some], name="distance")
    fifth = (rows["answer tokens"].rank(method="first", pct=True) * 5).clip(upper=4.999).astype(int) + 1
    groups = {"answer length": "length, fifth " + fifth.astype(str)}
    if work.pool.has_truth:
        groups |= {"fault": rows["fault"].replace("", "correct"), "style": rows["style"]}
    parts = [pd.DataFrame({"distance": alone, "group": values.iloc[alone.index].to_numpy(), "of": name})
             for name, values in groups.items()]  # fmt: skip
    return pd.concat(part.sort_values("group", kind="stable") for part in parts).reset_index(names="row")


def nearest_to_selected(work: Workbench, selection: Selection, count: int, kind: str = "all") -> np.ndarray:
    """The rows not selected that lie nearest to a selected one: what the method holds to be covered."""
    points = work.features.embeddings(kind)
    known = np.isfinite(points).all(axis=1)
    far = np.full(len(points), np.inf)
    far[known] = distances_to_nearest(points[known], points[_known(selection.rows, known)])
    far[selection.rows] = np.inf
    return np.argsort(far, kind="stable")[:count]


def drawn(n_rows: int) -> np.ndarray:
    """Positions of at most `ROWS_COMPARED` rows, the same at every call: all pairs of a large pool are too many."""
    return np.sort(np.random.default_rng(0).permutation(n_rows)[:ROWS_COMPARED])


def overlaps(work: Workbench, selections: dict[str, Selection]) -> pd.DataFrame:
    """Share of rows that two methods have in common, and what chance would give."""
    names = [name for name in selections if name != RANDOM]
    return pd.DataFrame([
        {"method": style.label(first), "other": style.label(second),
         "common rows": len(np.intersect1d(selections[first].rows, selections[second].rows)) / len(selections[first].rows),
         "by chance": len(selections[second].rows) / len(work.pool)}
        for place, first in enumerate(names) for second in names[place + 1 :]
    ])  # fmt: skip


def spread_findings(work: Workbench, selections: dict[str, Selection], kind: str = "all") -> list[str]:
    """Who covers the pool better than chance, whose rows are twins, and which methods take the same rows."""
    lines = spread(work, selections, kind).set_index("method")
    random = lines.loc[style.label(RANDOM)]
    others = lines.drop(index=style.label(RANDOM))
    sentences = []
    for column, what in (("covering radius", "farthest row of the pool"), ("mean distance of the pool", "average row")):
        said = [f"{value / random[column]:.2f} times ({name})" for name, value in others[column].items()]
        sentences.append(
            f"Distance of the {what} to the nearest selected row, relative to a random draw: {listed(said)}."
        )
    twins = [f"{share(value)} ({name})" for name, value in lines["with a twin"].items()]
    sentences.append(
        f"Selected rows with a twin among the selected (nearer than half of the pool's rows have any neighbour): {listed(twins)}."
    )
    for line in overlaps(work, selections).to_dict("records"):
        sentences.append(
            f"{line['method']} and {line['other']} share {share(line['common rows'])} of their rows "
            f"({share(line['by chance'])} by chance)."
        )
    return sentences


def evolution_finding(work: Workbench, selections: dict[str, Selection], evolving: str, base: str) -> str:
    """Whether training between the rounds changes the rows, by the rule of half of them."""
    one, two = selections[evolving].rows, selections[base].rows
    common, chance = len(np.intersect1d(one, two)) / len(one), len(two) / len(work.pool)
    matters = "matters" if common < 0.5 else "does not matter"
    return (
        f"The training in between {matters} by the rule above: {style.label(evolving)} and {style.label(base)} have "
        f"{share(common)} of their rows in common ({share(chance)} by chance, and the same first draw)."
    )


def isolation_finding(alone: pd.DataFrame) -> str:
    """Which groups of rows lie farthest from, and nearest to, their neighbours, per property that is known."""
    said = []
    for name, part in alone.groupby("of", sort=False):
        medians = part.groupby("group")["distance"].median().sort_values()
        said.append(
            f"by {name} from {medians.iloc[0]:.2f} ({medians.index[0]}) to {medians.iloc[-1]:.2f} ({medians.index[-1]})"
        )
    return f"Median distance of a row to its nearest neighbour: {listed(said)}."


def cost_finding(made: dict[str, Selection]) -> str:
    """Seconds of every selection when it was made; what methods share is counted with the first of them."""
    said = [f"{one.seconds:.1f} s ({style.label(name)})" for name, one in made.items()]
    return f"Selecting took {listed(said)}; what two of them need is counted with the first."


def _known(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    return rows[known[rows]]
