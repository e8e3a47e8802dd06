"""What a notebook says: its computed sentences, its examples of pool text, its provenance.

A notebook calls `begin` once, `finding` for the sentences of "What this shows", and `provenance` at its end.
The sentences and the names of figures and tables are also written to `findings.json` beside the figures.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.experiments.peak_memory import resident_gib
from analysis.paths import REPORTS, ROOT
from analysis.pools.testbed import RECIPES
from analysis.reporting import style
from analysis.reporting.pool_text import escape, examples_html
from analysis.reporting.style import write_table
from analysis.reporting.wording import agreeing, listed
from analysis.store import published, publishing
from analysis.store.store import write_text

PACKAGES = ("torch", "transformers", "datasets", "numpy", "pandas", "scipy", "scikit-learn", "matplotlib")
INTERACTIVE = "interactive"  # the run that a notebook opened by hand belongs to


@dataclass
class Report:
    """One run of a notebook; `name` has the variant, e.g. `30_versus_random.wild`."""

    name: str
    folder: Path
    parameters: dict
    started: float
    findings: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    provenance: dict = field(default_factory=dict)

    def write(self) -> None:
        """Write `findings.json`; figures appear in the order in which they were saved."""
        record = {
            "report": self.name,
            "findings": self.findings,
            "figures": style.saved(),
            "tables": self.tables,
            "parameters": self.parameters,
            "provenance": self.provenance,
        }
        text = json.dumps(record, indent=1, ensure_ascii=False, default=str) + "\n"
        write_text(self.folder / "findings.json", text)


_report: Report | None = None


def begin(notebook: str, output_dir: str = "", **parameters) -> Report:
    """Start a report: figures and findings go to `<output_dir>/<notebook>/`.

    Parameters
    ----------
    notebook : its file name without `.ipynb`
    output_dir : folder of the figures; empty: `reports/interactive/figures`
    parameters : the notebook's parameters; pool, limit, parts, budget, budgets and model make the figures' provenance line
    """
    global _report
    # The runner names a variant of this notebook, e.g. 30_versus_random.wild.
    variant = os.environ.get("ANALYSIS_REPORT_NAME", "")
    name = variant if variant.split(".")[0] == notebook else notebook
    folder = Path(os.path.expanduser(output_dir or REPORTS / INTERACTIVE / "figures")).absolute() / name
    folder.mkdir(parents=True, exist_ok=True)
    _report = Report(name, folder, parameters, time.perf_counter())
    style.save_into(folder, provenance_line(parameters))
    _report.write()
    published.log.clear()  # a kernel may run a notebook twice
    return _report


def current() -> Report:
    """The report of this notebook; RuntimeError where `begin` was not called."""
    if _report is None:
        raise RuntimeError("no report: call report.begin(notebook, output_dir, ...) first")
    return _report


def provenance_line(parameters: Mapping) -> str:
    """One line for the corner of a figure, e.g. `curated, 3 parts of up to 5,000 rows · budget 250 · tiny-weak`."""
    parts, budget = [], parameters.get("budget")
    if parameters.get("pool"):
        rows = parts_of(parameters)
        parts.append(short_name(str(parameters["pool"])) + (f", {rows}" if rows else ""))
    if isinstance(budget, int):
        sizes = sorted({budget, *(parameters.get("budgets") or [])})
        parts.append(f"{agreeing(len(sizes), 'budget', 'budgets')} {listed([f'{size:,}' for size in sizes])}")
    if parameters.get("model"):
        parts.append(short_name(str(parameters["model"])))
    return " · ".join(parts)


def parts_of(parameters: Mapping) -> str:
    """Rows and parts in words: `limit` is of each part in the testbed, and of a whole file, which may have rows for fewer parts.

    Of runs that are read from a file it is known that there were `parts`, and of how many there are runs: `parts_used`.
    """
    limit, parts, used = (parameters.get(name) for name in ("limit", "parts", "parts_used"))
    of_each = parameters.get("pool") in RECIPES
    if used and limit and not of_each:
        limit, of_each = -(-limit // parts), True
    rows = f"up to {limit:,} rows" if isinstance(limit, int) and limit > 0 else ""
    if not isinstance(parts, int) or parts < 2:
        return rows
    if used or of_each:
        many = f"{used} of {parts} parts" if used and used < parts else f"{parts} parts"
        return f"{many} of {rows}" if rows else many
    return f"{rows} in up to {parts} parts" if rows else f"up to {parts} parts"


def short_name(name: str) -> str:
    """Names of the files of a path or of several; a hub id stays whole."""
    return ", ".join(Path(part).name if Path(part).is_absolute() else part for part in name.split(","))


def finding(*sentences: str | Iterable[str]) -> None:
    """Record and display computed sentences as a list; the first ones stand on the index page."""
    report = current()
    given = [text for item in sentences for text in ([item] if isinstance(item, str) else item)]
    texts = [" ".join(str(text).split()) for text in given]
    if not texts or not all(texts):
        raise ValueError(f"report.finding needs sentences that are not empty; got {given!r}")
    report.findings.extend(texts)
    report.write()
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    _display(f'<ul class="findings">{items}</ul>', "\n".join(f"- {text}" for text in texts))


def table(name: str, data: pd.DataFrame) -> None:
    """Write numbers that no figure draws to `<name>.csv` beside the figures, for other pages to read."""
    report = current()
    write_table(report.folder / f"{name}.csv", data)
    report.tables.append(name)
    report.write()


def require(condition: object, message: str) -> None:
    """AssertionError with `message` unless the condition holds; for the notebook's own checks."""
    if not bool(condition):
        raise AssertionError(message)


