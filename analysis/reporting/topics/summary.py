"""The page that sums up: what to do by the numbers of the other pages, what they leave open, and all of it as one text."""

from collections.abc import Iterable

import pandas as pd

from analysis.experiments.results import EQUAL_ROWS
from analysis.methods import RANDOM, label
from analysis.reporting.claim_rules import OPEN, UNTESTED, VERDICTS, counts, main_comparisons, written
from analysis.reporting.pages import Pages
from analysis.reporting.verdicts import runs_to_decide
from analysis.reporting.wording import listed
from analysis.statistics import BETTER, HELPS, HURTS, UNDECIDED, WORSE
from analysis.statistics.surface import DIVERSITY, QUALITY, RAISES

EFFORTS = {DIVERSITY: "cover more skills", QUALITY: "correct more rows"}
ADVICE = ["where", "what to do", "because", "page"]


def guide(pages: Pages) -> pd.DataFrame:
    """What to do, line by line, each with its evidence: where, what to do, because, page."""
    lines = [*_by_regime(pages), *_fine_tuning(pages), *_built(pages), *_costs(pages), *_quoted(pages)]
    return pd.DataFrame(lines, columns=ADVICE)


def _by_regime(pages: Pages) -> Iterable[tuple]:
    """A line per regime, the fewest rows first: the methods that are better there, or a random draw."""
    table = main_comparisons(pages)
    if table.empty:
        return
    own = table[table["design"] == EQUAL_ROWS].sort_values("rows_per_kind", kind="stable")
    for regime, part in own.groupby("regime", sort=False):
        n_settings = part["report"].nunique()
        where = f"a budget of about {regime}" + (f" ({n_settings} pools and bases)" if n_settings > 1 else "")
        harmful = part[part["verdict"] == WORSE].groupby("method").size()
        avoid = [label(name) for name in harmful.index[harmful == n_settings]]
        worth = part[part["verdict"] == BETTER]
        taken = worth.groupby("method", sort=False).size().sort_values(ascending=False, kind="stable")
        what = (
            f"take {listed([_named(name, count, n_settings) for name, count in taken.items()])}"
            if len(taken)
            else "draw at random: no method is known to be worth more"
        )
        what += f"; never {listed(avoid)}" if avoid else ""
        told = [f"{label(line['method'])} {written(line)} {line['in']} with {line['tokens_ratio']:.1f} times random's tokens"
                for line in worth.to_dict("records")]  # fmt: skip
        yield where, what, "; ".join([f"of {len(part)} comparisons {counts(part['verdict'])}", *told]), _names(part)


def _names(part: pd.DataFrame) -> str:
    """The pages of these lines."""
    return ", ".join(dict.fromkeys(part["report"]))


def _named(method: str, count: int, n_settings: int) -> str:
    return label(method) if count == n_settings else f"{label(method)} (better in {count} of {n_settings})"


def _fine_tuning(pages: Pages) -> Iterable[tuple]:
    """Whether random rows help against the base at all, at the largest budget of each pool and base."""
    table = pages.table("30_versus_random", "against_base")
    if table.empty:
        return
    own = table[table["method"] == RANDOM]
    own = own[own["budget"] == own.groupby("report")["budget"].transform("max")]
    for benchmark, part in own.groupby("benchmark", sort=False):
        verdicts = part["verdict"].value_counts()
        what = (
            "fine-tune"
            if verdicts.get(HELPS, 0) == len(part)
            else "keep the base as it is"
            if verdicts.get(HURTS, 0) == len(part)
            else "try whether fine-tuning helps at all"
        )
        told = [
            f"{written(line)} {line['in']} on random rows, {line['budget']:,} of them"
            for line in part.to_dict("records")
        ]
        yield (
            f"the base against fine-tuning, by {benchmark}",
            what,
            f"{counts_of(verdicts)}: {'; '.join(told)}",
            _names(part),
        )


def counts_of(verdicts: pd.Series) -> str:
    """1 helps and 2 undecided."""
    return listed([f"{count} {name}" for name, count in verdicts.items()])


def _built(pages: Pages) -> Iterable[tuple]:
    """What subsets that were built say is worth an owner's effort."""
    table = pages.table("32_diversity_vs_quality", "effects")
    for line in table.to_dict("records") if len(table) else ():
        if line["verdict"] == RAISES and line["effect"] in EFFORTS:
            ends = f"{100 * line['estimate']:+.1f} [{100 * line['low']:+.1f}, {100 * line['high']:+.1f}] points"
            yield (f"effort before selecting, at {line['budget']:,} rows", EFFORTS[line["effect"]],
                   f"{line['effect']}: {ends}, {line['verdict']} ({line['n_parts']} parts)", line["report"])  # fmt: skip


