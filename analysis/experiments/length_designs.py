"""Runs on rows of a length, of a style, or of both: what longest-first takes at once, taken apart."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from analysis.experiments.designed import runs_of
from analysis.experiments.results import EQUAL_ROWS, EQUAL_TOKENS, Run
from analysis.experiments.selecting import cut_by_tokens
from analysis.experiments.workbench import Workbench
from analysis.methods import RANDOM
from analysis.methods.tools.quotas import allocate

STYLE_FIXED, LONGEST_WORKED, RANDOM_WORKED = "longest of each style", "longest worked answers", "random worked answers"


def random_tokens(work: Workbench, planned: Sequence[Run], budget: int) -> int:
    """Mean tokens of one pass over the random subsets of a budget among planned runs."""
    counts = [
        _tokens(work.with_part(run.part))[run.rows].sum()
        for run in planned
        if run.method == RANDOM and run.budget == budget
    ]
    return int(np.mean(counts))


def band_name(number: int, count: int) -> str:
    """The band of this number, from 1 = shortest."""
    return f"band {number} of {count}"


def of_bands(work: Workbench, budget: int, count: int, tokens: int) -> list[Run]:
    """Random rows of every band of answer lengths, the part's rows cut into `count` bands of equal size.

    At equal rows, and at `tokens` of one pass; where a band has fewer tokens it is taken whole.

    Raises
    ------
    ValueError
        A band has fewer rows than the budget.
    """
    fewest = min(len(part.pool) for part in work.parts) // count if count else budget
    if fewest < budget:
        raise ValueError(f"bands: {count} of a part have {fewest} rows each, fewer than the budget of {budget}")
    return [
        run
        for number in range(1, count + 1)
        for design, equal in ((EQUAL_ROWS, None), (EQUAL_TOKENS, tokens))
        for run in runs_of(work, band_name(number, count), partial(_band, number=number, count=count, budget=budget, tokens=equal),
                           budget, design=design)
    ]  # fmt: skip


def of_styles(work: Workbench, budget: int, repeats: int) -> list[Run]:
    """The longest rows of each style in the pool's shares of styles, and among worked answers the longest and random ones.

    Random ones are drawn `repeats` times from every part. Of a pool without truth there are none.
    """
    if not work.pool.has_truth:
        return []
    return [
        *runs_of(work, STYLE_FIXED, partial(_longest_of_each_style, budget=budget), budget),
        *runs_of(work, LONGEST_WORKED, partial(_worked, budget=budget, longest=True), budget),
        *runs_of(work, RANDOM_WORKED, partial(_worked, budget=budget, longest=False), budget, repeats=repeats),
    ]


def _band(
    part: Workbench, rng: np.random.Generator, number: int, count: int, budget: int, tokens: int | None
) -> np.ndarray:
    order = _by_length(part, rng)[::-1]
    rows = rng.permutation(np.array_split(order, count)[number - 1])
    if tokens is None:
        return rows[:budget]
    of_rows = _tokens(part)
    return cut_by_tokens(rows, of_rows, tokens) if of_rows[rows].sum() >= tokens else rows


def _longest_of_each_style(part: Workbench, rng: np.random.Generator, budget: int) -> np.ndarray:
    names, style, sizes = np.unique(part.pool.truth("style"), return_inverse=True, return_counts=True)
    order = _by_length(part, rng)
    quotas = allocate(sizes, budget, sizes)
    return np.concatenate([order[style[order] == number][: quotas[number]] for number in range(len(names))])


def _worked(part: Workbench, rng: np.random.Generator, budget: int, longest: bool) -> np.ndarray:
    order = _by_length(part, rng)
    worked = order[part.pool.truth("style")[order] == "worked"]
    if len(worked) < budget:
        raise ValueError(f"budget: {budget} rows asked for, but part {part.part} has {len(worked)} worked answers")
    return (worked if longest else rng.permutation(worked))[:budget]


def _by_length(part: Workbench, rng: np.random.Generator) -> np.ndarray:
    """All rows, the longest answers first, equal ones in a random order."""
    answer = part.features.lengths().answer
    return np.lexsort((rng.random(len(answer)), -answer))


def _tokens(part: Workbench) -> np.ndarray:
    return part.features.lengths().total.clip(max=part.settings.max_tokens)
