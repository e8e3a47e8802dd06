"""Tables about quality against diversity: subsets built from truth, where real selections lie, and proxies of both."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from analysis.experiments.benchmarks.held_out import ANSWER_LOSS
from analysis.experiments.benchmarks.result import Unit, unit_of
from analysis.experiments.results import EQUAL_ROWS, Results, Run
from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM, inner_call, parse
from analysis.reporting.trained_rows import CLUSTERS
from analysis.reporting.versus_random import unit_in
from analysis.statistics import rank_correlation_error, surface
from analysis.statistics.families import held_together, spread_of_mean
from analysis.statistics.intervals import Spread, summed
from analysis.statistics.surface import Surface
from analysis.subsets import novelty
from analysis.subsets.diversity import effective_number

PROXIES = ("NovelSum", "Vendi score", "cluster entropy", "near-duplicate share")
SPACE = "tfidf"  # needs no base, so that a proxy of one selection is the same for all bases
FEWEST_DRAWS = 10  # from which a rank correlation has a verdict
RUN = ["method", "budget", "part", "draw"]


def built(results: Results, settings: pd.DataFrame, benchmark: str) -> pd.DataFrame:
    """One line per run on a built subset: budget, part, method, correct, skills, score, tokens_trained."""
    if not results.benchmarks:
        return pd.DataFrame(columns=["budget", "part", "method", "correct", "skills", "score", "tokens_trained"])
    table = results.table[results.table["benchmark"] == benchmark]
    return table.merge(settings, on="method")[
        ["budget", "part", "method", "correct", "skills", "score", "tokens_trained"]
    ]


def surfaces(runs: pd.DataFrame) -> dict[int, Surface]:
    """The fitted surface of every budget whose settings tell the effects apart."""
    fitted = {int(budget): surface.fit(own) for budget, own in runs.groupby("budget")}
    return {budget: one for budget, one in fitted.items() if one is not None}


def on_plane(work: Workbench, planned: Sequence[Run]) -> pd.DataFrame:
    """Share of correct rows (of any fault free) and effective number of skills of every selection, by run."""
    lines = []
    for run in planned:
        truth = work.with_part(run.part).pool.truth
        lines.append(_of(run) | {"correct": float((truth("fault")[run.rows] == "").mean()),
                                 "skills": effective_number(truth("skill")[run.rows])})  # fmt: skip
    return pd.DataFrame(lines)


def proxies(work: Workbench, planned: Sequence[Run]) -> pd.DataFrame:
    """The measures that need no truth, by run; densities, clusters and near-duplicates are those of the run's part."""
    lines = []
    for part in work.parts:
        runs = [run for run in planned if run.part == part.part]
        points, clusters = part.features.embeddings(SPACE), _clusters(part)
        place, some = _known(points), np.unique(np.concatenate([run.rows for run in runs]))
        some = some[place[some] >= 0]
        density = np.full(len(points), np.nan)
        density[some] = novelty.densities(points[place >= 0], place[some])
        for run in runs:
            rows, keys = run.rows[place[run.rows] >= 0], part.features.row_keys()[run.rows]
            lines.append(_of(run) | {
                "NovelSum": novelty.novel_sum(points[rows], density[rows]),
                "Vendi score": novelty.vendi_score(points[rows]),
                "cluster entropy": novelty.cluster_entropy(clusters.labels[run.rows]),
                "near-duplicate share": novelty.near_duplicate_share(part.features.signatures[run.rows], keys),
            })  # fmt: skip
    return pd.DataFrame(lines)


def with_scores(table: pd.DataFrame, results: Results, benchmark: str) -> pd.DataFrame:
    """Lines by run with the score of the run on a benchmark."""
    runs = results.table
    scores = runs[(runs["benchmark"] == benchmark) & (runs["design"] == EQUAL_ROWS)]
    return table.merge(scores[[*RUN, "score", "unit"]], on=RUN)


def predicted(scored: pd.DataFrame, fitted: Surface) -> pd.DataFrame:
    """What the surface says of each method's runs of one budget, and what they reached.

    Returns
    -------
    One line per method, means over its runs: method, correct, skills, observed, predicted, inside (of the settings that
    were built), estimate (observed minus predicted; low, high and p_holm over all methods, the spread of the surface
    over parts included), n_runs.
    """
    lines, spreads = [], []
    for method, own in scored.groupby("method", sort=False):
        said = fitted.by_part(own["correct"].to_numpy(), own["skills"].to_numpy()).mean(axis=1)
        found, of_surface = spread_of_mean(own["score"]), spread_of_mean(said)
        spreads.append(_both(found, of_surface))
        middle = own[["correct", "skills"]].mean()
        lines.append({"method": method, **middle, "observed": own["score"].mean(), "predicted": said.mean(),
                      "inside": bool(fitted.holds(*middle)), "n_runs": len(own)})  # fmt: skip
    table = pd.DataFrame(lines)
    return held_together(table.assign(estimate=table["observed"] - table["predicted"]), spreads)


