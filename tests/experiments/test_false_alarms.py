"""How often the experiment's own plan and rule call chance a difference, and how often they find what is planted.

Every table comes from `grid.plan`, is assembled by `grid.run`, and is judged by `versus_random`; only what a run scores
is simulated. Seeds are fixed, so that the tests always end the same; each says how far chance alone may carry a count.
"""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.experiments import grid, screening, selecting
from analysis.experiments.results import Results, Run
from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM
from analysis.reporting.versus_random import still_open, versus_random
from analysis.statistics import BETTER, WORSE, Noise, detectable_difference
from tests.false_alarms import LABELS, called
from tests.simulated_runs import BUDGET, N_ITEMS, RUN_SD, drawn, measured, simulated_workbench

pytestmark = pytest.mark.slow

ALPHA = 0.05
SMALL, MIDDLE, LARGE = (3, 6), (5, 15), (8, 24)  # parts, and so runs of a method; random draws
SEEDS = {SMALL: range(100), MIDDLE: range(100, 160), LARGE: range(160, 200)}  # 200 grids
CHANCE = ()  # nothing planted


@pytest.fixture(autouse=True)
def selected_by_chance(monkeypatch):
    """Rows drawn for every method, in the place of what it would select."""
    monkeypatch.setattr(selecting, "select", drawn)


def simulated(work: Workbench, runs: list[Run], shifts: tuple = CHANCE) -> Results:
    """What `grid.run` makes of runs whose scores are drawn; `shifts` holds pairs of a method and its true difference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "_measure_all", partial(measured, shifts=dict(shifts)))
        return grid.run(work, runs, show_progress=False)


@cache
def judged(seed: int, design: tuple[int, int], shifts: tuple, shared: bool = False) -> pd.DataFrame:
    """The table of one grid."""
    n_parts, n_draws = design
    work = simulated_workbench(n_parts, seed)
    runs = grid.plan(work, LABELS, BUDGET, n_draws=n_draws)
    return versus_random(simulated(work, on_one_selection(runs) if shared else runs, shifts))


def on_one_selection(runs: list[Run]) -> list[Run]:
    """The design that is not used: every method's runs have its first selection and differ in the training seed alone."""
    first = {run.method: run for run in reversed(runs)}
    return [
        run if run.method == RANDOM else replace(run, rows=first[run.method].rows, part=first[run.method].part)
        for run in runs
    ]


def too_many(n_alarms: int, n_tables: int) -> bool:
    """Whether so many tables with a false alarm come from a rule that keeps its 5 % in at most 1 of 100 cases."""
    return stats.binom.sf(n_alarms - 1, n_tables, ALPHA) <= 0.01


def test_a_grid_has_the_runs_that_its_design_says():
    work = simulated_workbench(3, seed=0)
    runs = grid.plan(work, LABELS, BUDGET, n_draws=6)
    assert len(set(LABELS)) == 12 and len(runs) == 12 * 3 + 6
    assert len({(run.part, *sorted(run.rows)) for run in runs}) == len(runs)
    scores = simulated(work, runs).table.groupby("method")["score"].size()
    assert scores[RANDOM] == 6 and (scores.drop(RANDOM) == 3).all()


def test_runs_vary_as_they_do_on_the_testbed():
    work = simulated_workbench(20, seed=0)
    runs = grid.plan(work, LABELS[:3], BUDGET, n_draws=60)
    one = simulated(work, runs).table["score"]
    assert one.std() == pytest.approx(RUN_SD, rel=0.2) and pytest.approx(0.051, abs=0.001) == RUN_SD
    seeds = simulated(work, on_one_selection(runs)).table
    of_one = seeds[seeds["method"] != RANDOM].groupby("method")["score"].std()
    assert np.sqrt((of_one**2).mean()) == pytest.approx(np.hypot(0.033, 0.013), rel=0.25)


def test_at_most_one_table_of_twenty_calls_any_of_twelve_methods_that_are_chance():
    alarms = {
        design: sum(len(called(judged(seed, design, CHANCE))) > 0 for seed in seeds) for design, seeds in SEEDS.items()
    }
    # All 200 tables together may have no more than 5 % as counted, without any allowance: the rule is on the safe side (the
    # larger of two p values; 10 of 600 tables in a longer simulation), while one with exactly 5 % would fail in 4 of 10
    # cases. The tables of one design are too few for that: they fail where 5 % would come to so many in 1 of 100 cases.
    assert sum(alarms.values()) <= ALPHA * sum(map(len, SEEDS.values()))
    assert not any(too_many(alarms[design], len(seeds)) for design, seeds in SEEDS.items()), alarms


