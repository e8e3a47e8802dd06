"""The rules by which numbers of other pages answer a claim: verdict, and what was found in a few words.

A rule never says more than the page it reads: *holds here* and *does not hold here* take a verdict, or an interval beyond
zero, of that page. *Here* is the pools, bases and budgets of the run.
"""

import numpy as np
import pandas as pd

from analysis.experiments.benchmarks.result import unit_of
from analysis.experiments.results import EQUAL_ROWS
from analysis.methods import METHODS, label, parse
from analysis.reporting.pages import Pages
from analysis.reporting.topics.cost_of_selection import DOES_NOT, PAYS
from analysis.reporting.wording import listed
from analysis.statistics import BETTER, NO_DIFFERENCE, NO_VERDICT, UNDECIDED, WORSE, holm
from analysis.statistics.slopes import FALLS, GROWS
from analysis.statistics.surface import DIVERSITY, QUALITY

HOLDS, FAILS, DEPENDS, OPEN, UNTESTED = (
    "holds here",
    "does not hold here",
    "depends on the regime",
    "undecided",
    "not tested here",
)
VERDICTS = (HOLDS, DEPENDS, FAILS, OPEN, UNTESTED)
HARDLY_ANY, USUALLY = 0.1, 2 / 3
Judged = tuple[str, str]


def main_comparisons(pages: Pages) -> pd.DataFrame:
    """Notebook 30's comparisons on the first benchmark of every pool and base, with `family` and `regime`."""
    table = pages.table("30_versus_random", "by_regime")
    if table.empty:
        return table
    table["family"] = [METHODS[parse(name)[0]].family for name in table["method"]]
    table["regime"] = [f"{rows:.2g} rows per {kind}" for rows, kind in zip(table["rows_per_kind"], table["kind"], strict=True)]  # fmt: skip
    return table


