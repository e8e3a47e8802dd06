"""What single runs were trained on, in tokens: a table, marks in a figure, and what differences they may explain."""

from collections.abc import Sequence

import pandas as pd
import seaborn as sns

from analysis.experiments.grid import ALIKE
from analysis.experiments.results import Results
from analysis.methods import BASE, RANDOM
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label
from analysis.reporting.palette import label
from analysis.reporting.versus_random import in_units
from analysis.reporting.wording import counted, listed
from analysis.statistics import BETTER, WORSE


def tokens_of_runs(results: Results) -> pd.DataFrame:
    """A line per trained run and benchmark: benchmark, method, name, budget, draw, tokens (of one pass, times the mean of
    random's), difference (of its score from the mean of random's, in units of `in_units`)."""
    runs, at = in_units(results.table), ["benchmark", "budget"]
    runs = runs[runs["method"] != BASE]
    random = runs[runs["method"] == RANDOM].groupby(at)[["tokens_trained", "score"]].mean()
    random = random.loc[pd.MultiIndex.from_frame(runs[at])]
    return pd.DataFrame({
        "benchmark": runs["benchmark"], "method": runs["method"], "name": runs["method"].map(label), "budget": runs["budget"], "draw": runs["draw"],
        "tokens": runs["tokens_trained"] / random["tokens_trained"].to_numpy(),
        "difference": runs["score"] - random["score"].to_numpy(), "in": runs["in"],
    }).reset_index(drop=True)  # fmt: skip


def token_findings(table: pd.DataFrame) -> list[str]:
    """Per benchmark which of the decided differences the tokens may explain, by the rule of the notebook."""
    return [_of_tokens(benchmark, part) for benchmark, part in table.groupby("benchmark", sort=False)]


def _of_tokens(benchmark: str, part: pd.DataFrame) -> str:
    least, most = (part.loc[part["tokens_ratio"].agg(end)] for end in ("idxmin", "idxmax"))
    ends = listed(
        list(dict.fromkeys(f"{line['tokens_ratio']:.2f} times ({label(line['method'])})" for line in (least, most)))
    )
    said = f"On {benchmark}, rows being equal, methods were trained on {ends} random's tokens: "
    called = part[part["verdict"].isin([BETTER, WORSE])]
    if called.empty:
        return f"{said}no difference is called, so there is none that they could explain."
    few, many = called["tokens_ratio"] < ALIKE, called["tokens_ratio"] > 1 / ALIKE
    worse = called["verdict"] == WORSE
    for_it, against_it, neither = (worse & few) | (~worse & many), (worse & many) | (~worse & few), ~few & ~many
    kinds = [(for_it, "the number of tokens may explain"), (against_it, "the number of tokens points the other way for"),
             (neither, f"tokens are about as many ({ALIKE} to {1 / ALIKE:.2f} times) for")]  # fmt: skip
    named = [f"{words} {listed([f'{label(line.method)} ({line.verdict}, {line.tokens_ratio:.2f} times)' for line in called[kind].itertuples()])}"
             for kind, words in kinds if kind.any()]  # fmt: skip
    return f"{said}of {counted(len(called), 'called difference')}, {'; '.join(named)}."


def draw(ax, runs: pd.DataFrame, title: str, methods: Sequence[str]) -> None:
    """A mark per run of one benchmark and budget, and the range of random's own runs.

    Parameters
    ----------
    runs : as of `tokens_of_runs`, with tokens, difference, name, method, in
    methods : of all panels, in the order of the legend
    """
    order = [label(method) for method in methods]
    sns.scatterplot(data=runs, x="tokens", y="difference", hue="name", hue_order=order, palette=style.palette(methods),
                    style="name", style_order=order, markers=style.markers(methods), s=36, ax=ax)  # fmt: skip
    style.random_band(ax, *runs.loc[runs["method"] == RANDOM, "difference"].agg(["min", "max"]), middle=0)
    ax.set(title=title, xlabel="tokens (times random's)", ylabel=difference_label(runs["in"].iloc[0]))


def legend(axes) -> None:
    """One legend for a grid of panels, right of its first row."""
    for ax in axes.flat:
        if ax is not axes[0, -1]:
            ax.get_legend().remove()
    sns.move_legend(axes[0, -1], "upper left", bbox_to_anchor=(1, 1), title="")
