"""Tables about what methods select: lengths, composition, scores, and how far two of them agree."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM, Selection
from analysis.pools.source_labels import OTHER
from analysis.reporting import style
from analysis.reporting.topics.pools import table
from analysis.reporting.verdicts import overlap_sentence
from analysis.reporting.wording import listed, share

WHOLE_POOL = "whole pool"
BOTH, NEITHER = "both", "neither"


def describe(work: Workbench, selections: dict[str, Selection]) -> pd.DataFrame:
    """Median and total answer tokens, sources or skills, faulty and repeated rows, overlap with random; per method."""
    rows = table(work.pool, work.features.lengths())
    what = "skill" if "skill" in rows else "source"
    random = set(selections[RANDOM].rows)
    lines = []
    for name, chosen in {WHOLE_POOL: None, **selections}.items():
        part = rows if chosen is None else rows.iloc[chosen.rows]
        line = {
            "method": name if chosen is None else style.label(name), "rows": len(part),
            "median answer tokens": part["answer tokens"].median(), "total tokens": part["total tokens"].sum(),
            f"{what}s": part[what].nunique(), "repeated rows": 1 - part["dup_group"].nunique() / len(part),
            "cut by max_tokens": part["truncated"].mean(),
        }  # fmt: skip
        if "fault" in part:
            line["faulty rows"] = (part["fault"] != "").mean()
        line["shared with random"] = np.nan if chosen is None else len(random & set(chosen.rows)) / len(chosen.rows)
        line["not selectable"] = 0 if chosen is None else sum(chosen.excluded.values())
        lines.append(line)
    return pd.DataFrame(lines).round(3)


def rows_shown(work: Workbench, positions) -> list[dict]:
    """Rows at these positions with what is known of them, for `report.show_examples`."""
    columns = [
        name for name in ("source", "skill", "style", "fault", "messages") if name in work.pool.rows.column_names
    ]
    return [{name: work.pool.rows[int(place)][name] for name in columns} for place in positions]


def length_curves(work: Workbench, selections: dict[str, Selection]) -> pd.DataFrame:
    """Quantiles of answer tokens of the whole pool and of every selection, as (method, share, answer tokens)."""
    answer, shares = work.features.lengths().answer, np.linspace(0.005, 1, 200)
    parts = {WHOLE_POOL: answer} | {style.label(name): answer[one.rows] for name, one in selections.items()}
    return pd.concat(
        pd.DataFrame({"method": name, "share of rows": shares,
                      "answer tokens": np.quantile(lengths, shares, method="inverted_cdf")})
        for name, lengths in parts.items()
    )  # fmt: skip


def composition_shift(work: Workbench, selections: dict[str, Selection], at_most: int = 14) -> pd.DataFrame:
    """Share among the selected minus share in the pool, by fault, style and family, or by group of sources."""
    rows = table(work.pool, work.features.lengths())
    known = ["fault", "style", "family"] if work.pool.has_truth else ["group"]
    lines = []
    for column in known:
        values = rows[column].replace("", "correct")
        pool_share = values.value_counts(normalize=True).head(at_most)
        for name, chosen in selections.items():
            picked = values.iloc[chosen.rows].value_counts(normalize=True).reindex(pool_share.index, fill_value=0.0)
            lines += [
                {"what": f"{column}: {value}" if len(known) > 1 else value, "method": style.label(name), "in the pool": part,
                 "selected": picked[value], "difference in share": picked[value] - part}
                for value, part in pool_share.items()
            ]  # fmt: skip
    return pd.DataFrame(lines)


def score_pairs(
    work: Workbench, selections: dict[str, Selection], first: str, second: str, most: int = 20_000
) -> pd.DataFrame:
    """Both scores of every row that has them, and which method selects it; at most so many rows that neither selects."""
    one, two = selections[first], selections[second]
    chosen = np.full(len(work.pool), NEITHER, dtype=object)
    chosen[one.rows], chosen[two.rows] = style.label(first), style.label(second)
    chosen[np.intersect1d(one.rows, two.rows)] = BOTH
    pairs = pd.DataFrame(
        {
            "row": np.arange(len(work.pool)),
            "original": one.scores,
            "released": two.scores,
            "selected by": chosen,
        }
    )
    pairs = pairs.dropna()
    rest = pairs[pairs["selected by"] == NEITHER]
    shown = pairs[(pairs["selected by"] != NEITHER) | pairs["row"].isin(rest.head(most)["row"])]
    order = [NEITHER, style.label(first), style.label(second), BOTH]
    return shown.sort_values("selected by", key=lambda values: values.map(order.index), kind="stable")


def pair_colours(first: str, second: str) -> dict[str, str]:
    """Colours of the groups of `score_pairs`; the second variant is a colour of its own beside the first."""
    return {NEITHER: style.LIGHT_GREY, style.label(first): style.colour(first), style.label(second): style.PALETTE[2],
            BOTH: style.DARK_GREY}  # fmt: skip


def agreement(work: Workbench, selections: dict[str, Selection], first: str, second: str) -> dict[str, float]:
    """Overlap of the rows of two methods, what chance would give, and Spearman's correlation of their scores."""
    one, two = selections[first], selections[second]
    common = len(np.intersect1d(one.rows, two.rows)) / len(one.rows)
    both = np.isfinite(one.scores) & np.isfinite(two.scores)
    return {"overlap": common, "expected": len(two.rows) / len(work.pool),
            "spearman": float(spearmanr(one.scores[both], two.scores[both]).statistic)}  # fmt: skip


