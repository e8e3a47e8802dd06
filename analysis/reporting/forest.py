"""How comparisons with random selection are drawn: the same marks in every notebook."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from analysis.experiments.results import Results
from analysis.methods import BASE, RANDOM
from analysis.reporting import style
from analysis.reporting.versus_random import in_units
from analysis.statistics import NO_DIFFERENCE, interval_of_mean
from analysis.subsets.rows import WHOLE_POOL

SHORT = {NO_DIFFERENCE: "< δ"}  # beside an interval


def draw(
    table: pd.DataFrame, results: Results | dict[str, Results], *, x: str, y: str, hue: str, height: float,
    panels: str = "benchmark", decides: bool = False,
):  # fmt: skip
    """A figure of differences from random: one panel per benchmark, or per design of one benchmark; not saved.

    Parameters
    ----------
    table : what `versus_random` gives.
    results : the runs behind it, by panel where the panels do not share them.
    x : the difference, drawn with its interval; single runs as dots, ± δ as a band.
    decides : whether the intervals are those that go with the verdicts, which then stand beside them, or of each method
        by itself at 95 %.
    y, hue : the method, by line and by colour; random's own runs on top.
    height : of the figure, relative to its width.
    """
    parts = list(in_units(table).groupby(panels, sort=False))
    own_axis = panels == "benchmark"  # benchmarks differ in unit
    fig, axes = style.figure("full", height, rows=len(parts), sharex=not own_axis, squeeze=False)
    for ax, (name, part) in zip(axes[:, 0], parts, strict=True):
        title = name if own_axis else f"{part['benchmark'].iloc[0]}, {name}"
        _panel(ax, part, results[name] if isinstance(results, dict) else results, title, x, y, hue, decides)
    return fig


def _panel(ax, part: pd.DataFrame, results: Results, title: str, x: str, y: str, hue: str, decides: bool) -> None:
    runs = in_units(results.table)
    runs = runs[runs["benchmark"] == part["benchmark"].iloc[0]]
    middle = runs.loc[runs["method"] == RANDOM, "score"].mean()
    lines = part.sort_values(x, ascending=False)
    names = [RANDOM, *lines[y]]
    style.margin_band(ax, float(part["delta"].iloc[0]))
    for place, (name, coloured) in enumerate(zip(names, [RANDOM, *lines[hue]], strict=True)):
        dots = runs.loc[runs["method"] == name, "score"] - middle
        ax.plot(dots, np.full(len(dots), place + 0.18), ".", color=style.colour(coloured), alpha=0.5, markersize=4)
    for place, line in enumerate(lines.to_dict("records"), start=1):
        low, high = (line["low"], line["high"]) if decides else (line["alone_low"], line["alone_high"])
        ends = [[line[x] - low], [high - line[x]]]
        ax.errorbar(line[x], place, xerr=ends, fmt=style.marker(line[y]), color=style.colour(line[hue]), capsize=2)
        if decides:
            beside = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "fontsize": "x-small"}
            ax.annotate(
                SHORT.get(line["verdict"], line["verdict"]), (1, place), xycoords=("axes fraction", "data"), **beside
            )
    ax.set_yticks(range(len(names)), [style.label(name) for name in names])
    ax.set(ylim=(len(names) - 0.4, -0.6), title=title, xlabel=f"difference from random ({part['in'].iloc[0]})")
    first = part.iloc[0]
    which = "intervals of the corrected tests" if decides else "95 % intervals"
    n = f"{which}; {first['n_runs']} runs, {first['n_random']} random, {first['n_items']} items"
    style.corner_title(ax, n)


def colours_of(names) -> dict[str, str]:
    """A colour for every label: random and the whole pool in grey, variants of one method told apart."""
    fixed = {WHOLE_POOL: style.GREY, style.label(RANDOM): style.colour(RANDOM)}
    others = [name for name in dict.fromkeys(names) if name not in fixed]
    return fixed | {name: style.PALETTE[place % len(style.PALETTE)] for place, name in enumerate(others)}


def height(results: Results) -> float:
    """Height to width of a figure with a panel per benchmark and a line per method, so that no two labels meet."""
    panels = len(results.benchmarks)
    lines = results.table.loc[results.table["method"] != BASE, "method"].nunique()
    return max(0.27, 0.13 + 0.028 * lines) * panels


def group_map(ax, by_group: pd.DataFrame) -> None:
    """Difference from random of many methods in each group of items as colours and numbers, the best methods first."""
    means = by_group.groupby("name")["difference"].mean().sort_values(ascending=False)
    table = by_group.pivot(index="name", columns="group", values="difference").loc[means.index]
    table = table[list(dict.fromkeys(by_group["group"]))]
    most = table.abs().max().max()
    decimals = ".0f" if most >= 10 else ".2f"
    sns.heatmap(
        table, cmap="RdBu", vmin=-most, vmax=most, annot=True, fmt=decimals, annot_kws={"size": 6.5}, linewidths=0.5,
        cbar_kws={"label": f"difference from random ({by_group['in'].iloc[0]})"}, ax=ax,
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)
    plt.setp(ax.get_xticklabels(), rotation=30, ha="right", rotation_mode="anchor")


def score_dots(ax, runs: pd.DataFrame, base: float) -> None:
    """Score of every run by method, the range of the random runs as a band, the base alone as a dashed line."""
    random = runs.loc[runs["method"] == RANDOM, "score"]
    style.random_band(ax, random.min(), random.max(), random.mean(), orient="v")
    names = list(dict.fromkeys(runs["method"]))
    for place, name in enumerate(names):
        scores = runs.loc[runs["method"] == name, "score"]
        spread = np.linspace(-0.15, 0.15, len(scores)) if len(scores) > 1 else [0.0]
        heights = place + np.array(spread)
        ax.plot(scores, heights, style.marker(name), color=style.colour(name), alpha=0.7, markersize=4)
    ax.axvline(base, color=style.GREY, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(names)), [style.label(name) for name in names])
    ax.set(ylim=(len(names) - 0.4, -0.6), title=runs["benchmark"].iloc[0])
    ax.set_xlabel(f"score, higher is better ({runs['in'].iloc[0]})")


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
