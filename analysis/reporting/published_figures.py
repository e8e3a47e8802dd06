"""Pictures of published grids; none is saved."""

import numpy as np
import pandas as pd

from analysis import statistics
from analysis.experiments.benchmarks.result import POINTS
from analysis.experiments.published import RANDOM_DRAW
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label
from analysis.reporting.topics.published_grids import BASES


def by_budget(pooled: pd.DataFrame, differences: pd.DataFrame, random_sd: float, delta: float):
    """A panel per method: its pooled difference by budget with its interval, pools and bases as dots."""
    names, budgets = list(dict.fromkeys(pooled["method"])), sorted(pooled["budget"].unique())
    fig, axes = style.figure("full", 0.62, rows=2, columns=-(-len(names) // 2), sharex=True, sharey=True, squeeze=False)
    dots = differences.groupby(["method", "budget", *BASES])["difference"].mean().reset_index()
    for place, ax in enumerate(axes.flat):
        if place >= len(names):
            ax.set_axis_off()
            continue
        own, of_bases = pooled[pooled["method"] == names[place]], dots[dots["method"] == names[place]]
        style.random_band(ax, -POINTS.scale * random_sd, POINTS.scale * random_sd, 0)
        for end in (-delta, delta):
            ax.axhline(POINTS.scale * end, color=style.GREY, linewidth=0.8, linestyle=":")
        colour = style.PALETTE[place % len(style.PALETTE)]
        ax.scatter(
            of_bases["budget"], POINTS.scale * of_bases["difference"], s=6, color=colour, alpha=0.45, linewidth=0
        )
        ends = [POINTS.scale * (own["estimate"] - own["low"]), POINTS.scale * (own["high"] - own["estimate"])]
        ax.errorbar(
            own["budget"], POINTS.scale * own["estimate"], yerr=ends, fmt="o-", color=colour, capsize=2, markersize=4
        )
        ax.set_title(names[place], fontsize="small")
        ax.set_xscale("log")
        ax.set_xticks(budgets, [f"{budget / 1000:g}k" for budget in budgets])
        ax.minorticks_off()
        ax.tick_params(labelbottom=place + axes.shape[1] >= len(names))
        ax.set_xlabel("rows" if place + axes.shape[1] >= len(names) else "")
    for ax in axes[:, 0]:
        ax.set_ylabel(difference_label(POINTS.short))
    style.key(fig, "dots: a pool and base · bars: simultaneous 95 % intervals over these · grey: standard deviation of random draws · "
              f"dotted: ± {POINTS.scale * delta:g} points (δ)")  # fmt: skip
    return fig


def helped_shares(helped: pd.DataFrame) -> pd.DataFrame:
    """Share of the cells in which a method helps and hurts against the base, by budget; random draws first."""
    shares = helped.groupby(["method", "budget"])["verdict"].value_counts(normalize=True).unstack(fill_value=0.0)
    shares = shares.reindex(columns=[statistics.HELPS, statistics.HURTS], fill_value=0.0)
    first = [RANDOM_DRAW, *[name for name in dict.fromkeys(helped["method"]) if name != RANDOM_DRAW]]
    return shares.loc[first].reset_index()


def helps(shares: pd.DataFrame):
    """A panel per budget: bars to the right where rows help, to the left where they hurt."""
    budgets, names = sorted(shares["budget"].unique()), list(dict.fromkeys(shares["method"]))
    fig, axes = style.figure("full", 0.4, columns=len(budgets), sharex=True, sharey=True)
    for ax, budget in zip(axes, budgets, strict=True):
        own = shares[shares["budget"] == budget].set_index("method").loc[names]
        colours = [style.DARK_GREY if name == RANDOM_DRAW else style.PALETTE[1] for name in names]
        ax.barh(names, own[statistics.HELPS], color=colours)
        ax.barh(names, -own[statistics.HURTS], color=colours, alpha=0.45)
        ax.axvline(0, color=style.DARK_GREY, linewidth=1)
        ax.set(xlim=(-0.5, 0.5), ylim=(len(names) - 0.5, -0.5))
        ax.set_xticks([-0.25, 0, 0.25], ["25 %", "0", "25 %"])
        ax.set_title(f"{budget:,} rows", fontsize="small")
    fig.supxlabel("hurt ←  share of the cells  → help", fontsize="small")
    return fig


def dose_response(centred: pd.DataFrame):
    """A panel per representation: mean over cells by tenth, and a thin line for each pool and base."""
    names = list(dict.fromkeys(centred["representation"]))
    fig, axes = style.figure("full", 0.38, columns=len(names), sharey=True)
    for place, (ax, name) in enumerate(zip(axes, names, strict=True)):
        own = centred[centred["representation"] == name]
        wide = POINTS.scale * own.pivot_table(index=BASES, columns="quantile", values="difference")
        at = np.arange(1, wide.shape[1] + 1)
        ax.plot(at, wide.to_numpy().T, color=style.PALETTE[place], linewidth=0.6, alpha=0.4)
        ax.plot(at, wide.mean(), "o-", color=style.PALETTE[place], markersize=4)
        ax.axhline(0, color=style.DARK_GREY, linewidth=1)
        ax.set(title=name, xticks=at, xlabel="tenth of the distance (1 = nearest)")
    axes[0].set_ylabel("above the mean of\nall ten tenths (points)")
    return fig
