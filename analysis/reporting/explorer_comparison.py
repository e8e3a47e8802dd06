"""Two choices from one pool beside each other: counts, what is in them, where the score is cut, and their pictures."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from scipy.stats import hypergeom

from analysis.methods import label
from analysis.pools.source_labels import OTHER
from analysis.reporting import style
from analysis.reporting.explorer_rows import BOTH, CHOSEN_BY, NEITHER, ONLY_A, ONLY_B, Choice, shown
from analysis.reporting.topics.pools import colours
from analysis.reporting.wording import agreeing, figures, number, share
from analysis.subsets.rows import LENGTH, WHOLE_POOL, drawn, properties, shares

COLOURS = {ONLY_A: style.PALETTE[0], BOTH: style.DARK_GREY, ONLY_B: style.PALETTE[1]}
BINS, AT_MOST = 40, 6
MOST_DRAWN = 20_000  # rows of a picture that neither chooses


def groups(known: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of the pool, those only A chooses, those of both, and those only B chooses; groups without rows left out."""
    parts = {WHOLE_POOL: known} | {name: known[known[CHOSEN_BY] == name] for name in COLOURS}
    return {name: part for name, part in parts.items() if len(part)}


def comparison(known: pd.DataFrame) -> pd.DataFrame:
    """A line per group: rows, mean answer tokens, the most frequent source (or skill) and its share, the share of faulty rows."""
    what, lines = "skill" if "skill" in known else "source", []
    for name, part in groups(known).items():
        frequent = part[what].value_counts()
        line = {
            "rows of": name,
            "rows": len(part),
            "mean answer tokens": part["answer tokens"].mean(),
            f"most frequent {what}": str(frequent.index[0]),
            "its share": frequent.iloc[0] / len(part),
        }
        lines.append(line | ({"faulty rows": (part["fault"] != "").mean()} if "fault" in part else {}))
    return pd.DataFrame(lines)


def written(table: pd.DataFrame) -> pd.DataFrame:
    """`comparison` with shares as per cent, for a page."""
    names = [name for name in ("its share", "faulty rows") if name in table]
    return table.assign(**{name: table[name].map(share) for name in names}, rows=table["rows"].map(number))


def composition(known: pd.DataFrame) -> pd.DataFrame:
    """Share of each group's rows by fault or source and by length: of, value, rows of, share; the `AT_MOST` most frequent values."""
    parts, lines = groups(known), []
    for name, values in properties(known, ("fault", "source", LENGTH)).items():
        found = shares({group: values.loc[part.index] for group, part in parts.items()})
        order = sorted(found.index) if name == LENGTH else found[WHOLE_POOL].sort_values(ascending=False).index
        found = found.loc[list(order)[:AT_MOST]]
        lines += [
            {"of": name, "value": value, "rows of": group, "share": found.loc[value, group]}
            for value in found.index
            for group in parts
        ]
    return pd.DataFrame(lines)


def histogram(choice: Choice, known: pd.DataFrame) -> pd.DataFrame:
    """Rows and chosen rows by score, or by answer tokens where the method scores none: from, to, rows, chosen."""
    values, chosen = _scored(choice, known), np.zeros(len(known), bool)
    chosen[choice.rows] = True
    finite = np.isfinite(values)
    edges = _edges(values[finite], choice.cut)
    every, of_choice = (np.histogram(values[which], edges)[0] for which in (finite, finite & chosen))
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], "rows": every, "chosen": of_choice})


def _edges(values: np.ndarray, cut: float | None) -> np.ndarray:
    """Borders of bins of equal width, one of them at the cut."""
    low, high = float(values.min()), float(values.max())
    width = (high - low) / BINS or 1.0
    start = low if cut is None else cut - width * np.ceil((cut - low) / width)
    return start + width * np.arange(np.floor((high - start) / width) + 2)


