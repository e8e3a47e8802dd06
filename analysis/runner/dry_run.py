"""What a run would make and cost, told before anything starts: `--dry-run`."""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from analysis.experiments.peak_memory import resident_gib
from analysis.experiments.workbench import Workbench
from analysis.methods.calls import needs_of
from analysis.models.training.finetuning import FineTuning
from analysis.paths import RESULTS
from analysis.reporting.wording import counted
from analysis.runner.asking_cost import tokens_asked, told_of_asking, unknown_tasks
from analysis.runner.console import say
from analysis.runner.index import duration
from analysis.runner.made import made
from analysis.runner.outline import Planned, outline
from analysis.runner.plan import Job
from analysis.runner.rates import (
    BYTES_PER_PARAMETER,
    FLOP_PER_TOKEN,
    GPU_TERA,
    TERA,
    Rate,
    Rates,
    is_here,
    parameters_of,
)
from analysis.runner.rows_of_parts import RowsOfParts, parts_told

GPU_FROM = 24 * 3600  # seconds that training takes here from which a GPU is needed,
GPU_PARAMETERS = 50e6  # by a base of so many parameters; smaller ones gain little from one
PASSES = (
    "token_losses",
    "embeddings",
    "rating_logits",
    "influences",
)  # what a method needs that the base reads the pool for


@dataclass(frozen=True)
class Line:
    """One notebook: what it would make that no notebook before it makes, and the seconds of that."""

    job: Job
    planned: Planned
    there: int
    shared: int
    seconds: float


def tell(plan: Sequence[Job], jobs: int) -> None:
    """Print what a plan would make, notebook by notebook, and what it would take; nothing is written.

    Parameters
    ----------
    jobs : notebooks at the same time.
    """
    rows, found = RowsOfParts(), made()
    outlined = [(job, outline(job.notebook, job.parameters, rows)) for job in plan]
    begun = time.process_time()  # on imports, on which the kernel of every notebook spends as much
    trained = [work for _, planned in outlined for work, _ in planned.runs.values()]
    rates = Rates(trained or [work for _, planned in outlined for work in planned.works])
    lines, seen, passed = [], set(), set()
    for job, planned in outlined:
        new, passes = planned.runs.keys() - seen, _passes(planned, found)
        seconds = sum(_of_run(*planned.runs[key], rates) for key in new - found)
        seconds += sum(_of_pass(work, rates) for key, work in passes.items() if key not in passed)
        lines.append(Line(job, planned, len(new & found), len(planned.runs) - len(new), seconds))
        seen |= new
        passed |= passes.keys()
    needed = _needed(outlined, sum(line.seconds for line in lines), rates) if rates.work is not None else ""
    for text in (
        "\n".join(parts_told(plan, dry=True)),
        needed,
        _table(lines, rates),
        _took(outlined, lines, rates, rows, jobs, begun),
    ):
        if text:
            say(f"{text}\n")
    say("Dry run: nothing was started or written.")


def _of_run(work: Workbench, run, rates: Rates) -> float:
    """Seconds of one run: its training and its scoring; a token that is read takes a third of one that is trained on."""
    own, n_rows = rates.of(work), len(run.rows)
    asked = tokens_asked(work.prepared.get("benchmarks") or []) * own.train / 3
    return own.score + asked + (n_rows * own.tokens * work.settings.epochs_for(n_rows) * own.train if n_rows else 0.0)


def _of_pass(work: Workbench, rates: Rates) -> float:
    """Seconds of one pass of a base over a part: forward, a third of what training takes."""
    own = rates.of(work)
    return len(work.pool) * own.tokens * own.train / 3


def _passes(planned: Planned, found: set[str]) -> dict[tuple, Workbench]:
    """Passes of a base over a part that selections ask for and no run shows to be made: one of each kind of feature."""
    there = {(run.method, run.budget, run.part, work.base.name, work.pool.name)
             for key, (work, run) in planned.runs.items() if key in found}  # fmt: skip
    return {
        (work.pool.name, len(work.pool), work.part, work.base.name, need): work
        for work, method, budget in planned.selections.values()
        if (method, budget, work.part, work.base.name, work.pool.name) not in there
        for need in needs_of(method)
        if need in PASSES
    }


