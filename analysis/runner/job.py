"""One notebook of a plan: left alone where nothing changed, else run, rendered and noted."""

import hashlib
import json
import os
import re
import time
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from filelock import FileLock

from analysis.paths import PACKAGE, PROFILES, ROOT, SPLITTER
from analysis.runner.absolute_paths import ITEMS
from analysis.runner.console import guard
from analysis.runner.html import without_neighbours
from analysis.runner.index import SEAL, read_record, seal
from analysis.runner.named_files import states_named, states_published, texts_of
from analysis.runner.plan import Job
from analysis.store import publishing
from analysis.store.file_states import files_named
from analysis.store.notes import FINDINGS, OUTDATED, read_note
from analysis.store.store import digest, write_text
from analysis.store.workers import end_with


@dataclass(frozen=True)
class Outcome:
    """How a job ended: `status` is done, unchanged or failed."""

    job: Job
    status: str
    seconds: float
    error: str = ""


def package_version() -> str:
    """Hash of what can change a result besides the values: the package's files and the pinned versions."""
    content = hashlib.sha256()
    files = [path for path in sorted(PACKAGE.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    files = [path for path in files if path.parent != PROFILES]  # their values are part of the key
    for path in [*files, ROOT / "requirements.txt", ROOT / "constraints.txt"]:
        if path.is_file():
            content.update(f"{path.relative_to(ROOT)}\0".encode())
            content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:24]


def job_key(job: Job, version: str) -> str:
    """What a report depends on: code cells and text, values, the package, size and time of its files."""
    notebook = json.loads(job.notebook.read_text(encoding="utf-8"))
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    files = states_published(job.parameters["runs"]) if job.parameters.get("runs") else {}
    for name, value in ((name, value) for name, value in job.parameters.items() if name != "output_dir"):
        for _, text in texts_of(value, name):
            items = ITEMS.findall(text.partition(SPLITTER)[2])
            files |= {one: files_named(one) for paths in items for one in paths.split(";")} | states_named(text)
    found = _of_others(job) if job.reads_others else {}
    return digest(
        cells=cells, run=job.run, report=job.report, parameters=job.parameters, files=files, version=version, found=found,
    )  # fmt: skip


def _of_others(job: Job) -> dict[str, str]:
    """Digest of what every other report of this run found: its numbers and sentences, not its seconds."""
    found = {}
    for path in sorted(job.figures.parent.glob("*/*")):
        if path.parent == job.figures or path.suffix not in (".csv", ".json") or path.parent.name in job.outdated:
            continue
        content = path.read_bytes() if path.suffix == ".csv" else b""
        if path.suffix == ".json" and (noted := read_note(path, FINDINGS, "left out: run its notebook again")):
            content = json.dumps([noted["findings"], noted["figures"], noted["parameters"]]).encode()
        found[f"{path.parent.name}/{path.name}"] = hashlib.sha256(content).hexdigest()
    return found


def begin_worker(parent: int) -> None:
    """Begin a process that runs jobs: nothing it warns of acts on the terminal, and it ends with its parent."""
    guard()
    end_with(parent)


def execute_job(job: Job, force: bool = False, live: bool | None = None) -> Outcome:
    """Run one notebook and write its HTML and its note, unless nothing changed since it came to its end."""
    job.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(job.folder / f".{job.report}.lock"):
        key = job_key(job, package_version())
        previous = read_record(job.record)
        if previous and not force and previous.get("key") == key and _complete(job, previous):
            return Outcome(job, "unchanged", float(previous["seconds"]))
        return _run_and_render(job, key, live)


def _complete(job: Job, record: Mapping) -> bool:
    """Whether all that the report left is there as it was left."""
    noted, found = record.get("contents"), _contents(job, record)
    if record["status"] != "done" or not isinstance(noted, dict):
        return False
    for name in (name for name, content in noted.items() if found.get(name, content) != content):
        warnings.warn(f"{name}, of the report {job.report}: not as it was left; made again", stacklevel=3)
    return noted == found


def _contents(job: Job, record: Mapping) -> dict[str, str]:
    """Digest of the page, without its links to others, of what was found, and of every figure and table that there is."""
    files = [job.figures / f"{name}{ending}" for name in record["figures"] for ending in (".png", ".csv")]
    files += [job.figures / f"{name}.csv" for name in record["tables"]] + [job.figures / "findings.json"]
    contents = {path.name: path.read_bytes() for path in files if path.is_file()}
    if job.page.is_file():
        contents[job.page.name] = without_neighbours(job.page.read_bytes())
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def _run_and_render(job: Job, key: str, live: bool | None) -> Outcome:
    from analysis.runner.html import Heading, render
    from analysis.runner.jupyter import Watcher, run_notebook

    error, heading = "", Heading("", "")
    started_at, started = time.time(), time.monotonic()
    # Our own bars stay (the watcher shows them, the report leaves them out); the libraries' are noise.
    environment = {
        **os.environ,
        publishing.RUN: job.run,
        publishing.REPORT: job.report,
        OUTDATED: json.dumps(job.outdated),
        "TQDM_NCOLS": "90",
        "TQDM_NROWS": "20",
    }
    # glibc gives large blocks back to the system at once; training asks for the same ones at every step.
    environment = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "2000000000"} | environment
    environment |= {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    with Watcher(job.report, live) as watcher:
        try:
            run_notebook(job.notebook, job.executed, job.parameters, watcher, environment)
        except Exception as raised:  # whatever stops one notebook is reported, and the others run
            error = describe_failure(raised)
    seconds = time.monotonic() - started
    said = _said(job, started_at)
    try:
        heading = render(job.executed, job.page, run=job.run, name=job.report, source_folder=job.notebook.parent,
                         figures=job.figures, findings=said["findings"], failed=error)  # fmt: skip
    except Exception as raised:  # a page that needs the network, no notebook written at all
        error = "\n".join(part for part in (error, f"The report could not be rendered: {raised}") if part)
        job.page.unlink(missing_ok=True)
    if not error:
        _remove_stale(job, said["figures"], said["tables"])
    record = {
        "report": job.report, "notebook": job.notebook.stem, "run": job.run, "title": heading.title,
        "question": heading.question, "status": "failed" if error else "done", "error": error,
        "findings": said["findings"], "figures": said["figures"], "tables": said["tables"],
        "picture": _picture(job, said["figures"]),
        "seconds": round(seconds, 1), "finished": time.time(), "parameters": job.parameters,
        "key": "" if error else key,
    }  # fmt: skip
    record["contents"] = _contents(job, record)
    record |= {SEAL: seal(json.loads(json.dumps(record)))}
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_text(job.record, text)
    return Outcome(job, "failed" if error else "done", seconds, error)


def describe_failure(raised: Exception) -> str:
    """The failing cell and its error in a few lines, without colours."""
    if not hasattr(raised, "ename"):
        return f"{type(raised).__name__}: {raised}"
    source = "\n".join(f"    {line}" for line in raised.source.strip().splitlines()[:12])
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(raised.traceback or [])).strip().splitlines()
    places = [line.strip() for line in trace if re.match(r"\s*(File |Cell In|-+> ?\d+)", line)][-4:]
    where = "".join(f"\n  {line}" for line in places)
    return f"{raised.ename}: {raised.evalue}\nin [{raised.exec_count}]:\n{source}{where}"


def _said(job: Job, started_at: float) -> dict:
    """What this run of the notebook noted; nothing where it never got to `report.begin`."""
    path = job.figures / "findings.json"
    if not path.is_file() or path.stat().st_mtime < started_at - 2:
        return {"findings": [], "figures": [], "tables": []}
    noted = read_note(path, FINDINGS)
    if noted is None:
        return {"findings": [], "figures": [], "tables": []}
    return {name: noted.get(name, []) for name in ("findings", "figures", "tables")}


def _picture(job: Job, figures: Sequence[str]) -> str | None:
    return os.path.relpath(job.figures / f"{figures[0]}.png", job.folder) if figures else None


def _remove_stale(job: Job, figures: Collection[str], tables: Collection[str]) -> None:
    """A figure or table that the notebook no longer makes must not look current; a figure may have become a table."""
    if "output_dir" in job.parameters and job.figures.name == job.report:
        for ending, current in ((".png", figures), (".csv", {*figures, *tables})):
            for path in job.figures.glob(f"*{ending}"):
                if path.stem not in current:
                    path.unlink()
