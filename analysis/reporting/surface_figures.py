"""How the surface of quality and diversity is drawn: effects, exchange rates, the plane and what it foretells."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.experiments.results import Results
from analysis.methods import RANDOM
from analysis.reporting import style
from analysis.statistics.surface import EFFECTS, Surface, exchange_rate

MARKS = ("s", "^", "D", "v", "P")
CONTOURS = 7


def random_of(ax, results: Sequence[Results], benchmark: str, budget: int, scale: float) -> None:
    """The band of random draws of a budget, from the lowest to the highest, with their mean."""
    runs = pd.concat([one.runs for one in results if one.benchmarks])
    asked = (runs["benchmark"] == benchmark) & (runs["budget"] == budget) & (runs["method"] == RANDOM)
    scores = scale * runs.loc[asked, "score"]
    style.random_band(ax, scores.min(), scores.max(), scores.mean())
    style.note(ax, "grey: range and mean of random draws", "upper left")


def skill_axis(ax, counts, title: str, y: str) -> None:
    """Skills covered, by their logarithm, with a tick at each count; a legend of the share correct."""
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted(counts), [f"{count:g}" for count in sorted(counts)])
    ax.minorticks_off()
    ax.set(title=title, xlabel="skills covered, at equal counts", ylabel=y)
    if ax.get_legend():
        ax.legend(*ax.get_legend_handles_labels(), title="correct rows (%)", loc="center left", bbox_to_anchor=(1, 0.5))


def draw_effects(ax, effects: pd.DataFrame, scale: float, unit: str) -> None:
    """Effects by line, budgets by colour and mark, with their intervals; right of zero raises the score."""
    budgets = list(effects["budget"].unique())
    for place, (budget, lines) in enumerate(effects.groupby("budget", sort=False)):
        lines = lines[np.isfinite(lines["low"])].set_index("effect")
        at = [EFFECTS.index(effect) + 0.16 * (place - (len(budgets) - 1) / 2) for effect in lines.index]
        ends = [lines["estimate"] - lines["low"], lines["high"] - lines["estimate"]]
        ax.errorbar(scale * lines["estimate"], at, xerr=scale * np.array(ends), fmt=MARKS[place % len(MARKS)], capsize=2,
                    color=style.PALETTE[place + 1], label=f"{budget:,} rows")  # fmt: skip
    ax.axvline(0, color=style.DARK_GREY, linewidth=1)
    ax.set_yticks(range(len(EFFECTS)), [name.replace(" correct", "\ncorrect").replace(" many", " many\n") for name in EFFECTS])  # fmt: skip
    ax.set(ylim=(len(EFFECTS) - 0.5, -0.5), xlabel=f"effect on the score ({unit})")
    style.note(ax, "intervals over parts (Holm)", "lower right")
    ax.legend(loc="best")


def rates(surfaces: dict[int, Surface]) -> pd.DataFrame:
    """Exchange rate by budget, in points of correctness: budget, rate, low, high, defined (1 or 0; then all are 0)."""
    lines = []
    for budget, surface in surfaces.items():
        found = 100 * np.array(exchange_rate(surface))
        defined = bool(np.isfinite(found).all())
        lines.append([budget, *(found if defined else (0.0, 0.0, 0.0)), int(defined)])
    return pd.DataFrame(lines, columns=["budget", "rate", "low", "high", "defined"])


def draw_rates(ax, table: pd.DataFrame) -> None:
    """What a doubling of the skills is worth in points of correctness, by budget; in words where it is not defined."""
    for place, line in enumerate(table.itertuples()):
        if not line.defined:
            ax.annotate("not defined", (0.5, place), xycoords=("axes fraction", "data"), ha="center", va="center")
            continue
        ends = [[line.rate - line.low], [line.high - line.rate]]
        mark = MARKS[place % len(MARKS)]
        ax.errorbar(line.rate, place, xerr=ends, fmt=mark, capsize=2, color=style.PALETTE[place + 1])
    if table["defined"].any():
        ax.axvline(0, color=style.DARK_GREY, linewidth=1)
    else:
        ax.set_xticks([])
    ax.set_yticks(range(len(table)), [f"{budget:,} rows" for budget in table["budget"]])
    ax.set(ylim=(len(table) - 0.5, -0.5), xlabel="points of correct rows that\ntwice as many skills are worth")


def draw_plane(ax, surface: Surface, scored: pd.DataFrame, scale: float) -> None:
    """Lines of equal fitted score over share correct and skills, and where selections lie; random draws are grey dots."""
    both = [np.concatenate([surface.runs[name], scored[name]]) for name in ("correct", "skills")]
    correct = np.linspace(both[0].min() - 0.02, min(both[0].max() + 0.02, 1.02), 60)
    skills = np.geomspace(both[1].min() / 1.1, 1.15 * both[1].max(), 60)
    drawn = ax.contour(100 * correct, skills, scale * surface.predict(*np.meshgrid(correct, skills)), CONTOURS,
                       colors=style.LIGHT_GREY, linewidths=0.8)  # fmt: skip
    ax.clabel(drawn, fontsize="x-small", colors=style.GREY)
    ends = [surface.runs[name].agg(["min", "max"]).to_numpy() for name in ("correct", "skills")]
    (left, right), (low, high) = ends
    ax.plot(100 * np.array([left, right, right, left, left]), [low, low, high, high, low], ":", color=style.GREY)
    for method, own, look in _looks(scored):
        some = own if method == RANDOM else own[["correct", "skills"]].mean().to_frame().T
        ax.plot(100 * some["correct"], some["skills"], **look, label=_name(method),
                markersize=4 if method == RANDOM else 7, alpha=0.6 if method == RANDOM else 1)  # fmt: skip
    ax.set_title("lines: fitted score; frame: what was built", fontsize="small", fontweight="normal")
    counts = sorted(surface.runs["skills"].unique())
    ax.set_yscale("log")
    ax.set_yticks(counts, [f"{count:g}" for count in counts])
    ax.minorticks_off()
    ax.set(xlabel="rows without a fault (%)", ylabel="effective number of skills")


def draw_foretold(ax, table: pd.DataFrame, scored: pd.DataFrame, scale: float) -> None:
    """Observed against foretold score by method, runs as small dots; the band is the range of random draws."""
    random = scale * scored.loc[scored["method"] == RANDOM, "score"]
    style.random_band(ax, random.min(), random.max())
    foretold = dict(zip(table["method"], scale * table["predicted"], strict=True))
    for method, own, look in _looks(scored):
        ax.plot(np.full(len(own), foretold[method]), scale * own["score"], ".", color=style.colour(method), alpha=0.4, markersize=4)  # fmt: skip
        ax.plot(foretold[method], scale * own["score"].mean(), **look, markersize=7)
    ends = np.array([*foretold.values(), *(scale * scored["score"])])
    ax.set_title("dashed: reached as foretold", fontsize="small", fontweight="normal")
    ax.axline((ends.min(), ends.min()), slope=1, color=style.GREY, linestyle="--", linewidth=1)


def draw_proxies(axes, scored: pd.DataFrame, names: tuple[str, ...]) -> None:
    """Score against each measure, a panel each: random draws as grey dots with their band, methods as means."""
    for ax, name in zip(axes.flat, names, strict=True):
        random = scored.loc[scored["method"] == RANDOM, "score"]
        style.random_band(ax, random.min(), random.max())
        for method, own, look in _looks(scored):
            some = own if method == RANDOM else own[[name, "score"]].mean().to_frame().T
            ax.plot(some[name], some["score"], **look, label=_name(method),
                    markersize=4 if method == RANDOM else 7, alpha=0.6 if method == RANDOM else 1)  # fmt: skip
        ax.set(xlabel=name)
        ax.locator_params(axis="x", nbins=5)


def _looks(scored: pd.DataFrame) -> list[tuple[str, pd.DataFrame, dict]]:
    """Every method's lines and its mark, random first; variants of one method are told apart by how marks are filled."""
    groups = dict(list(scored.groupby("method", sort=False)))
    fills = style.fills(groups)
    return [
        (method, groups[method], {"marker": style.marker(method), "color": style.colour(method), "fillstyle": fills[method],
                                  "linestyle": "none"})
        for method in sorted(groups, key=lambda name: name != RANDOM)
    ]  # fmt: skip


def _name(method: str) -> str:
    return "random draws (band: their range)" if method == RANDOM else style.label(method)
