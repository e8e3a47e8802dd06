"""How comparisons with random selection are drawn: the same marks in every notebook."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.experiments.results import Results
from analysis.methods import BASE, RANDOM
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label
from analysis.reporting.versus_random import in_units
from analysis.reporting.wording import agreeing, in_lines
from analysis.statistics import NO_DIFFERENCE, interval_of_mean

LABEL_WIDTH = 24  # characters, beyond which the name of a method has two lines
NARROW = 29  # characters of a line below each of three panels or more beside one another
KEY = "dots: runs · bars: intervals {of} · grey: range of random's runs · dotted: ± δ, the smallest difference that matters{base}"
SHORT = {NO_DIFFERENCE: "< δ"}  # beside an interval


def draw(
    table: pd.DataFrame, results: Results, *, panels: str = "benchmark", columns: str = "", decides: bool = False,
    named: Callable[[object], str] = str,
):  # fmt: skip
    """A figure of differences from random, a panel per benchmark or design, and per budget side by side; not saved.

    A line per method, random's own runs on top: the estimate with its interval, single runs as dots, random's range as a
    band, ± δ as dotted lines, the base without fine-tuning as a dashed line. Intervals that leave the axis end in an arrow.

    Parameters
    ----------
    table : what `versus_random` gives.
    results : the runs behind it.
    panels, columns : the columns of `table` whose values have a row, and a column, of panels.
    decides : whether the intervals are those that go with the verdicts, which then stand beside them, or of each method
        by itself at 95 %.
    named : how the values of `columns` are written.
    """
    drawn = in_units(table)
    rows, across = list(drawn[panels].unique()), _sorted(drawn[columns].unique()) if columns else [None]
    fig, axes = style.figure("full", _height(drawn, [panels, columns] if columns else [panels]) * len(rows), rows=len(rows),
                             columns=len(across), sharey=bool(columns) and "row", squeeze=False)  # fmt: skip
    parts = {(row, value): drawn[(drawn[panels] == row) & (drawn[columns] == value if columns else True)]
             for row in rows for value in across}  # fmt: skip
    ends = ("low", "high") if decides else ("alone_low", "alone_high")
    dots = {at: _dots(part, results) for at, part in parts.items() if len(part)}
    spans = {at: limits(parts[at], ends, own) for at, own in dots.items()}
    if panels != "benchmark":  # panels of one scale are read beside one another
        lows, highs = zip(*spans.values(), strict=True)
        spans = dict.fromkeys(spans, (min(lows), max(highs)))
    order = list(drawn.groupby("method")["estimate"].mean().sort_values(ascending=False).index) if columns else []
    for row, of_row in zip(rows, axes, strict=True):
        for value, ax in zip(across, of_row, strict=True):
            at, part = (row, value), parts[row, value]
            if part.empty:
                ax.set_axis_off()
                continue
            titles = [row if panels == "benchmark" else f"{part['benchmark'].iloc[0]}, {row}"]
            titles += [named(value)] if columns else []
            lines = (
                part.set_index("method").loc[[name for name in order if name in set(part["method"])]].reset_index()
                if columns
                else part.sort_values("estimate", ascending=False)
            )
            title, narrow = "\n".join(titles), len(across) > 2
            title = title.replace(", ", ",\n") if narrow else title
            _panel(ax, lines, dots[at], ends, spans[at], title, decides=decides)
            if narrow:
                ax.set_xlabel("\n".join(in_lines(line, NARROW) for line in ax.get_xlabel().split("\n")))
    base = " · dashed: the base" if any(line.get_linestyle() == "--" for ax in fig.axes for line in ax.lines) else ""
    style.key(fig, KEY.format(of="of the verdicts" if decides else "at 95 %", base=base))
    return fig


def _height(drawn: pd.DataFrame, by: list[str]) -> float:
    """Height of a panel to the figure's width, so that names of two lines do not meet."""
    lines = 1 + drawn.groupby(by)["method"].nunique().max()  # with random's
    in_name = max(in_lines(style.label(name), LABEL_WIDTH).count("\n") + 1 for name in drawn["method"].unique())
    return max(0.28, 0.16 + max(0.036, 0.012 + 0.017 * in_name) * lines)


def _sorted(values) -> list:
    """Numbers by size, names as they come."""
    return sorted(values) if pd.api.types.is_numeric_dtype(values) else list(values)


