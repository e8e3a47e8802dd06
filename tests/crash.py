"""Killed at a rename or a sync, or with a stored file damaged: the next run gives what an undisturbed one gives.

`python -m tests.crash --kills 100 --mutations 1000 --at-once 8` takes a quarter of an hour on an idle core. A small comparison is made from a file:
pool, features, selections, runs, the published file, a figure, its report and the index of reports. Each time it is made in
a child process; one that is killed stops dead just before or after a rename or a sync, and what it leaves is gone on with. A
damaged file has a bit turned, its end cut off, or nothing left in it. The tests make a few of each (`tests/store/test_crash.py`).
"""

import argparse
import base64
import hashlib
import io
import json
import os
import pickle
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.experiments import grid
from analysis.experiments.workbench import Workbench
from analysis.features.features import Features
from analysis.models.training.finetuning import FineTuning
from analysis.pools import load_pool
from analysis.reporting import report, style
from analysis.runner import job, jupyter
from analysis.runner.index import write_index
from analysis.runner.plan import Job
from analysis.store import publishing
from analysis.store.published import log, read
from analysis.store.store import Store
from analysis.store.workers import without_main
from tests.tiny import tiny_language_model

METHODS = ("token_length", "cross_entropy")
RUN = "crashed"
# Imported by the server of processes; this module also where it is run as __main__.
IMPORTED = ["tests.crash", "nbconvert", "jinja2", "PIL.Image"]
PATIENCE = 300  # seconds; two are usual
SILENT = ("seconds", "made", "record")  # of a published line: they hold times


def comparison(folder: Path) -> dict:
    """Make, or read, all that the folder lacks; what came of it, without times, and how many models were trained."""
    publishing.RESULTS = folder / "results"
    os.environ |= {publishing.RUN: RUN, publishing.REPORT: "30"}
    trained, finetune = [], grid.finetune
    grid.finetune = lambda *given, **options: (trained.append(1), finetune(*given, **options))[1]
    pool = load_pool(folder / "rows.jsonl", held_out_share=0.2, cache=folder / "results" / "pools")
    base, store = tiny_language_model(), Store(folder / "results", None)
    settings = FineTuning(epochs=1, least_steps=1, batch_rows=4, max_tokens=64)
    features = Features(pool, base, store=store, max_tokens=64, finetuning=settings, show_progress=False)
    work = Workbench(pool, base, features, store, settings, 0)
    results = grid.run(work, grid.plan(work, METHODS, 8, n_draws=2), with_base=True, show_progress=False)
    table = results.table.drop(columns=[name for name in results.table if name.startswith("seconds")])
    publishing.publish(RUN, store, folder / "runs")
    pages = rendered(folder, table)
    lines = [{name: value for name, value in line.items() if name not in SILENT}
             for line in read(folder / "runs" / f"{RUN}.parquet").to_pylist()]  # fmt: skip
    made = {
        "pool": pool.fingerprint, "table": table.to_csv(), "selections": [work.select(one, 8).rows.tolist() for one in METHODS],
        "pages": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pages},
        "published": hashlib.sha256(pickle.dumps(lines)).hexdigest(),
    }  # fmt: skip
    return {"made": made, "trained": len(trained)}


def rendered(folder: Path, table: pd.DataFrame) -> list[Path]:
    """A figure, its page and the index; the notebook is written as if it had been run, at no time and in none."""

    def run_notebook(notebook: Path, executed: Path, *_) -> None:
        report.begin(asked.report, asked.parameters["output_dir"])
        fig, ax = style.figure()
        ax.plot(table["score"])
        style.save_figure(fig, "scores", table)
        picture = base64.b64encode((asked.figures / "scores.png").read_bytes()).decode()
        with redirect_stdout(io.StringIO()):
            report.finding(f"The mean score is {table['score'].mean():.4f}.")
        cells = nbformat.read(notebook, as_version=4)
        cells.cells[1].outputs = [new_output("display_data", {"image/png": picture})]
        executed.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(cells, executed)

    jupyter.run_notebook, job.time = run_notebook, SimpleNamespace(time=lambda: 0.0, monotonic=lambda: 0.0)
    reports = folder / "reports"
    asked = Job(folder / "scores.ipynb", "scores", RUN, {"output_dir": str(reports / RUN / "figures")}, reports)
    if error := job.execute_job(asked, live=False).error:
        raise RuntimeError(error)
    left = [asked.figures / name for name in ("scores.png", "scores.csv", "findings.json")]
    return [asked.page, *left, write_index(reports)]


