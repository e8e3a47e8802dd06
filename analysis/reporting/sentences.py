"""Sentences about selections that several notebooks say: rows in common, lengths, and seconds."""

from itertools import combinations

import numpy as np
import pandas as pd

from analysis.experiments import selecting
from analysis.experiments.grid import ALIKE
from analysis.experiments.results import EQUAL_ROWS
from analysis.experiments.workbench import Workbench, stream
from analysis.methods import RANDOM, Selection, label
from analysis.reporting.trained_rows import regime_of
from analysis.reporting.verdicts import overlap_sentence
from analysis.reporting.wording import gained_in, listed, of_each, share, with_interval
from analysis.subsets.composition import describe
from analysis.subsets.overlap import agreement, share_in_common
from analysis.subsets.rows import WHOLE_POOL


def size_of(work: Workbench, budget: int) -> str:
    """Rows of a selection and what they buy, e.g. "160 rows (20 rows per skill)"."""
    return f"{budget:,} rows ({regime_of(work).words(budget)})"


def worth_finding(
    work: Workbench, table: pd.DataFrame, selections: dict[str, Selection], rows: pd.DataFrame, method: str
) -> str:
    """What a method's page is asked first: how it did against random; where nothing was trained, what it takes instead.

    Parameters
    ----------
    table : of `versus_random`, without lines where nothing was fine-tuned.
    rows : what is known of the rows of the pool's first part, for `describe`.
    """
    size = size_of(work, len(selections[method].rows))
    lines = table[(table["method"] == method) & (table["design"] == EQUAL_ROWS)].to_dict("records")
    if lines:
        alone = [line | {"low": line["alone_low"], "high": line["alone_high"]} for line in lines]
        told = [
            f"{with_interval(line, line['unit'])} {gained_in(line['unit'])} on {line['benchmark']}" for line in alone
        ]
        runs = f"{lines[0]['n_runs']} runs, {lines[0]['n_random']} random ones"
        if not ALIKE <= (ratio := lines[0]["tokens_ratio"]) <= 1 / ALIKE:
            runs += f"; trained on {ratio:.1f} times random's tokens"
        return f"{label(method)} minus random at {size}: {listed(told)} (95 % intervals; {runs}; the verdict is notebook 30's)."
    described = describe(rows, {name: selections[name] for name in (RANDOM, method)}).set_index("method")
    own, pool = described.loc[label(method)], described.loc[WHOLE_POOL]  # one draw would be a noisy measure of chance
    taken = (
        f"{share(own['faulty rows'])} of its rows are faulty, {share(pool['faulty rows'])} of the pool's"
        if "faulty rows" in described
        else f"its median answer has {own['median answer tokens']:g} tokens, the pool's {pool['median answer tokens']:g}"
    )
    return f"Whether {label(method)} beats random was not tried on this page; at {size}, {taken}."


def agreement_findings(rows: pd.DataFrame, selections: dict[str, Selection], first: str, second: str) -> list[str]:
    """Whether two variants choose the same rows, and how the faults and lengths of what they choose differ."""
    said = [overlap_sentence(first, second, **agreement(selections[first], selections[second], len(rows)))]
    described = describe(rows, {name: selections[name] for name in (RANDOM, first, second)}).set_index("method")
    said.append(f"Median answer tokens: {of_each(described['median answer tokens'], '{:g}'.format)}.")
    if "faulty rows" in described:
        said.append(f"Share of faulty rows: {of_each(described['faulty rows'])}.")
    return said


def change_finding(
    selections: dict[str, Selection], first: str, second: str, n_rows: int, words: tuple[str, str, str], note: str = ""
) -> str:
    """Whether a change matters, by the rule of half of the rows; in words: what changes, that it does, that it does not."""
    found = agreement(selections[first], selections[second], n_rows)
    what, matters, does_not = words
    return (
        f"{what} {matters if found['overlap'] < 0.5 else does_not} by this page's rule: {label(first)} and {label(second)} "
        f"have {share(found['overlap'])} of their rows in common ({share(found['expected'])} by chance{note})."
    )


def stability_finding(work: Workbench, method: str, budget: int, decides: str, seeds: int = 2) -> str:
    """How many rows a method's selections from one part share over seeds, which are all that differs between them.

    Parameters
    ----------
    decides : what the seed decides, for the sentence.
    seeds : the part's own and further ones.
    """
    all_seeds = [work.selection_seed, *(stream(work.seed, "stability", work.part, one) for one in range(1, seeds))]
    made = [selecting.select(work, method, budget, seed=seed).rows for seed in all_seeds]
    common = float(np.mean([share_in_common(*pair) for pair in combinations(made, 2)]))
    return (
        f"{label(method)} takes {share(common)} of its rows again from the same part of the pool with another seed, which "
        f"decides {decides} ({share(budget / len(work.pool))} by chance)."
    )


def length_finding(described: pd.DataFrame) -> str:
    """How much longer what a method picks is than the pool, for every method of `describe`."""
    pool = described[described["method"] == WHOLE_POOL].iloc[0]
    said = [
        f"{line['method']} {line['median answer tokens'] / max(pool['median answer tokens'], 1):.1f} times"
        for line in described.to_dict("records") if line["method"] != WHOLE_POOL
    ]  # fmt: skip
    return f"Median answer length of what is picked, relative to the pool at {pool['median answer tokens']:g} tokens: {listed(said)}."


def cost_finding(made: dict[str, Selection]) -> str:
    """Seconds of every selection when it was made; what methods share is counted with the first of them."""
    seconds = {label(name): one.seconds for name, one in made.items()}
    return f"Selecting took {of_each(seconds, '{:.1f} s'.format)}; what two of them need is counted with the first."
