"""What a run found, to be read first: every method against random on every pool, base and benchmark, from pages' tables."""

import pandas as pd

from analysis.experiments.benchmarks.result import NATS, unit_of
from analysis.methods import RANDOM, label
from analysis.reporting.answers import written
from analysis.reporting.pages import Pages
from analysis.reporting.report import short_name
from analysis.reporting.wording import as_read, number, share

NOTEBOOK = "30_versus_random"
SETTING = ["report", "pool", "model", "benchmark", "counted in"]  # what a table has in common
GROUP = ["budget", "regime", "design"]  # what stands over lines of it
COLUMNS = [
    *SETTING, *GROUP, "method", "score", "difference", "verdict", "why", "rows", "tokens", "seconds", "faulty", "runs",
]  # fmt: skip
UNKNOWN = "–"


def result_table(pages: Pages) -> pd.DataFrame:
    """One line per setting, budget, design and method, as text; random first, then the methods, the best first.

    Scores of a loss are those of the loss itself, lower is better; differences are better above zero everywhere, with the
    intervals of the verdicts. What a page did not note, as the truth of a file's rows, is a dash.
    """
    table, rows = (pages.table(NOTEBOOK, name) for name in ("versus_random", "selected_rows"))
    known = {} if rows.empty else rows.set_index(["report", "method", "budget", "design"]).to_dict("index")
    of_random = {} if rows.empty else rows[rows["method"] == RANDOM].set_index(["report", "budget"]).to_dict("index")
    parameters = {page.report: page.parameters for page in pages.of(NOTEBOOK)}
    lines = []
    groups = table.groupby(["report", "benchmark", "budget", "design"], sort=False) if len(table) else ()
    for (report, benchmark, budget, design), part in groups:
        told = {
            "report": report, "pool": short_name(str(parameters[report].get("pool", ""))),
            "model": short_name(str(parameters[report].get("model", ""))), "benchmark": benchmark,
            "counted in": _counted_in(part["unit"].iloc[0]), "budget": f"{budget:,} rows", "design": design,
        }  # fmt: skip
        first = part.iloc[0]
        chosen = of_random.get((report, budget), {})
        told["regime"] = chosen.get("regime", "")
        random = {
            "score": _scores(first["random_scores"], first["unit"]),
            "difference": "",
            "verdict": "",
            "why": "",
            "tokens": "1.0 ×",
        }
        lines.append(told | {"method": label(RANDOM)} | random | _of_rows(chosen) | {"runs": number(first["n_random"])})
        for line in part.sort_values("estimate", ascending=False, kind="stable").to_dict("records"):
            chosen = known.get((report, line["method"], budget, design), {})
            lines.append(told | {
                "method": label(line["method"]), "score": _scores(line["scores"], line["unit"]), "difference": written(line),
                "verdict": line["verdict"] + (" (at the floor)" if _at_floor(line) else ""), "why": _why(line), "tokens": f"{line['tokens_ratio']:.1f} ×", "runs": number(line["n_runs"]),
            } | _of_rows(chosen))  # fmt: skip
    return pd.DataFrame(lines, columns=COLUMNS)


def _counted_in(unit: str) -> str:
    return f"{unit_of(unit).short}, {'lower' if unit == NATS.name else 'higher'} is better"


def _why(line: dict) -> str:
    """Why a line has no verdict; pages leave the column out where every line has one."""
    note = line.get("note", "")
    return note if isinstance(note, str) else ""


def _at_floor(line: dict) -> bool:
    """Whether a method's mean score is not more than δ above that of the base without fine-tuning."""
    scores = [float(score) for score in str(line["scores"]).split()]
    return sum(scores) / len(scores) - line["base_score"] <= line["delta"]


def _scores(runs: str, unit: str) -> str:
    """Mean and range of the scores of runs, which pages write as text; a negated loss as the loss."""
    scores = [as_read(float(score), unit) for score in str(runs).split()]
    digits = unit_of(unit).digits
    mean, low, high = (f"{score:.{digits}f}" for score in (sum(scores) / len(scores), min(scores), max(scores)))
    return f"{mean} ({low} to {high})" if len(scores) > 1 else mean


def _of_rows(chosen: dict) -> dict[str, str]:
    """Rows, seconds of selecting and share of faulty rows, where they are known."""
    rows, seconds, faulty = (chosen.get(name, float("nan")) for name in ("rows", "seconds", "faulty"))
    return {
        "rows": UNKNOWN if pd.isna(rows) else number(rows),
        "seconds": UNKNOWN if pd.isna(seconds) else f"{seconds:.1f}" if seconds < 10 else number(seconds),
        "faulty": UNKNOWN if pd.isna(faulty) else share(faulty),
    }