@pytest.mark.parametrize("design, n_tables", [(MIDDLE, 20), (LARGE, 10)])
def test_one_selection_for_all_runs_of_a_method_would_be_noticed(design, n_tables):
    alarms = sum(len(called(judged(seed, design, CHANCE, shared=True))) > 0 for seed in range(n_tables))
    assert too_many(alarms, n_tables) and alarms > 4 * ALPHA * n_tables


def detectable(design: tuple[int, int]) -> float:
    """The difference that power says is found in 80 % of grids, at the first level of Holm over all methods."""
    spread = Noise(RUN_SD, RUN_SD, 0.0).spread(n_runs=design[0], n_random=design[1], n_items=N_ITEMS)
    return detectable_difference(spread, power=0.8, alpha=ALPHA / len(LABELS))


def planted_everywhere(design: tuple[int, int]) -> tuple[float, list[pd.DataFrame], pd.Series]:
    """A detectable difference, tables in which every second method is better by it and the others worse, and their signs.

    Half of each, because random draws that are good by luck hide the former as often as they show the latter.
    """
    size = detectable(design)
    signs = pd.Series(np.resize([1, -1], len(LABELS)), index=LABELS)
    tables = [judged(seed, design, tuple((size * signs).items())) for seed in range(1000, 1025)]
    return size, tables, signs


@pytest.mark.parametrize("design", [MIDDLE, LARGE])
def test_what_is_planted_is_found_as_often_as_power_says(design):
    size, tables, signs = planted_everywhere(design)
    # Each as if it were the only one among twelve: at Holm's first level, for which the power is stated. Holm gives those
    # of a table that are many better chances.
    alone = np.mean([(table["p"] < ALPHA / len(LABELS)) & right(table, signs) for table in tables])
    # The larger of two p values costs some of the 80 %, which is of Welch's test: about 77 % are left.
    assert 0.75 <= alone <= 0.85
    assert np.mean([table["verdict"].isin([BETTER, WORSE]) & right(table, signs) for table in tables]) > alone
    # What a table states rests on deviations of a few runs, whose median is below the truth: 5 to 12 % too little.
    stated = np.median(np.concatenate([table["detectable"] for table in tables]))
    assert stated == pytest.approx(size, rel=0.15)


def right(table: pd.DataFrame, signs: pd.Series) -> pd.Series:
    """Whether each estimate has the sign of what was planted."""
    return np.sign(table["estimate"]) == table["method"].map(signs)


# A first look at all methods, and a confirmation of the promising ones on fresh parts


def screened(seed: int, fresh: tuple[int, int], shifts: tuple = CHANCE) -> tuple[list[str], int]:
    """The methods called after both looks, all twelve one family, and the runs that it took."""
    work = simulated_workbench(SMALL[0] + fresh[0], seed)
    first, others = screening.looks(work, SMALL[0], fresh[0])
    runs = grid.plan(first, LABELS, BUDGET, n_draws=SMALL[1])
    early = simulated(work, runs, shifts)
    table = versus_random(early)
    if opened := still_open(table):
        further = grid.plan(others, sorted({method for method, _, _ in opened}), BUDGET, n_draws=fresh[1])
        runs, table = runs + further, versus_random(early, simulated(work, further, shifts))
    return list(called(table)["method"]), len(runs)


def test_a_confirmation_of_what_looks_promising_raises_no_more_false_alarms():
    seeds = SEEDS[SMALL][:60]
    alarms = sum(len(screened(seed, MIDDLE)[0]) > 0 for seed in seeds)
    assert alarms <= ALPHA * len(seeds)


def test_a_confirmation_finds_as_much_as_a_single_look_of_as_many_runs_but_not_more():
    # Measured on 60 grids with one planted method: the larger of two p values at 3 and 6 runs lets too few good methods pass
    # for the saving to pay. A difference of 9.4 points is found in 73 % of grids by 3 / 6 and 12 / 36 runs (105 of them) and
    # in 73 % by 8 / 24 (120); 14 points in 72 % by 3 / 6 and 5 / 15 (70 runs) and in 78 % by 5 / 15 (75). So screening saves
    # some runs and wins no power; what is asserted is wide enough for 24 grids.
    size = detectable(LARGE)
    looks = [screened(seed, (12, 36), ((LABELS[0], size),)) for seed in range(2000, 2024)]
    assert 0.5 <= np.mean([LABELS[0] in found for found, _ in looks]) <= 0.95
    assert np.mean([n_runs for _, n_runs in looks]) < len(LABELS) * LARGE[0] + LARGE[1]
