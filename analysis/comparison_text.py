"""Sentences that follow from a comparison with random selection, by rule."""

import pandas as pd

from analysis.statistics import BETTER, NO_DIFFERENCE, UNDECIDED, WORSE
from analysis.style import label
from analysis.wording import listed, quantity, share, unit_name

WORDS = {
    BETTER: "is better than random", WORSE: "is worse than random",
    NO_DIFFERENCE: "makes no difference larger than δ", UNDECIDED: "is undecided against random",
}  # fmt: skip


def headline(table: pd.DataFrame) -> list[str]:
    """One sentence per benchmark: which methods have which verdict."""
    sentences = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        names = {
            verdict: [label(name) for name in lines["method"]] for verdict, lines in part.groupby("verdict")
        }
        said = [f"{verdict}: {listed(names[verdict])}" for verdict in (BETTER, NO_DIFFERENCE, UNDECIDED, WORSE)
                if verdict in names]  # fmt: skip
        worth = len(names.get(BETTER, []))
        start = f"{worth if worth else 'None'} of {len(part)} methods {'is' if worth == 1 else 'are'} worth more than"
        sentences.append(f"{start} a random draw on {benchmark} ({'; '.join(said)}).")
    return sentences


def verdict_sentences(table: pd.DataFrame, design: str = "") -> list[str]:
    """One sentence per benchmark and method: verdict, estimate, interval, n, p values, tokens."""
    return [_sentence(line, design) for line in table.to_dict("records")]


def _sentence(line: dict, design: str) -> str:
    unit = line["unit"]
    interval = f"{quantity(line['low'], unit, True)} to {quantity(line['high'], unit, True)}"
    where = f"{line['benchmark']}, {design}" if design else line["benchmark"]
    sentence = (
        f"{label(line['method'])} {WORDS[line['verdict']]} on {where}: {quantity(line['estimate'], unit, True)} "
        f"{unit_name(unit)} (95 % interval {interval}; δ {quantity(line['delta'], unit)}; {line['n_seeds']} runs against "
        f"{line['n_random']} random ones, {line['n_items']} items; Holm p {_p(line['p_holm'])}, exact Mann–Whitney p "
        f"{_p(line['p_mann_whitney'])}, smallest possible {_p(line['smallest_p'])})"
    )
    ratio = line["tokens_ratio"]
    tokens = f"; it was trained on {ratio:.1f} times random's tokens" if not 0.8 <= ratio <= 1.25 else ""
    borrowed = (
        "; its own spread is not known from one run and was taken to be that of random"
        if line["spread_borrowed"]
        else ""
    )
    return f"{sentence}{tokens}{borrowed}."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def resolution(table: pd.DataFrame, results) -> list[str]:
    """What this design could have seen: smallest detectable difference, and the seeds that δ would take."""
    from analysis.experiments import RANDOM
    from analysis.statistics import detectable_difference, seeds_needed

    sentences = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        line, spread = part.iloc[0], results.items(RANDOM, benchmark).mean(axis=1).std(ddof=1)
        least = detectable_difference(spread, line["n_seeds"], line["n_random"])
        needed = seeds_needed(spread, line["delta"], line["n_random"])
        seeds = f"{needed} seeds per method" if needed else f"more than {line['n_random']} random subsets"
        sentences.append(
            f"On {benchmark} this design finds a difference of {quantity(least, line['unit'])} {unit_name(line['unit'])} in "
            f"four of five cases (runs of random have a standard deviation of {quantity(spread, line['unit'])}); to find "
            f"δ = {quantity(line['delta'], line['unit'])} it would take {seeds}."
        )
    return sentences


def tokens_note(table: pd.DataFrame) -> str:
    """How unequal the training was at equal rows."""
    first = table.groupby("method", sort=False)["tokens_ratio"].first()
    said = listed([f"{label(name)} {ratio:.2f}" for name, ratio in first.items()])
    return f"Tokens of training relative to random: {said}."


def overlap_sentence(first: str, second: str, overlap: float, expected: float, spearman: float) -> str:
    """How far two variants choose the same rows."""
    same = "the same method" if overlap > 0.5 else "two different methods"
    return (
        f"{label(first)} and {label(second)} are {same} by the rule above: {share(overlap)} of their rows are common "
        f"({share(expected)} by chance), Spearman's correlation of the scores is {spearman:.2f}."
    )
