"""Tables about the rows of a pool, ready to be drawn, and the sentences that follow from them."""

from itertools import cycle

import numpy as np
import pandas as pd

from analysis.experiments.calibration import CONDITIONS
from analysis.pools import Pool
from analysis.pools.source_labels import OTHER, source_labels
from analysis.pools.testbed import WORLD_VERSION
from analysis.reporting.maps import map_maker
from analysis.reporting.palette import DARK_GREY, LIGHT_GREY, PALETTE
from analysis.reporting.wording import agreeing, counted, number, share
from analysis.subsets.composition import repeated
from analysis.subsets.rows import drawn

ALL = "all rows"


def set_aside_examples(pool: Pool) -> list[dict]:
    """What could not be used: reason, how many rows, and up to three of them by file, row, field and value found."""
    return [
        {"reason": reason, "rows": f"{aside.count:,}", **example}
        for reason, aside in sorted(pool.set_aside.items(), key=lambda item: -item[1].count)
        for example in aside.examples
    ]


def noted_examples(pool: Pool) -> list[dict]:
    """What an owner should know of rows that are used: what, how many rows, and one of them."""
    return [
        {"what": what, "rows": f"{noted.count:,}", **noted.examples[0]}
        for what, noted in sorted(pool.noted.items(), key=lambda item: -item[1].count)
    ]


def files(pool: Pool, at_most: int = 30) -> pd.DataFrame:
    """Rows read and set aside of every file, those that lost most first, and the files that were left out, with why."""
    copies = pool.provenance.get("copies", [])
    read = [
        (path, read, aside, "a copy of another file" if path in copies else "")
        for path, (read, aside) in pool.provenance.get("read_by_file", {}).items()
    ]
    read = sorted(read, key=lambda line: (-line[2], not line[3])) + [
        (path, 0, 0, why) for path, why in pool.provenance.get("skipped", {}).items()
    ]
    more = [(counted(len(read) - at_most, "more file"), sum(line[1] for line in read[at_most:]),
             sum(line[2] for line in read[at_most:]), "")] if len(read) > at_most else []  # fmt: skip
    return pd.DataFrame(read[:at_most] + more, columns=["file", "rows read", "set aside", "not used"])


def colours(groups: pd.Series) -> dict[str, str]:
    """A colour for every group, the same in every figure of a pool; grey for all rows and for the rest."""
    named = sorted(set(groups) - {ALL, OTHER})
    return {ALL: DARK_GREY, OTHER: LIGHT_GREY} | dict(zip(named, cycle(PALETTE)))


def length_curve(rows: pd.DataFrame, points: int = 200) -> pd.DataFrame:
    """Share of rows with at most so many answer tokens, for all rows and per style (or group of sources)."""
    name = "style" if "style" in rows else "group"
    shares, parts = np.linspace(0.0025, 1, points), [(ALL, rows), *rows.groupby(name)]
    return pd.concat(
        pd.DataFrame({
            "group": label, "answer tokens": np.quantile(part["answer tokens"], shares, method="inverted_cdf"),
            "share of rows with at most so many": shares,
        })
        for label, part in parts
    )  # fmt: skip


def composition(rows: pd.DataFrame, at_most: int) -> tuple[pd.DataFrame, str]:
    """Rows and faulty rows by skill (truth known) or by source, most frequent first, and what is beyond `at_most`."""
    name = "skill" if "skill" in rows else "source"
    faulty = rows["fault"] != "" if "fault" in rows else pd.Series(False, index=rows.index)
    totals = faulty.groupby(rows[name]).agg(["size", "sum"]).sort_values("size", ascending=False)
    head, rest = totals.iloc[:at_most], totals.iloc[at_most:]
    head = head.rename(index=source_labels(totals.index)).reset_index(names="what")
    shown = f"{counted(len(rest), f'more {name}')} with {counted(rest['size'].sum(), 'row')}"
    return head.rename(columns={"size": "rows", "sum": "faulty rows"}), f"not shown: {shown}" if len(rest) else ""


