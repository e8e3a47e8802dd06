"""Differences from random by group of items, as a map of colours and numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from analysis.reporting import style
from analysis.reporting.versus_random import FEWEST_IN_GROUP

MANY_GROUPS = 8  # beyond which their names have one line each, or neighbours would meet


def height(by_group: pd.DataFrame) -> float:
    """Height to width of a figure on which the names of all groups and a line for every method have room."""
    names, lines = by_group["group"].unique(), by_group["name"].nunique()
    longest = max(len(f"{name} (n 000)") for name in names)
    return 0.14 + 0.035 * lines + 0.007 * longest


def draw(ax, by_group: pd.DataFrame, full_colour: float = 1.0) -> None:
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