def _table(lines: Sequence[Line], rates: Rates) -> str:
    time_in = "GPU hours*" if rates.reckoned else "time"
    head = ["notebook", "pool", "base", "parts x rows", "runs", "there", "shared", "to make", "selections", time_in]
    return aligned([head, *(_row(line, rates) for line in lines)])


def _row(line: Line, rates: Rates) -> list[str]:
    planned, runs = line.planned, len(line.planned.runs)
    works = planned.works[:1]
    where = [[work.pool.name.split("::")[0].split("/")[-1], work.base.name.split("/")[-1], f"{len(work.parts)} x {len(work.pool):,}"]
             for work in works] or [["-", "-", "-"]]  # fmt: skip
    mark = "up to " if planned.at_most else ""
    if planned.unknown:
        return [line.job.report, *where[0], f"{mark}{runs:,} and some not counted", "", "", "", "", "not known"]
    left = runs - line.there - line.shared
    return [line.job.report, *where[0], f"{mark}{runs:,}", f"{line.there:,}", f"{line.shared:,}", f"{mark}{left:,}",
            f"{len(planned.selections):,}", f"{rates.gpu_hours(line.seconds):,.1f}" if rates.reckoned else duration(line.seconds)]  # fmt: skip


def aligned(rows: Sequence[Sequence[str]], texts: int = 3) -> str:
    """Rows as lines of columns as wide as their longest cell; the first `texts` to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" if place < texts else f"{cell:>{width}}"
                  for place, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    )  # fmt: skip


def _needed(outlined: Sequence[tuple[Job, Planned]], seconds: float, rates: Rates) -> str:
    """What this machine lacks: downloads, a GPU, disk; said before anything else."""
    works = [work for _, planned in outlined for work in planned.works]
    said = []
    for kind, names in (("dataset", [work.pool.name for work in works]), ("model", [work.base.name for work in works])):
        for name in dict.fromkeys(names):
            if not is_here(name, kind):
                bytes_ = 2 * parameters_of(name) if kind == "model" else 0
                size = f"about {_size_of(bytes_)} in bfloat16" if bytes_ else "its size is not known before"
                said.append(f"Needs a download: {'model' if kind == 'model' else 'pool'} {name} ({size}).")
    own = max((rates.of(work) for work in works), key=lambda one: one.parameters, default=None)
    if own and own.parameters > GPU_PARAMETERS and seconds > GPU_FROM and not torch.cuda.is_available():
        said.append(
            f"Needs a GPU: training {own.parameters / 1e6:,.0f} million parameters holds about "
            f"{_size_of(own.parameters * BYTES_PER_PARAMETER)} in float32; here there is none."
        )
    disk, free = _disk(works, outlined, rates), _free(RESULTS)
    if disk > free:
        said.append(f"Needs about {_size_of(disk)} of disk; here {_size_of(free)} are free.")
    return "\n".join(said)


def _disk(works: Sequence[Workbench], outlined: Sequence[tuple[Job, Planned]], rates: Rates) -> float:
    """Bytes of the pools, of downloaded models, and of runs and selections; features are left out."""
    sample = rates.sample
    row = sample.rows.data.nbytes / len(sample) if sample is not None and len(sample) else rates.first.tokens * 4
    pools = {(work.pool.name, len(work.parts), len(work.pool)) for work in works}
    size = sum(parts * n_rows * row for _, parts, n_rows in pools)
    size += sum(2 * parameters_of(name) for name in {work.base.name for work in works} if not is_here(name, "model"))
    size += sum(8 * len(run.rows) for _, planned in outlined for _, run in planned.runs.values())
    return size + sum(8 * len(work.pool) for _, planned in outlined for work, _, _ in planned.selections.values())


def _free(folder: Path) -> float:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free


def _size_of(count: float) -> str:
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.0f} MiB"


def _took(outlined, lines: Sequence[Line], rates: Rates, rows: RowsOfParts, jobs: int, start: float) -> str:
    """Totals, and what they are based on."""
    together = min(jobs, os.cpu_count() or 1, len(lines))
    longest, every = max(line.seconds + start for line in lines), sum(line.seconds + start for line in lines)
    runs = sum(len(line.planned.runs) - line.shared for line in lines)
    left = runs - sum(line.there for line in lines)
    there = f"{counted(runs - left, 'is', 'are')} in {RESULTS.name}/ or published, {left:,} to make."
    said = [f"{counted(len(lines), 'notebook')}, {counted(runs, 'different run')}: {there}"]
    if rates.work is None:
        return "\n".join(
            [*said, f"Time: about {duration(max(longest, every / together))} to start the notebooks, without drawing."]
        )
    own, base, works = rates.first, rates.work.base.name, [work for _, planned in outlined for work in planned.works]
    if rates.reckoned:
        tokens = (
            "as in a sample of the pool" if own.tokens_measured else "the most of a row that is read, so an upper bound"
        )
        flop = FLOP_PER_TOKEN * own.parameters / 1e6
        said += [
            f"* Reckoned, not measured, for GPUs that sustain {GPU_TERA} TFLOP/s together: {rates.gpu_hours(every):,.1f} hours in all; half the hours at twice that.",
            f"  {FLOP_PER_TOKEN} FLOP x {flop / FLOP_PER_TOKEN:,.0f} million parameters x tokens ({own.tokens:,.0f} a row, {tokens}), a third of it forward.",
            f"  This machine multiplies matrices at {rates.speed / TERA:.2f} TFLOP/s in float32: {every / 86400:,.0f} days here.",
        ]
    else:
        said += [
            f"Time: about {duration(max(longest, every / together))} with --jobs {jobs} ({duration(every)} one after another);"
            " rough, as other work on this machine makes it longer.",
            f"  Measured here and now: {own.train * own.tokens * 1000:,.0f} ms to train {base} once on a row of {own.tokens:.0f} tokens,"
            f" {own.score:.1f} s to score a run, {start:.0f} s to start a notebook.",
            "  Other bases in proportion to their parameters.",
        ]
    asked = _asked(works)
    return "\n".join(
        [
            *said,
            *told_of_asking(asked),
            f"  Not in it: drawing, {''.join(f'scoring by {call}, ' for call in unknown_tasks(asked))}training inside a method, and all but one pass over the pool for each kind of feature.",
            f"Memory: {_memory(own, together, rates.work.settings)}.",
            f"Disk: about {_size_of(_disk(works, outlined, rates))} without features of rows; {_size_of(_free(RESULTS))} are free.",
            "",
            "runs: exact, from the notebooks' own lines; `up to` where equal tokens are asked for, which only some methods need.",
            "there: in the store or published, by their descriptions. shared: made for a notebook above. selections: those the lines name.",
            f"rows: {_how_counted(works, rows)}.",
        ]
    )


def _asked(works: Sequence[Workbench]) -> list[str]:
    """The benchmarks of lm-eval that are asked of every model."""
    return list(dict.fromkeys(call for work in works for call in work.prepared.get("benchmarks") or []))


def _how_counted(works: Sequence[Workbench], rows: RowsOfParts) -> str:
    read = rows.exact.issuperset(work.pool.name for work in works)
    return (
        "counted by reading the file"
        if read
        else "about, 95 % of the limit as the others are held out, or fewer where a file has fewer"
    )


def _memory(own: Rate, together: int, settings: FineTuning) -> str:
    if own.measured:
        return f"about {together * resident_gib():.1f} GiB for {counted(together, 'notebook')} at once, as this process had"
    rows = settings.device_rows or settings.batch_rows
    return (
        f"about {_size_of(own.parameters * BYTES_PER_PARAMETER)} for weights, gradients and optimiser of each notebook at once;\n"
        f"  the activations of {rows} rows of up to {settings.max_tokens:,} tokens may take several times that besides"
        f"{'' if settings.device_rows else ' (fewer rows at once: device_rows in finetuning)'}"
    )
