"""Figures of the page that sums up: claims by verdict, and every comparison with random by its verdict."""

import pandas as pd
from matplotlib.colors import ListedColormap

from analysis.experiments.benchmarks.result import unit_of
from analysis.experiments.results import EQUAL_ROWS
from analysis.reporting import style
from analysis.reporting.answers import DEPENDS, FAILS, HOLDS, OPEN, UNTESTED, VERDICTS
from analysis.reporting.palette import label
from analysis.reporting.trained_rows import few
from analysis.reporting.wording import in_lines
from analysis.statistics import BETTER, NO_DIFFERENCE, WORSE

# Blue is for, red against, as in all maps of the suite; grey says nothing.
COLOURS = {HOLDS: "#0072B2", DEPENDS: "#E69F00", FAILS: "#D55E00", OPEN: style.GREY, UNTESTED: style.LIGHT_GREY}
CELLS = {WORSE: "#f0b195", "other": "#ececec", NO_DIFFERENCE: "#bfe3d5", BETTER: "#9cc5e6"}


def claims(table: pd.DataFrame):
    """A line per claim with a mark in the column of its verdict."""
    fig, ax = style.figure("full", 0.08 + 0.036 * len(table))
    names = [in_lines(f"{line.claim}", 75) for line in table.itertuples()]
    for row, verdict in enumerate(table["verdict"]):
        ax.plot(VERDICTS.index(verdict), row, "o", color=COLOURS[verdict], markersize=7, zorder=3)
    ax.set_yticks(range(len(table)), names)
    ax.set_xticks(range(len(VERDICTS)), [in_lines(name, 9) for name in VERDICTS])
    ax.set(xlim=(-0.5, len(VERDICTS) - 0.5), ylim=(len(table) - 0.5, -0.5))
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(True, axis="both", color=style.LIGHT_GREY, linewidth=0.5)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return fig


def comparisons(table: pd.DataFrame):
    """Estimate and verdict of every comparison with random: a panel per pool and base, a column per regime and design."""
    reports, methods = list(dict.fromkeys(table["report"])), list(dict.fromkeys(table["method"]))
    across = min(2, len(reports))
    down = -(-len(reports) // across)
    height = (0.14 + 0.045 * len(methods)) * down
    fig, axes = style.figure("full", height, rows=down, columns=across, sharey=True, squeeze=False)
    counted = {report: _counted(own) for report, own in table.groupby("report")}
    alike = len(set(counted.values())) == 1
    for ax, report in zip(axes.flat, reports, strict=False):
        _panel(ax, table[table["report"] == report], methods)
        ax.set_title(report.partition(".")[2])
        ax.set_xlabel("" if alike else in_lines(counted[report], 80 // across))
    for ax in axes.flat[len(reports) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set_yticks(range(len(methods)), [in_lines(label(name), 24) for name in methods])
    starred = "" if (table["design"] == EQUAL_ROWS).all() else "; * at random's tokens"
    said = counted[reports[0]] if alike else "below each panel what is counted in it"
    fig.supxlabel(f"{said}{starred}", fontsize=8)
    marks = [style.plt.Rectangle((0, 0), 1, 1, color=colour) for colour in CELLS.values()]
    names = [name if name != "other" else "undecided or no verdict" for name in CELLS]
    fig.legend(marks, names, loc="outside upper center", ncols=len(CELLS))
    return fig


def _counted(own: pd.DataFrame) -> str:
    """What the columns of a panel count, and what its cells do."""
    return f"rows per {own['kind'].iloc[0]}; in the cells the difference in {own['in'].iloc[0]}"


def _panel(ax, own: pd.DataFrame, methods: list[str]) -> None:
    own = own.assign(tokens=own["design"] != EQUAL_ROWS)
    columns = own[["rows_per_kind", "tokens"]].drop_duplicates().sort_values(["tokens", "rows_per_kind"])
    keys = list(columns.itertuples(index=False, name=None))
    codes = {verdict: place for place, verdict in enumerate(CELLS)}
    shade = pd.DataFrame(float("nan"), index=methods, columns=range(len(keys)))
    digits = 0 if len(keys) > 4 and own["estimate"].abs().max() >= 10 else unit_of(own["unit"].iloc[0]).digits
    for line in own.itertuples():
        place = keys.index((line.rows_per_kind, line.tokens))
        shade.loc[line.method, place] = codes.get(line.verdict, codes["other"])
        ax.text(place, methods.index(line.method), f"{line.estimate:+.{digits}f}", ha="center", va="center", size=6.5)
    ax.imshow(shade, cmap=ListedColormap(list(CELLS.values())), vmin=-0.5, vmax=len(CELLS) - 0.5, aspect="auto")
    ax.set_xticks(range(len(keys)), [f"{few(rows)}{' *' if tokens else ''}" for rows, tokens in keys])
    ax.tick_params(length=0)
    ax.grid(False)
    for edge in range(1, len(keys)):
        ax.axvline(edge - 0.5, color="white", linewidth=2)
    for edge in range(1, len(methods)):
        ax.axhline(edge - 0.5, color="white", linewidth=2)