def written(line) -> str:
    """An estimate that is in the scale of its unit, with its interval: +1.5 [-0.5, +3.5]"""
    digits = unit_of(line["unit"]).digits
    estimate, low, high = (f"{line[name]:+.{digits}f}" for name in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"


def counts(verdicts: pd.Series) -> str:
    """How often each verdict was spoken: 1 better and 3 undecided."""
    order = (BETTER, NO_DIFFERENCE, UNDECIDED, WORSE, NO_VERDICT)
    found = verdicts.value_counts()
    return listed([f"{found[name]} {name}" for name in order if name in found])


def _not_run(notebook: str) -> Judged:
    return UNTESTED, f"notebook {notebook} has no such numbers in this run"


def hardly_any(pages: Pages) -> Judged:
    table = main_comparisons(pages)
    if table.empty:
        return _not_run("30")
    own = table[table["design"] == EQUAL_ROWS]["verdict"]
    n_better, n_open = (own == BETTER).sum(), own.isin([UNDECIDED, NO_VERDICT]).sum()
    verdict = (
        FAILS if n_better > HARDLY_ANY * len(own) else OPEN if n_better + n_open > HARDLY_ANY * len(own) else HOLDS
    )
    return verdict, f"of {len(own)} comparisons at equal rows {counts(own)}"


def within_range(pages: Pages) -> Judged:
    table = _first_benchmark(pages.table("30_versus_random", "versus_random"))
    if table.empty:
        return _not_run("30")
    inside, fewest = [], np.inf
    for line in table[table["design"] == EQUAL_ROWS].to_dict("records"):
        own, random = (np.array(str(line[name]).split(), float) for name in ("scores", "random_scores"))
        inside.append(random.min() <= own.mean() <= random.max())
        fewest = min(fewest, len(random))
    found = f"{sum(inside)} of {len(inside)} means lie within the range of at least {fewest} random runs"
    inside = np.mean(inside)
    return (HOLDS if inside >= USUALLY else FAILS if inside <= 1 - USUALLY else OPEN), found


def none_significant(pages: Pages) -> Judged:
    table = _first_benchmark(pages.table("30_versus_random", "versus_random"))
    if table.empty:
        return _not_run("30")
    own = table[table["design"] == EQUAL_ROWS]
    corrected = own.groupby(["report", "budget"])["p_mann_whitney_better"].transform(lambda p: holm(p.to_numpy()))
    verdict = FAILS if (corrected <= 0.05).any() else HOLDS if (own["verdict"] == NO_DIFFERENCE).all() else OPEN
    least, possible = own["p_mann_whitney_better"].min(), own["smallest_p"].max()
    return verdict, (
        f"least p {least:.3f} in {len(own)} tests, {corrected.min():.3f} corrected, where {possible:.3f} is the least possible"
    )


def diversity_first(pages: Pages) -> Judged:
    table = pages.table("32_diversity_vs_quality", "effects")
    if table.empty:
        return _not_run("32")
    verdicts, told = [], []
    for (_, budget), own in table.groupby(["report", "budget"], sort=False):
        lines = own.set_index("effect")
        scale = lines["standardised"] / lines["estimate"].where(lines["estimate"] != 0)
        low, high = lines["low"] * scale, lines["high"] * scale
        verdicts.append(HOLDS if low[DIVERSITY] > high[QUALITY] else FAILS if low[QUALITY] > high[DIVERSITY] else OPEN)
        parts = [f"{name} {lines['standardised'][name]:+.2f} [{low[name]:+.2f}, {high[name]:+.2f}]" for name in (DIVERSITY, QUALITY)]  # fmt: skip
        told.append(f"{budget:,} rows: {' and '.join(parts)}")
    return _all_of(verdicts), f"in standard deviations of the score per one of what is set, {'; '.join(told)}"


def quotas(pages: Pages) -> Judged:
    table = pages.table("32_diversity_vs_quality", "quotas")
    if table.empty:
        return _not_run("32")
    up, down = (table["low"] > 0).sum(), (table["high"] < 0).sum()
    verdict = HOLDS if up > len(table) / 2 else FAILS if down > len(table) / 2 else OPEN
    told = [f"{label(line['against'])} {written(line)}" for line in table.to_dict("records")]
    return (
        verdict,
        f"{up} of {len(table)} repaired, with quotas minus without in {table['in'].iloc[0]}: {', '.join(told)}",
    )


def length_works(pages: Pages) -> Judged:
    table = main_comparisons(pages)
    own = table[(table["method"] == "token_length") & (table["design"] == EQUAL_ROWS)] if len(table) else table
    if own.empty:
        return _not_run("30")
    told = [f"{written(line)} at {line['regime']} and {line['tokens_ratio']:.1f} times the tokens ({line['verdict']})"
            for line in own.to_dict("records")]  # fmt: skip
    return _either(set(own["verdict"]), BETTER, WORSE), "; ".join(told)


def length_for_weak_bases(pages: Pages) -> Judged:
    table = _first_benchmark(pages.table("34_base_model_strength", "slopes"))
    own = table[table["method"] == "token_length"] if len(table) else table
    if own.empty:
        return _not_run("34")
    told = [f"{written(line)} ({line['verdict']}, {line['n_places']} bases)" for line in own.to_dict("records")]
    verdict = _either(set(own["verdict"]), FALLS, GROWS)
    return verdict, f"change in {own['in'].iloc[0]} for a base that is a nat better on plain text: {'; '.join(told)}"


def ifd_short(pages: Pages) -> Judged:
    table = pages.table("33_length_effects", "scores")
    own = table[[parse(name)[0] == "ifd" for name in table["method"]]] if len(table) else table
    if own.empty:
        return _not_run("33")
    verdicts = [HOLDS if high < 0 else FAILS if low > 0 else OPEN for low, high in zip(own["low"], own["high"], strict=True)]  # fmt: skip
    told = [f"{line.correlation:+.2f} [{line.low:+.2f}, {line.high:+.2f}]" for line in own.itertuples()]
    return _all_of(verdicts), f"rank correlation of the score with answer length {listed(told)}"


def fails_at_scale(pages: Pages) -> Judged:
    table = _first_benchmark(pages.table("31_failure_modes_at_scale", "difference_by_pool_size"))
    if table.empty or table["pool rows"].nunique() < 2:
        return _not_run("31")
    worked, failed, told = 0, 0, []
    for (_, method), own in table.groupby(["report", "method"], sort=False):
        small, large = (
            own[own["pool rows"] == size].iloc[0] for size in (own["pool rows"].min(), own["pool rows"].max())
        )
        worked += small["low"] > 0
        failed += small["low"] > 0 and large["high"] < small["low"]
        told.append(
            f"{label(method)} {written(small)} from {small['pool rows']:,} and {written(large)} from {large['pool rows']:,} rows"
        )
    verdict = OPEN if not worked else HOLDS if failed == worked else FAILS if not failed else DEPENDS
    return (
        verdict,
        f"{worked} of {len(told)} above random on the small pool, {failed} of these lower on the large one: {'; '.join(told)}",
    )


def costly(pages: Pages) -> Judged:
    table = pages.table("35_cost_of_selection", "hours")
    table = table[table["hours"] > 0] if len(table) else table
    if table.empty:
        return _not_run("35")
    above = (table["times_training"] > 1).sum()
    told = [f"{label(line.method)} {line.times_training:.0f}" for line in table.itertuples()]
    verdict = HOLDS if above == len(table) else DEPENDS if above else FAILS
    return verdict, f"hours of selecting over hours of training, by counting operations: {', '.join(told)}"


def does_not_pay(pages: Pages) -> Judged:
    table = _first_benchmark(pages.table("35_cost_of_selection", "break_even"))
    if table.empty:
        return _not_run("35")
    verdicts = set(table["verdict"])
    verdict = (
        HOLDS
        if verdicts == {DOES_NOT}
        else OPEN
        if PAYS not in verdicts
        else DEPENDS
        if DOES_NOT in verdicts
        else FAILS
    )
    told = [f"{label(line['method'])} {written(line)} ({line['verdict']})" for line in table.to_dict("records")]
    return verdict, f"against random draws of as much compute: {'; '.join(told)}"


def difficulty_behind(pages: Pages) -> Judged:
    table = main_comparisons(pages)
    own = table[table["design"] == EQUAL_ROWS] if len(table) else table
    quality, diversity = (
        (own[own["family"] == family]["verdict"] for family in ("quality", "diversity")) if len(own) else ((), ())
    )
    if not (len(quality) and len(diversity)):
        return _not_run("30")
    behind, ahead = (quality == WORSE).any(), diversity.isin([NO_DIFFERENCE, BETTER])
    verdict = HOLDS if behind and ahead.all() else FAILS if (diversity == WORSE).any() and not behind else OPEN
    return verdict, f"quality: {counts(quality)}; diversity: {counts(diversity)}"


def tie_at_equal_tokens(pages: Pages) -> Judged:
    table = main_comparisons(pages)
    own = table[(table["design"] != EQUAL_ROWS) & (table["family"] == "diversity")] if len(table) else table
    if own.empty:
        return _not_run("30")
    beyond = own["verdict"].isin([BETTER, WORSE]).any()
    verdict = FAILS if beyond else HOLDS if (own["verdict"] == NO_DIFFERENCE).all() else OPEN
    told = [f"{label(line['method'])} {written(line)} at {line['regime']}" for line in own.to_dict("records")]
    return verdict, f"{counts(own['verdict'])}: {'; '.join(told)}"


def only_gradients(pages: Pages) -> Judged:
    table = pages.table("40_published_grids", "slopes")
    if table.empty:
        return _not_run("40")
    own = table[table["what"].str.startswith("farthest")]
    gradients = own["representation"].str.startswith("LESS")
    falls = own["high"] < 0
    verdict = OPEN if not falls[gradients].all() else FAILS if falls[~gradients].any() else HOLDS
    told = [f"{line['representation']} {written(line)}" for line in own.to_dict("records")]
    return verdict, f"farthest minus nearest tenth in points, models of 3B to 8B: {', '.join(told)}"


def shrinks_with_budget(pages: Pages) -> Judged:
    table = pages.table("40_published_grids", "by_budget")
    if table.empty:
        return _not_run("40")
    small, large = (
        table[table["budget"] == end].set_index("method") for end in (table["budget"].min(), table["budget"].max())
    )
    shrunk, grown = (large["high"] < small["low"]).sum(), (large["low"] > small["high"]).sum()
    verdict = HOLDS if shrunk == len(small) else FAILS if grown == len(small) else OPEN
    middle = [100 * end["estimate"].mean() for end in (small, large)]
    ends = f"{table['budget'].min():,} and {table['budget'].max():,} rows"
    return (
        verdict,
        f"{shrunk} of {len(small)} lower, {grown} higher for certain; {middle[0]:+.1f} and {middle[1]:+.1f} points in the mean at {ends}, models of 3B to 8B",
    )


def below_random_but_rds(pages: Pages) -> Judged:
    table = _first_benchmark(pages.table("31_failure_modes_at_scale", "difference_by_pool_size"))
    if table.empty or "rds_plus" not in [parse(name)[0] for name in table["method"]]:
        return UNTESTED, "RDS+ was not followed over pools of several sizes in this run"
    own = table[table["pool rows"] == table.groupby("report")["pool rows"].transform("max")]
    rds, below = own["method"].map(parse).str[0] == "rds_plus", own["high"] < 0
    verdict = FAILS if below[rds].any() else HOLDS if below[~rds].mean() > 0.5 else OPEN
    return (
        verdict,
        f"{below[~rds].sum()} of {(~rds).sum()} other selections below random on the largest pool, {below[rds].sum()} of {rds.sum()} of RDS+",
    )


def untested(why: str):
    """The rule of a claim that no page answers."""
    return lambda pages: (UNTESTED, why)


def _first_benchmark(table: pd.DataFrame) -> pd.DataFrame:
    """The lines of the benchmark that each report names first."""
    return table[table["benchmark"] == table.groupby("report")["benchmark"].transform("first")] if len(table) else table


def _all_of(verdicts: list[str]) -> str:
    decided = {verdict for verdict in verdicts if verdict != OPEN}
    return DEPENDS if len(decided) > 1 else decided.pop() if decided and OPEN not in verdicts else OPEN


def _either(verdicts: set[str], for_it: str, against_it: str) -> str:
    """By whether the verdicts that were spoken are for a claim, against it, or both."""
    if for_it in verdicts:
        return DEPENDS if against_it in verdicts else HOLDS
    return FAILS if against_it in verdicts else OPEN
