"""Pictures of what selecting costs; none is saved."""

import matplotlib.ticker as ticker
import pandas as pd

from analysis.experiments.timings import ALONE, SHARED
from analysis.methods import RANDOM
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label
from analysis.reporting.topics.cost_of_selection import LONGER
from analysis.reporting.versus_random import in_units

LEAST_SECONDS = 1e-3  # drawn
BY_CHANCE = (RANDOM, LONGER)


def name(method: str, rows: int = 0) -> str:
    """A method, or a random draw with its rows where these are told."""
    if method == LONGER:
        return "Random, more passes"
    return f"{style.label(method)}, {rows:,} rows" if rows and method == RANDOM else style.label(method)


def seconds(measured: pd.DataFrame):
    """Seconds against rows, both on log scales, a line per method; each method alone, and with sharing."""
    fig, axes = style.figure("full", 0.62, columns=2, sharex=True, sharey=True)
    fills = style.fills(measured["method"].unique())
    for ax, cost, title in zip(
        axes, (ALONE, SHARED), ("each method alone", "in this order, with sharing"), strict=True
    ):
        for method, own in measured[measured["cost"] == cost].groupby("method", sort=False):
            ax.plot(own["rows"], own["seconds"].clip(lower=LEAST_SECONDS), style.marker(method) + style.line(method), linewidth=1,
                    color=style.colour(method), fillstyle=fills[method], label=name(method))  # fmt: skip
        sizes = sorted(measured["rows"].unique())
        ax.set(xscale="log", yscale="log", title=title, xlabel="rows of the pool")
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.minorticks_off()
    axes[0].set_ylabel("seconds")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig


def hours(at_scale: pd.DataFrame, hardware: dict):
    """Hours of one device by method on a log scale: alone and with sharing, beside the hours of training."""
    drawn = at_scale[at_scale["hours"] > 0].sort_values("hours")
    fig, ax = style.figure("full", 0.22 + 0.035 * len(drawn))
    training = at_scale["training_hours"].iloc[0]
    for place, one in enumerate(drawn.to_dict("records")):
        ends = [one["shared_hours"] or one["hours"], one["hours"]]
        ax.plot(ends, [place, place], color=style.LIGHT_GREY, zorder=1)
        colour, marker = style.colour(one["method"]), style.marker(one["method"])
        ax.plot(one["hours"], place, marker, color=colour, zorder=3)
        if one["shared_hours"] > 0:
            ax.plot(one["shared_hours"], place, marker, color=colour, markerfacecolor="white", zorder=2)
        else:
            ax.annotate("0 with sharing", (one["hours"], place), xytext=(6, 0), textcoords="offset points", va="center",
                        fontsize="x-small", color=style.GREY)  # fmt: skip
    ax.axvline(training, color=style.DARK_GREY, linestyle="--", linewidth=1)
    ax.annotate(f"training on {hardware['budget']:,.0f} rows", (training, 1), xycoords=("data", "axes fraction"),
                xytext=(3, 2), textcoords="offset points", fontsize="x-small", color=style.DARK_GREY)  # fmt: skip
    ax.set_yticks(range(len(drawn)), [name(method) for method in drawn["method"]])
    ax.set(xscale="log", ylim=(-0.6, len(drawn) - 0.4))
    ax.set_xlabel(
        f"hours of one device to select from {hardware['rows']:,.0f} rows\nfilled: alone; hollow: with sharing, where that is less"
        "\n(sharing: without what methods that were run before it have stored)"
    )
    return fig


def gain(beside: pd.DataFrame):
    """Difference from random against all compute of a run, a panel per benchmark; the frontier as a line."""
    drawn = in_units(beside)
    benchmarks = list(drawn["benchmark"].unique())
    fig, axes = style.figure("full", 0.6, columns=len(benchmarks), squeeze=False, sharex=True)
    for ax, benchmark in zip(axes[0], benchmarks, strict=True):
        own = drawn[drawn["benchmark"] == benchmark]
        fills = style.fills(name for name in own["method"].unique() if name not in BY_CHANCE)
        best = own[own["on_frontier"]].sort_values("total")
        ax.plot(best["total"], best["estimate"], drawstyle="steps-post", color=style.LIGHT_GREY, linewidth=3, zorder=0,
                label="frontier")  # fmt: skip
        for one in own.to_dict("records"):
            by_chance = one["method"] in BY_CHANCE
            marker = "*" if one["method"] == LONGER else style.marker(one["method"])
            fill = fills.get(one["method"], "full")
            hollow = (by_chance and one["estimate"]) or fill == "none"  # white, so that the bar does not show through
            look = {"markerfacecolor": "white"} if hollow else {"fillstyle": fill}
            colour = style.DARK_GREY if by_chance else style.colour(one["method"])
            ends = [[one["estimate"] - one["low"]], [one["high"] - one["estimate"]]]
            ax.errorbar(one["total"], one["estimate"], yerr=ends, fmt=marker, color=colour, capsize=2,
                        label=name(one["method"], one["budget"]), **look)  # fmt: skip
        ax.axhline(0, color=style.DARK_GREY, linewidth=1, zorder=0)
        ax.set(xscale="log", title=benchmark, xlabel="floating-point operations,\nselecting and training")
        ax.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_minor_formatter(ticker.NullFormatter())
        ax.set_ylabel(difference_label(own["in"].iloc[0]))
    fig.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig
