"""The rules by which numbers of other pages answer a claim: verdict, and what was found in a few words.

A rule never says more than the page it reads: *holds here* and *does not hold here* take a verdict, or an interval beyond
zero, of that page. *Here* is the pools, bases and budgets of the run.
"""

import numpy as np

from analysis.experiments.results import EQUAL_ROWS
from analysis.methods import label, parse
from analysis.methods.calls import default_options
from analysis.reporting.answers import (
    DEPENDS,
    DIFFICULTY,
    FAILS,
    FEWEST_METHODS,
    HARDLY_ANY,
    HOLDS,
    OPEN,
    UNTESTED,
    USUALLY,
    Judged,
    as_claim,
    comparisons,
    counts,
    first_benchmark,
    main_comparisons,
    names,
    not_run,
    one_unit,
    together,
    variant,
    written,
)  # fmt: skip
from analysis.reporting.pages import Pages
from analysis.reporting.wording import figures, listed, p_text, share
from analysis.statistics import BETTER, NO_DIFFERENCE, NO_VERDICT, UNDECIDED, WORSE, holm
from analysis.statistics.slopes import FALLS, GROWS
from analysis.statistics.surface import DIVERSITY, QUALITY


def hardly_any(pages: Pages) -> Judged:
    table = main_comparisons(pages)
    if table.empty:
        return not_run("30")
    own = table[table["design"] == EQUAL_ROWS]["verdict"]
    n_better, n_open = (own == BETTER).sum(), own.isin([UNDECIDED, NO_VERDICT]).sum()
    verdict = (
        FAILS if n_better > HARDLY_ANY * len(own) else OPEN if n_better + n_open > HARDLY_ANY * len(own) else HOLDS
    )
    if table["method"].nunique() < FEWEST_METHODS:
        verdict = OPEN
    return verdict, f"of {comparisons(len(own))} at equal rows {counts(own)}"


def within_range(pages: Pages) -> Judged:
    table = first_benchmark(pages.table("30_versus_random", "versus_random"))
    if table.empty:
        return not_run("30")
    inside, expected = [], []
    for line in table[table["design"] == EQUAL_ROWS].to_dict("records"):
        own, random = (np.array(str(line[name]).split(), float) for name in ("scores", "random_scores"))
        inside += ((random.min() <= own) & (own <= random.max())).tolist()
        expected += [(len(random) - 1) / (len(random) + 1)] * len(own)  # of one more draw from the same distribution
    found = f"{sum(inside)} of {len(inside)} single runs lie within the range of random's ({share(np.mean(expected))} would by chance)"
    if table["method"].nunique() < FEWEST_METHODS:
        return OPEN, found
    within = np.mean(inside)
    return (HOLDS if within >= USUALLY else FAILS if within <= 1 - USUALLY else OPEN), found


def none_significant(pages: Pages) -> Judged:
    table = first_benchmark(pages.table("30_versus_random", "versus_random"))
    if table.empty:
        return not_run("30")
    own = table[table["design"] == EQUAL_ROWS]
    p = own["p_mann_whitney_better"].to_numpy()
    least, corrected, possible = p.min(), holm(p).min(), own["smallest_p"].max()
    verdict = FAILS if corrected <= 0.05 else HOLDS if (own["verdict"] == NO_DIFFERENCE).all() else OPEN
    return (
        verdict,
        f"least p {p_text(least)} in {len(own)} tests, {p_text(corrected)} corrected, where {p_text(possible)} is the least possible",
    )


def diversity_first(pages: Pages) -> Judged:
    table = pages.table("32_diversity_vs_quality", "effects")
    if table.empty:
        return not_run("32")
    verdicts, told = [], []
    for (report, budget), own in table.groupby(["report", "budget"], sort=False):
        lines = own.set_index("effect")
        scale = lines["standardised"] / lines["estimate"].where(lines["estimate"] != 0)
        low, high = lines["low"] * scale, lines["high"] * scale
        first = low[DIVERSITY] > max(high[QUALITY], 0)
        verdicts.append(HOLDS if first else FAILS if low[QUALITY] > max(high[DIVERSITY], 0) else OPEN)
        parts = [f"{name} {lines['standardised'][name]:+.2f} [{low[name]:+.2f}, {high[name]:+.2f}]" for name in (DIVERSITY, QUALITY)]  # fmt: skip
        told.append(f"{budget:,} rows{variant(report)}: {' and '.join(parts)}")
    return together(verdicts), f"in standard deviations of the score for one of what was varied, {'; '.join(told)}"


