"""Sentences about what selecting costs, computed from the tables of notebook 35."""

from datetime import UTC, datetime

import pandas as pd

from analysis.experiments.results import Results
from analysis.experiments.timings import ALONE, SHARED, Timings
from analysis.methods import RANDOM
from analysis.reporting.break_even import DOES_NOT, OPEN, PAYS, held_against
from analysis.reporting.cost_figures import name
from analysis.reporting.topics.cost_of_selection import LONGER, better_of_two
from analysis.reporting.trained_rows import Regime, few
from analysis.reporting.versus_random import unit_in
from analysis.reporting.wording import figures, gained_in, listed, of_each, quantity, unit_name

NOTHING_TRAINED = (
    "Nothing was trained here (no random draws asked for), so no cost is set beside a gain and no break-even is told."
)


def headline(even: pd.DataFrame, regime: Regime, budget: int) -> list[str]:
    """Per benchmark, which methods pay: against every random draw that they are held against."""
    said = []
    for benchmark in even["benchmark"].unique() if len(even) else ():
        own = even[even["benchmark"] == benchmark]
        by_method = own.groupby("method", sort=False)["verdict"].agg(_together)
        named = {
            verdict: [name(one) for one in by_method.index[by_method == verdict]] for verdict in (PAYS, OPEN, DOES_NOT)
        }
        listing = "; ".join(f"{verdict}: {listed(names)}" for verdict, names in named.items() if names)
        paying = len(named[PAYS])
        said.append(
            f"On {benchmark}, {budget:,} rows ({regime.words(budget)}), {paying or 'no'} method{'s' * (paying > 1)} of "
            f"{len(by_method)} {'pay' if paying > 1 else 'pays'} against {held_against(own)} ({listing})."
        )
    return said


def _together(verdicts: pd.Series) -> str:
    return DOES_NOT if DOES_NOT in set(verdicts) else PAYS if set(verdicts) == {PAYS} else OPEN


def break_even(even: pd.DataFrame) -> list[str]:
    """A sentence per method on the first benchmark: what it is held against, the difference, its interval and n."""
    said = []
    for one in even[even["benchmark"] == even["benchmark"].iloc[0]].to_dict("records") if len(even) else ():
        ends = " to ".join(quantity(one[end], one["unit"], signed=True) for end in ("low", "high"))
        more = " in more passes" if one["against"] == LONGER else ""
        said.append(
            f"{name(one['method'])} ({few(one['compute_ratio'])} times the compute of a random draw of {one['rows']:,} rows{more}): "
            f"{quantity(one['estimate'], one['unit'], signed=True)} {gained_in(one['unit'])} against it ({ends}, n = {one['n_runs']} runs), {one['verdict']}."
        )
    return said


def second_draw(results: Results, budget: int) -> list[str]:
    """What the better of two random draws would gain."""
    if results.runs.empty:
        return []
    benchmark = results.benchmarks[0]
    scores = results.items(RANDOM, benchmark, budget).mean(axis=1)
    if len(scores) < 2:
        return []
    unit = unit_in(results, benchmark)
    return [
        f"The better of two random draws would gain at most {quantity(better_of_two(scores), unit, signed=True)} {unit_name(unit)} "
        f"on {benchmark} over one, for twice the training (mean over pairs of {len(scores)} runs, no interval; it must be told "
        f"which is better)."
    ]


def at_scale(table: pd.DataFrame, hardware: dict) -> list[str]:
    """Hours at the scale that is assumed, against those of training."""
    reading = table[table["hours"] > 0].sort_values("hours")
    free = [name(method) for method in table.loc[table["hours"] == 0, "method"]]
    said = []
    if len(reading):
        told = dict(zip(reading["method"].map(name), reading["hours"], strict=True))
        said.append(
            f"Selecting from {hardware['rows']:,.0f} rows with a model of {figures(hardware['parameters'] / 1e9)} billion parameters would take "
            f"{of_each(told, lambda hours: f'{figures(hours)} h')} of one device, each alone, under the assumptions of the table; training on "
            f"{hardware['budget']:,.0f} rows would take {figures(table['training_hours'].iloc[0])} h."
        )
        cheaper = [name(method) for method in reading.loc[reading["times_training"] <= 1, "method"]]
        said.append(
            f"Of {len(reading)} methods that read the pool with a model, {len(cheaper) or 'none'} would cost no more than that training"
            + (f" ({listed(cheaper)})." if cheaper else ".")
        )
    if free:
        said.append(
            f"No model reads the pool for {listed(free)}: {'its' if len(free) == 1 else 'their'} hours are not reckoned here."
        )
    return said


def ratios(table: pd.DataFrame) -> list[str]:
    """Whether at the published ratios selecting costs no more than the training, and from which ratio on it does."""
    said = []
    for published, own in table.groupby("published"):
        holds = own[own["at_published"] <= 1]
        needed = dict(zip(own["method"].map(name), own["ratio at 100%"], strict=True))
        said.append(
            f"With a selector {published} times smaller than the trained model, as published for {'gradients' if published == 10 else 'perplexity'}, "
            f"selecting would cost no more than the training for {len(holds)} of {len(own)}; it does from a ratio of "
            f"{of_each(needed, figures)}."
        )
    return said


def seconds(fits: pd.DataFrame, timed: Timings) -> list[str]:
    """Seconds at the largest size, on which device and when, alone and together, and how straight the lines are."""
    measured, day = timed.table, datetime.fromtimestamp(timed.made, UTC).date()
    largest = measured[measured["rows"] == measured["rows"].max()]
    total = largest.groupby("cost")["seconds"].sum()
    alone = fits[(fits["cost"] == ALONE) & fits["per_1000_rows"].notna()].sort_values("per_1000_rows")
    n = largest["method"].nunique()
    said = [
        f"All {n} methods one after the other took {figures(total[ALONE])} s on {measured['rows'].max():,} rows ({timed.made_on}, {day}), each from an "
        f"empty store, and {figures(total[SHARED])} s where what others had stored was used (one timing each)."
    ]
    if len(alone):
        said.append(
            f"Seconds per 1,000 further rows, alone, by a straight line through {alone['sizes'].iloc[0]} sizes: "
            f"{of_each(dict(zip(alone['method'].map(name), alone['per_1000_rows'], strict=True)), few)}; the largest "
            f"residual is {few(alone['largest_residual'].max())} s."
        )
    return said


def left_out(asked: list[str], stages: dict) -> list[str]:
    """Methods without a cost, as they could not select so many rows."""
    without = [name(method) for method in asked if method not in stages]
    return [f"Left out, as too few rows can be selected by it: {listed(without)}."] if without else []
