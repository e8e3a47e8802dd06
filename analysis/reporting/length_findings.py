"""Sentences about the effect of length, by rules that the notebook states beforehand."""

import numpy as np
import pandas as pd

from analysis.experiments.results import EQUAL_ROWS
from analysis.reporting.topics.length_effects import LONGEST, QUOTAS, name_of
from analysis.reporting.trained_rows import Regime
from analysis.reporting.wording import as_read, gained_in, listed, number, quantity, share, with_interval
from analysis.subsets.long_answers import PADDED, WORKED

NO_TRUTH = (
    "The truth of this pool's rows is not known: with style fixed, among worked answers and under other kinds of long answers "
    "nothing is compared."
)


def headline(pieces: pd.DataFrame, regime: Regime) -> list[str]:
    """Longest-first against random in every kind of pool, a sentence per benchmark, and whose property its sign is."""
    said = []
    for benchmark, lines in pieces[pieces["what"] == "equal rows"].groupby("benchmark", sort=False):
        budget = lines["budget"].iloc[0]
        each = listed(
            [f"{line['pool']} {estimate(line)}, random at {_random(line)}" for line in lines.to_dict("records")]
        )
        said.append(
            f"At {budget:,} rows ({regime.words(budget)}) longest-first differs from random at equal rows on {benchmark}, "
            f"in {gained_in(lines['unit'].iloc[0])}: {each}{_whose_sign(lines)}."
        )
    return said


def _random(line: dict) -> str:
    """Random's own score: near that of a model that answers nothing right a loss cannot be larger."""
    return quantity(as_read(line["score"] - line["estimate"], line["unit"]), line["unit"])


def _whose_sign(lines: pd.DataFrame) -> str:
    if len(lines) == 1:
        return ""
    found = set(signs(lines).tolist())
    if {-1, 1} <= found:
        return "; the sign is a property of the pool: it differs between kinds of long answers"
    if found in ({1}, {-1}):
        return "; the sign is the same in all kinds tried"
    return "; whether the sign differs between kinds of long answers is not decided, as an interval holds zero"


def signs(lines: pd.DataFrame) -> np.ndarray:
    """1 where an interval lies above zero, -1 below, 0 where it holds zero."""
    return (lines["low"] > 0).to_numpy().astype(int) - (lines["high"] < 0).to_numpy().astype(int)


def kinds(table: pd.DataFrame) -> list[str]:
    """What each pool's long answers are like, and for what that matters."""
    said = []
    for line in table.to_dict("records"):
        where = f"{line['pool'][0].upper()}{line['pool'][1:]}, the longest fifth: "
        if not line["kind"]:
            said.append(f"{where}too few have words enough to tell what they are like.")
            continue
        said.append(
            f"{where}the later half points to its own prompt rather than to another one in {share(line['dependence'])} of "
            f"comparisons (95 % interval {share(line['low'])} to {share(line['high'])} over {number(line['rows'])} rows; 50 % is "
            f"guessing), which is {line['kind']} by this page's limits."
        )
    if set(table["kind"]) - {PADDED, WORKED, ""}:
        said.append("Between the limits it cannot be told which effect of length such a pool has.")
    return said


def decomposition(pieces: pd.DataFrame, benchmark: str) -> list[str]:
    """A sentence per pool: the estimate with each thing held fixed, on one benchmark."""
    said = []
    for pool, lines in pieces[pieces["benchmark"] == benchmark].groupby("pool", sort=False):
        each = [f"{line['what']} {estimate(line)}" for line in lines.to_dict("records")]
        if "equal tokens" not in set(lines["what"]):
            each.append(
                "the longest have about as many tokens as random's rows, so that equal tokens would be no other comparison"
            )
        said.append(f"On {benchmark}, {gained_in(lines['unit'].iloc[0])}, {pool}: {'; '.join(each)}.")
    return said


