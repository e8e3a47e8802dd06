"""Sentences that follow from a comparison with random selection, by rule."""

import pandas as pd

from analysis.reporting.style import label
from analysis.reporting.wording import listed, quantity, share, unit_name
from analysis.statistics import BETTER, HELPS, HURTS, NO_DIFFERENCE, NO_VERDICT, UNDECIDED, WORSE


def headline(table: pd.DataFrame) -> list[str]:
    """One sentence per benchmark: which methods have which verdict."""
    sentences = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        names = {verdict: [label(name) for name in lines["method"]] for verdict, lines in part.groupby("verdict")}
        said = [f"{verdict}: {listed(names[verdict])}" for verdict in (BETTER, NO_DIFFERENCE, UNDECIDED, WORSE, NO_VERDICT)
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


def base_headline(table: pd.DataFrame) -> list[str]:
    """One sentence per benchmark: does fine-tuning on what chance or a method selects help against the base?"""
    sentences = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        names = {verdict: [label(name) for name in lines["method"]] for verdict, lines in part.groupby("verdict")}
        said = [f"{verdict}: {listed(names[verdict])}" for verdict in (HELPS, HURTS, UNDECIDED, NO_VERDICT)
                if verdict in names]  # fmt: skip
        sentences.append(f"Against the base without fine-tuning, on {benchmark}: {'; '.join(said)}.")
    return sentences


def decided(table: pd.DataFrame, against_base: pd.DataFrame) -> pd.DataFrame:
    """What is read first: per benchmark and method estimate, interval, verdict, tokens, and the verdict against the base."""
    base = against_base.set_index(["benchmark", "method"])
    lines = []
    for line in table.to_dict("records"):
        unit, own = line["unit"], base.loc[(line["benchmark"], line["method"])]
        lines.append({
            "benchmark": line["benchmark"], "method": label(line["method"]),
            "difference from random": _with_interval(line, unit), "verdict": line["verdict"],
            "corrected p": _p(line["p_holm"]), "runs": line["n_runs"], "random runs": line["n_random"],
            "tokens of random's": f"{line['tokens_ratio']:.1f} times",
            "gain over the base": _with_interval(own, unit), "fine-tuning": own["verdict"],
        })  # fmt: skip
    return pd.DataFrame(lines)


def estimate_sentences(table: pd.DataFrame, design: str = "") -> list[str]:
    """One sentence per benchmark and method, without a verdict: estimate, its own interval, runs, items, tokens."""
    return [_sentence(line, design) for line in table.to_dict("records")]


def _sentence(line: dict, design: str) -> str:
    unit, where = line["unit"], f"{line['benchmark']}, {design}" if design else line["benchmark"]
    alone = line | {"low": line["alone_low"], "high": line["alone_high"]}
    ratio = line["tokens_ratio"]
    tokens = f"; trained on {ratio:.1f} times random's tokens" if not 0.8 <= ratio <= 1.25 else ""
    return (
        f"{label(line['method'])} against random on {where}: {_with_interval(alone, unit)} {unit_name(unit)} (95 % interval; "
        f"{line['n_runs']} runs, {line['n_random']} random ones, {line['n_items']} items{tokens})."
    )


def _with_interval(line, unit: str) -> str:
    low, high = quantity(line["low"], unit, True), quantity(line["high"], unit, True)
    return f"{quantity(line['estimate'], unit, True)} [{low}, {high}]"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def resolution(table: pd.DataFrame) -> list[str]:
    """What this design could have seen: the smallest difference found at Holm's first level, and the runs that δ takes."""
    sentences = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        line = part.loc[part["detectable"].idxmax()]
        unit, needed = line["unit"], part["runs_needed"]
        runs = (
            f"up to {needed.max()} runs of each method and three times as many random ones"
            if needed.notna().all()
            else "more runs than 1,000, or more items"
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
