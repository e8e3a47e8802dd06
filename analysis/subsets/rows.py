"""What is known of the rows of a pool, as one table that every other table about selections starts from."""

import numpy as np
import pandas as pd

from analysis.methods import Selection, label
from analysis.pools import Pool
from analysis.pools.pool import TRUTH
from analysis.pools.source_labels import OTHER, source_labels

WHOLE_POOL = "whole pool"
LENGTH = "answer length"
MOST_GROUPS = 8
ROWS_COMPARED = 5_000


def table(pool: Pool, lengths) -> pd.DataFrame:
    """One line per selectable row: source, duplicate group, truth columns, tokens (`Lengths`), kind and group.

    `kind` is the family in the testbed and the source elsewhere; `group` is the same by its short name, beyond
    eight of them the rest as one.
    """
    rows = pool.rows.select_columns(["source", "dup_group", *(TRUTH if pool.has_truth else ())]).to_pandas()
    rows["answer tokens"], rows["prompt tokens"] = lengths.answer, lengths.prompt
    rows["total tokens"], rows["truncated"] = lengths.total, lengths.truncated
    rows["kind"] = rows["family" if pool.has_truth else "source"].astype(str)
    group = rows["kind"].map(source_labels(rows["kind"].unique()))
    frequent = group.value_counts().index[: MOST_GROUPS - 1 if group.nunique() > MOST_GROUPS else MOST_GROUPS]
    rows["group"] = group.where(group.isin(frequent), OTHER)
    return rows


def properties(
    rows: pd.DataFrame, names: tuple[str, ...] = ("family", "style", "fault", "source", LENGTH)
) -> dict[str, pd.Series]:
    """Those of the named properties that are known of the rows of `table`, as one text per row.

    Family, style and fault ("correct" without one) are known in the testbed, the group of sources elsewhere,
    fifths of the answer's length everywhere.
    """
    known = {LENGTH: "length, fifth " + (equal_parts(rows["answer tokens"], 5) + 1).astype(str)}
    if "fault" in rows:
        known |= {"family": rows["family"], "style": rows["style"], "fault": rows["fault"].replace("", "correct")}
    else:
        known["source"] = rows["group"]
    return {name: known[name] for name in names if name in known}


def equal_parts(values: pd.Series, count: int) -> pd.Series:
    """Number of the part, from 0 for the smallest values, when they are cut into `count` parts of equal size."""
    return (values.rank(method="first") - 1).astype(int) * count // len(values)


def shown(pool: Pool, positions) -> list[dict]:
    """Rows at these positions with what is known of them, for `report.show_examples`."""
    names = [name for name in ("source", "skill", "style", "fault", "messages") if name in pool.rows.column_names]
    return [{name: pool.rows[int(place)][name] for name in names} for place in positions]


def drawn(n_rows: int, count: int = ROWS_COMPARED, seed: int = 0) -> np.ndarray:
    """Positions of at most `count` rows drawn at random, ascending: all pairs of a large pool are too many."""
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:count])


def by_selection(values, selections: dict[str, Selection]) -> dict[str, np.ndarray]:
    """The values of the whole pool and those of the rows of every selection, by label; shape (rows,) each."""
    values = np.asarray(values)
    return {WHOLE_POOL: values} | {label(name): values[chosen.rows] for name, chosen in selections.items()}


def shares(parts: dict[str, np.ndarray]) -> pd.DataFrame:
    """Share of each part's rows that have each value: a line per value, a column per part."""
    counted = {name: pd.Series(values).value_counts(normalize=True) for name, values in parts.items()}
    return pd.DataFrame(counted).fillna(0.0)


def quantiles(parts: dict[str, np.ndarray], name: str, method: str = "linear") -> pd.DataFrame:
    """200 quantiles of each part's values, nan left out: method (the part's label), share of rows, `name`."""
    levels = np.linspace(0.005, 1, 200)
    return pd.concat([
        pd.DataFrame({"method": part, "share of rows": levels, name: np.nanquantile(values, levels, method=method)})
        for part, values in parts.items()
    ])  # fmt: skip
