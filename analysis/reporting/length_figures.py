"""Figures about the effect of length; none is saved here."""

import numpy as np
import pandas as pd

from analysis.experiments.results import EQUAL_ROWS
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label, difference_limits
from analysis.reporting.topics.length_effects import LONGEST, name_of
from analysis.reporting.versus_random import in_units

NAMES = 0.18  # of the panel's height, below all marks, where the names of the bands stand


def bands(by_band: pd.DataFrame):
    """Difference from random against the answer length of the rows trained on, a panel per benchmark."""
    drawn = in_units(by_band)
    fig, axes = style.figure("full", 0.5, columns=drawn["benchmark"].nunique(), squeeze=False)
    for ax, (benchmark, part) in zip(axes.flat, drawn.groupby("benchmark", sort=False), strict=True):
        style.random_band(ax, part["random_low"].min(), part["random_high"].max(), middle=0)
        for place, (design, lines) in enumerate(part.groupby("design", sort=False)):
            _errors(
                ax,
                lines,
                lines["answer tokens"] * (1 + 0.05 * place),
                filled=design == EQUAL_ROWS,
                label=_design(design),
            )
        for line in part[part["design"] == EQUAL_ROWS].to_dict("records"):
            ax.annotate(line["what"], (line["answer tokens"], 0.02), xycoords=("data", "axes fraction"),
                        ha="center", fontsize="x-small", color=style.GREY, rotation=90, va="bottom", path_effects=style.text_halo())  # fmt: skip
        n = f"95 %, {part['n_runs'].min()} to {part['n_runs'].max()} runs; grey: range of {part['n_random'].iloc[0]} random runs"
        ax.set(xscale="log", title=benchmark, ylabel=difference_label(part["in"].iloc[0]))
        ax.set_xlabel(f"mean answer tokens of the rows trained on\n{n}")
        _plain_ticks(ax, part["answer tokens"])
        ax.set_ylim(difference_limits(part))
        bottom, top = ax.get_ylim()
        ax.set_ylim(bottom - NAMES * (top - bottom), top)
    handles, names = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper right", ncols=len(names))
    return fig


def pieces(table: pd.DataFrame, benchmark: str):
    """Longest-first with one thing after the other held fixed, a panel per kind of pool, on one benchmark."""
    drawn = in_units(table[table["benchmark"] == benchmark])
    parts = list(drawn.groupby("pool", sort=False))
    heights = [len(part) + 1.2 for _, part in parts]
    fig, axes = style.figure("full", 0.08 + 0.055 * sum(heights), rows=len(parts), sharex=True, squeeze=False,
                             gridspec_kw={"height_ratios": heights})  # fmt: skip
    for ax, (pool, part) in zip(axes.flat, parts, strict=True):
        places = np.arange(len(part))
        ax.barh(
            places,
            part["random_high"] - part["random_low"],
            left=part["random_low"],
            height=0.7,
            color=style.LIGHT_GREY,
            zorder=0,
        )
        for place, line in zip(places, part.to_dict("records"), strict=True):
            ax.errorbar(line["estimate"], place, xerr=[[line["estimate"] - line["low"]], [line["high"] - line["estimate"]]],
                        fmt=style.marker(LONGEST), color=style.colour(LONGEST), capsize=2)  # fmt: skip
            words = f"{line['tokens_ratio']:.1f} × tokens\n{line['n_runs']} / {line['n_random']} runs"
            ax.annotate(
                words,
                (1.01, place),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize="x-small",
                color=style.DARK_GREY,
            )
        ax.axvline(0, color=style.DARK_GREY, linewidth=1)
        ax.set(yticks=places, yticklabels=part["what"], ylim=(len(part) - 0.5, -0.5), title=pool)
        ax.set_xlim(difference_limits(drawn))
    axes.flat[-1].set_xlabel(
        f"{benchmark}: longest, {difference_label(drawn['in'].iloc[0])}\nbars: 95 % interval, grey: range of random's runs (beside: runs of longest / of random)"
    )
    return fig


def scores(table: pd.DataFrame):
    """Correlation of each score with answer length, and of what is left of it without length."""
    fig, ax = style.figure("full", 0.16 + 0.05 * len(table))
    places = np.arange(len(table))
    for place, line in zip(places, table.to_dict("records"), strict=True):
        colour = style.colour(line["method"])
        ax.plot([line["correlation"], line["correlation left"]], [place, place], color=style.LIGHT_GREY, zorder=0)
        ax.errorbar(line["correlation"], place, xerr=[[line["correlation"] - line["low"]], [line["high"] - line["correlation"]]],
                    fmt=style.marker(line["method"]), color=colour, capsize=2)  # fmt: skip
        ax.plot(line["correlation left"], place, style.marker(line["method"]), color=colour, markerfacecolor="white")
        words = (
            f"{line['rows']:,} rows: length explains\n{line['explained']:.0%}, {line['kept']:.0%} of the chosen kept"
        )
        ax.annotate(words, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize="x-small")
    ax.axvline(0, color=style.DARK_GREY, linewidth=1)
    ax.set(
        xlim=(-1.05, 1.05),
        yticks=places,
        yticklabels=[name_of(name) for name in table["method"]],
        ylim=(len(table) - 0.5, -0.5),
    )
    ax.set_xlabel(
        "Spearman's correlation with answer tokens\nfilled: the score, with its 95 % interval; hollow: what is left of it without length"
    )
    return fig


def _errors(ax, lines: pd.DataFrame, at, filled: bool, label: str) -> None:
    ends = [lines["estimate"] - lines["low"], lines["high"] - lines["estimate"]]
    colour = style.colour(LONGEST)
    ax.errorbar(at, lines["estimate"], yerr=ends, fmt=style.marker(LONGEST) + ("-" if filled else ":"), color=colour, capsize=2,
                markersize=4, markerfacecolor=None if filled else "white", label=label)  # fmt: skip


def _design(design: str) -> str:
    return f"{design.replace('equal', 'as many')} as random"


def _plain_ticks(ax, lengths: pd.Series) -> None:
    ticks = [
        tick
        for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
        if lengths.min() / 1.5 <= tick <= lengths.max() * 1.5
    ]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
