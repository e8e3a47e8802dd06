"""Sentences that follow from a comparison with random selection, by rule."""

import pandas as pd

from analysis.experiments.benchmarks.result import POINTS
from analysis.experiments.grid import ALIKE
from analysis.experiments.results import EQUAL_ROWS
from analysis.methods import RANDOM
from analysis.reporting.style import label
from analysis.reporting.trained_rows import Regime, few
from analysis.reporting.versus_random import FAMILY
from analysis.reporting.wording import gained_in, listed, p_text, quantity, share, unit_name, with_interval
from analysis.statistics import (
    BETTER,
    HELPS,
    HURTS,
    NO_DIFFERENCE,
    NO_VERDICT,
    UNDECIDED,
    WORSE,
    Noise,
    runs_needed,
)

IN_ORDER = (BETTER, NO_DIFFERENCE, UNDECIDED, WORSE, NO_VERDICT)
AGAINST_BASE = (HELPS, HURTS, UNDECIDED, NO_VERDICT)


def headline(table: pd.DataFrame, against_base: pd.DataFrame, regime: Regime) -> list[str]:
    """A sentence per benchmark, budget and design, the largest budget first: which methods have which verdict.

    Behind a method stand its tokens relative to random's where they are others, and whether it is at the floor.
    """
    marked = with_floor(table, against_base).sort_values("budget", ascending=False, kind="stable")
    said = []
    for benchmark in table["benchmark"].unique():
        of_benchmark = marked[marked["benchmark"] == benchmark]
        for (budget, design), part in of_benchmark.groupby(["budget", "design"], sort=False):
            said.append(_headline(part, f"{budget:,} rows ({regime.words(budget)})", benchmark, design))
    return said


def _headline(part: pd.DataFrame, size: str, benchmark: str, design: str) -> str:
    names = {
        verdict: [_marked(line) for line in lines.to_dict("records")] for verdict, lines in part.groupby("verdict")
    }
    worth = len(names.get(BETTER, []))
    who = (
        f"{worth} of {len(part)} methods {'is' if worth == 1 else 'are'}"
        if worth
        else f"no method of {len(part)} is found to be"
    )
    if len(part) == 1:
        who = f"{label(part['method'].iloc[0])} is {'' if worth else 'not found to be '}".rstrip()
    as_many = "" if design == EQUAL_ROWS else " of as many tokens"
    listing = "; ".join(f"{verdict}: {listed(names[verdict])}" for verdict in IN_ORDER if verdict in names)
    return f"On {benchmark}, {size}{', ' + design if as_many else ''}, {who} worth more than a random draw{as_many} ({listing})."


def _marked(line: dict) -> str:
    ratio, marks = line["tokens_ratio"], []
    if line["design"] == EQUAL_ROWS and not ALIKE <= ratio <= 1 / ALIKE:
        marks.append(f"{ratio:.1f} × tokens")
    if line["floor"]:
        marks.append("at the floor")
    return f"{label(line['method'])} [{', '.join(marks)}]" if marks else label(line["method"])


def with_floor(table: pd.DataFrame, against_base: pd.DataFrame) -> pd.DataFrame:
    """The table with `floor`: whether a method's score is not more than δ above the base's as it is."""
    gain = against_base.set_index(["benchmark", *FAMILY])["estimate"]
    keys = table[["benchmark", *FAMILY]].itertuples(index=False, name=None)
    return table.assign(floor=[gain[key] <= delta for key, delta in zip(keys, table["delta"], strict=True)])


def base_headline(table: pd.DataFrame) -> list[str]:
    """A sentence per benchmark: does fine-tuning on what chance or a method selects help against the base?"""
    said = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        part = part[(part["budget"] == part["budget"].max()) & (part["design"] == EQUAL_ROWS)]
        names = {verdict: [label(name) for name in lines["method"]] for verdict, lines in part.groupby("verdict")}
        listing = "; ".join(f"{verdict}: {listed(names[verdict])}" for verdict in AGAINST_BASE if verdict in names)
        below = "everything, random included, ends below it: " if (part["estimate"] < 0).all() else ""
        size = f"{part['budget'].iloc[0]:,} rows"
        said.append(f"Against the base without fine-tuning, on {benchmark}, {size}: {below}{listing}.")
    return said


def floor_finding(table: pd.DataFrame, against_base: pd.DataFrame) -> list[str]:
    """What "at the floor" means, where a method is."""
    if not with_floor(table, against_base)["floor"].any():
        return []
    return [
        "At the floor a score is not more than δ above that of the base without fine-tuning: how far it lies below random's "
        "then says how good random is, not how bad the method."
    ]