def explained(table: pd.DataFrame) -> float:
    """R² of `predicted` over methods, none of whose runs the surface was fitted to; nan for fewer than three."""
    left, all_ = table["estimate"], table["observed"] - table["observed"].mean()
    return float(1 - (left**2).sum() / (all_**2).sum()) if len(table) > 2 and all_.any() else np.nan


def correlations(scored: pd.DataFrame, names: Sequence[str] = PROXIES) -> pd.DataFrame:
    """Spearman's correlation of each measure with the score over random draws of one budget, within parts.

    The mean of a part is taken off both, as pools differ too. Fisher's interval with Bonett and Wright's (2000) standard
    error; all measures are one family. A measure that does not vary has no line.
    """
    random = scored[scored["method"] == RANDOM]
    within = random[[*names, "score"]] - random.groupby("part")[[*names, "score"]].transform("mean")
    free = len(random) - random["part"].nunique() + 1
    lines, spreads = [], []
    for name in names:
        if np.ptp(within[name]) < 1e-12 or np.ptp(within["score"]) < 1e-12:
            continue
        rho = float(np.clip(spearmanr(within[name], within["score"]).statistic, -0.999, 0.999))
        spreads.append(Spread(rank_correlation_error(rho, free), np.inf))
        lines.append({"measure": name, "estimate": np.arctanh(rho), "n_draws": len(random)})
    table = held_together(pd.DataFrame(lines, columns=["measure", "estimate", "n_draws"]), spreads)
    return table.assign(**{end: np.tanh(table[end].to_numpy(float)) for end in ("estimate", "low", "high")})


def quota_pairs(methods: Sequence[str]) -> dict[str, str]:
    """Methods of the list that stand in it with quotas per cluster too: by the method alone, the one with them."""
    inner = {name: inner_call(*parse(name)) for name in methods if parse(name)[0] == "kmeans"}
    return {alone: grouped for grouped, alone in inner.items() if alone in methods}


def quota_differences(results: Results, pairs: dict[str, str], benchmark: str, budget: int) -> pd.DataFrame:
    """With quotas minus without, paired by part: method, estimate, low, high, p_holm (over pairs), n_parts, unit."""
    runs = results.table
    runs = runs[(runs["benchmark"] == benchmark) & (runs["budget"] == budget) & (runs["design"] == EQUAL_ROWS)]
    scores = runs.pivot_table(index="part", columns="method", values="score")
    lines, spreads = [], []
    for alone, grouped in pairs.items():
        difference = (scores[grouped] - scores[alone]).dropna()
        spreads.append(spread_of_mean(difference))
        lines.append({"method": grouped, "against": alone, "estimate": difference.mean(), "n_parts": len(difference),
                      "unit": runs["unit"].iloc[0]})  # fmt: skip
    columns = ["method", "against", "estimate", "n_parts", "unit"]
    return held_together(pd.DataFrame(lines, columns=columns), spreads)


def decides(results: Results) -> tuple[str, Unit]:
    """The first benchmark, on which this page decides, and its unit."""
    return results.benchmarks[0], unit_of(unit_in(results, results.benchmarks[0]))


def held_out(results: Results) -> str:
    """The benchmark that any pool has."""
    return next(name for name in results.benchmarks if name == ANSWER_LOSS)


def _of(run: Run) -> dict:
    return {name: getattr(run, name) for name in RUN}


def _known(points: np.ndarray) -> np.ndarray:
    """Place of every row among those that have a point, -1 without one."""
    has = np.isfinite(points).all(axis=1)
    return np.where(has, np.cumsum(has) - 1, -1)


def _clusters(part: Workbench):
    return part.features.clusters(SPACE, min(CLUSTERS, max(len(part.pool) // 10, 1)), part.selection_seed)


def _both(first: Spread, second: Spread) -> Spread:
    if not np.isfinite([first.error, second.error]).all():
        return Spread(np.inf, 1.0)
    return summed([(first.error**2, first.freedom), (second.error**2, second.freedom)])
