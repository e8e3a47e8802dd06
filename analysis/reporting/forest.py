"""How comparisons with random selection are drawn: the same marks in every notebook."""

from collections.abc import Callable
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from analysis.experiments.results import EQUAL_ROWS, Results
from analysis.methods import BASE, RANDOM
from analysis.reporting import style
from analysis.reporting.trained_rows import Regime
from analysis.reporting.versus_random import in_units
from analysis.reporting.wording import agreeing
from analysis.statistics import NO_DIFFERENCE, interval_of_mean
from analysis.subsets.rows import WHOLE_POOL

LABEL_WIDTH = 20  # characters, beyond which the name of a method has two lines
MANY_GROUPS = 8  # beyond which their names have one line each, or neighbours would meet
FEWEST_IN_GROUP = 10  # items, from which a mean difference is worth a colour
SHORT = {NO_DIFFERENCE: "< δ"}  # beside an interval


def draw(
    table: pd.DataFrame, results: Results, *, x: str, y: str, hue: str, height: float, panels: str = "benchmark",
    columns: str = "", decides: bool = False, named: Callable[[object], str] = str,
):  # fmt: skip
    """A figure of differences from random, a panel per benchmark or design, and per budget side by side; not saved.

    Parameters
    ----------
    table : what `versus_random` gives.
    results : the runs behind it.
    x : the difference, drawn with its interval; single runs as dots, random's range as a band, ± δ as dotted lines, the
        base without fine-tuning as a dashed line. Intervals that leave the axis end in an arrow.
    y, hue : the method, by line and by colour; random's own runs on top.
    height : of the figure, relative to its width.
    panels, columns : the columns of `table` whose values have a row, and a column, of panels.
    decides : whether the intervals are those that go with the verdicts, which then stand beside them, or of each method
        by itself at 95 %.
    named : how the values of `columns` are written.
    """
    drawn = in_units(table)
    rows, across = list(drawn[panels].unique()), list(drawn[columns].unique()) if columns else [None]
    fig, axes = style.figure("full", height, rows=len(rows), columns=len(across), sharex=panels != "benchmark" and "all",
                             sharey=bool(columns) and "row", squeeze=False)  # fmt: skip
    order = list(drawn.groupby(y)[x].mean().sort_values(ascending=False).index) if columns else []
    for row, of_row in zip(rows, axes, strict=True):
        for value, ax in zip(across, of_row, strict=True):
            part = drawn[(drawn[panels] == row) & (drawn[columns] == value if columns else True)]
            if part.empty:
                ax.set_axis_off()
                continue
            titles = [row if panels == "benchmark" else f"{part['benchmark'].iloc[0]}, {row}"]
            titles += [named(value)] if columns else []
            lines = (
                part.set_index(y).loc[[name for name in order if name in set(part[y])]].reset_index()
                if columns
                else part.sort_values(x, ascending=False)
            )
            _panel(ax, lines, results, "\n".join(titles), x, y, hue, decides)
    return fig


def _panel(ax, lines: pd.DataFrame, results: Results, title: str, x: str, y: str, hue: str, decides: bool) -> None:
    first = lines.iloc[0]
    runs = in_units(results.table)
    runs = runs[(runs["benchmark"] == first["benchmark"]) & runs["budget"].isin([first["budget"], 0])]
    random = runs.loc[runs["method"] == RANDOM, "score"]
    names, middle = [RANDOM, *lines[y]], random.mean()
    dots = {name: own["score"] - middle for name, own in runs[runs["design"] == first["design"]].groupby("method")}
    dots[RANDOM] = random - middle
    if (runs["method"] == BASE).any():
        dots[BASE] = runs.loc[runs["method"] == BASE, "score"] - middle  # of no design
    ends = [("low", "high"), ("alone_low", "alone_high")][not decides]
    most = _limit(lines, ends, dots, x)
    style.margin(ax, float(first["delta"]))
    style.random_band(ax, dots[RANDOM].min(), dots[RANDOM].max(), orient="v")
    for place, (name, coloured) in enumerate(zip(names, [RANDOM, *lines[hue]], strict=True)):
        ax.plot(
            dots[name],
            np.full(len(dots[name]), place + 0.18),
            ".",
            color=style.colour(coloured),
            alpha=0.5,
            markersize=4,
        )
    for place, line in enumerate(lines.to_dict("records"), start=1):
        _interval(ax, place, line[x], [line[end] for end in ends], most, style.marker(line[y]), style.colour(line[hue]))
        if decides:
            beside = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "fontsize": "x-small"}
            words = SHORT.get(line["verdict"], line["verdict"])
            ax.annotate(words, (1, place), xycoords=("axes fraction", "data"), **beside)
    ax.set_yticks(range(len(names)), [fill(style.label(name), LABEL_WIDTH) for name in names])
    counts = sorted({lines["n_runs"].min(), lines["n_runs"].max()})
    n_runs = f"{' to '.join(map(str, counts))} {agreeing(counts[-1], 'run', 'runs')}"
    n = f"{n_runs}, {first['n_random']} random, {first['n_items']} items"
    ax.set(xlim=(-most, most), ylim=(len(names) - 0.4, -0.6), title=title)
    ax.set_xlabel(f"difference ({first['in']})\n{n}{_base_line(ax, dots.get(BASE), most)}")