def crossings(by_budget: pd.DataFrame, regime: Regime) -> list[str]:
    """Per benchmark and design of longest-first: the neighbouring budgets between which the sign changes, if there are."""
    said = []
    alone = by_budget[by_budget["method"] == LONGEST]
    for (benchmark, design), lines in alone.groupby(["benchmark", "design"], sort=False):
        lines = lines.sort_values("budget")
        if len(lines) < 2:
            continue
        decided = lines[signs(lines) != 0]
        change = np.flatnonzero(np.diff(signs(decided)))
        each = listed([f"{line['budget']:,} rows {estimate(line)}" for line in lines.to_dict("records")])
        if len(change):
            budgets = decided["budget"].iloc[change[0] : change[0] + 2]
            ends = listed([f"{size:,} rows ({regime.words(size)})" for size in budgets])
            found = f"the sign changes between {ends}"
        else:
            found = "no crossing in what was tried"
        said.append(f"Longest-first, {benchmark}, {design}: {found}: {each}.")
    return said


def bands(by_band: pd.DataFrame, benchmark: str) -> list[str]:
    """The estimate in every band of lengths, a sentence per design."""
    said = []
    for design, lines in by_band[by_band["benchmark"] == benchmark].groupby("design", sort=False):
        each = [f"{line['answer tokens']:.0f} ({line['what']}) {estimate(line)}" for line in lines.to_dict("records")]
        unit = gained_in(lines["unit"].iloc[0])
        said.append(f"On {benchmark}, {unit}, {design}, by mean answer tokens: {listed(each)}.")
    return said


def scores(table: pd.DataFrame) -> list[str]:
    """How much of each score is length."""
    return [
        f"{name_of(line['method'])}: Spearman's correlation of score and answer length is {line['correlation']:+.2f} "
        f"[{line['low']:+.2f}, {line['high']:+.2f}] over {number(line['rows'])} rows; length explains {share(line['explained'])} of the "
        f"variance of its ranks, and without it {share(line['kept'])} of the chosen rows are chosen again ({share(line['expected'])} by chance)."
        for line in table.to_dict("records")
    ]


def said_or_right(table: pd.DataFrame) -> list[str]:
    """Whether longest-first gives more right answers or only longer ones."""
    if table.empty:
        return ["How long the tuned models answer is not recorded: no benchmark of this pool asks for an answer."]
    said = []
    for line in table.to_dict("records"):
        more, right = line["words_low"] > 0, line["low"] > 0
        what = (
            "more is right"
            if right
            else "only more is said"
            if more
            else "not found to say more or to be right more often"
        )
        ends = (
            f" [{line['words_low']:+.1f}, {line['words_high']:+.1f}]" if np.isfinite(line["words_low"]) else ", one run"
        )
        said.append(
            f"{line['pool'][0].upper()}{line['pool'][1:]}, {line['what']}: trained on the longest rows a model answers with "
            f"{line['words']:.1f} words (at most 64 tokens), on random ones with {line['random_words']:.1f} "
            f"({line['more_words']:+.1f}{ends}), and {line['benchmark']} differs by {estimate(line)}: {what}."
        )
    return said


def cut(rows: pd.DataFrame, budget: int, max_tokens: int) -> list[str]:
    """What share of the rows is longer than what a model reads, by what was trained on."""
    lines = rows[(rows["budget"] == budget) & (rows["design"] == EQUAL_ROWS)]
    each = [f"{share(line.cut)} ({name_of(line.method) if line.method in (LONGEST, QUOTAS) else line.method.replace('_', ' ')})"
            for line in lines.itertuples(index=False) if line.cut > 0]  # fmt: skip
    return [
        f"Of the rows trained on these are longer than {max_tokens:,} tokens and cut: {listed(each) if each else 'none'}."
    ]


def estimate(line: dict) -> str:
    """An estimate with its interval, runs, items, and tokens where these are not random's."""
    tokens = "" if 0.95 < line["tokens_ratio"] < 1.05 else f", {line['tokens_ratio']:.1f} × tokens"
    return f"{with_interval(line, line['unit'])} ({line['n_runs']} / {line['n_random']} runs, {line['n_items']} items{tokens})"