def _scored(choice: Choice, known: pd.DataFrame) -> np.ndarray:
    return known["answer tokens"].to_numpy(float) if choice.scores is None else choice.scores


def together(counts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The histograms of A and of B as one table, with a column `side`."""
    return pd.concat([table.assign(side=side) for side, table in counts.items()])


def best_of(known: pd.DataFrame, group: str, count: int = 10) -> pd.DataFrame:
    """The first rows of a group by score, as a table shows them."""
    return shown(known, np.flatnonzero(known[CHOSEN_BY] == group)).head(count)


def draw_histogram(ax, counts: pd.DataFrame, choice: Choice) -> None:
    """Rows by score in grey, the chosen ones in the method's colour, and the cut where there is one."""
    widths = counts["to"] - counts["from"]
    ax.bar(counts["from"], counts["rows"], widths, align="edge", color=style.LIGHT_GREY, label="pool")
    colour = style.colour(choice.method)
    ax.bar(counts["from"], counts["chosen"], widths, align="edge", color=colour, label=f"chosen ({len(choice.rows):,})")
    if choice.cut is not None:
        ax.axvline(choice.cut, color="black", linestyle="--", linewidth=1, label=f"cut at {figures(choice.cut)}")
    what = "answer tokens (it scores no row)" if choice.scores is None else "score, higher is chosen first"
    ax.set(yscale="symlog", ylabel="rows", xlabel=what, title=label(choice.method))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=4, ncols=3, columnspacing=1, handlelength=1.5)


def limits(values: pd.Series) -> tuple[float, float]:
    """Where a scale of colours ends: the values of all but the lowest and the highest hundredth."""
    low, high = np.nanquantile(values.to_numpy(float), [0.01, 0.99])
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1)


def on_map(known: pd.DataFrame, places: np.ndarray, values: pd.Series) -> pd.DataFrame:
    """What the map draws: row, x, y, the value that colours it and who chooses it; all chosen rows, others up to `MOST_DRAWN`.

    Rows without a place or a value are left out.
    """
    table = known[["row", CHOSEN_BY]].assign(x=places[:, 0], y=places[:, 1], value=values).dropna()
    rest = table[table[CHOSEN_BY] == NEITHER]
    return pd.concat([rest.iloc[drawn(len(rest), MOST_DRAWN)], table[table[CHOSEN_BY] != NEITHER]])


def draw_map(ax, placed: pd.DataFrame, what: str, first: Choice, second: Choice) -> None:
    """Rows on the map in the colour of their values (of `what`), with a black rim where A chooses them and a cross where B does.

    All in one go: rims in layers of their own would hide the colours where rows lie close.
    """
    rim = {"edgecolors": "black", "linewidths": 0.6}
    by_first = placed[CHOSEN_BY].isin((ONLY_A, BOTH)).to_numpy()
    how = rim | {"s": np.where(by_first, 14, 7), "linewidths": np.where(by_first, 0.6, 0), "rasterized": True}
    if pd.api.types.is_numeric_dtype(placed["value"]):
        low, high = limits(placed["value"])
        dots = ax.scatter(placed["x"], placed["y"], c=placed["value"], cmap="viridis", vmin=low, vmax=high, **how)
        scores = {"score A": f"score of {label(first.method)}", "score B": f"score of {label(second.method)}"}
        ax.figure.colorbar(dots, ax=ax, label=scores.get(what, what), shrink=0.7, extend="both")
    else:
        named, texts = value_colours(placed["value"].rename(what)), placed["value"].astype(str)
        ax.scatter(placed["x"], placed["y"], c=texts.map(named), **how)
        for value in texts.unique():
            ax.scatter([], [], s=7, color=named[value], label=value)
    ax.scatter([], [], s=14, facecolors="none", label=f"chosen by {label(first.method)}", **rim)
    part = placed[placed[CHOSEN_BY].isin((ONLY_B, BOTH))]
    ax.scatter(part["x"], part["y"], marker="x", s=10, color=style.PALETTE[2], linewidths=0.5,
               label=f"chosen by {label(second.method)}")  # fmt: skip
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="", aspect="equal")
    style.key(ax.figure, "UMAP: rows whose texts are alike lie near one another; the axes themselves mean nothing")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=3, markerscale=1.3)