def quotas(pages: Pages) -> Judged:
    table = pages.table("32_diversity_vs_quality", "quotas")
    own = table[[name in DIFFICULTY for name in names(table["against"])]] if len(table) else table
    if len(own) < 2:
        return UNTESTED, "fewer than two quality methods stand with and without quotas in this run"
    up, down = (own["low"] > 0).sum(), (own["high"] < 0).sum()
    verdict = HOLDS if up > len(own) / 2 else FAILS if down > len(own) / 2 else OPEN
    unit = one_unit(own)
    told = [
        f"{label(line['against'])}{variant(line['report'])} {written(line, not unit)}"
        for line in own.to_dict("records")
    ]
    counted_in = f" in {unit}" if unit else ""
    return verdict, f"{up} of {len(own)} repaired, with quotas minus without{counted_in}: {', '.join(told)}"


def length_works(pages: Pages) -> Judged:
    table = main_comparisons(pages)
    own = table[(table["method"] == "token_length") & (table["design"] == EQUAL_ROWS)] if len(table) else table
    if own.empty:
        return not_run("30")
    told = [f"{written(line)} at {line['regime']}{variant(line['report'])} and {line['tokens_ratio']:.1f} times the tokens ({line['verdict']})"
            for line in own.to_dict("records")]  # fmt: skip
    return together([as_claim(verdict, BETTER, WORSE) for verdict in own["verdict"]]), "; ".join(told)


def length_for_weak_bases(pages: Pages) -> Judged:
    both = pages.table("34_base_model_strength", "slopes")
    table = first_benchmark(both)
    own = table[table["method"] == "token_length"] if len(table) else table
    if own.empty:
        return not_run("34")
    unit = one_unit(own)
    told = [
        f"{written(line, not unit)}{variant(line['report'])} ({line['verdict']}, {line['n_places']} bases)"
        for line in own.to_dict("records")
    ]
    rest = both[(both["method"] == "token_length") & ~both.index.isin(own.index)]
    told += [f"on {line['benchmark']}, by which no claim is judged, {written(line, True)} ({line['verdict']})"
             for line in rest.to_dict("records")]  # fmt: skip
    verdict = together([as_claim(one, FALLS, GROWS) for one in own["verdict"]])
    counted_in = f" in {unit}" if unit else ""
    return verdict, f"change{counted_in} for a base that is a nat better on plain text: {'; '.join(told)}"


def ifd_short(pages: Pages) -> Judged:
    table = pages.table("33_length_effects", "scores")
    own = table[[_is_own_ifd(call) for call in table["method"]]] if len(table) else table
    if own.empty:
        return not_run("33")
    verdicts = [HOLDS if high < 0 else FAILS if low > 0 else OPEN for low, high in zip(own["low"], own["high"], strict=True)]  # fmt: skip
    told = [
        f"{line.correlation:+.2f} [{line.low:+.2f}, {line.high:+.2f}]{variant(line.report)}"
        for line in own.itertuples()
    ]
    return together(verdicts), f"rank correlation of IFD, as its authors define it, with answer length {listed(told)}"


def _is_own_ifd(call: str) -> bool:
    """Whether a call is of IFD as its authors define it, with or without pre-experience, not of the released script."""
    name, options = parse(call)
    return name == "ifd" and (default_options(name) | options)["variant"] == "original"


def fails_at_scale(pages: Pages) -> Judged:
    table = first_benchmark(pages.table("31_failure_modes_at_scale", "difference_by_pool_size"))
    verdicts, told = [], []
    for (report, method), own in table.groupby(["report", "method"], sort=False) if len(table) else ():
        if own["pool rows"].nunique() < 2:
            continue
        small, large = (
            own[own["pool rows"] == size].iloc[0] for size in (own["pool rows"].min(), own["pool rows"].max())
        )
        told.append(
            f"{label(method)}{variant(report)} {written(small)} from {small['pool rows']:,} and {written(large)} from {large['pool rows']:,} rows"
        )
        if small["low"] > 0:
            lost = large["high"] < small["low"] and large["low"] <= 0
            verdicts.append(HOLDS if lost else FAILS if large["low"] > 0 else OPEN)
    if not told:
        return not_run("31")
    return together(
        verdicts or [OPEN]
    ), f"{len(verdicts)} of {len(told)} above random on the small pool: {'; '.join(told)}"


def costly(pages: Pages) -> Judged:
    table = pages.table("35_cost_of_selection", "hours")
    table = table[table["hours"] > 0] if len(table) else table
    if table.empty:
        return not_run("35")
    above = (table["times_training"] > 1).sum()
    told = [f"{label(line.method)}{variant(line.report)} {figures(line.times_training)}" for line in table.itertuples()]
    verdict = HOLDS if above == len(table) else DEPENDS if above else FAILS
    return verdict, f"hours of selecting over hours of training, counted for a large model and pool: {', '.join(told)}"


def untested(why: str):
    """The rule of a claim that no page answers."""
    return lambda pages: (UNTESTED, why)
