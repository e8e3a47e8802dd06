"""The one runner of the notebooks, behind run_all.sh, the tests and the command line.

python -m analysis.runner [NOTEBOOK ...] [--profile NAME] [--pool POOL] [--model MODEL] [-p NAME VALUE ...]
python -m analysis.runner publish [--profile NAME]
"""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from pathlib import Path

from analysis.paths import REPORTS, RESULTS, SPLITTER
from analysis.runner import publish
from analysis.runner.absolute_paths import POOL_NAMES
from analysis.runner.checks import check_writable
from analysis.runner.console import Parser, guard, one_line, say
from analysis.runner.index import duration, write_index
from analysis.runner.job import Outcome, begin_worker, execute_job
from analysis.runner.parameters import CommandLineText
from analysis.runner.plan import Job, find_notebooks, make_plan, only_variants
from analysis.runner.profile import load_profile, profile_names

EPILOG = """examples:
  ./run_all.sh                                        every notebook on the embedded testbed, minutes
  ./run_all.sh --pool my_data.jsonl --model scratch   the same questions about your own file, offline
  ./run_all.sh --only 30 --profile full               one notebook, at the scale of the committed figures
  ./run_all.sh -p budget 500 -p methods '["random_selection", "token_length"]'
  ./run_all.sh --with explore                         first adds what 05_explore needs to be interactive (--with EXTRA)
  ./run_all.sh publish --help                         the runs behind a profile's reports, for the repository

A notebook whose text, values, code and input files have not changed is not run again (--force repeats it).
Interrupted work continues where it stopped when the same command is given again."""


def run(
    notebooks: Sequence[str] = (),
    profile: str = "quick",
    parameters: Mapping[str, object] | None = None,
    run_name: str | None = None,
    *,
    jobs: int | None = None,
    force: bool = False,
    reports: Path | None = None,
    base: Path | None = None,
    live: bool | None = None,
    dry: bool = False,
    redraw: bool = False,
) -> list[Outcome]:
    """Run notebooks and write their reports and the index; wrong values are refused before anything starts.

    Parameters
    ----------
    notebooks : paths, names or beginnings of names; all of them where empty
    profile : name of a profile, or the path of a `.yaml` file
    parameters : parameter to value, stronger than the profile
    run_name : folder under the reports; by default made of the profile and the parameters
    reports : folder of the reports; base : what relative paths are relative to
    dry : print what it would make and cost, and neither start nor write anything; see `dry_run`
    redraw : leave out notebooks that would fine-tune anything

    Raises
    ------
    ValueError, FileNotFoundError for unknown or ill-typed parameters, notebooks, profiles, files.
    """
    reports = Path(reports or REPORTS).absolute()
    chosen = load_profile(profile)
    jobs = chosen.jobs if jobs is None else jobs
    # Each notebook gets its share of the cores: threads that wait for one another's cores are many times slower.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    parameters = parameters or {}
    plan = make_plan(find_notebooks(notebooks), chosen, parameters, run=run_name, reports=reports, base=base)
    plan = only_variants(plan, notebooks)
    if not plan:
        raise ValueError(f"profile {profile} runs none of the notebooks named")
    if redraw:
        from analysis.runner.made import redrawn  # torch and all the suite, which the runner itself needs not

        plan, others = redrawn(plan)
        if others:
            say(f"Left out, as not all of their runs are there: {', '.join(job.report for job in others)}")
        if not plan:
            raise ValueError("--redraw: every notebook named would fine-tune something")
    if dry:
        from analysis.runner.dry_run import tell

        _try_benchmarks(plan, dry=True)
        tell(plan, jobs)
        return []
    _try_benchmarks(plan)
    _try_pools(plan)
    check_writable({RESULTS, *(job.folder for job in plan), *(job.figures.parent for job in plan)})
    for job in (job for job in plan if job.outdated):
        say(f"{job.report} leaves out what this profile does not make: {', '.join(job.outdated)}")
    if len(plan) > 1:
        say(f"{len(plan)} notebooks, {min(jobs, len(plan))} at a time; what runs is told every minute")
    outcomes = []
    try:
        for outcome in _outcomes(plan, jobs, force, live):
            outcomes.append(outcome)
            _say(outcome, len(outcomes), len(plan))
    finally:
        write_index(reports)
    return outcomes


def _try_benchmarks(plan: Sequence[Job], dry: bool = False) -> None:
    """Read every call of a benchmark, so that a wrong one, or no lm-eval here, is said before any notebook starts."""
    for calls in dict.fromkeys(tuple(job.parameters.get("benchmarks") or ()) for job in plan):
        if calls:
            from analysis.experiments.benchmarks.asking import asked  # torch, which other runs need not import here

            try:
                asked(calls)
            except ValueError as error:
                if not dry:
                    raise
                say(f"Would be refused: {one_line(error)}")


def _try_pools(plan: Sequence[Job]) -> None:
    """Read every pool once, so that what is wrong with a file, or what it is too small for, is said before any notebook starts."""
    names = {str(job.parameters.get("pool", "")) for job in plan} - {"", *POOL_NAMES}
    if names:
        say(f"Reading {', '.join(sorted(names))}")
        from analysis.pools.loading import try_pool  # takes seconds, which the testbed's runs need not spend
        from analysis.runner.rows_of_parts import parts_told

        for name in sorted(names):
            try_pool(name)
        for line in parts_told(plan):
            say(line)