def value_colours(values: pd.Series) -> dict[str, str]:
    """A colour for every value of a text column; grey for what neither method chooses, and for rows without a fault."""
    if values.name == CHOSEN_BY:
        return {NEITHER: style.LIGHT_GREY} | COLOURS
    return colours(values.astype(str)) | {"correct": style.LIGHT_GREY, OTHER: style.LIGHT_GREY}


def draw_composition(axes, table: pd.DataFrame, compared: pd.DataFrame, first: Choice, second: Choice) -> None:
    """A panel per property: the share of each group's rows that have each value; the legend says how many rows each has."""
    colour_of = {WHOLE_POOL: style.LIGHT_GREY} | COLOURS
    meant = {ONLY_A: f"only {label(first.method)}", ONLY_B: f"only {label(second.method)}"}
    counts = compared.set_index("rows of")["rows"]
    for ax, (name, part) in zip(np.ravel(axes), table.groupby("of", sort=False), strict=True):
        sns.barplot(data=part, x="share", y="value", hue="rows of", palette=colour_of, ax=ax)
        ax.set(title=name, ylabel="", xlabel="share of the group's rows")
        bars, names = ax.get_legend_handles_labels()
        ax.get_legend().remove()
    names = [f"{meant.get(name, name)} ({counts[name]:,})" for name in names]
    np.ravel(axes)[0].figure.legend(bars, names, loc="outside upper center", ncols=len(names) if len(names) < 4 else 2)


def picture(choice: Choice, known: pd.DataFrame) -> bytes:
    """The histogram of one choice as a PNG."""
    fig, ax = style.figure("column", 0.62)
    draw_histogram(ax, histogram(choice, known), choice)
    content = io.BytesIO()
    fig.savefig(content, format="png", dpi=130)
    plt.close(fig)
    return content.getvalue()


def findings(known: pd.DataFrame, first: Choice, second: Choice) -> list[str]:
    """How many rows A and B choose alike, against chance, and what each takes that the other leaves.

    By chance the number is hypergeometric; more or fewer is said outside the middle 95 % of it.
    """
    one, other, n_rows = label(first.method), label(second.method), len(known)
    both, budget = len(np.intersect1d(first.rows, second.rows)), len(first.rows)
    low, high = hypergeom(n_rows, len(second.rows), budget).ppf([0.025, 0.975])
    judged = "more than" if both > high else "fewer than" if both < low else "no more and no fewer than"
    lines = comparison(known).set_index("rows of")
    told = [
        f"Of the {number(budget)} rows that {one} (A) and {other} (B) each choose from {number(n_rows)}, {number(both)} "
        f"{agreeing(both, 'is', 'are')} the same ({share(both / budget)}), {judged} by chance ({low:.0f} to {high:.0f})."
    ]
    return told + [
        _group_sentence(lines.loc[group], lines.loc[WHOLE_POOL], name)
        for group, name in ((ONLY_A, one), (ONLY_B, other))
        if group in lines.index
    ]


def _group_sentence(line: pd.Series, pool: pd.Series, name: str) -> str:
    what = next(column for column in line.index if column.startswith("most frequent"))
    faulty = (
        f", {share(line['faulty rows'])} are faulty ({share(pool['faulty rows'])} of the pool)"
        if "faulty rows" in line
        else ""
    )
    return (
        f"Rows that only {name} chooses ({number(line['rows'])}) have {line['mean answer tokens']:.1f} answer tokens on average "
        f"(the pool {pool['mean answer tokens']:.1f}){faulty}, and {share(line['its share'])} are of the "
        f"{what.removeprefix('most frequent ')} {line[what]}."
    )