def text_map(points: np.ndarray, rows: pd.DataFrame, count: int, n_neighbors: int, seed: int) -> pd.DataFrame:
    """Map positions of randomly drawn rows that have a point: UMAP of points of shape (n_rows, dim), by cosine."""
    some = drawn(len(points), count, seed)
    some = some[np.isfinite(points[some]).all(axis=1)]
    x, y = map_maker(len(some), n_neighbors, seed).fit_transform(points[some]).T
    return pd.DataFrame({"row": some, "x": x, "y": y, "group": rows["group"].to_numpy()[some]}).sort_values("group")


def findings(pool: Pool, rows: pd.DataFrame) -> list[str]:
    """What the rows are like, in sentences; first what a method could find, and what could mislead it."""
    answers, set_aside = rows["answer tokens"], sum(aside.count for aside in pool.set_aside.values())
    median, high = np.quantile(answers, [0.5, 0.99])
    kind_of_group = "skill" if "skill" in rows else "source"
    top = rows[kind_of_group].value_counts()
    first = source_labels(top.index)[str(top.index[0])]
    kind = "near or exact" if pool.has_truth else "exact"
    in_longest = share(answers[answers >= answers.quantile(0.9)].sum() / answers.sum())
    faults = rows.loc[rows["fault"] != "", "fault"].value_counts() if "fault" in rows else pd.Series(dtype=int)
    faulty = f"{share(faults.sum() / len(rows))} are faulty, " if "fault" in rows else ""
    said = [
        f"Of the {counted(len(rows), 'row')} of {pool.name} {faulty}{share(repeated(rows))} are {kind} duplicates of another row and "
        f"{share(top.iloc[0] / len(rows))} are of the {kind_of_group} {first}; the longest tenth holds {in_longest} of all answer tokens.",
        f"The pool {pool.name} offers {counted(len(rows), 'row')} to select from and holds {number(len(pool.held_out))} out; "
        f"{number(set_aside)} {agreeing(set_aside, 'was', 'were')} set aside.",
        f"Half of the answers have at most {counted(median, 'token')}, one in a hundred more than {number(high)} "
        f"({high / max(median, 1):.1f} times as many).",
        f"The most frequent of {counted(len(top), kind_of_group)}, {first}, has "
        f"{share(top.iloc[0] / len(rows))} of the rows, the median one {share(top.median() / len(rows))}.",
    ]
    if len(faults):
        listed = ", ".join(f"{kind} {share(count / len(rows))}" for kind, count in faults.items())
        said.append(f"Kinds of faulty rows: {listed}.")
    if rows["truncated"].any():
        n_cut = rows["truncated"].sum()
        verb = agreeing(n_cut, "is", "are")
        said.append(f"{counted(n_cut, 'row')} {verb} longer than the model sees and {verb} cut.")
    return said


def draw_calibration(axes, table: pd.DataFrame) -> None:
    """Accuracy of every condition and seed, one panel per base."""
    for ax, (base, part) in zip(axes, table.groupby("base", sort=False), strict=True):
        names = [f"{pool}: {condition}" for pool, condition in CONDITIONS]
        places = (part["pool"] + ": " + part["condition"]).map(names.index)
        ax.plot(part["accuracy"], places, "o", color=DARK_GREY, alpha=0.6, markersize=4)
        ax.set(title=base, xlim=(-0.02, 1), xlabel="held-out items right (share)", yticks=range(len(names)))
        ax.set_yticklabels(names)
    axes[0].invert_yaxis()


def calibration_finding(rules_table: pd.DataFrame) -> str:
    """Whether the testbed is fit for use, in a sentence."""
    broken = rules_table[~rules_table["holds"]]
    if broken.empty:
        return f"All {len(rules_table)} calibration rules of the testbed hold (world version {WORLD_VERSION})."
    what = "; ".join(f"{row.base}, {row.rule}: {row.found} instead of {row.expected}" for row in broken.itertuples())
    verb = agreeing(len(broken), "does", "do")
    return f"{len(broken)} of {len(rules_table)} calibration rules of the testbed {verb} not hold: {what}."
