"""Differences from random against what a budget buys: rows of each kind."""

import pandas as pd

from analysis.experiments.results import EQUAL_ROWS, Results
from analysis.methods import RANDOM
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label
from analysis.reporting.forest import limits
from analysis.reporting.trained_rows import Regime, few
from analysis.reporting.versus_random import in_units
from analysis.reporting.wording import in_lines
from analysis.statistics import BETTER, WORSE

CALLED = (BETTER, WORSE)  # verdicts that stand above and below their intervals
WORDS = 0.06  # of the span, above and below it, where they have room


def draw(table: pd.DataFrame, results: Results, regime: Regime, benchmark: str):
    """A figure of differences on a benchmark, a panel per method, rows per skill or cluster to the right; not saved.

    Filled marks are at equal rows, hollow ones at equal tokens; the grey bars are random's range at that budget; above what a
    verdict calls better and below what it calls worse stands the word, where the table has verdicts.
    """
    drawn = in_units(table)
    drawn = drawn[drawn["benchmark"] == benchmark]
    names = list(dict.fromkeys(drawn.sort_values("estimate", ascending=False)["method"]))
    across = min(4, len(names))
    down = -(-len(names) // across)
    fig, axes = style.figure(
        "full",
        0.09 + 0.27 * down if down == 1 else 0.06 + 0.27 * down,
        rows=down,
        columns=across,
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    scores = in_units(results.table)
    scores = scores[(scores["benchmark"] == benchmark) & (scores["method"] == RANDOM)]
    span = limits(drawn, ("low", "high"), dict.fromkeys([RANDOM, *names], drawn["estimate"]))
    titles = {name: in_lines(style.label(name), 26) for name in names}
    lines_of_title = max(title.count("\n") for title in titles.values())
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
            for place, line in zip(at, lines.to_dict("records"), strict=True):
                if line.get("verdict") in CALLED:  # on the side that is away from zero
                    above = line["verdict"] == BETTER
                    end = min(line["high"], span[1]) if above else max(line["low"], span[0])
                    ax.annotate(line["verdict"], (place * (1 if filled else 1.08), end), (0, 1.5 if above else -1.5),
                                textcoords="offset points", ha="center", va="bottom" if above else "top", fontsize=5.5,
                                path_effects=style.text_halo())  # fmt: skip
        ax.axhline(0, color=style.DARK_GREY, linewidth=1)
        room = WORDS * (span[1] - span[0])
        ax.set_ylim(span[0] - room, span[1] + room)  # an interval that is longer runs out of the panel
        ax.set_title("\n" * (lines_of_title - titles[name].count("\n")) + titles[name], fontsize="small")
    _axes(axes, len(names), drawn, regime)
    tokens = " · filled: at equal rows, hollow: at equal tokens" if drawn["design"].nunique() > 1 else ""
    bars = "intervals of the verdicts" if "verdict" in drawn else "95 % intervals"
    style.key(fig, f"{benchmark} · bars: {bars} · grey: range of random's runs{tokens}")
    return fig


def _axes(axes, n_methods: int, drawn: pd.DataFrame, regime: Regime) -> None:
    """Ticks at the budgets, what they count below the last panel of each column, no frame where there is no method."""
    at = sorted(regime.rows_per_kind(budget) for budget in drawn["budget"].unique())
    axes.flat[0].set_xscale("log")
    axes.flat[0].set_xlim(at[0] / 1.6, at[-1] * 1.6)
    for place, ax in enumerate(axes.flat):
        if place >= n_methods:
            ax.set_axis_off()
            continue
        ax.set_xticks(at, [few(rows) for rows in at])
        ax.tick_params(labelbottom=True)
        ax.minorticks_off()
        if place + axes.shape[1] >= n_methods:
            ax.set_xlabel(f"rows per {regime.kind}")
    for ax in axes[:, 0]:
        ax.set_ylabel(in_lines(difference_label(drawn["in"].iloc[0]), 22))
