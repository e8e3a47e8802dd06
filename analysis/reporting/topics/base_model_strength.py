"""Tables along a ladder of bases: what methods are worth, and whether fine-tuning helps, by the base's own competence."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from analysis.experiments import grid
from analysis.experiments.plain_text_loss import plain_text_loss
from analysis.experiments.results import Results, Run
from analysis.experiments.workbench import Workbench, prepare
from analysis.methods import BASE, RANDOM
from analysis.reporting.versus_random import against_base, delta_of, in_units, unit_in
from analysis.statistics import compare_all
from analysis.statistics.slopes import slopes


def workbenches(
    pool: str, rungs: Sequence[str], model: str, *, finetuning: dict | None = None, **options
) -> dict[str, Workbench]:
    """A workbench per base, the rungs first and `model` last, by the last part of its name where that is enough.

    All read rows of equal length: that of `model`, so that what they are trained and scored on is the same.

    Raises
    ------
    ValueError
        Fewer than two different bases.
    """
    bases = [*dict.fromkeys(name for name in rungs if name != model), model]
    if len(bases) < 2:
        raise ValueError(f"rungs: expected at least one base besides model {model!r}, found {list(rungs)!r}")
    top = prepare(pool, model=model, finetuning=finetuning, **options)
    alike = (finetuning or {}) | {"max_tokens": top.settings.max_tokens}
    works = [prepare(pool, model=name, finetuning=alike, **options) for name in bases[:-1]]
    short = [Path(name).name for name in bases]
    return dict(zip(short if len(set(short)) == len(bases) else bases, [*works, top], strict=True))


def plan(works: Mapping[str, Workbench], methods: Sequence[str], budget: int, n_draws: int) -> dict[str, list[Run]]:
    """The same comparison with every base.

    Raises
    ------
    ValueError
        No method, or fewer random draws than parts: a difference is taken within its part.
    """
    parts = len(next(iter(works.values())).parts)
    if n_draws < max(parts, 2):
        raise ValueError(f"n_draws: expected at least {max(parts, 2)}, one random subset per part, found {n_draws}")
    if not set(methods) - {RANDOM}:
        raise ValueError("methods: expected at least one besides random_selection, found none")
    return {name: grid.plan(work, methods, budget, n_draws=n_draws) for name, work in works.items()}


def run(works: Mapping[str, Workbench], planned: Mapping[str, Sequence[Run]]) -> dict[str, Results]:
    """What was measured with every base, each base's own score with it."""
    return {name: grid.run(works[name], runs, with_base=True) for name, runs in planned.items()}


def competences(works: Mapping[str, Workbench]) -> dict[str, float]:
    """Minus each base's own loss on plain text (nats a token), the weakest first: see `plain_text_loss`.

    It holds no run of random selection, whose luck would else lower a difference from random where it raises competence.
    """
    found = {name: -plain_text_loss(work.base, work.pool) for name, work in works.items()}
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def values(results: Mapping[str, Results], strength: Mapping[str, float]) -> pd.DataFrame:
    """Every method against random with every base; all of a benchmark are one family, over methods and bases.

    benchmark, unit, rung, competence, method, score, random_score, base_score, random_low, random_high (random's runs less their
    mean), and the columns of `statistics.compare_all`.
    """
    tables, names = [], list(strength)
    for benchmark in results[names[0]].benchmarks:
        keys = [(rung, method) for rung in names for method in _methods(results[rung])]
        items = {key: results[key[0]].items(key[1], benchmark) for key in keys}
        random = {rung: results[rung].items(RANDOM, benchmark) for rung in names}
        delta = delta_of(results[names[0]], benchmark)
        table = compare_all(items, {key: random[key[0]] for key in keys}, delta=delta)
        runs = {rung: random[rung].mean(axis=1) for rung in names}
        told = pd.DataFrame(
            [
                {
                    "benchmark": benchmark, "unit": unit_in(results[rung], benchmark), "rung": rung, "method": method,
                    "competence": strength[rung], "score": items[rung, method].mean(), "random_score": runs[rung].mean(),
                    "base_score": results[rung].items(BASE, benchmark).mean(),
                    "random_low": (runs[rung] - runs[rung].mean()).min(), "random_high": (runs[rung] - runs[rung].mean()).max(),
                }
                for rung, method in keys
            ]
        )  # fmt: skip
        tables.append(pd.concat([told, table.drop(columns="method")], axis=1))
    return pd.concat(tables, ignore_index=True)


def values_by_part(results: Mapping[str, Results], strength: Mapping[str, float]) -> pd.DataFrame:
    """benchmark, unit, rung, at (competence), method, part, value: a method's score less the mean of random's in the same part."""
    lines = []
    for rung, found in results.items():
        runs = found.table
        random = runs[runs["method"] == RANDOM].groupby(["benchmark", "part"])["score"].mean()
        own = runs[~runs["method"].isin([RANDOM, BASE])]
        for line in own.to_dict("records"):
            lines.append({
                "benchmark": line["benchmark"], "unit": line["unit"], "rung": rung, "at": strength[rung], "method": line["method"],
                "part": line["part"], "value": line["score"] - random[line["benchmark"], line["part"]],
            })  # fmt: skip
    return pd.DataFrame(lines)


def slope_table(by_part: pd.DataFrame) -> pd.DataFrame:
    """`slopes` of value over competence, benchmark by benchmark: score per nat that the base's loss on plain text is lower."""
    tables = [
        slopes(lines).assign(benchmark=benchmark, unit=lines["unit"].iloc[0])
        for benchmark, lines in by_part.groupby("benchmark", sort=False)
    ]
    return pd.concat(tables, ignore_index=True)


def gains(results: Mapping[str, Results], strength: Mapping[str, float]) -> pd.DataFrame:
    """`against_base` with every base: does fine-tuning help? With rung and competence; a base's lines are one family."""
    tables = [against_base(found).assign(rung=rung, competence=strength[rung]) for rung, found in results.items()]
    return pd.concat(tables, ignore_index=True)


def drawn_scores(values: pd.DataFrame, gains: pd.DataFrame) -> pd.DataFrame:
    """What the figure of scores shows: `values` and, by base, how far random lies above the base as it is, in the unit of `in`."""
    columns = [
        "benchmark",
        "rung",
        "competence",
        "method",
        "unit",
        "score",
        "random_score",
        "base_score",
        "random_low",
        "random_high",
    ]
    random = gains.loc[gains["method"] == RANDOM, ["benchmark", "rung", "estimate", "low", "high", "verdict"]]
    return in_units(values[columns].merge(random, on=["benchmark", "rung"]))


def _methods(results: Results) -> list[str]:
    return [name for name in dict.fromkeys(results.table["method"]) if name not in (RANDOM, BASE)]