def disagreement(table: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """The methods that one benchmark puts above random and another below, both intervals (of each alone) leaving out zero."""
    said = []
    tokens = rows.set_index(FAMILY)["answer tokens"]
    for key, part in table.groupby(FAMILY, sort=False):
        above, below = part[part["alone_low"] > 0], part[part["alone_high"] < 0]
        if above.empty or below.empty:
            continue
        own, random = tokens[key], tokens[RANDOM, key[1], EQUAL_ROWS]
        said.append(
            f"{label(key[0])}, {key[1]:,} rows, {key[2]}: above random on {listed(list(above['benchmark']))}, below on "
            f"{listed(list(below['benchmark']))}. Its answers have {own:.0f} tokens on average, random's {random:.0f}: a loss also "
            "counts how an answer is worded and how long it is, accuracy only whether it is right."
        )
    return said


def decided(table: pd.DataFrame, against_base: pd.DataFrame, rows: pd.DataFrame, regime: Regime) -> pd.DataFrame:
    """What is read first: a line per benchmark, budget, design and method, the best first.

    Estimate, interval, verdict, what the rows are (share cut, tokens, share faulty where known), seconds to select, and the
    verdict against the base.
    """
    base, known = against_base.set_index(["benchmark", *FAMILY]), rows.set_index(FAMILY)
    marked = with_floor(table, against_base)
    marked["benchmark"] = marked["benchmark"].astype(pd.CategoricalDtype(table["benchmark"].unique()))
    order = ["benchmark", "budget", "design", "estimate"]
    lines = []
    for line in marked.sort_values(order, ascending=[True, False, True, False]).to_dict("records"):
        key = tuple(line[name] for name in FAMILY)
        unit, own, of_rows = line["unit"], base.loc[(line["benchmark"], *key)], known.loc[key]
        told = {
            "benchmark": line["benchmark"], "rows": f"{of_rows['rows']:,.0f}", f"rows per {regime.kind}": few(regime.rows_per_kind(of_rows["rows"])),
            "design": line["design"], "method": label(line["method"]),
            "difference from random": with_interval(line, unit), "verdict": line["verdict"] + (" (at the floor)" if line["floor"] else ""),
            "corrected p": p_text(line["p_holm"]), "runs": f"{line['n_runs']} / {line['n_random']}",
            "tokens of random's": f"{line['tokens_ratio']:.1f} times", "rows cut": share(of_rows["cut"]),
            "seconds to select": f"{of_rows['seconds']:.1f}",
            "gain over the base": with_interval(own, unit), "fine-tuning": own["verdict"],
        }  # fmt: skip
        if "look" in line:
            told["decided by"] = f"{line['look']} look" if line["look"] == "first" else line["look"]
        if "faulty" in known:
            told["rows faulty"] = share(of_rows["faulty"])
        lines.append(told)
    return pd.DataFrame(lines)


def estimate_sentences(table: pd.DataFrame) -> list[str]:
    """One sentence per line of the table, without a verdict: estimate, its own interval, runs, items, tokens."""
    if table.empty:
        return ["Nothing was fine-tuned for this page (n_draws is 0): the selections are described, not compared."]
    return [_sentence(line) for line in table.to_dict("records")]


def _sentence(line: dict) -> str:
    unit = line["unit"]
    where = line["benchmark"] if line["design"] == EQUAL_ROWS else f"{line['benchmark']}, {line['design']}"
    alone = line | {"low": line["alone_low"], "high": line["alone_high"]}
    ratio = line["tokens_ratio"]
    tokens = f"; trained on {ratio:.1f} times random's tokens" if not ALIKE <= ratio <= 1 / ALIKE else ""
    return (
        f"{label(line['method'])} against random on {where}: {with_interval(alone, unit)} {gained_in(unit)} (95 % interval; "
        f"{line['n_runs']} runs, {line['n_random']} random ones, {line['n_items']} items{tokens})."
    )


def resolution(table: pd.DataFrame) -> list[str]:
    """Per benchmark what this design could have seen, and how many runs would decide what is undecided.

    At the largest budget and equal rows; at Holm's first level, with probability 0.8.
    """
    said = []
    for benchmark, family in table.groupby("benchmark", sort=False):
        part = family[(family["budget"] == family["budget"].max()) & (family["design"] == EQUAL_ROWS)]
        ranked = part.sort_values("detectable").to_dict("records")
        least, most, unit = ranked[0], ranked[-1], ranked[0]["unit"]
        whom = (
            ""
            if len(ranked) == 1
            else f" of {label(least['method'])} and of {_possible(most)} of {label(most['method'])}"
        )
        said.append(
            f"On {benchmark}, {least['budget']:,} rows, this design calls a true difference of {_possible(least)} "
            f"{unit_name(unit)}{whom} in about four of five cases."
        )
        undecided = part[part["verdict"] == UNDECIDED].to_dict("records")
        if undecided:
            runs = listed([f"{label(line['method'])} {runs_to_decide(line, len(family))}" for line in undecided])
            said.append(
                f"Were the estimates on {benchmark}, {least['budget']:,} rows, the truth, so many runs of each, and three times as "
                f"many random ones, would decide it as often: {runs}."
            )
    return said


def _possible(line: dict) -> str:
    """The detectable difference, if a difference can be so large."""
    return (
        "more than 100"
        if line["unit"] == POINTS.name and line["detectable"] > 1
        else quantity(line["detectable"], line["unit"])
    )


def runs_to_decide(line: dict, compared: int) -> str:
    """Runs of a method that would decide its comparison in four of five cases, were its estimate the truth."""
    noise = Noise(line["method_sd"], line["random_sd"], line["item_sd"])
    alpha = (1 - line["confidence"]) / compared
    needed = runs_needed(abs(line["estimate"]), noise, n_items=line["n_items"], alpha=alpha)
    return f"{needed:,}" if needed else "more than 1,000"


def overlap_sentence(first: str, second: str, overlap: float, expected: float, spearman: float) -> str:
    """How far two variants choose the same rows."""
    same = "the same method" if overlap > 0.5 else "two different methods"
    return (
        f"{label(first)} and {label(second)} are {same} by this page's rule: {share(overlap)} of their rows are common "
        f"({share(expected)} by chance), Spearman's correlation of the scores is {spearman:.2f}."
    )
