"""Is the top of a score its best part? Runs on equal slices of the ranking, and whether a score predicts results."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.experiments import designed
from analysis.experiments.benchmarks.result import unit_of
from analysis.experiments.results import Results, Run
from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM
from analysis.reporting import style
from analysis.reporting.axis_labels import difference_label
from analysis.reporting.palette import label
from analysis.reporting.versus_random import unit_in
from analysis.reporting.wording import counted, gained_in, with_interval
from analysis.statistics import interval_of_mean, rank_correlation_interval
from analysis.subsets.diversity import places

NOT_TRAINED = "Nothing was fine-tuned (trained_sizes is empty): no selection, slice or score is held against a result."
VALIDITY = ["benchmark", "score", "method", "correlation", "low", "high", "draws"]


def most_slices(work: Workbench, asked: Mapping[str, int], budget: int) -> dict[str, int]:
    """By score, as many equal slices as were asked for, or as leave each with `budget` rows in every part.

    ValueError where a method gives no score to rows.
    """
    counts = {}
    for method, slices in asked.items():
        scores = [part.select(method, budget).scores for part in work.parts]
        if any(own is None for own in scores):
            raise ValueError(f"slices: {method} chooses a set and gives no score to rows, so its ranking has no slices")
        counts[method] = max(1, min([slices, *(int(np.isfinite(own).sum()) // budget for own in scores)]))
    return counts


def name_of(method: str, number: int, count: int) -> str:
    """What the runs on a slice are called; 1 is the highest score."""
    return f"{method}, slice {number} of {count}"


def plan(work: Workbench, method: str, budget: int, count: int) -> list[Run]:
    """Runs on `budget` rows drawn from each of `count` slices of the ranking, one from every part; best first."""

    def choose(number: int):
        def rows_of(part: Workbench, rng: np.random.Generator) -> np.ndarray:
            scores = part.select(method, budget).scores
            ranked = np.argsort(-scores, kind="stable")[: np.isfinite(scores).sum()]
            return rng.choice(np.array_split(ranked, count)[number - 1], budget, replace=False)

        return rows_of

    runs = []
    for number in range(1, count + 1):
        runs += designed.runs_of(work, name_of(method, number, count), choose(number), budget)
    return runs


def by_slice(results: Results, benchmark: str, method: str, budget: int, count: int) -> pd.DataFrame:
    """Difference of each slice's run from random's mean by part: method, slice, part, difference."""
    random = results.items(RANDOM, benchmark, budget).mean()
    lines = []
    for number in range(1, count + 1):
        scores = results.items(name_of(method, number, count), benchmark).mean(axis=1)
        lines += [{"method": label(method), "slice": number, "part": part, "difference": score - random}
                  for part, score in enumerate(scores)]  # fmt: skip
    return pd.DataFrame(lines)


def top_against_upper_half(
    results: Results, benchmark: str, method: str, budget: int, count: int
) -> tuple[float, float, float, int]:
    """The method's own selection minus the mean of the slices of the upper half, by part: mean, 95 % t interval, parts.

    Below 0 the very top is worse than what lies under it: the winner's curse.
    """
    upper = [results.items(name_of(method, number, count), benchmark).mean(axis=1)
             for number in range(1, max(count // 2, 1) + 1)]  # fmt: skip
    differences = results.items(method, benchmark, budget).mean(axis=1) - np.mean(upper, axis=0)
    return *interval_of_mean(differences), len(differences)


def draw(results: Results, counts: Mapping[str, int], budget: int):
    """Difference from random by slice of the ranking, a row of panels per score, with the very top as a star; not saved."""
    fig, axes = style.figure("full", 0.4 * len(counts), rows=len(counts), columns=len(results.benchmarks),
                             squeeze=False)  # fmt: skip
    tables = []
    for row, (method, count) in zip(axes, counts.items(), strict=True):
        for ax, benchmark in zip(row, results.benchmarks, strict=True):
            unit = unit_of(unit_in(results, benchmark))
            drawn = by_slice(results, benchmark, method, budget, count)
            random = results.items(RANDOM, benchmark, budget).mean(axis=1)
            top = results.items(method, benchmark, budget).mean(axis=1) - random.mean()
            drawn = pd.concat([drawn, pd.DataFrame({"method": label(method), "slice": 0, "part": range(len(top)), "difference": top})])  # fmt: skip
            drawn = drawn.assign(difference=drawn["difference"] * unit.scale, benchmark=benchmark)
            ends = (random - random.mean()) * unit.scale
            style.random_band(ax, ends.min(), ends.max(), 0)
            _draw_slices(ax, drawn, style.colour(method))
            ax.set(
                title=f"{label(method)}\n{benchmark}",
                ylabel=difference_label(unit.short),
                xlabel="slice of the ranking",
            )
            tables.append(drawn.assign(**{"in": unit.short}))
    return fig, pd.concat(tables, ignore_index=True)


def _draw_slices(ax, drawn: pd.DataFrame, colour: str) -> None:
    top, others = drawn[drawn["slice"] == 0], drawn[drawn["slice"] > 0]
    means = others.groupby("slice")["difference"].mean()
    ax.plot(means.index, means, color=colour)
    ax.scatter(others["slice"], others["difference"], color=colour, s=12, alpha=0.7)
    ax.scatter(top["slice"], top["difference"], color=colour, s=12, alpha=0.7)
    ax.scatter([0], [top["difference"].mean()], color=colour, s=70, marker="*", zorder=3)
    ticks = [0, *means.index] if len(means) <= 10 else [0, *means.index[::2]]
    ax.set_xticks(ticks, ["top", *map(str, ticks[1:])])


def validity_drawn(table: pd.DataFrame):
    """Rank correlations with their intervals, a panel per benchmark; not saved."""
    known = table.dropna(subset="correlation")
    benchmarks = list(dict.fromkeys(known["benchmark"]))
    names = list(dict.fromkeys(known["score"]))
    fig, axes = style.figure("full", 0.16 + 0.045 * len(names), columns=len(benchmarks), sharey=True, squeeze=False)
    for ax, (benchmark, part) in zip(axes[0], known.groupby("benchmark", sort=False), strict=True):
        for line in part.itertuples():
            ends = [[line.correlation - line.low], [line.high - line.correlation]]
            ax.errorbar([line.correlation], [names.index(line.score)], xerr=ends, fmt=style.marker(line.method or RANDOM),
                        color=style.colour(line.method or RANDOM), capsize=2)  # fmt: skip
        ax.axvline(0, color=style.DARK_GREY, linewidth=1)
        ax.set(title=f"{benchmark} (n {part['draws'].iloc[0]})", xlim=(-1.05, 1.05), xlabel="rank correlation (right: predicts)",
               yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))  # fmt: skip
    return fig, known


def findings(results: Results, counts: Mapping[str, int], budget: int) -> list[str]:
    """Per sliced score and benchmark: trend over the slices, the best slice, and the top against the upper half."""
    said = []
    for benchmark in results.benchmarks:
        unit = unit_in(results, benchmark)
        for method, count in counts.items():
            table = by_slice(results, benchmark, method, budget, count)
            means = table.groupby("slice")["difference"].mean()
            if count > 1:
                by_part = table.pivot(index="part", columns="slice", values="difference").to_numpy()
                slope = np.polyfit(np.arange(count), by_part.T, 1)[0] * (count - 1)
                line = dict(zip(("estimate", "low", "high"), interval_of_mean(slope), strict=True))
                falls = (
                    "falls"
                    if line["high"] < 0
                    else "rises"
                    if line["low"] > 0
                    else "neither falls nor rises for certain"
                )
                said.append(
                    f"Down the ranking of {label(method)} the result on {benchmark} {falls}: from the first to the last of {count} "
                    f"slices {with_interval(line, unit)} "
                    f"{gained_in(unit)} ({counted(len(by_part), 'part')}); the best is slice {means.idxmax()}."
                )
            *ends, parts = top_against_upper_half(results, benchmark, method, budget, count)
            line = dict(zip(("estimate", "low", "high"), ends, strict=True))
            curse = (
                "it lies below them" if line["high"] < 0 else "it lies above them" if line["low"] > 0 else "not decided"
            )
            said.append(
                f"The very top of {label(method)}, its {budget:,} highest rows, against draws from its upper half on {benchmark}: "
                f"{with_interval(line, unit)} {gained_in(unit)} ({counted(parts, 'part')}): {curse}."
            )
    return said


def validity(
    work: Workbench, methods: Sequence[str], draws: Sequence[Run], results: Results, budget: int
) -> pd.DataFrame:  # fmt: skip
    """Does a score predict anything? Rank correlation of a random draw's mean score with the result of training on it.

    A draw's score is the mean place of its rows in the ranking of their part (1 = highest, rows without a score left out).
    Both are taken within parts: the mean over the draws of a part is taken off, as parts differ too.
    Where the truth is known, the share of correct rows stands beside the scores, as what a perfect judge of rows would see.

    Returns
    -------
    One line per benchmark and score: benchmark, score, method ("" for the truth), correlation, low, high (95 %), draws.
    """
    measures: dict[str, tuple[str, Mapping[int, np.ndarray]]] = {}
    for method in methods:
        scores = {part.part: part.select(method, budget).scores for part in work.parts}
        if all(own is not None for own in scores.values()):
            measures[label(method)] = (method, {part: places(own) for part, own in scores.items()})
    if work.pool.has_truth:
        correct = {part.part: (part.pool.truth("fault") == "").astype(float) for part in work.parts}
        measures["share of correct rows"] = ("", correct)
    lines = []
    for benchmark in results.benchmarks:
        reached = results.items(RANDOM, benchmark, budget).mean(axis=1)
        ordered = sorted(draws, key=lambda run: (run.draw, run.training_seed))  # as `Results.items` gives them
        for name, (method, values) in measures.items():
            means = [float(np.nanmean(values[run.part][run.rows])) for run in ordered]
            both = pd.DataFrame({"score": means, "result": reached, "part": [run.part for run in ordered]})
            within = both[["score", "result"]] - both.groupby("part")[["score", "result"]].transform("mean")
            lost = both["part"].nunique() - 1
            correlation, low, high = rank_correlation_interval(within["score"], within["result"], lost=lost)
            lines.append({"benchmark": benchmark, "score": name, "method": method, "correlation": correlation, "low": low,
                          "high": high, "draws": len(ordered)})  # fmt: skip
    return pd.DataFrame(lines, columns=VALIDITY)


def validity_findings(table: pd.DataFrame, trained: bool = True) -> list[str]:
    """Per benchmark: which scores predict the result of a random draw, which go against it, and what is not decided."""
    if not trained:
        return [NOT_TRAINED]
    if table.empty:
        return ["No method of this page's list gives a score to rows: whether a score predicts a result is not asked."]
    said = []
    for benchmark, own in table.groupby("benchmark", sort=False):
        known = own.dropna(subset="correlation")
        draws = own["draws"].iloc[0]
        if known.empty:
            said.append(f"On {benchmark} {draws} random draws are too few, or too much alike, to say what predicts.")
            continue
        written = {
            line.score: f"{line.correlation:+.2f} [{line.low:+.2f}, {line.high:+.2f}]" for line in known.itertuples()
        }
        with_result = known[known["low"] > 0]["score"].tolist()
        against = known[known["high"] < 0]["score"].tolist()
        decided = [f"{name} with it" for name in with_result] + [f"{name} against it" for name in against]
        said.append(
            f"Rank correlation of a random draw's mean score with its result on {benchmark} ({draws} draws): "
            f"{'; '.join(f'{name} {text}' for name, text in written.items())}. "
            f"{'Beyond chance: ' + ', '.join(decided) + '.' if decided else 'None is beyond chance.'}"
        )
    return said