def agreement_findings(work: Workbench, selections: dict[str, Selection], first: str, second: str) -> list[str]:
    """Whether two variants choose the same rows, and how the faults and lengths of what they choose differ."""
    said = [overlap_sentence(first, second, **agreement(work, selections, first, second))]
    described = describe(work, {RANDOM: selections[RANDOM], first: selections[first], second: selections[second]})
    lengths = dict(zip(described["method"], described["median answer tokens"], strict=True))
    said.append("Median answer tokens: " + listed([f"{length:g} ({name})" for name, length in lengths.items()]) + ".")
    if "faulty rows" in described:
        faults = dict(zip(described["method"], described["faulty rows"], strict=True))
        said.append(
            "Share of faulty rows: " + listed([f"{share(part)} ({name})" for name, part in faults.items()]) + "."
        )
    return said


def score_by_group(work: Workbench, selection: Selection) -> pd.DataFrame:
    """Scores with what is known of the rows: kind of fault and style, or fifths of answer length."""
    rows = table(work.pool, work.features.lengths())
    if work.pool.has_truth:
        groups = {"fault": rows["fault"].replace("", "correct"), "style": rows["style"]}
    else:
        fifth = (rows["answer tokens"].rank(method="first", pct=True) * 5).clip(upper=4.999).astype(int) + 1
        groups = {"answer length": "length, fifth " + fifth.astype(str), "source": rows["group"]}
    parts = [pd.DataFrame({"score": selection.scores, "group": values, "of": name}) for name, values in groups.items()]
    # Rows without fault first, what is too small to show last, fifths of length in their order.
    return pd.concat(
        [part.dropna().sort_values("group", kind="stable", key=lambda names: names.map(_in_order)) for part in parts],
        ignore_index=True,
    )


def _in_order(name: str) -> tuple[bool, bool, str]:
    return name != "correct", name == OTHER, name


def box_numbers(groups: pd.DataFrame) -> pd.DataFrame:
    """Rows and quantiles of the score per group: what a box plot draws."""
    quantiles = groups.groupby(["of", "group"])["score"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()
    quantiles.columns = [f"quantile {name:g}" for name in quantiles.columns]
    return quantiles.assign(rows=groups.groupby(["of", "group"]).size()).reset_index()


def length_finding(described: pd.DataFrame) -> str:
    """How much longer what a method picks is than the pool, for every method of `describe`."""
    pool = described[described["method"] == WHOLE_POOL].iloc[0]
    said = [
        f"{line['method']} {line['median answer tokens'] / max(pool['median answer tokens'], 1):.1f} times"
        for line in described.to_dict("records") if line["method"] != WHOLE_POOL
    ]  # fmt: skip
    return f"Median answer length of what is picked, relative to the pool at {pool['median answer tokens']:g} tokens: {listed(said)}."