def _outcomes(plan: Sequence[Job], jobs: int, force: bool, live: bool | None):
    if jobs == 1 or len(plan) == 1:
        for job in plan:
            yield execute_job(job, force, live)
        return
    options = {"mp_context": get_context("spawn"), "initializer": begin_worker, "initargs": (os.getpid(),)}
    with ProcessPoolExecutor(min(jobs, len(plan)), **options) as workers:
        try:
            for together in ([job for job in plan if job.reads_others is late] for late in (False, True)):
                for future in as_completed([workers.submit(execute_job, job, force, False) for job in together]):
                    yield future.result()
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                child.terminate()  # its kernel ends with it
            raise


def _say(outcome: Outcome, number: int, total: int) -> None:
    words = {"done": "done in", "unchanged": "unchanged since its run of", "failed": "FAILED after"}
    head = f"[{number}/{total}] {outcome.job.report}: {words[outcome.status]} {duration(outcome.seconds)}"
    say(head)
    if outcome.error:
        say("\n".join(f"      {line}" for line in outcome.error.splitlines()))
        say(f"      as far as it came: {outcome.job.executed}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 all well, 1 a notebook failed, 2 refused, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["publish"]:
        return publish.main(arguments[1:])
    parser = Parser(
        prog="./run_all.sh", description="Run the notebooks and render reports/index.html.", epilog=EPILOG,
    )  # fmt: skip
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="path, name or its beginning; default: all")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="the same, e.g. --only 30 12, or a variant of the profile, 30_versus_random.curated.weak",
    )
    parser.add_argument(
        "--profile", default="quick", metavar="NAME", help=f"{', '.join(profile_names())} (default quick)"
    )
    parser.add_argument("--pool", help="curated, wild, a file, folder, pattern, comma-separated files, or a hub id")
    parser.add_argument("--fields", metavar="MEANING=FIELD,…", help="what the fields of the pool's rows mean, as "
                        "prompt=question,answer=solution; also encoding=, language=, toxic=drop, redacted=drop, longest_row=MEGABYTES")  # fmt: skip
    parser.add_argument(
        "--model",
        help="tiny-weak, tiny-strong, scratch, smollm2-135m, gemma-3-270m, a folder, a GGUF file, or a hub id",
    )
    parser.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
                        help="any other parameter; lists as '[a, b]'; may be repeated")  # fmt: skip
    parser.add_argument(
        "--name", help="name of the run (its folder in reports/); default: profile and what is replaced"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="notebooks at the same time (default: as the profile says)"
    )
    parser.add_argument("--force", action="store_true", help="run even what has not changed")
    parser.add_argument("--dry-run", action="store_true", help="tell what it would make and cost, and write nothing")
    parser.add_argument(
        "--redraw",
        action="store_true",
        help="only the notebooks whose runs are all stored or published: nothing is fine-tuned",
    )
    given = parser.parse_args(arguments)
    parameters = {name: CommandLineText(value) for name, value in given.parameter}
    replaced = {name: getattr(given, name) for name in ("pool", "model")}
    parameters |= {name: CommandLineText(value) for name, value in replaced.items() if value is not None}
    if given.fields:
        parameters["pool"] = CommandLineText(f"{given.pool or ''}{SPLITTER}{given.fields}")
    started = time.monotonic()
    for name in ("SIGTERM", "SIGHUP"):  # the second where the terminal is closed, unless nohup has it ignored
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        if given.jobs is not None and given.jobs < 1:
            raise ValueError(f"--jobs is at least 1, not {given.jobs}")
        if given.fields and not given.pool:
            raise ValueError("--fields says how the rows of --pool are read; name a pool too")
        outcomes = run(
            [*given.notebooks, *given.only],
            given.profile,
            parameters,
            given.name,
            jobs=given.jobs,
            force=given.force,
            dry=given.dry_run,
            redraw=given.redraw,
        )
        if given.dry_run:
            return 0
    except (ValueError, FileNotFoundError) as error:
        say(f"Refused: {one_line(error)}", sys.stderr)
        return 2
    except OSError as error:
        say(f"Stopped: {one_line(error)}. What is finished is kept.", sys.stderr)
        return 1
    except BrokenProcessPool:
        say("Stopped: a process that ran a notebook was killed, mostly for want of memory; --jobs 1 needs less. "
            "What is finished is kept.", sys.stderr)  # fmt: skip
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. What is finished is kept; the same command goes on from there.", sys.stderr)
        return 130
    failed = [outcome.job.report for outcome in outcomes if outcome.status == "failed"]
    counts = f"{len(outcomes) - len(failed)} of {len(outcomes)} notebook{'s' * (len(outcomes) != 1)} ready"
    say(f"{counts} in {duration(time.monotonic() - started)}")
    if failed:
        say(f"FAILED: {', '.join(failed)}")
    say(f"Reports: {REPORTS / 'index.html'}")
    return 1 if failed else 0


if __name__ == "__main__":
    guard()
    sys.exit(main())
