"""The rules of the claims that later studies made, beside those of the first in `claim_rules`: neither says more than a page does."""

import pandas as pd

from analysis.experiments.results import EQUAL_ROWS
from analysis.methods import label
from analysis.reporting.answers import (
    DIFFICULTY,
    FAILS,
    HOLDS,
    OPEN,
    UNTESTED,
    Judged,
    counts,
    first_benchmark,
    main_comparisons,
    names,
    not_run,
    one_unit,
    variant,
    written,
)  # fmt: skip
from analysis.reporting.break_even import DOES_NOT, PAYS, SAME_COMPUTE, held_against
from analysis.reporting.pages import Pages
from analysis.reporting.trained_rows import few
from analysis.statistics import BETTER, NO_DIFFERENCE, WORSE


def does_not_pay(pages: Pages) -> Judged:
    table = first_benchmark(pages.table("35_cost_of_selection", "break_even"))
    if table.empty:
        return not_run("35")
    verdict = HOLDS if (table["verdict"] == DOES_NOT).all() else FAILS if paying(table) else OPEN
    return verdict, against_compute(table)


def paying(table: pd.DataFrame) -> list[str]:
    """The methods that pay against every random draw they are held against, one of as much compute among these."""
    found = []
    for (_, method), own in table.groupby(["report", "method"], sort=False):
        if (own["verdict"] == PAYS).all() and (own["compute_ratio"] <= SAME_COMPUTE).any():
            found.append(method)
    return list(dict.fromkeys(found))


def against_compute(table: pd.DataFrame) -> str:
    """Every comparison with a random draw of page 35, and how many times the draw's compute the method takes."""
    unit = one_unit(table)
    told = [f"{label(line['method'])}{variant(line['report'])} {written(line, not unit)} at {few(line['compute_ratio'])} times the compute ({line['verdict']})"
            for line in table.to_dict("records")]  # fmt: skip
    return f"against {held_against(table)}{f', in {unit}' if unit else ''}: {'; '.join(told)}"


def difficulty_behind(pages: Pages) -> Judged:
    table = main_comparisons(pages)
    own = table[table["design"] == EQUAL_ROWS] if len(table) else table
    if own.empty:
        return not_run("30")
    difficulty, coverage = (
        own[[name in DIFFICULTY for name in names(own["method"])]]["verdict"],
        own[own["family"] == "diversity"]["verdict"],
    )
    if not (len(difficulty) and len(coverage)):
        return not_run("30")
    behind, kept = (difficulty == WORSE).all(), coverage.isin([NO_DIFFERENCE, BETTER]).all()
    verdict = HOLDS if behind and kept else FAILS if (coverage == WORSE).any() or (difficulty == BETTER).any() else OPEN
    return verdict, f"difficulty: {counts(difficulty)}; coverage: {counts(coverage)}"


def tie_at_equal_tokens(pages: Pages) -> Judged:
    table = main_comparisons(pages)
    if table.empty:
        return not_run("30")
    diverse = (table["family"] == "diversity") | (table["method"].str.startswith("near_duplicate"))
    own = table[(table["design"] != EQUAL_ROWS) & diverse]
    if own.empty:
        return not_run("30")
    beyond = own["verdict"].isin([BETTER, WORSE]).any()
    verdict = FAILS if beyond else HOLDS if (own["verdict"] == NO_DIFFERENCE).all() else OPEN
    told = [
        f"{label(line['method'])} {written(line)} at {line['regime']}{variant(line['report'])}"
        for line in own.to_dict("records")
    ]
    return verdict, f"{counts(own['verdict'])}: {'; '.join(told)}"


def only_gradients(pages: Pages) -> Judged:
    table = pages.table("40_published_grids", "slopes")
    if table.empty:
        return not_run("40")
    own = table[table["what"].str.startswith("farthest")]
    gradients = own["representation"].str.startswith("LESS")
    others_fall = (own[~gradients]["high"] < 0).any()
    alone = own[gradients]["high"].max() < min(own[~gradients]["low"].min(), 0)
    verdict = FAILS if others_fall else HOLDS if alone else OPEN
    told = [f"{line['representation']} {written(line)}" for line in own.to_dict("records")]
    return verdict, f"farthest minus nearest tenth in points, models of 3B to 8B: {', '.join(told)}"


def shrinks_with_budget(pages: Pages) -> Judged:
    table = pages.table("40_published_grids", "by_budget")
    if table.empty:
        return not_run("40")
    ends = table["budget"].min(), table["budget"].max()
    small, large = (table[table["budget"] == end].set_index("method") for end in ends)
    both = small.index.intersection(large.index)
    small, large = small.loc[both], large.loc[both]
    shrunk, grown = (large["high"] < small["low"]).sum(), (large["low"] > small["high"]).sum()
    verdict = HOLDS if shrunk == len(both) else FAILS if grown == len(both) else OPEN
    middle = [100 * end["estimate"].mean() for end in (small, large)]
    return verdict, (
        f"{shrunk} of {len(both)} lower and {grown} higher for certain; {middle[0]:+.1f} and {middle[1]:+.1f} points in the mean at "
        f"{ends[0]:,} and {ends[1]:,} rows, models of 3B to 8B"
    )


def below_random_but_rds(pages: Pages) -> Judged:
    table = first_benchmark(pages.table("31_failure_modes_at_scale", "difference_by_pool_size"))
    if table.empty or "rds_plus" not in names(table["method"]):
        return UNTESTED, "RDS+ was not followed over pools of several sizes in this run"
    rds, below = pd.Series(names(table["method"]), table.index) == "rds_plus", table["high"] < 0
    of_report = table.groupby("report")["pool rows"]
    largest, smallest = (table["pool rows"] == of_report.transform(end) for end in ("max", "min"))
    more = below[largest & ~rds].sum() > below[smallest & ~rds].sum()
    many = below[largest & ~rds].mean() > 0.5
    spared = (table[largest & rds]["low"] > 0).all()
    verdict = FAILS if below[largest & rds].any() else HOLDS if many and more and spared else OPEN
    return (
        verdict,
        f"{below[largest & ~rds].sum()} of {(largest & ~rds).sum()} other selections below random on the largest pool and {below[smallest & ~rds].sum()} of {(smallest & ~rds).sum()} on the smallest; {below[largest & rds].sum()} of {(largest & rds).sum()} of RDS+ on the largest",
    )
