"""What the reports of a run asked for, noted under `results/asked/`, and written to `figures/runs/<run>.parquet`."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from analysis.paths import RESULTS
from analysis.store.published import COUNTS, TEXTS, log, packed, read, schema
from analysis.store.store import Store, write_atomic, write_text

RUN, REPORT = "ANALYSIS_RUN", "ANALYSIS_REPORT_NAME"  # environment variables by which the runner names both
WHOLE_DICTIONARY = 2**30  # bytes: what several lines share is kept once, however large it is together
COMPRESSION_LEVEL = 19


@dataclass(frozen=True)
class Count:
    """Lines of a published file: in all, new, asked for but not made yet, and there before but asked for by no report."""

    lines: int
    added: int
    missing: int
    unasked: int


def note() -> None:
    """List what this report asked for so far, finished or not; nothing outside the runner."""
    if os.environ.get(RUN) and os.environ.get(REPORT):
        text = json.dumps(log.asked, sort_keys=True, default=int)  # counts may be numpy's
        path = RESULTS / "asked" / os.environ[RUN] / f"{os.environ[REPORT]}.json"
        write_text(path, text)


def publish(run: str, store: Store, folder: Path, *, afresh: bool = False) -> Count:
    """Add what the reports of a run asked for and `store` has to `<folder>/<run>.parquet`; what is there stays as it is.

    Parameters
    ----------
    run : name of the runner's run, such as a profile's.
    afresh : leave out what no report in the store asked for.

    Raises
    ------
    FileNotFoundError
        No report of the run has been noted.
    ValueError
        The file is there and damaged: nothing is written, as what cannot be read would be lost.
    """
    notes = sorted((store.root / "asked" / run).glob("*.json"))
    if not notes:
        raise FileNotFoundError(
            f"no report of the run {run!r} is noted in {store.root / 'asked'}; run its notebooks first"
        )
    path = folder / f"{run}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):  # what several publish at once adds up
        return _publish(path, store, notes, afresh)


def check_readable(path: Path) -> None:
    """ValueError where a published file is there and damaged, or no such file: publishing would replace it."""
    if path.exists() and not read(path).column_names:
        raise ValueError(f"{path}: it cannot be read, and publishing would replace it; restore it or take it away")


def _publish(path: Path, store: Store, notes: list[Path], afresh: bool) -> Count:
    read.cache_clear()
    check_readable(path)
    before = {(line["kind"], line["key"]): line for line in (read(path).to_pylist() if path.exists() else [])}
    if afresh:
        before = {place: line | {"reports": []} for place, line in before.items()}
    lines, missing = {}, set()
    for place in notes:
        asked = json.loads(place.read_text(encoding="utf-8"))
        for kind, key in [(kind, key) for kind, keys in asked.items() for key in keys]:
            line = lines.get((kind, key)) or before.get((kind, key)) or _line(store, kind, key)
            if line is None:
                missing.add((kind, key))
                continue
            named = {"reports": sorted({*line["reports"], place.stem})}
            undescribed = line["reports"] == [] or line["method"] is None
            lines[kind, key] = line | named | (_described(asked[kind][key]) if undescribed else {})
    unasked = {} if afresh else {place: line for place, line in before.items() if place not in lines}
    write(path, [*lines.values(), *unasked.values()])
    return Count(len(lines) + len(unasked), len(lines.keys() - before.keys()), len(missing), len(unasked))


def write(path: Path, lines: list[dict]) -> None:
    """Write lines in the order of their keys, so that the same lines are the same bytes."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist(sorted(lines, key=lambda line: (line["kind"], line["key"])), schema())
    write_atomic(path, lambda partial: parquet.write_table(
        table, partial, row_group_size=max(1, len(table)), compression="zstd", compression_level=COMPRESSION_LEVEL,
        dictionary_pagesize_limit=WHOLE_DICTIONARY, write_page_checksum=True, write_statistics=False,
    ))  # fmt: skip
    read.cache_clear()


def _line(store: Store, kind: str, key: str) -> dict | None:
    """What the store has of a key as a line of the file, no report named yet; None where it is not complete."""
    record, arrays = store.record(kind, key), store.arrays(kind, key)
    if record is None or arrays is None:
        return None
    own = store.path(kind, key, ".json")
    made = record.get("made") or (own.stat().st_mtime if own.exists() else log.made[kind][key])
    benchmarks = record.get("benchmarks", [])
    scores = {one["name"]: float(np.nanmean(arrays[f"items_{number}"])) for number, one in enumerate(benchmarks)}
    groups = [json.dumps(one.pop("groups"), ensure_ascii=False) for one in benchmarks]
    return {
        "kind": kind, "key": key, "reports": [], "made": made, "tokens": record.get("tokens"), "seconds": record["seconds"],
        "scores": json.dumps(scores), "record": json.dumps(record, ensure_ascii=False), "groups": groups,
        "arrays": [{"name": name} | packed(array) for name, array in sorted(arrays.items())],
    }  # fmt: skip


def _described(description: dict) -> dict:
    return {name: description.get(name) for name in TEXTS + COUNTS}
