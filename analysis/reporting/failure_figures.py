"""Pictures of what goes wrong as a pool grows; none is saved."""

from collections.abc import Sequence

import matplotlib.ticker as ticker
import pandas as pd
import seaborn as sns

from analysis.experiments.results import Results
from analysis.methods import RANDOM
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label
from analysis.reporting.versus_random import in_units

SHARE = "share of the selected"
PANELS = {
    "faulty rows": SHARE, "effective skills": "effective number", "effective clusters": "effective number",
    "distance to the pool": "mean distance", "near-duplicates": SHARE, "median answer tokens": "tokens",
}  # fmt: skip


def growth(statistics: pd.DataFrame, methods: Sequence[str]):
    """A panel per statistic that random draws have too: methods' mean and range over the parts by rows to select from."""
    names = [name for name in PANELS if (statistics["statistic"] == name).any()]
    drawn = statistics[statistics["statistic"].isin(names)].assign(label=statistics["method"].map(style.label))
    colours = style.colours_of(map(style.label, methods))
    fig, axes = style.figure("full", 0.32 * -(-len(names) // 3), rows=-(-len(names) // 3), columns=3, squeeze=False)
    for place, ax in enumerate(axes.flat):
        if place >= len(names):
            ax.set_axis_off()
            continue
        part = drawn[drawn["statistic"] == names[place]]
        random, of_methods = part[part["method"] == RANDOM]["value"], part[part["method"] != RANDOM]
        style.random_band(ax, random.min(), random.max(), random.mean(), text=style.label(RANDOM))
        sns.lineplot(data=of_methods, x="pool rows", y="value", hue="label", style="label", dashes=False, markers=style.markers(methods),
                     errorbar=("pi", 100), palette=colours, legend=place == 0, ax=ax)  # fmt: skip
        ax.set(title=names[place], ylabel=PANELS[names[place]], xlabel="rows to select from")
        if PANELS[names[place]] == SHARE:
            ax.set_ylim(-0.01, max(0.1, 1.1 * part["value"].max()))
        _rows_axis(ax, of_methods["pool rows"])
    style.legend_above(fig, axes.flat[0])
    return fig, drawn.drop(columns="label")


def differences(table: pd.DataFrame, results: Results, methods: Sequence[str], budget: int):
    """Difference from random by rows to select from, a panel per benchmark, with random's own range in grey."""
    drawn = in_units(table).assign(label=table["method"].map(style.label))
    runs = in_units(results.table)
    random = runs[(runs["method"] == RANDOM) & (runs["budget"] == budget)]
    fig, axes = style.figure("full", 0.45, columns=len(results.benchmarks), squeeze=False)
    colours = style.colours_of(map(style.label, methods))
    for ax, (benchmark, part) in zip(axes[0], drawn.groupby("benchmark", sort=False), strict=True):
        own = random[random["benchmark"] == benchmark]["score"]
        style.random_band(ax, own.min() - own.mean(), own.max() - own.mean(), 0, text=style.label(RANDOM))
        for place, (name, lines) in enumerate(part.groupby("label", sort=False)):
            ends = [lines["estimate"] - lines["low"], lines["high"] - lines["estimate"]]
            ax.errorbar(lines["pool rows"] * 1.04 ** (place - len(methods) / 2), lines["estimate"], yerr=ends, label=name,
                        fmt=style.marker(lines["method"].iloc[0]) + "-", color=colours[name], capsize=2)  # fmt: skip
        ax.set(title=benchmark, xlabel="rows to select from", ylabel=difference_label(part["in"].iloc[0]))
        _rows_axis(ax, part["pool rows"])
    style.legend_above(fig, axes[0][0])
    return fig, drawn.drop(columns="label")


def _rows_axis(ax, rows: pd.Series) -> None:
    """A logarithmic axis with a tick at each number of rows."""
    ticks = sorted(rows.unique())
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick / 1000:.3g}k" if tick >= 1000 else f"{tick:.0f}" for tick in ticks])
    ax.xaxis.set_minor_locator(ticker.NullLocator())
    ax.set_xlim(ticks[0] / 1.25, ticks[-1] * 1.25)
