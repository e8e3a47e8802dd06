"""Sentences that follow from a comparison with random selection, by rule."""

import pandas as pd

from analysis.reporting.style import label
from analysis.reporting.wording import listed, quantity, share, unit_name
from analysis.statistics import BETTER, NO_DIFFERENCE, UNDECIDED, WORSE

WORDS = {
    BETTER: "is better than random", WORSE: "is worse than random",
    NO_DIFFERENCE: "makes no difference larger than δ", UNDECIDED: "is undecided against random",
}  # fmt: skip


def headline(table: pd.DataFrame) -> list[str]:
    """One sentence per benchmark: which methods have which verdict."""
    sentences = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        names = {verdict: [label(name) for name in lines["method"]] for verdict, lines in part.groupby("verdict")}
        said = [f"{verdict}: {listed(names[verdict])}" for verdict in (BETTER, NO_DIFFERENCE, UNDECIDED, WORSE)
                if verdict in names]  # fmt: skip
        worth = len(names.get(BETTER, []))
        who = (
            f"{worth} of {len(part)} methods {'is' if worth == 1 else 'are'}"
            if worth
            else f"No method of {len(part)} is"
        )
        start = f"{who} worth more than"
        sentences.append(f"{start} a random draw on {benchmark} ({'; '.join(said)}).")
    return sentences


def verdict_sentences(table: pd.DataFrame, design: str = "") -> list[str]:
    """One sentence per benchmark and method: verdict, estimate, interval, n, p values, tokens."""
    return [_sentence(line, design) for line in table.to_dict("records")]


def _sentence(line: dict, design: str) -> str:
    unit = line["unit"]
    interval = f"{quantity(line['low'], unit, True)} to {quantity(line['high'], unit, True)}"
    rank_p = line["p_mann_whitney_better" if line["estimate"] >= 0 else "p_mann_whitney_worse"]
    where = f"{line['benchmark']}, {design}" if design else line["benchmark"]
    sentence = (
        f"{label(line['method'])} {WORDS[line['verdict']]} on {where}: {quantity(line['estimate'], unit, True)} "
        f"{unit_name(unit)} (95 % interval {interval}; δ {quantity(line['delta'], unit)}; {line['n_seeds']} runs against "
        f"{line['n_random']} random ones, {line['n_items']} items; Holm p {_p(line['p_holm'])}, exact one-sided Mann–Whitney p "
        f"{_p(rank_p)}, smallest possible {_p(line['smallest_p'])})"
    )
    ratio = line["tokens_ratio"]
    tokens = f"; it was trained on {ratio:.1f} times random's tokens" if not 0.8 <= ratio <= 1.25 else ""
    note = f"; {line['note'].rstrip('.')}" if line["note"] else ""
    return f"{sentence}{tokens}{note}."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def resolution(table: pd.DataFrame) -> list[str]:
    """What this design could have seen: smallest detectable difference, and the runs that δ would take."""
    sentences = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        line = part.loc[part["detectable"].idxmax()]
        unit, needed = line["unit"], part["seeds_needed"]
        runs = (
            f"up to {needed.max()} runs on each side" if needed.notna().all() else "more runs than 1,000, or more items"
        )
        sentences.append(
            f"On {benchmark} this design calls a true difference of {quantity(line['detectable'], unit)} {unit_name(unit)} in "
            f"four of five cases, for the noisiest method ({label(line['method'])}); to see δ = {quantity(line['delta'], unit)} "
            f"for every method it would take {runs}."
        )
    return sentences


def overlap_sentence(first: str, second: str, overlap: float, expected: float, spearman: float) -> str:
    """How far two variants choose the same rows."""
    same = "the same method" if overlap > 0.5 else "two different methods"
    return (
        f"{label(first)} and {label(second)} are {same} by the rule above: {share(overlap)} of their rows are common "
        f"({share(expected)} by chance), Spearman's correlation of the scores is {spearman:.2f}."
    )
