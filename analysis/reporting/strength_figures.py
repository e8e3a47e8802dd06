"""Figures along a ladder of bases; none is saved here."""

import numpy as np
import pandas as pd

from analysis.methods import BASE, RANDOM
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label, difference_limits, score_axis
from analysis.reporting.versus_random import in_units
from analysis.statistics import HELPS, HURTS

SIGNS = {HELPS: "helps", HURTS: "hurts"}


def value(values: pd.DataFrame):
    """Difference from random against the base's own loss, a panel per benchmark, a line per method with its intervals."""
    drawn = in_units(values)
    fig, axes = style.figure("full", 0.55, columns=drawn["benchmark"].nunique(), squeeze=False)
    for ax, (benchmark, lines) in zip(axes.flat, drawn.groupby("benchmark", sort=False), strict=True):
        rungs = _axis(ax, lines, benchmark)
        _random_bars(ax, rungs, 0)
        ax.axhline(0, color=style.DARK_GREY, linewidth=1)
        for place, (method, own) in enumerate(lines.groupby("method", sort=False)):
            own = own.sort_values("competence")
            ends = np.array([own["estimate"] - own["low"], own["high"] - own["estimate"]])
            ax.errorbar(_beside(own, rungs, place), own["estimate"], yerr=np.where(np.isfinite(ends), ends, 0), capsize=2, markersize=4,
                        fmt=style.marker(method) + style.line(method), color=style.colour(method), label=style.label(method))  # fmt: skip
        ax.set(ylim=difference_limits(lines, room=0.15), ylabel=difference_label(lines["in"].iloc[0]))
        first = lines.iloc[0]
        style.note(ax, f"{first['n_runs']} / {first['n_random']} runs; bars: intervals of the verdicts", "lower left")
    _legend(fig, axes, "range of random's runs")
    return fig


def scores(values: pd.DataFrame, gains: pd.DataFrame):
    """What is reached by random selection and methods, and by the base alone, against the base's own loss; a panel per benchmark."""
    drawn = in_units(values)
    fig, axes = style.figure("full", 0.55, columns=drawn["benchmark"].nunique(), squeeze=False)
    for ax, (benchmark, lines) in zip(axes.flat, drawn.groupby("benchmark", sort=False), strict=True):
        rungs = _axis(ax, lines, benchmark)
        _random_bars(ax, rungs, rungs["random_score"])
        ax.plot(
            rungs["loss"],
            rungs["random_score"],
            "o-",
            color=style.colour(RANDOM),
            markersize=4,
            label=style.label(RANDOM),
        )
        for place, (method, own) in enumerate(lines.groupby("method", sort=False)):
            own = own.sort_values("competence")
            ax.plot(_beside(own, rungs, place), own["score"], style.marker(method) + style.line(method), markersize=4, linewidth=1,
                    color=style.colour(method), label=style.label(method))  # fmt: skip
        ax.plot(rungs["loss"], rungs["base_score"], "x:", color=style.colour(BASE), label="the base alone")
        told = gains[(gains["benchmark"] == benchmark) & (gains["method"] == RANDOM)].set_index("rung")["verdict"]
        for line in rungs.to_dict("records"):
            text = SIGNS.get(told[line["rung"]], "?")
            ax.annotate(text, (line["loss"], 0.97), xycoords=("data", "axes fraction"), ha="center", va="top", fontsize="x-small",
                        color=style.DARK_GREY, path_effects=style.text_halo())  # fmt: skip
        ax.margins(y=0.15)
        score_axis(ax, lines["in"].iloc[0])
    _legend(fig, axes, "range of random's runs")
    return fig


def _axis(ax, lines: pd.DataFrame, title: str) -> pd.DataFrame:
    """The base's own loss from left to right with the base's name above it; returns a line per base with `loss`."""
    rungs = lines.drop_duplicates("rung").sort_values("competence").assign(loss=lambda table: -table["competence"])
    ax.set_title(title, pad=44)
    ax.set_xlabel("the base's own loss on plain text (nats a token)\nstronger bases to the right")
    span = max(float(np.ptp(rungs["loss"])), 1e-6)
    ax.set_xlim(rungs["loss"].max() + 0.12 * span, rungs["loss"].min() - 0.12 * span)
    for line in rungs.to_dict("records"):
        ax.annotate(line["rung"], (line["loss"], 1), xytext=(0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                    rotation=35, ha="left", va="bottom", fontsize="x-small", color=style.DARK_GREY)  # fmt: skip
    return rungs


def _random_bars(ax, rungs: pd.DataFrame, middle) -> None:
    ax.vlines(rungs["loss"], middle + rungs["random_low"], middle + rungs["random_high"], color=style.GREY, linewidth=7, alpha=0.4,
              label="range of random's runs")  # fmt: skip


def _beside(own: pd.DataFrame, rungs: pd.DataFrame, place: int) -> pd.Series:
    """The losses of a method's lines, moved a little so that intervals of several methods do not hide each other."""
    return -own["competence"] - 0.012 * (place + 1) * float(np.ptp(rungs["loss"]))


def _legend(fig, axes, last: str) -> None:
    handles, names = axes.flat[0].get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda place: names[place] == last)
    fig.legend(
        [handles[place] for place in order], [names[place] for place in order], loc="outside upper center", ncols=3
    )
