"""What the other notebooks of a run found: their sentences and tables, read from the files they left."""

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.store.notes import FINDINGS, OUTDATED, read_note


@dataclass(frozen=True)
class Page:
    """One notebook that came to its end; `report` has the variant, e.g. `30_versus_random.wild`."""

    report: str
    folder: Path
    findings: tuple[str, ...]
    files: tuple[str, ...]  # names of its figures and tables, each with a CSV
    parameters: dict
    provenance: dict

    @property
    def notebook(self) -> str:
        return self.report.split(".")[0]


@dataclass(frozen=True)
class Pages:
    """All pages of a run, by name; `unfinished` are those whose notebook did not come to its end."""

    pages: tuple[Page, ...]
    unfinished: tuple[str, ...] = ()

    def of(self, notebook: str) -> list[Page]:
        """The page of a notebook and of its variants."""
        return [page for page in self.pages if page.notebook == notebook]

    def table(self, notebook: str, name: str) -> pd.DataFrame:
        """A table of a notebook, those of its variants one below the other, `report` first; empty where there is none."""
        tables = [(page, _table(page.folder / f"{name}.csv")) for page in self.of(notebook) if name in page.files]
        found = [table.assign(report=page.report) for page, table in tables if table is not None]
        if not found:
            return pd.DataFrame()
        table = pd.concat(found, ignore_index=True)
        return table[["report", *table.columns.drop("report")]]


def read(folder: Path, without: Sequence[str] = ()) -> Pages:
    """The pages in a folder of figures.

    Only what a page says it drew is read, so that a table of an older run is not taken for one of this; a page without its
    last cell's provenance did not come to its end and is left out. So is what is damaged, with a warning, and what the runner
    names as outdated: pages that the profile does not make any more.
    """
    pages, unfinished = [], []
    without = {*without, *json.loads(os.environ.get(OUTDATED, "[]"))}
    for path in sorted(Path(folder).glob("*/findings.json")):
        noted = None if path.parent.name in without else read_note(path, FINDINGS, "left out: run its notebook again")
        if noted is None or not {noted["report"], noted["report"].split(".")[0]}.isdisjoint(without):
            continue
        name = noted["report"]
        if not noted["provenance"]:
            unfinished.append(name)
            continue
        files = (*noted["figures"], *noted.get("tables", []))
        pages.append(Page(name, path.parent, tuple(noted["findings"]), files, noted["parameters"], noted["provenance"]))
    return Pages(tuple(pages), tuple(unfinished))


def _table(path: Path) -> pd.DataFrame | None:
    """A table that a page left; None where it is empty, and with a warning where it cannot be read."""
    try:
        return pd.read_csv(path) if path.stat().st_size > 1 else None
    except (OSError, ValueError) as error:
        warnings.warn(f"{path}: unreadable, left out ({error})", stacklevel=3)
        return None
