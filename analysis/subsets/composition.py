"""What the rows of a selection are: lengths, sources or skills, faults, repeats."""

import numpy as np
import pandas as pd

from analysis.methods import RANDOM, Selection, label
from analysis.subsets.overlap import share_in_common
from analysis.subsets.rows import WHOLE_POOL, by_selection, properties, quantiles


def describe(rows: pd.DataFrame, selections: dict[str, Selection]) -> pd.DataFrame:
    """Median and total answer tokens, sources or skills, faulty and repeated rows, overlap with random; per method."""
    what = "skill" if "skill" in rows else "source"
    random = selections[RANDOM].rows
    lines = []
    for name, chosen in {WHOLE_POOL: None, **selections}.items():
        part = rows if chosen is None else rows.iloc[chosen.rows]
        line = {
            "method": name if chosen is None else label(name), "rows": len(part),
            "median answer tokens": part["answer tokens"].median(), "total tokens": part["total tokens"].sum(),
            f"{what}s": part[what].nunique(), "repeated rows": repeated(part), "cut by max_tokens": part["truncated"].mean(),
        }  # fmt: skip
        if "fault" in part:
            line["faulty rows"] = (part["fault"] != "").mean()
        line["shared with random"] = np.nan if chosen is None else share_in_common(chosen.rows, random)
        line["not selectable"] = 0 if chosen is None else sum(chosen.excluded.values())
        lines.append(line)
    return pd.DataFrame(lines).round(3)


def repeated(rows: pd.DataFrame) -> float:
    """Share of the rows that repeat another one of them, by the pool's duplicate groups."""
    return 1 - rows["dup_group"].nunique() / len(rows)


def length_curves(rows: pd.DataFrame, selections: dict[str, Selection]) -> pd.DataFrame:
    """Quantiles of answer tokens of the whole pool and of every selection: method, share of rows, answer tokens."""
    return quantiles(by_selection(rows["answer tokens"], selections), "answer tokens", "inverted_cdf")


def composition_shift(rows: pd.DataFrame, selections: dict[str, Selection], at_most: int = 14) -> pd.DataFrame:
    """Share among the selected minus share in the pool, by fault, style and family, or by group of sources."""
    known, lines = properties(rows, ("fault", "style", "family", "source")), []
    for column, values in known.items():
        pool_share = values.value_counts(normalize=True).head(at_most)
        for name, chosen in selections.items():
            picked = values.iloc[chosen.rows].value_counts(normalize=True).reindex(pool_share.index, fill_value=0.0)
            lines += [
                {"what": f"{column}: {value}" if len(known) > 1 else value, "method": label(name), "in the pool": part,
                 "selected": picked[value], "difference in share": picked[value] - part}
                for value, part in pool_share.items()
            ]  # fmt: skip
    return pd.DataFrame(lines)