def _dots(lines: pd.DataFrame, results: Results) -> dict[str, pd.Series]:
    """The runs of a panel by method, each minus the mean of random's."""
    first, runs = lines.iloc[0], in_units(results.table)
    runs = runs[(runs["benchmark"] == first["benchmark"]) & runs["budget"].isin([first["budget"], 0])]
    random = runs.loc[runs["method"] == RANDOM, "score"]
    middle = random.mean()
    dots = {name: own["score"] - middle for name, own in runs[runs["design"] == first["design"]].groupby("method")}
    dots[RANDOM] = random - middle
    if (runs["method"] == BASE).any():
        dots[BASE] = runs.loc[runs["method"] == BASE, "score"] - middle  # of no design
    return dots


def _panel(
    ax, lines: pd.DataFrame, dots: dict[str, pd.Series], ends: tuple[str, str], span: tuple[float, float], title: str, *,
    decides: bool,
) -> None:  # fmt: skip
    first, names = lines.iloc[0], [RANDOM, *lines["method"]]
    style.margin(ax, float(first["delta"]))
    style.random_band(ax, dots[RANDOM].min(), dots[RANDOM].max(), orient="v")
    for place, name in enumerate(names):
        ax.plot(
            dots[name],
            np.full(len(dots[name]), place + 0.18),
            ".",
            color=style.colour(name),
            alpha=0.5,
            markersize=4,
        )
    for place, line in enumerate(lines.to_dict("records"), start=1):
        marker, colour = style.marker(line["method"]), style.colour(line["method"])
        draw_interval(ax, place, line["estimate"], [line[end] for end in ends], span, marker, colour)
        if decides:
            beside = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "fontsize": "x-small"}
            words = SHORT.get(line["verdict"], line["verdict"])
            ax.annotate(words, (1, place), xycoords=("axes fraction", "data"), **beside)
    ax.set_yticks(range(len(names)), [in_lines(style.label(name), LABEL_WIDTH) for name in names], linespacing=0.9)
    counts = sorted({lines["n_runs"].min(), lines["n_runs"].max()})
    n_runs = f"{' to '.join(map(str, counts))} {agreeing(counts[-1], 'run', 'runs')}"
    n = f"{n_runs}, {first['n_random']} random, {first['n_items']} items"
    ax.set(xlim=span, ylim=(len(names) - 0.4, -0.6), title=title)
    ax.set_xlabel(f"{difference_label(first['in'])}\n{n}{_base_line(ax, dots.get(BASE), span)}")


def limits(lines: pd.DataFrame, ends: tuple[str, str], dots: dict[str, pd.Series]) -> tuple[float, float]:
    """Ends of the axis: all that is an estimate or a run, intervals as far as they do not hide these, and twice δ."""
    delta = 2 * lines["delta"].max()
    seen = pd.concat(
        [lines["estimate"], pd.Series([-delta, delta]), *(dots[name] for name in [RANDOM, *lines["method"]])]
    )
    room = 0.8 * seen.abs().max()
    low = max(lines[ends[0]].min(), seen.min() - room)
    high = min(lines[ends[1]].max(), seen.max() + room)
    low, high = min(low, seen.min()), max(high, seen.max())
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def draw_interval(
    ax, place: int, middle: float, ends: list[float], span: tuple[float, float], marker: str, colour: str
) -> None:
    """An estimate with its interval; an end beyond the axis becomes an arrow."""
    inside = [max(ends[0], span[0]), min(ends[1], span[1])]
    ax.errorbar(middle, place, xerr=[[middle - inside[0]], [inside[1] - middle]], fmt=marker, color=colour, capsize=2)
    for edge, arrow, beyond in ((span[0], "<", ends[0] < span[0]), (span[1], ">", ends[1] > span[1])):
        if beyond:
            ax.plot(edge, place, arrow, color=colour, markersize=5, clip_on=False)


def _base_line(ax, base: pd.Series | None, span: tuple[float, float]) -> str:
    """The base without fine-tuning as a dashed line; in words where that would be outside of the axis."""
    if base is None:
        return ""
    if not span[0] <= base.iloc[0] <= span[1]:
        return f", base at {base.iloc[0]:+.3g}"
    ax.axvline(base.iloc[0], color=style.GREY, linestyle="--", linewidth=1, zorder=1)
    return ""


def budget_means(part: pd.DataFrame) -> pd.DataFrame:
    """Mean score and its 95 % t interval per budget, of lines through `in_units`."""
    lines = []
    for budget, group in part.groupby("budget"):
        mean, low, high = interval_of_mean(group["score"].to_numpy())
        lines.append({"budget": budget, "mean": mean, "low": low, "high": high, "runs": len(group)})
    return pd.DataFrame(lines)


def not_base(results: Results) -> pd.DataFrame:
    """Lines of the runs that were trained, through `in_units`."""
    return in_units(results.table[results.table["method"] != BASE])