def _limit(lines: pd.DataFrame, ends: tuple[str, str], dots: dict[str, pd.Series], x: str) -> float:
    """Half the axis: all that is an estimate or a run, and intervals as far as they do not hide these."""
    seen = max(
        [
            lines[x].abs().max(),
            2 * lines["delta"].max(),
            *(dots[name].abs().max() for name in [RANDOM, *lines["method"]]),
        ]
    )
    return 1.05 * max(seen, min(1.8 * seen, lines[list(ends)].abs().max().max()))


def _interval(ax, place: int, middle: float, ends: list[float], most: float, marker: str, colour: str) -> None:
    """An estimate with its interval; an end beyond the axis becomes an arrow."""
    inside = [max(ends[0], -most), min(ends[1], most)]
    ax.errorbar(middle, place, xerr=[[middle - inside[0]], [inside[1] - middle]], fmt=marker, color=colour, capsize=2)
    for end, edge, arrow in ((ends[0], -most, "<"), (ends[1], most, ">")):
        if abs(end) > most:
            ax.plot(edge, place, arrow, color=colour, markersize=5, clip_on=False)


def _base_line(ax, base: pd.Series | None, most: float) -> str:
    """The base without fine-tuning as a dashed line; in words where that would be outside of the axis."""
    if base is None:
        return ""
    if abs(base.iloc[0]) > most:
        return f", base at {base.iloc[0]:+.3g}"
    ax.axvline(base.iloc[0], color=style.GREY, linestyle="--", linewidth=1, zorder=1)
    return ""


