"""Single runs of a comparison by the tokens that they were trained on; none is saved."""

import pandas as pd
import seaborn as sns

from analysis.methods import RANDOM
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label


def draw(ax, runs: pd.DataFrame, title: str) -> None:
    """A mark per run of one benchmark and budget, and the range of random's own runs.

    Parameters
    ----------
    runs : as of `real_model.tokens_of_runs`, with tokens, difference, name, method, in
    """
    named = list(dict.fromkeys(runs["method"]))
    sns.scatterplot(data=runs, x="tokens", y="difference", hue="name", style="name", palette=style.palette(named),
                    markers=style.markers(named), s=36, ax=ax)  # fmt: skip
    style.random_band(ax, *runs.loc[runs["method"] == RANDOM, "difference"].agg(["min", "max"]), middle=0)
    ax.set(title=title, xlabel="tokens (times random's)", ylabel=difference_label(runs["in"].iloc[0]))


def legend(axes) -> None:
    """One legend for a grid of panels, right of its first row."""
    for ax in axes.flat:
        if ax is not axes[0, -1]:
            ax.get_legend().remove()
    sns.move_legend(axes[0, -1], "upper left", bbox_to_anchor=(1, 1), title="")
