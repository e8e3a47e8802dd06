"""How deviations of released scripts are drawn: rows in common, what the rows are, borders, and results."""

import numpy as np
import pandas as pd

from analysis.experiments.benchmarks.result import unit_of
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label, difference_limits
from analysis.reporting.forest import draw_interval
from analysis.reporting.palette import MARKERS
from analysis.reporting.topics.answer_borders import ALONE, RELEASED, short
from analysis.reporting.topics.released_vs_original import FAULTY, FORMS, HALF, TOKENS
from analysis.reporting.versus_random import in_units
from analysis.reporting.wording import in_lines

LABEL_WIDTH = 24  # characters
ORIGINAL_COLOUR, RELEASED_COLOUR = style.PALETTE[1], style.PALETTE[2]


def overlaps(table: pd.DataFrame, parts: pd.DataFrame):
    """Share of the rows in common, by deviation: parts as dots, the mean with its interval, chance and another seed."""
    fig, ax = style.figure("full", 0.2 + 0.06 * len(table))
    for place, line in enumerate(table.to_dict("records")):
        own = parts.loc[parts["deviation"] == line["deviation"], "overlap"]
        ax.plot(own, np.full(len(own), place + 0.22), ".", color=RELEASED_COLOUR, alpha=0.5, markersize=4)
        ends = [[line["overlap"] - line["low"]], [line["high"] - line["overlap"]]]
        ax.errorbar(line["overlap"], place, xerr=ends, fmt="D", color=RELEASED_COLOUR, capsize=2, label="both forms")
        ax.plot(line["expected"], place, "|", color=style.DARK_GREY, markersize=12, label="by chance")
        if np.isfinite(line["again"]):
            ax.plot(line["again"], place, "o", color=style.GREY, markerfacecolor="white", zorder=1,
                    label="the original with another seed")  # fmt: skip
        ax.annotate(line["found"], (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize="x-small")
    ax.axvline(HALF, color=style.GREY, linestyle=":", linewidth=1, label="one half: below it the rows are changed")
    _lines(ax, table["deviation"])
    ax.set(xlim=(-0.03, 1.03), xlabel="share of the original's rows that the released form takes too")
    _legend(ax, 2)
    return fig


def rows_taken(table: pd.DataFrame, random: pd.DataFrame):
    """Length of the answers and share of faulty rows that either form takes, beside random draws."""
    measures = {TOKENS: "median answer tokens, times the pool's", FAULTY: "share of faulty rows"}
    measures = {what: words for what, words in measures.items() if random[what].notna().all()}
    fig, axes = style.figure("full", 0.2 + 0.055 * len(table), columns=len(measures), sharey=True, squeeze=False)
    for ax, (what, words) in zip(axes[0], measures.items(), strict=True):
        style.random_band(ax, random[what].min(), random[what].max(), random[what].mean(), orient="v")
        for place, line in enumerate(table.to_dict("records")):
            ends = [line[f"{what}, {form}"] for form in FORMS]
            ax.plot(ends, [place, place], color=style.LIGHT_GREY, linewidth=2, zorder=1)
            ax.plot(ends[0], place, "o", color=ORIGINAL_COLOUR, markerfacecolor="white", label="original")
            ax.plot(ends[1], place, "D", color=RELEASED_COLOUR, label="released", markersize=4)
        _lines(ax, table["deviation"])
        ax.set_xlabel(f"{words}\n(grey: random draws)")
        if what == TOKENS:
            ax.set_xscale("log", base=2)
            ax.xaxis.set_major_formatter("{x:g}")
    _legend(axes[0][0], 2)
    return fig


def borders(rates: pd.DataFrame, by_length: pd.DataFrame):
    """Against answer length, how often the answer alone loses its first token, and the ratio with and without that."""
    fig, axes = style.figure("full", 0.5, columns=2 if len(by_length) else 1, squeeze=False)
    ax = axes[0][0]
    one_sided = rates[rates["border"] == ALONE]
    for place, (name, own) in enumerate(one_sided.groupby("tokenizer", sort=False)):
        mark = MARKERS[place % len(MARKERS)]
        colour = style.PALETTE[(place + 3) % len(style.PALETTE)]
        ax.plot(
            own["answer tokens"],
            100 * own["share"],
            marker=mark,
            color=colour,
            label=short(name),
            linewidth=3 - place % 3,
            markersize=8 - 2 * (place % 3),
            linestyle=("-", "--", ":")[place % 3],
        )
    ax.set(xscale="log", ylim=(-3, 103), xlabel="answer tokens (of the base)")
    ax.set_ylabel("answers whose first token is\nlost alone only (%)")
    ax.legend(title="tokenizer", loc="best")
    for name, own in by_length.groupby("ratio", sort=False) if len(by_length) else ():
        ax, released = axes[0][1], name == RELEASED
        colour = RELEASED_COLOUR if released else ORIGINAL_COLOUR
        ends = [own["middle"] - own["low"], own["high"] - own["middle"]]
        ax.errorbar(own["answer tokens"] * (1.03 if released else 0.97), own["middle"], yerr=ends, marker="D" if released else "o",
                    color=colour, markerfacecolor=colour if released else "white", capsize=2, elinewidth=0.8, label=name)  # fmt: skip
    if len(by_length):
        ax.axhline(1, color=style.DARK_GREY, linewidth=1)
        ax.set_yscale("log", base=2)
        ax.yaxis.set_major_formatter("{x:g}")
        ax.set(
            xscale="log", xlabel="answer tokens (of the base)", ylabel="IFD: median and quartiles\n(above 1: set aside)"
        )
        ax.legend(title="the script's ratio", loc="best")
    for ax in axes[0]:
        ax.xaxis.set_major_formatter("{x:g}")
    return fig


def results(table: pd.DataFrame):
    """Score of the released form less that of the original, a panel per benchmark: parts as dots, and the interval."""
    drawn = in_units(table)
    names = list(drawn["benchmark"].unique())
    fig, axes = style.figure("full", 0.2 + 0.055 * drawn["deviation"].nunique(), columns=len(names), sharey=True, squeeze=False)  # fmt: skip
    for ax, name in zip(axes[0], names, strict=True):
        part = drawn[drawn["benchmark"] == name]
        scale = unit_of(part["unit"].iloc[0]).scale
        style.random_band(ax, *part.iloc[0][["random_low", "random_high"]], orient="v")
        dots = [scale * np.array(own) for own in part["differences"]]
        reach = part.assign(
            low=np.minimum(part["low"], [own.min() for own in dots]),
            high=np.maximum(part["high"], [own.max() for own in dots]),
        )
        limits = difference_limits(reach)
        for place, line in enumerate(part.to_dict("records")):
            ax.plot(
                dots[place],
                np.full(len(dots[place]), place + 0.22),
                ".",
                color=RELEASED_COLOUR,
                alpha=0.5,
                markersize=4,
            )
            draw_interval(ax, place, line["estimate"], [line["low"], line["high"]], limits, "D", RELEASED_COLOUR)
        ax.axvline(0, color=style.DARK_GREY, linewidth=1)
        _lines(ax, part["deviation"])
        ax.set(title=name, xlim=limits)
        first = part.iloc[0]
        note = f"grey: random's runs around their own mean\n{first['parts']} parts, {first['n_items']} items"
        ax.set_xlabel(f"{difference_label(first['in'], 'the original')}\n{note}")
    return fig


def _lines(ax, names) -> None:
    ax.set_yticks(range(len(names)), [in_lines(name, LABEL_WIDTH) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.6)


def _legend(ax, columns: int) -> None:
    handles, names = ax.get_legend_handles_labels()
    once = dict(zip(names, handles, strict=True))
    ax.legend(once.values(), once.keys(), loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns)
