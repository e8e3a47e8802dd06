"""The page that sums up: what the numbers of the other pages answer and leave open, and all of it as one text."""

import re
from collections.abc import Iterable

import pandas as pd

from analysis.methods import label
from analysis.reporting.answers import (
    OPEN,
    UNTESTED,
    VERDICTS,
    comparisons,
    main_comparisons,
    written,
)
from analysis.reporting.guidance import by_regime
from analysis.reporting.pages import Pages
from analysis.reporting.report import parts_of, short_name
from analysis.reporting.verdicts import runs_to_decide
from analysis.reporting.wording import listed
from analysis.statistics import NO_VERDICT, UNDECIDED

RUNS = "runs that would decide it, were the estimate the truth"
# What Markdown acts on: marks anywhere, a bracket that closes the text of a link, `_` that is not within a word, and
# at the beginning of a text what makes a heading, a list, a quotation or the address of a link.
ACTS = re.compile(r"[\\|*`~$]|\](?=[(\[])|(?<![^\W_])_|_(?![^\W_])|^(?:[-+#>=](?=[-+#>=\s])|>|\[)")
NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s)")
ENTITY = re.compile(r"&(?=#?\w+;)")


def undecided(pages: Pages) -> pd.DataFrame:
    """Comparisons of notebook 30 that no verdict closes, the fewest runs that would decide them first."""
    table = main_comparisons(pages)
    if table.empty:
        return pd.DataFrame()
    compared = table.groupby("report")["method"].transform("size")
    lines = []
    for line, n_compared in zip(table.to_dict("records"), compared, strict=True):
        if line["verdict"] in (UNDECIDED, NO_VERDICT):
            lines.append({
                "page": line["report"], "method": label(line["method"]), "regime": line["regime"], "design": line["design"],
                "difference from random": f"{written(line)} {line['in']}", "verdict": line["verdict"], "runs so far": line["n_runs"],
                RUNS: runs_to_decide(line, n_compared),
            })  # fmt: skip
    return pd.DataFrame(sorted(lines, key=lambda line: _first_number(line[RUNS])))


def _first_number(text: str) -> float:
    return float("inf") if text.startswith("more") else float(text.replace(",", ""))


def headline(claims: pd.DataFrame, pages: Pages) -> list[str]:
    """How many claims have which verdict, which were answered clearly, and what was read."""
    if not pages.pages:
        return [
            "No other notebook of this run has come to its end, so there is nothing to sum up: ./run_all.sh runs all."
        ]
    by_verdict = claims["verdict"].value_counts().reindex(VERDICTS).dropna().astype(int)
    told = ", ".join(f"{name}: {count}" for name, count in by_verdict.items())
    said = [f"Of {len(claims)} claims of the study and its follow-ups, {told}; {_settings(pages)}."]
    said += [f"With {where}: {what} ({why})." for where, what, why, _ in by_regime(pages)]
    answered = claims[~claims["verdict"].isin([OPEN, UNTESTED])]
    said += [f"{line.claim} ({line.source}): {line.verdict}; {line.found}." for line in answered.itertuples()]
    return said


def _settings(pages: Pages) -> str:
    """Pools, bases and sizes of the comparisons with random, else of all pages."""
    told = []
    for page in pages.of("30_versus_random") or pages.pages:
        of = page.parameters
        if "pool" in of:
            budget = f", a budget of {of['budget']:,} rows" if "budget" in of else ""
            parts = f", {parts_of(of)}" if "parts" in of else ""
            told.append(f"{short_name(of['pool'])} with {short_name(of.get('model', 'no model'))}{budget}{parts}")
    return f"here is {'; '.join(dict.fromkeys(told))}" if told else "no page names a pool"


def open_finding(pages: Pages, left: pd.DataFrame) -> list[str]:
    """How much is undecided, and pages that could not be read."""
    said = []
    n_compared = len(main_comparisons(pages))
    if n_compared:
        said.append(
            f"Of {comparisons(n_compared)} with random on the first benchmark, those without a decision: {len(left)}."
        )
    if pages.unfinished:
        said.append(f"Left out, as their notebooks did not come to an end: {listed(list(pages.unfinished))}.")
    commits = {page.provenance["commit"] for page in pages.pages}
    if len(commits) > 1:
        said.append(f"The pages read are of {len(commits)} versions of the code: {listed(sorted(commits))}.")
    return said


def as_markdown(claims: pd.DataFrame, advice: pd.DataFrame, left: pd.DataFrame, pages: Pages, said: list[str]) -> str:
    """All of the page, and below it what every other page found, as one Markdown text."""
    parts = [
        "# Findings",
        "Written by `notebooks/90_summary.ipynb` from the results of the other notebooks.",
        _bullets(said),
    ]
    for title, table in (("Claims", claims), ("What to do", advice), ("Undecided", left)):
        parts += [f"## {title}", _markdown_table(table) if len(table) else "None."]
    parts.append("## What every page found")
    for page in pages.pages:
        parts += [f"### {page.report}", _bullets(page.findings)]
    return "\n\n".join(parts) + "\n"


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {_plain(sentence)}" for sentence in sentences)


def _markdown_table(table: pd.DataFrame) -> str:
    rows = [[_plain(cell) for cell in row] for row in [table.columns, *table.astype(str).to_numpy()]]
    rows.insert(1, ["---"] * table.shape[1])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _plain(text: str) -> str:
    """Text from data on one line, in which Markdown finds no mark; intervals, names_of_words and addresses stay as they are."""
    escaped = NUMBERED.sub(r"\1\\\2", ACTS.sub(r"\\\g<0>", " ".join(str(text).split())))
    return ENTITY.sub("&amp;", escaped).replace("<", "&lt;")