def _costs(pages: Pages) -> Iterable[tuple]:
    """Whether what selecting costs is better spent on more random rows."""
    table = pages.table("35_cost_of_selection", "break_even")
    for (report, benchmark), own in table.groupby(["report", "benchmark"], sort=False) if len(table) else ():
        if benchmark == table["benchmark"].iloc[0]:
            paying = [label(name) for name in own.loc[own["verdict"] == "pays", "method"].unique()]
            what = f"spend it on {listed(paying)}" if paying else "spend it on more random rows"
            told = [f"{label(line['method'])} {written(line)} ({line['verdict']})" for line in own.to_dict("records")]
            yield "compute that selecting would cost", what, f"against as much compute: {'; '.join(told)}", report


def _quoted(pages: Pages) -> Iterable[tuple]:
    """Checks of a method or a pool, in the words of the page that made them."""
    for notebook, words, where, what in (
        ("33_length_effects", "later half points to its own prompt", "long answers of a pool", "look first whether they are padded or worked"),
        ("14_selectit", "The model cannot rate", "ratings by this base", "leave SelectIT out"),
        ("13_ifd", "the base hardly follows instructions", "IFD with this base", "give it pre-experience"),
        ("31_failure_modes_at_scale", "None is beyond chance", "scores of single rows", "do not read them as worth"),
    ):  # fmt: skip
        said = pages.sentences(notebook, words)
        if said:
            yield where, what, said[0], ", ".join(page.report for page in pages.of(notebook))


def undecided(pages: Pages) -> pd.DataFrame:
    """Comparisons of notebook 30 that no verdict closes, the fewest runs to decide them first."""
    table = main_comparisons(pages)
    if table.empty:
        return pd.DataFrame()
    compared = table.groupby("report")["method"].transform("size")
    lines = []
    for line, n_compared in zip(table.to_dict("records"), compared, strict=True):
        if line["verdict"] == UNDECIDED:
            lines.append({
                "page": line["report"], "method": label(line["method"]), "regime": line["regime"], "design": line["design"],
                "difference from random": f"{written(line)} {line['in']}", "runs so far": line["n_runs"],
                "runs that would decide it": runs_to_decide(line, n_compared),
            })  # fmt: skip
    return pd.DataFrame(lines)


def headline(claims: pd.DataFrame, pages: Pages) -> list[str]:
    """How many claims have which verdict, which were answered clearly, and what was read."""
    if not pages.pages:
        return [
            "No other notebook of this run has come to its end, so there is nothing to sum up: ./run_all.sh runs all."
        ]
    by_verdict = claims["verdict"].value_counts().reindex(VERDICTS).dropna().astype(int)
    told = ", ".join(f"{name}: {count}" for name, count in by_verdict.items())
    said = [f"Of {len(claims)} claims of the study and its follow-ups, {told}; {_settings(pages)}."]
    said += [f"With {where}: {what} ({why})." for where, what, why, _ in _by_regime(pages)]
    answered = claims[~claims["verdict"].isin([OPEN, UNTESTED])]
    said += [f"{line.claim} ({line.source}): {line.verdict}; {line.found}." for line in answered.itertuples()]
    return said


def _settings(pages: Pages) -> str:
    """Pools, bases and sizes of the comparisons with random, else of all pages."""
    told = []
    for page in pages.of("30_versus_random") or pages.pages:
        of = page.parameters
        if "pool" in of:
            told.append(f"{of['pool']} with {of['model']}, a budget of {of['budget']:,} rows, {of['parts']} parts of up to {of['limit']:,} rows")  # fmt: skip
    return f"here is {'; '.join(dict.fromkeys(told))}" if told else "no page names a pool"


def open_finding(pages: Pages, left: pd.DataFrame) -> list[str]:
    """How much is undecided, and pages that could not be read."""
    said = []
    n_compared = len(main_comparisons(pages))
    if n_compared:
        said.append(f"Of {n_compared} comparisons with random on the first benchmark, {len(left)} are undecided.")
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
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(_plain(cell) for cell in row)} |" for row in rows)


def _plain(text: str) -> str:
    """Text from data, with nothing in it that Markdown would act on."""
    return str(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