def show_examples(rows, longest: int = 300, caption: str = "") -> None:
    """Display rows of a pool as a table in which every character of theirs is text, never mark-up.

    Parameters
    ----------
    rows : dicts, or a pandas table; a list of messages is shown turn by turn
    longest : characters of a text before it is cut
    """
    _display(examples_html(rows, longest, caption), f"{caption or 'examples'} (shown as a table)")


def provenance(*, features=None, **more) -> None:
    """Display and record what made this notebook: versions, commit, device, precision, seconds, memory, fingerprints.

    Parameters
    ----------
    features : a workbench's, which know pool and model, and the precision of scores and of training
    more : further entries, e.g. `draws=5`
    """
    report = current()
    facts: dict[str, object] = {
        "report": report.name,
        "commit": _commit(),
        "python": platform.python_version(),
    }
    facts["packages"] = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES if _has(name))
    facts["machine"] = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    if features is not None:
        pool, base = features.pool, features.language_model
        facts["pool"] = f"{pool.name}, {len(pool):,} rows, fingerprint {pool.fingerprint}"
        facts["model"] = f"{base.name}, fingerprint {base.fingerprint}"
        facts["device"] = str(base.device)
        facts["precision"] = ", ".join(f"{name} {precision}" for name, precision in features.precisions.items())
    facts |= _published() | more
    publishing.note()
    if not np.isnan(gib := resident_gib()):
        facts["peak memory"] = f"{gib:.2f} GiB"
    facts["seconds"] = round(time.perf_counter() - report.started, 1)
    report.provenance = facts
    report.write()
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    text = "\n".join(f"{name}: {value}" for name, value in facts.items())
    _display(f'<table class="provenance"><tbody>{rows}</tbody></table>', text)


def _published() -> dict[str, str]:
    """How many of the runs and selections that this report asked for came with the repository, and of when they are."""
    facts = {}
    for kind, made in published.log.made.items():
        if made:
            first, last = (time.strftime("%Y-%m-%d", time.gmtime(end(made.values()))) for end in (min, max))
            days = f"on {first}" if first == last else f"from {first} to {last}"
            facts[f"published {kind}"] = f"{len(made):,} of {len(published.log.asked[kind]):,}, made {days}"
    return facts


def _has(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _commit() -> str:
    """Commit of this checkout, marked where tracked files differ from it, figures aside (a run writes them); else 'no git'."""
    said = []
    for asked in (
        ["rev-parse", "--short=12", "HEAD"],
        ["status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)figures"],
    ):
        try:
            run = subprocess.run(["git", "-C", str(ROOT), *asked], capture_output=True, text=True, timeout=20)
        except (FileNotFoundError, subprocess.TimeoutExpired):
            return "no git"
        if run.returncode:
            return "no git"
        said.append(run.stdout.strip())
    return f"{said[0]}-dirty" if said[1] else said[0]


def _display(markup: str, text: str) -> None:
    from IPython.display import display

    display({"text/html": markup, "text/plain": text}, raw=True)
