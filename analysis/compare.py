"""The runs of a comparison without a notebook, such as on a machine with a GPU: trained, scored, and published as a file.

python -m analysis.compare --name mine --pool FILE --model MODEL --method CALL --method CALL --budget N
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing import connection
from pathlib import Path

from analysis.experiments import grid
from analysis.experiments.benchmarks.asking import asked as benchmarks_asked
from analysis.experiments.workbench import Workbench, prepare
from analysis.methods import parse
from analysis.paths import PUBLISHED, SPLITTER
from analysis.pools.loading import check_count
from analysis.runner.checks import check_makeable, check_name
from analysis.runner.console import Parser, ended, guard, say
from analysis.runner.finetuning import check_finetuning
from analysis.runner.index import duration
from analysis.runner.rows_of_parts import fewer_parts, rows_told
from analysis.store.launch import is_one_of_several
from analysis.store.publishing import REPORT, RUN, Count, check_readable, note, publish
from analysis.store.store import Store

EPILOG = """example:
  python -m analysis.compare --name mine --pool data.jsonl --model smollm2-135m --method token_length --method kmeans \\
      --budget 500 --parts 5 --draws 20 --jobs 2
  ./run_all.sh 41_real_model -p runs mine

Every run is stored as it is made: the same command goes on where it stopped, several at once share the work."""

EVERY = 30.0  # seconds between looks at what is made


def compare(asked: argparse.Namespace) -> tuple[Count, int]:
    """Select, train and score all runs, or as many as there is time for, and publish what is finished.

    Returns
    -------
    What was published, and how many processes failed.

    Raises
    ------
    ValueError, OSError
        Something asked for cannot be done; says what was found and what is expected.
    """
    started = time.monotonic()
    if is_one_of_several():
        raise ValueError(
            "expected to be started once, found several processes of one launch; --jobs makes several runs at once, and a "
            "script that calls prepare, grid.plan and grid.run can be launched"
        )
    check_name(asked.name, "--name")
    counts = {"--parts": [asked.parts], "--draws": [asked.draws], "--jobs": [asked.jobs], "--budget": asked.budget}
    for what, count in [(what, count) for what, given in counts.items() for count in given]:
        check_count(what, count)
    check_finetuning({} if asked.finetuning is None else asked.finetuning, "--finetuning")
    os.environ[RUN], os.environ[REPORT] = asked.name, "compare"
    for method in asked.method:
        parse(method)
    benchmarks_asked(asked.benchmark)
    check_makeable(Path(asked.out))
    check_readable(Path(asked.out) / f"{asked.name}.parquet")
    # All selections are made by one process: the others would wait for the features that it computes.
    work = _workbench(asked)
    pools = [part.pool for part in work.parts]
    why = fewer_parts(pools, max(asked.budget))
    say("\n".join([*rows_told(pools), *([why] if why else [])]))
    planned = _planned(work, asked)
    rows = [0, *(run.budget for run in planned)] if planned else []  # the base is trained on none
    progress = _Progress(work.store, dict(zip(grid.ask(work, planned, with_base=True), rows, strict=True)))
    say(f"{progress.told}, selections made after {time.monotonic() - started:.0f} s")
    workers = [_worker(asked) for _ in range(asked.jobs)]
    failed = _wait(workers, None if asked.within is None else started + asked.within, progress)
    note()
    return publish(asked.name, work.store, Path(asked.out)), failed


def _worker(asked: argparse.Namespace) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=_make, args=(asked,), daemon=True)
    process.start()
    return process


class _Progress:
    """Says how many runs are made whenever there are more, by whichever process, and about how long the others take.

    `rows` are those that each run is trained on, by its key; a run is taken to last as long as they are many.
    """

    def __init__(self, store: Store, rows: dict[str, int]) -> None:
        self.store, self.n, self.left, self.started = store, len(rows), dict(rows), time.monotonic()
        self._take_made()
        self.rows_before = sum(self.left.values())

    def _take_made(self) -> bool:
        made = [key for key in self.left if self.store.record("runs", key) is not None]
        for key in made:
            del self.left[key]
        return bool(made)

    @property
    def told(self) -> str:
        return f"{self.n - len(self.left):,} of {self.n:,} runs are made"

    def __call__(self) -> None:
        if self._take_made():
            seconds, to_train = time.monotonic() - self.started, sum(self.left.values())
            trained = self.rows_before - to_train
            others = f"; the others take about {duration(seconds / trained * to_train)}" if trained and to_train else ""
            say(f"{self.told} after {duration(seconds)}{others}")


def _wait(workers: list[multiprocessing.process.BaseProcess], until: float | None, progress: Callable[[], None]) -> int:
    """Wait until all have ended, or stop them at a time of `time.monotonic`; how many ended by themselves and failed.

    One that was ended by a signal said nothing, and the others go on with its work: it is told at once.
    """
    running, failed, over = {worker.sentinel: worker for worker in workers}, 0, False
    while running and not over:
        patience = EVERY if until is None else min(EVERY, max(until - time.monotonic(), 0))
        over = patience == 0  # those that have ended by now are still looked at
        for sentinel in connection.wait(running, patience):
            worker = running.pop(sentinel)
            worker.join()
            failed += worker.exitcode != 0
            if worker.exitcode < 0:
                say(_ended_by_signal(-worker.exitcode, len(running), len(workers)), sys.stderr)
        progress()
    for worker in running.values():
        worker.terminate()
        worker.join()
    return failed


def _ended_by_signal(number: int, n_left: int, n: int) -> str:
    said = f"A process was ended by signal {number}{', mostly for want of memory' * (number == signal.SIGKILL)}"
    fewer = "fewer --jobs need less memory, and " if n > 1 else ""
    return (
        f"{said}{f'; {n_left} of {n} go on' if n_left else ''}. What is finished is kept; {fewer}device_rows in --finetuning needs "
        "less, but makes all runs anew."
    )


def _make(asked: argparse.Namespace) -> None:
    """All runs that no other process has made or is making."""
    guard()
    try:
        work = _workbench(asked)
        grid.run(work, _planned(work, asked), with_base=True, show_progress=False)
    except Exception:  # said here, as `multiprocessing` would print it as it is
        sys.excepthook(*sys.exc_info())
        sys.exit(1)


def _workbench(asked: argparse.Namespace) -> Workbench:
    return prepare(
        asked.pool, model=asked.model, limit=asked.limit, seed=asked.seed, parts=asked.parts, budget=asked.budget,
        finetuning=asked.finetuning, duplicates=asked.duplicates, benchmarks=asked.benchmark, store=Store(),
        show_progress=False,
    )  # fmt: skip


def _planned(work: Workbench, asked: argparse.Namespace) -> list:
    """By draw, so that of an interrupted comparison every method has about as many runs."""
    runs = grid.plan(work, asked.method, asked.budget, n_draws=asked.draws)
    return sorted(runs, key=lambda run: (asked.budget.index(run.budget), run.draw))


def _arguments() -> Parser:
    parser = Parser(
        prog="python -m analysis.compare", epilog=EPILOG,
        description="Train and score selections of several methods beside random draws, without a notebook.",
    )  # fmt: skip
    add = parser.add_argument
    add("--name", required=True, help="of the published file, figures/runs/NAME.parquet")
    add("--pool", required=True, help="a file, folder, pattern, comma-separated files, a hub id, curated or wild")
    add("--fields", default="", metavar="MEANING=FIELD,…", help="what the fields of its rows mean, as for ./run_all.sh")
    add("--model", required=True, help="a name, a folder, a GGUF file, or a hub id")
    add("--method", default=[], action="append", metavar="CALL", help="beside random draws; may be repeated")
    add("--budget", required=True, type=int, action="append", metavar="N", help="rows to train on; may be repeated")
    add("--parts", type=int, default=5, metavar="N", help="disjoint parts, a selection from each (default 5)")
    add("--draws", type=int, default=20, metavar="N", help="random draws, from all parts in turn (default 20)")
    add("--limit", type=int, metavar="N", help="use so many rows of the pool, drawn by content and seed")
    add("--seed", type=int, default=0, metavar="N")
    add("--duplicates", choices=("keep", "drop"), default="keep", help="rows that say the same (default keep)")
    add(
        "--finetuning",
        type=_settings,
        metavar="JSON",
        help="settings of training, such as '{\"learning_rate\": 1e-4}'",
    )
    add("--benchmark", default=[], action="append", metavar="CALL",
        help="a task of lm-eval beside the pool's own benchmarks, such as 'gsm8k(limit=200)'; may be repeated")  # fmt: skip
    add("--jobs", type=int, default=1, metavar="N", help="processes that train at once (default 1)")
    add("--within", type=float, metavar="SECONDS", help="stop after so long and publish what is finished")
    add(
        "--out",
        default=str(PUBLISHED),
        type=os.path.expanduser,
        metavar="FOLDER",
        help="of the published file (default figures/runs)",
    )
    return parser


def _settings(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        expected = """settings as JSON, such as '{"learning_rate": 1e-4}'"""
        raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r} ({error})") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 all well, 1 a process failed, 2 refused, 130 interrupted."""
    asked = _arguments().parse_args(arguments)
    if asked.fields:
        asked.pool += f"{SPLITTER}{asked.fields}"
    return ended(lambda: _told(asked))


def _told(asked: argparse.Namespace) -> int:
    count, failed = compare(asked)
    left = f", {count.missing:,} not made yet (the same command goes on)" if count.missing else ""
    say(f"{Path(asked.out) / asked.name}.parquet: {count.lines:,} runs and selections{left}")
    if failed:
        say(f"{failed} of {asked.jobs} processes failed; what they said stands above", sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    guard()
    sys.exit(main())
