"""Tables about what selecting costs: seconds, tokens, hours at another scale, and gain beside compute."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis import statistics
from analysis.experiments import grid, timings
from analysis.experiments.results import Results
from analysis.experiments.timings import Counted, Timings
from analysis.experiments.token_costs import ADAPTERS, FLOP, FORWARD, TRAINING, WITH_BUDGET, WITH_POOL, Stage
from analysis.methods import RANDOM
from analysis.methods.tools.compiling import compile_all
from analysis.reporting.versus_random import delta_of, unit_in
from analysis.reporting.wording import figures

ASSUMED = {
    "rows": (1_000_000, "of the pool"),
    "budget": (10_000, "rows that are trained on"),
    "parameters": (7e9, "of the model that scores the rows and is trained"),
    "scorer parameters": (1.24e8, "of the small model that Superfiltering brings (GPT-2)"),
    "epochs": (3, "of the training, and of fine-tunings that a method makes for itself"),
    "peak flop per second": (989e12, "of one device (H100, bfloat16, dense)"),
    "utilisation": (0.4, "share of the peak that is reached"),
}
PUBLISHED_RATIOS = {"token losses": 5, "gradients": 10}  # Yin and Rush 2024, arXiv 2410.16208: trained model / selector
LONGER = "random draw, more passes"
Stages = Mapping[str, Stage]


def assumed(hardware: Mapping[str, float]) -> dict[str, float]:
    """All assumptions of an extrapolation, these in place of `ASSUMED`; ValueError for an unknown or impossible one."""
    if unknown := set(hardware) - set(ASSUMED):
        raise ValueError(f"hardware: unknown {sorted(unknown)[0]!r}; known: {', '.join(ASSUMED)}")
    values = {name: value for name, (value, _) in ASSUMED.items()} | dict(hardware)
    if not all(value > 0 for value in values.values()) or values["utilisation"] > 1:
        raise ValueError(f"hardware: expected numbers above 0 and a utilisation of at most 1, found {values}")
    return values


def assumptions(hardware: Mapping[str, float], tokens_per_row: float) -> pd.DataFrame:
    """The assumptions of an extrapolation as a table."""
    lines = [(name, figures(value), ASSUMED[name][1]) for name, value in hardware.items()]
    lines.append(("tokens per row", f"{tokens_per_row:.0f}", "measured on this pool, cut as in training"))
    return pd.DataFrame(lines, columns=["assumption", "value", "what it is"])


def timed(work, methods: Sequence[str], budget: int, sizes: Sequence[int] = ()) -> Timings:
    """As `timings.timed`, after compiling what would else be compiled within the seconds of the first method that needs it."""
    compile_all()
    return timings.timed(work, methods, budget, sizes)


def tokens(stages: Mapping[str, Stages], n_rows: int) -> pd.DataFrame:
    """Tokens that a model reads for every method, per row of the pool, by kind of pass; a line per method."""
    kinds = (FORWARD, ADAPTERS, TRAINING)
    lines = [
        {"method": method} | {kind: sum(one.tokens * one.passes for one in own.values() if one.kind == kind) / n_rows for kind in kinds}
        for method, own in stages.items()
    ]  # fmt: skip
    return pd.DataFrame(lines)


def fits(seconds: pd.DataFrame) -> pd.DataFrame:
    """seconds = fixed + per row x rows by least squares, and the largest residual, by method and cost.

    Columns: method, cost, fixed (s), per_1000_rows (s), residual (s), sizes; nan where there are fewer than three.
    """
    lines = []
    for (method, cost), own in seconds.groupby(["method", "cost"], sort=False):
        line = {"method": method, "cost": cost, "sizes": len(own)}
        slope = fixed = residual = np.nan
        if len(own) > 2:
            slope, fixed = np.polyfit(own["rows"], own["seconds"], 1)
            residual = (own["seconds"] - fixed - slope * own["rows"]).abs().max()
        lines.append(line | {"fixed": fixed, "per_1000_rows": 1000 * slope, "largest_residual": residual})
    return pd.DataFrame(lines)


def scaled(stages: Stages, *, rows: float = 1, budget: float = 1, **changes) -> dict[str, Stage]:
    """Stages where the pool has `rows` times the rows and `budget` times as many are selected.

    Parameters
    ----------
    changes : fields that are others there: parameters (of the base), scorer_parameters, epochs (of fine-tunings).
    """
    made = {}
    for name, one in stages.items():
        factor = {WITH_POOL: max(1, rows * one.floor) if one.floor < 1 else rows, WITH_BUDGET: budget}
        size = changes.get("scorer_parameters" if one.scorer else "parameters", one.parameters)
        passes = changes.get("epochs", one.passes) if one.rows else one.passes
        made[name] = replace(one, tokens=one.tokens * factor.get(one.grows, 1), parameters=size, passes=passes)
    return made


def with_sharing(stages: Mapping[str, Stages]) -> dict[str, Stages]:
    """The stages of every method that none before it has."""
    seen: set[str] = set()
    left = {}
    for method, own in stages.items():
        left[method] = {name: one for name, one in own.items() if name not in seen}
        seen |= set(own)
    return left


def flop(stages: Stages) -> float:
    """Floating-point operations of all stages."""
    return float(sum(one.flop for one in stages.values()))


def extrapolated(
    stages: Mapping[str, Stages], hardware: Mapping[str, float], *, counted: Counted, tokens_per_row: float
) -> pd.DataFrame:
    """Hours of every method at the scale of `hardware`, beside those of training on the budget.

    Only what a model does is counted, as 2 x parameters x tokens forward, 4 with adapters' gradients, 6 with all weights';
    sorting, clustering and compressing are not.

    Parameters
    ----------
    counted : at what size the stages were counted.
    tokens_per_row : of one pass over a row, measured.

    Returns
    -------
    method, hours (alone), shared_hours (with what methods before it left), training_hours (on one device),
    times_training (hours / training_hours), scorer (whether a small model of its own does it), forward and gradients
    (hours of passes forward alone, and of all others).
    """
    per_hour = 3600 * hardware["peak flop per second"] * hardware["utilisation"]
    training = (
        FLOP[TRAINING] * hardware["parameters"] * hardware["epochs"] * hardware["budget"] * tokens_per_row / per_hour
    )
    there = {
        "rows": hardware["rows"] / counted.rows, "budget": hardware["budget"] / counted.budget, "parameters": int(hardware["parameters"]),
        "scorer_parameters": int(hardware["scorer parameters"]), "epochs": hardware["epochs"],
    }  # fmt: skip
    lines, left = [], with_sharing(stages)
    for method, own in stages.items():
        large = scaled(own, **there)
        hours, shared = flop(large) / per_hour, flop(scaled(left[method], **there)) / per_hour
        forward = flop({name: one for name, one in large.items() if one.kind == FORWARD}) / per_hour
        lines.append({
            "method": method, "hours": hours, "shared_hours": shared, "training_hours": training,
            "times_training": hours / training, "scorer": any(one.scorer for one in own.values()),
            "forward": forward, "gradients": hours - forward,
        })  # fmt: skip
    return pd.DataFrame(lines)


def ratios(at_scale: pd.DataFrame) -> pd.DataFrame:
    """Trained model / selector at which a selector of the base's kind takes all or a tenth of the training's compute.

    A selector of a ratio-th of the parameters takes a ratio-th of the hours. Method, a column for each, the published
    ratio for what the method computes, and at_published (selection / training at that ratio). Methods that read nothing or
    bring a model of their own are left out.
    """
    own = at_scale[(at_scale["hours"] > 0) & ~at_scale["scorer"]].reset_index(drop=True)
    times = own["times_training"]
    by_gradients = own["gradients"] > own["forward"]
    published = np.where(by_gradients, PUBLISHED_RATIOS["gradients"], PUBLISHED_RATIOS["token losses"])
    return pd.DataFrame({
        "method": own["method"], "ratio at 100%": times, "ratio at 10%": times / 0.1, "published": published,
        "at_published": times / published,
    })  # fmt: skip


def run_all(work, methods: Sequence[str], budget: int, *, n_draws: int, more: Mapping[str, int]) -> Results:
    """Methods and random draws at a budget, and beside them random draws of more rows, and of as many in more passes.

    The latter, on one draw per part, are called `LONGER`.
    """
    larger = [more["rows"] * budget] if more.get("rows", 0) > 1 else []
    planned = grid.plan(work, methods, budget, n_draws=n_draws)
    results = grid.run(work, planned + [run for size in larger for run in grid.plan(work, [], size, n_draws=n_draws)])
    if not planned or more.get("passes", 0) < 2:
        return results
    passes = more["passes"] * work.settings.epochs_for(budget)
    again = replace(work, settings=replace(work.settings, epochs=passes, least_steps=1))
    longer = grid.run(again, grid.plan(again, [], budget, n_draws=min(n_draws, max(len(work.parts), 2))))
    return Results(pd.concat([results.runs, longer.runs.assign(method=LONGER)], ignore_index=True), results.groups)


def compute(
    work, results: Results, stages: Mapping[str, Stages], counted: Counted, more: Mapping[str, int]
) -> pd.DataFrame:
    """Mean floating-point operations of one run by method and budget: selecting from a part alone, training, and total.

    Stages are taken from where they were counted to the rows of a part and the run's budget. Training is that of the run: its tokens times the passes made over them.
    """
    columns = ["method", "budget", "selecting", "training"]
    if results.runs.empty:
        return pd.DataFrame(columns=[*columns, "total"])
    runs = results.table[results.table["benchmark"] == results.benchmarks[0]]
    kind, lines = ADAPTERS if work.settings.lora_rank else TRAINING, []
    per_token = FLOP[kind] * work.base.model.num_parameters()
    for (method, budget), own in runs.groupby(["method", "budget"], sort=False):
        passes = work.settings.epochs_for(budget) * (more["passes"] if method == LONGER else 1)
        grown = scaled(stages.get(method, {}), rows=len(work.pool) / counted.rows, budget=budget / counted.budget)
        training = float(per_token * passes * own["tokens_trained"].mean())
        lines.append({"method": method, "budget": budget, "selecting": flop(grown), "training": training})
    table = pd.DataFrame(lines, columns=columns)
    return table.assign(total=table["selecting"] + table["training"])


def frontier(compute: Sequence[float], gain: Sequence[float]) -> np.ndarray:
    """Whether nothing else gains as much for as little; bool of shape (n,). Of equals both are on it."""
    cost, won = np.asarray(compute, dtype=np.float64), np.asarray(gain, dtype=np.float64)
    no_worse = (cost[None, :] <= cost[:, None]) & (won[None, :] >= won[:, None])
    better = no_worse & ((cost[None, :] < cost[:, None]) | (won[None, :] > won[:, None]))
    return ~better.any(axis=1)


def gain_beside_cost(costs: pd.DataFrame, results: Results, budget: int) -> pd.DataFrame:
    """Every method at a budget, and random draws that cost more, against random of that budget: gain and compute.

    Benchmark, unit, method, budget (rows), estimate, low, high (95 %, by itself), n_runs, selecting, training, total
    (flop), on_frontier. Random of the budget itself is the first line, of difference 0.
    """
    tables, named = [], [key for key in _keys(costs) if key != (RANDOM, budget)]
    for benchmark in results.benchmarks:
        told = {"benchmark": benchmark, "unit": unit_in(results, benchmark)}
        random = results.items(RANDOM, benchmark, budget)
        itself = {"method": RANDOM, "budget": budget, "estimate": 0.0, "low": 0.0, "high": 0.0, "n_runs": len(random)}
        lines = [itself, *(_difference(results, benchmark, key, (RANDOM, budget)) for key in named)]
        table = pd.DataFrame([told | line for line in lines]).merge(costs, on=["method", "budget"])
        tables.append(table.assign(on_frontier=frontier(table["total"], table["estimate"])))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def better_of_two(scores: Sequence[float]) -> float:
    """Mean gain of the better of two draws over one, over all pairs of runs; telling which is better is taken as free."""
    own = np.asarray(scores, dtype=np.float64)
    pairs = np.maximum.outer(own, own)[np.triu_indices(len(own), k=1)]
    return float(pairs.mean() - own.mean()) if len(pairs) else np.nan


def _keys(costs: pd.DataFrame) -> list[tuple[str, int]]:
    return list(costs[["method", "budget"]].itertuples(index=False, name=None))


def _difference(results: Results, benchmark: str, key: tuple[str, int], random: tuple[str, int]) -> dict:
    items, draws = (results.items(method, benchmark, rows) for method, rows in (key, random))
    line = statistics.compare_all({key: items}, draws, delta=delta_of(results, benchmark)).iloc[0]
    ends = {"low": line["alone_low"], "high": line["alone_high"], "n_runs": line["n_runs"]}
    return {"method": key[0], "budget": key[1], "estimate": line["estimate"]} | ends