def in_child(folder: Path, kill_at: int = 0) -> dict | None:
    """`comparison` in a child process, killed at the moment of this number; None where it was.

    Of one that ends well also `warned`, and `moments`: there is one before and one after each of its renames and syncs.
    The child is forked from a server that has imported everything and computed nothing: one forked from a process whose
    libraries have started threads may wait for them for ever.

    Raises
    ------
    RuntimeError
        The child failed (its traceback), or said nothing for `PATIENCE` seconds.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    reading, writing = context.Pipe(duplex=False)
    child = context.Process(target=_said, args=(writing, folder, kill_at))
    with without_main():
        child.start()
    writing.close()
    try:
        said = reading.recv() if reading.poll(PATIENCE) else {"failed": f"nothing said for {PATIENCE} s"}
    except EOFError:
        child.join()
        if child.exitcode == -signal.SIGKILL:
            return None
        raise RuntimeError(f"the child ended with exit code {child.exitcode}") from None
    child.kill()
    child.join()
    if "failed" in said:
        raise RuntimeError(said["failed"])
    return said


def _said(pipe: Connection, folder: Path, kill_at: int) -> None:
    try:
        pipe.send(_counted(folder, kill_at))
    except BaseException:
        pipe.send({"failed": traceback.format_exc()})


def _counted(folder: Path, kill_at: int) -> dict:
    moments = 0

    def moment() -> None:
        nonlocal moments
        moments += 1
        if moments == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(real: Callable) -> Callable:
        def taken(*given, **options):
            moment()
            done = real(*given, **options)
            moment()
            return done

        return taken

    os.replace, os.fsync = around(os.replace), around(os.fsync)
    log.clear()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        return comparison(folder) | {"moments": moments, "warned": [str(one.message) for one in warned]}


def new_folder(parent: Path) -> Path:
    """A folder with the rows of the pool and the notebook."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    rows = [
        {"id": n, "prompt": f"What is {n}?", "completion": f"It is {3 * n}." + " Yes!" * (n % 7)} for n in range(60)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    cells = [new_markdown_cell("# Scores\n\nAre they equal?", id="a"), new_code_cell("plot()", id="b")]
    nbformat.write(new_notebook(cells=cells), folder / "scores.ipynb")
    return folder


def killed(parent: Path, kill_at: int, expected: dict) -> str:
    """What is wrong after a kill at a moment and another run; "" if nothing is."""
    folder = new_folder(parent)
    first = in_child(folder, kill_at)
    if first is not None:
        return f"moment {kill_at} was not reached"
    runs_kept = len(list((folder / "results" / "runs").glob("*/*.json")))
    again = in_child(folder)
    if again["made"] != expected["made"]:
        return f"killed at moment {kill_at}: other numbers in {_different(again, expected)}"
    if again["trained"] > expected["trained"] - max(runs_kept - 1, 0):  # the base is a run without training
        return f"killed at moment {kill_at}: {again['trained']} trained again, though {runs_kept} runs were kept"
    return ""


def damaged(folder: Path, random: np.random.Generator, expected: dict, count: int = 1) -> tuple[list[str], str]:
    """Damage stored files of a finished comparison and make it again; which and how, and what is wrong ("" or words)."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".lock" and path.parent != folder
             and ".damaged" not in path.name]  # fmt: skip
    drawn = random.choice(len(files), min(count, len(files)), replace=False)
    what = [f"{files[place].relative_to(folder)}: {_damage(files[place], random)}" for place in drawn]
    try:
        again = in_child(folder)
    except RuntimeError as error:
        return what, str(error)
    return what, "" if again["made"] == expected["made"] else f"other numbers in {_different(again, expected)}"


def _damage(path: Path, random: np.random.Generator) -> str:
    content = bytearray(path.read_bytes())
    how = ("a bit turned", "cut short", "emptied")[random.integers(3)] if content else "untouched"
    if how == "a bit turned":
        place = int(random.integers(len(content)))
        content[place] ^= 1 << int(random.integers(8))
    elif how == "cut short":
        del content[int(random.integers(len(content))) :]
    path.write_bytes(b"" if how == "emptied" else bytes(content))
    return how


def _different(one: dict, other: dict) -> str:
    return ", ".join(name for name in other["made"] if one["made"][name] != other["made"][name])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="at so many moments, evenly spread over all there are")
    parser.add_argument("--mutations", type=int, default=1000, help="damaged files")
    parser.add_argument("--at-once", type=int, default=1, help="so many of them before what is there is made again")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    wrong = []
    with tempfile.TemporaryDirectory() as parent:
        whole = new_folder(Path(parent))
        expected = in_child(whole)
        moments = np.unique(np.linspace(1, expected["moments"], given.kills, dtype=int)) if given.kills else []
        for moment in moments:
            wrong += [told] if (told := killed(Path(parent), int(moment), expected)) else []
        random, kinds = np.random.default_rng(given.seed), Counter()
        while (left := given.mutations - kinds.total()) > 0:
            what, told = damaged(whole, random, expected, min(given.at_once, left))
            kinds.update(one.removeprefix("results/").split("/")[0] for one in what)
            wrong += [f"{', '.join(what)}: {told}"] if told else []
    print(*wrong, sep="\n")
    print(
        f"{len(moments)} kills at {expected['moments']} moments, {kinds.total()} damaged files {dict(kinds)}: {len(wrong)} wrong"
    )
    return bool(wrong)


if __name__ == "__main__":
    from tests import crash  # by its name, under which the children find it

    sys.exit(crash.main())
