"""Which planned runs the store or the published files have already, by how they are described: nothing is selected for it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.experiments.grid import code_of_runs
from analysis.paths import PUBLISHED, RESULTS
from analysis.runner.outline import outline
from analysis.runner.plan import Job
from analysis.runner.rows_of_parts import RowsOfParts
from analysis.runner.run_keys import described_key
from analysis.store.published import read
from analysis.store.store import Store

COLUMNS = ("kind", "key", "method", "budget", "design", "part", "training_seed", "settings", "prepared")


def redrawn(plan: Sequence[Job]) -> tuple[list[Job], list[Job]]:
    """The jobs that train nothing, as every run of theirs is there, and the others; what depends on results is not there."""
    found, rows, both = made(), RowsOfParts(), ([], [])
    for job in plan:
        planned = outline(job.notebook, job.parameters, rows)
        both[bool(planned.unknown or planned.runs.keys() - found)].append(job)
    return both


def made(results: Path = RESULTS, published: Path = PUBLISHED) -> set[str]:
    """The `run_keys.run_key` of every run that is there, made by the code of today on this kind of device.

    A pool whose file has changed, or a base, is not noticed.
    """
    import torch

    today = {with_harness: code_of_runs(with_harness=with_harness) for with_harness in (False, True)}
    device, found = "cuda" if torch.cuda.is_available() else "cpu", set()
    for line in (*_published(published), *_stored(results)):
        if not line.get("prepared") or not line.get("settings"):
            continue
        depends = json.loads(line["settings"])
        if depends.get("code") == today["harness" in depends] and depends.get("device", "cpu") == device:
            told = [line[name] for name in ("method", "budget", "design", "part", "training_seed")]
            found.add(described_key(json.loads(line["prepared"]), depends["settings"], *told))
    return found


def _published(folder: Path) -> Iterator[dict]:
    for path in sorted(folder.glob("*.parquet")):
        yield from (line for line in read(path, COLUMNS).to_pylist() if line["kind"] == "runs")


def _stored(results: Path) -> Iterator[dict]:
    """What reports asked for and the store has."""
    store = Store(results)
    for path in sorted((results / "asked").glob("*/*.json")):
        try:
            asked = json.loads(path.read_text(encoding="utf-8")).get("runs", {})
        except (OSError, ValueError):
            continue  # a damaged note only hides what is there
        yield from (line for key, line in asked.items() if store.path("runs", key, ".json").exists())