def by_regime(table: pd.DataFrame, results: Results, regime: Regime, benchmark: str):
    """Difference from random on a benchmark against rows per skill or cluster, a panel per method; not saved.

    Filled marks are at equal rows, hollow ones at equal tokens; the grey bars are random's range at that budget.
    """
    drawn = in_units(table)
    drawn = drawn[drawn["benchmark"] == benchmark]
    names = list(dict.fromkeys(drawn.sort_values("estimate", ascending=False)["method"]))
    across = min(4, len(names))
    down = -(-len(names) // across)
    fig, axes = style.figure(
        "full", 0.06 + 0.27 * down, rows=down, columns=across, sharex=True, sharey=True, squeeze=False
    )
    scores = in_units(results.table)
    scores = scores[(scores["benchmark"] == benchmark) & (scores["method"] == RANDOM)]
    most = _limit(drawn, ("low", "high"), dict.fromkeys([RANDOM, *names], drawn["estimate"]), "estimate")
    for ax, name in zip(axes.flat, names, strict=False):
        for budget, own in scores.groupby("budget"):
            at, range_ = regime.rows_per_kind(budget), own["score"] - own["score"].mean()
            ax.plot(
                [at, at], [range_.min(), range_.max()], color=style.GREY, linewidth=7, alpha=0.4, solid_capstyle="butt"
            )
        for design, lines in drawn[drawn["method"] == name].groupby("design", sort=False):
            lines = lines.sort_values("budget")
            at, filled = lines["budget"].map(regime.rows_per_kind), design == EQUAL_ROWS
            ends = [lines["estimate"] - lines["low"], lines["high"] - lines["estimate"]]
            ax.errorbar(at * (1 if filled else 1.08), lines["estimate"], yerr=ends,
                        fmt=style.marker(name) + ("-" if filled else ":"), color=style.colour(name), capsize=2,
                        markerfacecolor=None if filled else "white", markersize=4)  # fmt: skip
        ax.axhline(0, color=style.DARK_GREY, linewidth=1)
        ax.set_ylim(-most, most)  # an interval that is longer runs out of the panel
        ax.set_title(fill(style.label(name), 26), fontsize="small")
    _regime_axes(axes, len(names), drawn, regime)
    return fig


def _regime_axes(axes, n_methods: int, drawn: pd.DataFrame, regime: Regime) -> None:
    """Ticks at the budgets below the last panel of each column, no frame where there is no method."""
    at = sorted(regime.rows_per_kind(budget) for budget in drawn["budget"].unique())
    axes.flat[0].set_xscale("log")
    axes.flat[0].set_xlim(at[0] / 1.6, at[-1] * 1.6)
    for place, ax in enumerate(axes.flat):
        if place >= n_methods:
            ax.set_axis_off()
        elif place + axes.shape[1] >= n_methods:
            ax.set_xticks(at, [f"{rows:.3g}" for rows in at])
            ax.tick_params(labelbottom=True)
            ax.set_xlabel(f"rows per {regime.kind}")
        ax.minorticks_off()
    for ax in axes[:, 0]:
        ax.set_ylabel(f"difference ({drawn['in'].iloc[0]})")


def colours_of(names) -> dict[str, str]:
    """A colour for every label: random and the whole pool in grey, variants of one method told apart."""
    fixed = {WHOLE_POOL: style.GREY, style.label(RANDOM): style.colour(RANDOM)}
    others = [name for name in dict.fromkeys(names) if name not in fixed]
    return fixed | {name: style.PALETTE[place % len(style.PALETTE)] for place, name in enumerate(others)}


def height(results: Results) -> float:
    """Height to width of a figure with a panel per benchmark and a line per method, so that no two labels meet."""
    panels = len(results.benchmarks)
    lines = results.table.loc[results.table["method"] != BASE, "method"].nunique()
    return max(0.36, 0.16 + 0.036 * lines) * panels


def group_map(ax, by_group: pd.DataFrame, full_colour: float = 1.0) -> None:
    """Difference from random of many methods in each group of items as colours and numbers, the best methods first.

    Groups of fewer than `FEWEST_IN_GROUP` items have grey numbers and no colour. Colours are full from this quantile of the
    differences on, below 1 so that one group does not take all the colour.
    """
    means = by_group.groupby("name")["difference"].mean().sort_values(ascending=False)
    sizes = by_group.drop_duplicates("group").set_index("group")["items"]
    table = by_group.pivot(index="name", columns="group", values="difference").loc[means.index, list(sizes.index)]
    small = np.broadcast_to((sizes < FEWEST_IN_GROUP).to_numpy(), table.shape)
    coloured = np.abs(np.where(small & ~small.all(), 0, table))
    most = np.quantile(coloured, full_colour) or coloured.max() or 1.0
    decimals = ".0f" if most >= 10 else ".2f"
    sns.heatmap(
        table.mask(small), cmap="RdBu", vmin=-most, vmax=most, annot=True, fmt=decimals, annot_kws={"size": 6.5},
        linewidths=0.5, ax=ax,
        cbar_kws={"label": by_group["in"].iloc[0], "extend": "both" if coloured.max() > most else "neither"},
    )  # fmt: skip
    for row, column in zip(*np.nonzero(small), strict=True):
        text = f"{table.iloc[row, column]:{decimals}}"
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", size=6.5, style="italic", color=style.GREY)
    many = len(sizes) > MANY_GROUPS
    names = [
        f"{group}{' ' if many else chr(10)}(n {size}{', few' if size < FEWEST_IN_GROUP else ''})"
        for group, size in sizes.items()
    ]
    ax.set_xticks(np.arange(len(names)) + 0.5, names)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)
    ax.tick_params(axis="y", labelrotation=0)
    plt.setp(ax.get_xticklabels(), rotation=45 if many else 30, ha="right", rotation_mode="anchor")


def budget_means(part: pd.DataFrame) -> pd.DataFrame:
    """Mean score and its 95 % t interval per budget, of lines through `in_units`."""
    lines = []
    for budget, group in part.groupby("budget"):
        mean, low, high = interval_of_mean(group["score"].to_numpy())
        lines.append({"budget": budget, "mean": mean, "low": low, "high": high, "runs": len(group)})
    return pd.DataFrame(lines)


def not_base(results: Results) -> pd.DataFrame:
    """Lines of the runs that were trained, through `in_units`."""
    return in_units(results.table[results.table["method"] != BASE])
