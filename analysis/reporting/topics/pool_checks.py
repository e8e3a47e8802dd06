"""What the owner of a pool must know of its rows, as tables, examples and sentences."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from analysis.experiments.workbench import Workbench
from analysis.pools import Pool
from analysis.pools.contamination import (
    HELD_OUT,
    Items,
    find_overlaps,
    held_out_items,
    index_items,
    is_contaminated,
    read_items,
)
from analysis.pools.held_out import CHECKED, SIMILARITY
from analysis.pools.near_duplicates import conversation_signatures, have_near_duplicate
from analysis.pools.source_labels import source_labels
from analysis.reporting.wording import agreeing, counted, listed, number, share
from analysis.subsets import row_checks
from analysis.subsets.rows import drawn

LANGUAGE_ROWS = 2_000
CHARACTERS = 2_000  # of a row, from which its language is told
TWIN = "has a near-duplicate"
KINDS = {  # column of `Checked.rows` -> what it says of a row
    TWIN: f"{TWIN} (similarity {SIMILARITY} or more)",
    "in its source": "… in its own source",
    "in another source": "… in another source",
    "nothing said": "answer of nothing but markers or signs",
    "refusal": "an answer worded as a refusal",
    "boilerplate": "answer opens as one in a hundred do",
    "several turns": "more than one turn",
    "system prompt": "has a system prompt",
    "cut": "longer than the model sees: cut",
}


@dataclass(frozen=True)
class Checked:
    """All selectable rows, one line each, and what was looked at besides.

    Attributes
    ----------
    rows : source, prompt and answer tokens, turns, opening, and a bool for each of `KINDS`.
    openings : rows by boilerplate opening.
    held_out : held-out rows looked at, and those of them with a near-duplicate among the selectable rows.
    languages : language of the rows drawn for it.
    items, overlaps : see `contamination`; overlaps are those that count as contaminated.
    """

    rows: pd.DataFrame
    openings: pd.Series
    held_out: tuple[int, int]
    languages: pd.Series
    items: Items
    overlaps: pd.DataFrame


def check(work: Workbench, known: pd.DataFrame, benchmarks: str, seed: int) -> Checked:
    """Look at all selectable rows of a pool; for languages at 2,000 of them, drawn at random.

    Parameters
    ----------
    known : of `subsets.rows.table`.
    benchmarks : files or folders of items, with commas; the held-out rows are looked for in any case.
    """
    pool = work.pool
    rows = row_checks.checks(_conversations(pool))
    openings = row_checks.boilerplate(rows["opening"])
    rows["boilerplate"] = rows["opening"].isin(openings.index)
    rows["several turns"] = rows["turns"] > 1
    rows = rows.join(known[["source", "prompt tokens", "answer tokens"]].reset_index(drop=True))
    rows["cut"] = known["truncated"].to_numpy()
    rows = rows.join(row_checks.twins(work.features.near_duplicates(SIMILARITY), rows["source"].to_numpy()))
    rows[TWIN] = rows["in its source"] | rows["in another source"]
    some = drawn(len(pool), LANGUAGE_ROWS, seed)
    texts = ["\n".join(message["content"] for message in one)[:CHARACTERS] for one in pool.messages(some)]
    items = index_items(chain(read_items(benchmarks), held_out_items(pool.held_out)))
    overlaps = find_overlaps(pool.rows, items)
    overlaps = overlaps[is_contaminated(overlaps)].reset_index(drop=True)
    languages = pd.Series(row_checks.languages(texts), index=some)
    return Checked(rows, openings, _held_out_twins(work, seed), languages, items, overlaps)


def _conversations(pool: Pool):
    for batch in pool.rows.select_columns(["messages"]).iter(batch_size=1_024):
        yield from batch["messages"]


def _held_out_twins(work: Workbench, seed: int) -> tuple[int, int]:
    held = work.pool.held_out
    asked = drawn(len(held), CHECKED, seed)
    if not len(asked):
        return 0, 0
    signed = np.concatenate([work.features.signatures, conversation_signatures(held.select(asked)["messages"][:])])
    n_rows = len(work.pool)
    places = np.arange(n_rows, len(signed))
    return len(asked), int(have_near_duplicate(signed, places, np.arange(n_rows), SIMILARITY).sum())


def overview(checked: Checked) -> pd.DataFrame:
    """What, rows, of how many looked at, share; with a 95 % interval where the rows were drawn."""
    n_rows, (n_held, n_twins) = len(checked.rows), checked.held_out
    lines = [(says, int(checked.rows[kind].sum()), n_rows, False) for kind, says in KINDS.items()]
    lines.append(("held-out row with a near-duplicate to select", n_twins, n_held, True))
    for benchmark in checked.items.left_out.index:
        what = "holds the prompt of a held-out row" if benchmark == HELD_OUT else f"holds an item of {benchmark}"
        lines.append((what, int((checked.overlaps["benchmark"] == benchmark).sum()), n_rows, False))
    counts = checked.languages.value_counts()
    lines += [(f"language: {name}", count, len(checked.languages), True) for name, count in counts.head(6).items()]
    table = pd.DataFrame(
        [
            {"what": what, "rows": count, "of": of, **_shares(count, of, was_drawn and of < n_rows)}
            for what, count, of, was_drawn in lines
        ]
    )
    return table.astype({"rows": int, "of": int})


def _shares(count: int, of: int, with_interval: bool) -> dict:
    estimate, low, high = row_checks.share_with_interval(count, of)
    ends = f"{share(low)} to {share(high)}" if with_interval and of else ""
    return {"share": share(estimate) if of else "not known", "95 % interval": ends}


def by_source(checked: Checked, at_most: int = 20) -> pd.DataFrame:
    """Rows, shares of near-duplicates, refusals and empty answers, and median tokens, by source; most frequent first."""
    grouped = checked.rows.groupby("source")
    table = grouped[["in its source", "in another source", "nothing said", "refusal"]].mean()
    table.columns = ["near-duplicate in it", "near-duplicate elsewhere", "nothing said", "refusal"]
    table.insert(0, "rows", grouped.size())
    table["median prompt tokens"] = grouped["prompt tokens"].median()
    table["median answer tokens"] = grouped["answer tokens"].median()
    table.index = pd.Index(table.index.map(source_labels(table.index)), name="source")
    return table.sort_values("rows", ascending=False, kind="stable").head(at_most).round(3)


def examples(pool: Pool, checked: Checked, each: int = 2) -> list[dict]:
    """The first rows of each kind that are worth a look, for `report.show_examples`."""
    shown = [
        (KINDS[kind], checked.rows.index[checked.rows[kind]]) for kind in ("nothing said", "refusal", "boilerplate")
    ]
    other = checked.languages[~checked.languages.isin(["en", row_checks.UNSURE, row_checks.NO_TEXT])]
    shown.append(("language other than English", other.index))
    return [
        {"what": what, "source": pool.rows[int(row)]["source"], "messages": pool.rows[int(row)]["messages"]}
        for what, places in shown
        for row in places[:each]
    ]


def contaminated_examples(pool: Pool, checked: Checked, each: int = 3) -> list[dict]:
    """Of each benchmark the rows that share most with an item, beside it."""
    best = checked.overlaps.sort_values(["whole", "share"], ascending=False, kind="stable")
    return [
        {"benchmark": line.benchmark, "source": pool.rows[line.row]["source"],
         "shared": "the whole question" if line.whole else f"{share(line.share)} of the item's windows",
         "item": f"{checked.items.table['item'][line.item]}: {checked.items.table['text'][line.item]}",
         "row": pool.rows[line.row]["messages"]}
        for line in best.groupby("benchmark", sort=False).head(each).sort_values("benchmark").itertuples()
    ]  # fmt: skip


def findings(checked: Checked) -> list[str]:
    """What the tables say, in sentences; every count is of the rows to select from, unless it says otherwise."""
    rows, (n_held, n_twins) = checked.rows, checked.held_out
    n_rows = len(rows)
    worst = rows.groupby("source")[TWIN].sum().idxmax()
    twins = (
        f"{share(rows[TWIN].mean())} of the {counted(n_rows, 'row')} have a near-duplicate among the others (MinHash, "
        f"similarity {SIMILARITY} or more): {share(rows['in its source'].mean())} one in their own source, "
        f"{share(rows['in another source'].mean())} one in another"
    )
    most = f"; the source with most of them is {source_labels(rows['source'].unique())[worst]}"
    said = [twins + (most if rows[TWIN].any() and rows["source"].nunique() > 1 else "") + "."]
    if n_held:
        _, low, high = row_checks.share_with_interval(n_twins, n_held)
        said.append(
            f"{number(n_twins)} of {counted(n_held, 'held-out row')} looked at {agreeing(n_twins, 'has', 'have')} a "
            f"near-duplicate among the rows to select from (95 % interval of the share {share(low)} to {share(high)})."
        )
    said += _contamination_findings(checked)
    empty, refusals = rows["nothing said"], rows["refusal"]
    said.append(
        f"{counted(empty.sum(), 'answer')} ({share(empty.mean())}) {agreeing(empty.sum(), 'says', 'say')} nothing but markers "
        f"or signs; {counted(refusals.sum(), 'row')} ({share(refusals.mean())}) {agreeing(refusals.sum(), 'holds', 'hold')} "
        "an answer worded as a refusal."
    )
    if len(checked.openings):
        first = listed([f"“{opening}” ({share(count / n_rows)})" for opening, count in checked.openings[:3].items()])
        said.append(
            f"{share(rows['boilerplate'].mean())} of the answers open with three words that at least one in a hundred "
            f"share; most frequent: {first}."
        )
    said.append(_language_finding(checked))
    said.append(
        f"{share(rows['several turns'].mean())} of the rows have more than one turn (at most {number(rows['turns'].max())}), "
        f"{share(rows['system prompt'].mean())} a system prompt; half of the prompts have at most "
        f"{counted(rows['prompt tokens'].median(), 'token')}, one in a hundred more than "
        f"{number(rows['prompt tokens'].quantile(0.99))}."
    )
    return said


def _language_finding(checked: Checked) -> str:
    """The four most frequent languages, with intervals where not every row was looked at."""
    of, n_rows, told = len(checked.languages), len(checked.rows), []
    for name, count in checked.languages.value_counts().head(4).items():
        part, low, high = row_checks.share_with_interval(count, of)
        told.append(f"{name} {share(part)}" + (f" [{share(low)}, {share(high)}]" if of < n_rows else ""))
    seen = counted(of, "row")
    which = f"{seen} drawn at random, with 95 % intervals" if of < n_rows else f"all {seen}"
    return f"Languages of {which}: {listed(told)}."


def _contamination_findings(checked: Checked) -> list[str]:
    """Benchmarks of which rows hold items, one by one, and those without in one sentence."""
    said, clean = [], []
    labels = source_labels(checked.rows["source"].unique())
    for benchmark, counts in checked.items.left_out.iterrows():
        found = checked.overlaps[checked.overlaps["benchmark"] == benchmark]
        what, whose = ("prompt", "held-out rows") if benchmark == HELD_OUT else ("item", benchmark)
        sought = (
            counted(counts["items"] - counts["not told apart"] - counts["too short or template"], what) + f" of {whose}"
        )
        if found.empty:
            clean.append(sought)
            continue
        sources = checked.rows["source"].iloc[found["row"]].value_counts()
        said.append(
            f"{number(len(found))} of {counted(len(checked.rows), 'row')} {agreeing(len(found), 'holds', 'hold')} one of the "
            f"{sought} that can be looked for, {number(sources.iloc[0])} of them from {labels[sources.index[0]]}."
        )
    if clean:
        said.append(f"No row holds any of these that can be looked for: {listed(clean)}.")
    left = checked.items.left_out[["not told apart", "too short or template"]].sum().sum()
    if left:
        said.append(
            f"{number(left)} of {number(checked.items.left_out['items'].sum())} items and prompts cannot be looked for, being "
            "short, a template, repeated, or not told apart by their words."
        )
    if not set(checked.items.left_out.index) - {HELD_OUT}:
        said.append("No benchmark was given, so nothing is known of contamination by one.")
    return said
